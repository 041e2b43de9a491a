"""Daily caps: how much a company sends over a channel on one of its days, by number and by cost.

A file of caps (TOML) has entries such as ::

    [[cap]]
    company = "acme"        # left out: every company, each for itself
    channel = "sms"
    number = 500            # deliveries a day
    cost = "25.00"          # and what they may cost
    currency = "USD"

What is over goes on the next company day, before what is new on it, or when one that was counted ends
without having been sent. How often one waits so says `notifiers.patience`; nothing is lost.
"""

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import msgspec
import structlog
from msgspec import Meta, Struct
from sqlalchemy import Engine

from infra.database.send_days import DayCap, DayPlace, count_in, have_places
from infra.errors import OperatorError
from notifiers.gates.gate import Candidate, Wait
from notifiers.outcomes import occurred_at
from notifiers.pricing import PriceError, Prices, micros_of
from schemas.fields import Channel

__all__ = ["FILE", "Cap", "CapError", "Caps", "read_caps"]

FILE: Final = "caps.toml"
_OWN: Final = ("recorder", "folder", "task")  # they write files and rows, which cost nothing
_log = structlog.get_logger(__name__)


class CapError(OperatorError):
    """A file of caps says what cannot be; names the entry."""


class Cap(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry; ``cost`` is a decimal in major units of ``currency``, '' for any cost."""

    channel: Channel
    company: str = ""
    number: Annotated[int, Meta(ge=1)] | None = None
    cost: str = ""
    currency: str = ""


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    cap: tuple[Cap, ...] = ()


class Caps:
    """The gate of one channel.

    Args:
        engine: of the database that the workers share.
        caps: those of the installation.
        channel, provider: whose deliveries are counted.
        prices: what each costs.

    Raises:
        CapError: a cost is capped in another currency than the prices have, or nothing is priced.
    """

    def __init__(
        self, engine: Engine, *, caps: Sequence[Cap], channel: Channel, provider: str, prices: Prices
    ) -> None:
        self._engine = engine
        self._channel = channel
        self._caps = {each.company: _day_cap(each) for each in caps if each.channel == channel}
        self._told: set[tuple[str, datetime.date]] = set()
        for each in caps:
            if each.channel == channel and each.cost and provider not in _OWN:
                _check_currency(each, prices=prices, provider=provider)

    def waits(self, candidates: Sequence[Candidate], *, now: datetime.datetime) -> Mapping[str, Wait]:
        """Count deliveries in on their company's day; those that have no place wait for the next one."""
        places = {each.job.reminder: self._place(each, now=now) for each in candidates}
        counted = have_places(self._engine, places.values())
        found = {
            each.job.reminder: self._wait(each, places[each.job.reminder])
            for each in candidates
            if each.job.reminder not in counted
        }
        return {reminder: wait for reminder, wait in found.items() if wait is not None}

    def _place(self, candidate: Candidate, *, now: datetime.datetime) -> DayPlace:
        job, message = candidate.job, candidate.message
        zone = ZoneInfo(message.time_zone)
        day = datetime.datetime.fromisoformat(occurred_at(job, now=now)).astimezone(zone).date()
        return DayPlace(
            reminder=job.reminder,
            channel=job.channel,
            company=job.company,
            day=day,
            micros=0 if message.cost is None else message.cost.micros,
        )

    def _wait(self, candidate: Candidate, place: DayPlace) -> Wait | None:
        cap = self._caps.get(place.company, self._caps.get(""))
        reached = "" if cap is None else count_in(self._engine, place, cap=cap)
        if not reached:
            return None
        tomorrow = place.day + datetime.timedelta(days=1)
        until = datetime.datetime.combine(
            tomorrow, datetime.time(), tzinfo=ZoneInfo(candidate.message.time_zone)
        )
        self._tell(place.company, day=place.day, reached=reached)
        return Wait(
            until=until.astimezone(datetime.UTC),
            why="daily_cap",
            detail=f"the daily cap of {place.company} for {place.channel} by {reached} is reached on {place.day}",
            capped_on=place.day,
        )

    def _tell(self, company: str, *, day: datetime.date, reached: str) -> None:
        """Say once a day and company that a cap is reached; each delivery is counted by the loop."""
        if (company, day) not in self._told:
            self._told.add((company, day))
            _log.warning("send_cap_reached", company=company, channel=self._channel, day=str(day), by=reached)


def read_caps(path: Path | None) -> tuple[Cap, ...]:
    """Read a file of caps; None, or a file that is not there: there are none.

    Raises:
        CapError: it cannot be read as one; says where.
    """
    if path is None or not path.exists():
        return ()
    try:
        caps = msgspec.toml.decode(path.read_bytes(), type=_File).cap
    except msgspec.MsgspecError as error:
        raise CapError(f"{path}: {error}") from error
    if len({(each.company, each.channel) for each in caps}) < len(caps):
        raise CapError(f"{path}: a company has two caps for one channel")
    for number, each in enumerate(caps, start=1):
        try:
            _day_cap(each)
        except PriceError as error:
            raise CapError(f"{path}: cap {number}: {error}") from error
        if bool(each.cost) != bool(each.currency):
            raise CapError(f"{path}: cap {number}: cost and currency go together")
    return caps


def _day_cap(cap: Cap) -> DayCap:
    return DayCap(number_max=cap.number, micros_max=micros_of(cap.cost) if cap.cost else None)


def _check_currency(cap: Cap, *, prices: Prices, provider: str) -> None:
    """Refuse a cap that would be passed unseen: of what is priced otherwise, or not at all."""
    priced = prices.currencies(cap.channel, provider=provider)
    if priced - {cap.currency}:
        others = ", ".join(sorted(priced - {cap.currency}))
        raise CapError(
            f"{cap.channel} over {provider} costs {others}, which a cap in {cap.currency} cannot count"
        )
    if prices.price(cap.channel, provider=provider) is None:
        raise CapError(
            f"a cap of cost needs a price of {cap.channel} over {provider} for any country: some cost would be unknown"
        )

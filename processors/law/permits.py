"""When a debtor may be contacted: hours, holidays, limits and pauses of an edition, in days of the debtor's zone.

Pure arithmetic over the contacts that were made; who keeps them is
``processors.law.register`` in the core, and the send ledger at sending.
"""

import datetime
import zoneinfo
from bisect import insort
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from processors.calendar import local_day, zone_of
from processors.law.days import hours_on, is_open_day, name_of
from schemas.facts import Delivery
from schemas.law import Contacting, LawTerms, Way

__all__ = ["Made", "Openings", "Permits", "channel_names"]

_DAY = datetime.timedelta(days=1)
Openings = dict[str, tuple[datetime.datetime, datetime.datetime]]
_SEARCH_DAYS_MAX = 3 * 366  # no rule reaches further: a window is a year at most


class Made(NamedTuple):
    """A contact that was made, or is planned: by which channel (``call`` is one), on which day of the debtor."""

    on: datetime.date
    channel: str
    conversation: bool = False


def _way_of(channel: str) -> Way:
    return "call" if channel == "call" else "message"


def channel_names(deliveries: Iterable[Delivery]) -> list[str]:
    """Name the channels by which deliveries contact the debtor, as the law counts them: none for mere tasks."""
    names = (name_of(each.channel, task_type=each.task_type) for each in deliveries)
    return list(dict.fromkeys(name for name in names if name))


class Permits:
    """The law for one debtor, with the contacts made so far.

    Args:
        terms: the law.
        made: the contacts.
        openings: channel -> an instant, and the first allowed one from then on, of any debtor under these terms
            who was not contacted yet; shared by all, and filled here.
    """

    __slots__ = ("_country", "_known", "_made", "_rules", "profile", "terms", "zone")

    def __init__(
        self, terms: LawTerms, *, made: Iterable[Made] = (), openings: Openings | None = None
    ) -> None:
        self.terms = terms
        self.profile = terms.profile
        self.zone: zoneinfo.ZoneInfo = zone_of(terms.time_zone)
        self._country = terms.country
        self._rules: Contacting = terms.contacting
        self._made = sorted(made)
        self._known: Openings = {} if self._made or openings is None else openings

    def add(self, made: Made) -> None:
        """Count one more contact."""
        insort(self._made, made)
        self._known = {}  # not emptied: it may be others', too

    def next_allowed(self, channel: str, *, at: datetime.datetime) -> datetime.datetime:
        """Give the first instant from ``at`` on at which one more contact by a channel breaks no rule.

        Args:
            channel: ``call`` for a call or visit.
            at: an instant in UTC.
        """
        known = self._known.get(channel)
        if known is None or known[0] != at:
            known = self._known[channel] = (at, self._find(channel, at=at))
        return known[1]

    def plan(self, deliveries: Iterable[Delivery], *, at: datetime.datetime) -> tuple[Delivery, ...]:
        """Give each delivery its first allowed instant, each counting for those after it.

        A task is carried out, and noted, by a person: it counts then.
        """
        planned: list[Delivery] = []
        for each in deliveries:
            name = name_of(each.channel, task_type=each.task_type)
            not_before = self.next_allowed(name, at=at) if name else at
            planned.append(each if each.not_before == not_before else replace(each, not_before=not_before))
            if name and each.channel != "task":
                self.add(Made(local_day(not_before, self.zone), name))
        return tuple(planned)

    def _find(self, channel: str, *, at: datetime.datetime) -> datetime.datetime:
        day = local_day(at, self.zone)
        for _ in range(_SEARCH_DAYS_MAX):
            instant = self._opening(day, at=at)
            if instant is not None and self._allows(channel, on=day):
                return instant
            day += _DAY
        raise AssertionError(f"{channel} is allowed on no day from {at} on: a law without hours")

    def _opening(self, day: datetime.date, *, at: datetime.datetime) -> datetime.datetime | None:
        """Give the first allowed instant of a day that is not before ``at``; None: there is none."""
        if not self._rules.hours and self._rules.holidays:
            return max(at, _instant(day, datetime.time(0), self.zone))
        if not is_open_day(self._rules, day=day, country=self._country):
            return None
        found: list[datetime.datetime] = []
        for hours in hours_on(self._rules, day=day):
            opens = max(at, _instant(day, hours.opens, self.zone))
            if opens < _instant(day, hours.closes, self.zone):
                found.append(opens)
        return min(found, default=None)

    def _allows(self, channel: str, *, on: datetime.date) -> bool:
        way = _way_of(channel)
        rules = self._rules
        if way in rules.cool_off and any(
            each.conversation and 0 <= (on - each.on).days < rules.cool_off_days for each in self._made
        ):
            return False
        if any(
            each.channel != channel and abs((on - each.on).days) < rules.one_channel_days
            for each in self._made
        ):
            return False
        return all(
            self._fits(on, at_most=limit.at_most, within_days=limit.within_days, ways=limit.ways)
            for limit in rules.limits
            if way in limit.ways
        )

    def _fits(self, on: datetime.date, *, at_most: int, within_days: int, ways: Sequence[Way]) -> bool:
        """Say whether no ``within_days`` days in a row would hold more than ``at_most`` contacts."""
        near = [
            each.on
            for each in self._made
            if abs((on - each.on).days) < within_days and _way_of(each.channel) in ways
        ]
        insort(near, on)
        return all(
            (near[index + at_most] - near[index]).days >= within_days for index in range(len(near) - at_most)
        )


def _instant(day: datetime.date, at: datetime.time, zone: zoneinfo.ZoneInfo) -> datetime.datetime:
    return datetime.datetime.combine(day, at, tzinfo=zone).astimezone(datetime.UTC)

"""What a played day costs beyond its work: facts, tick, reminder and outcome of a day through a whole installation.

    python -m benchmarks.played_day

One invoice of a new customer comes each day, due the day before, so that each day has a fact, a tick, a reminder,
its mail (into the recorder's files) and the outcome that goes back to the journal. A day is over when no process has
anything left to do. Two processors' work for one reminder is some ms: what is measured is waiting and asking around
(budget of DESIGN 7: 100 ms). Days without anything are listed apart.
"""

import argparse
import datetime
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from benchmarks.end_to_end import ANY_TIME
from benchmarks.figures import Figure, save
from benchmarks.workload import COMPANY, PLAN, PROFILE
from console.cli.play import workers_for
from console.importing import Fact
from console.player import open_play
from console.playing import Day, play, schedule
from console.publishing import outgoing
from infra.settings import Settings
from processors.calendar import zone_of
from schemas.commands import ConfigureCompany, PublishPlan, SetLaw
from schemas.events import Contact, CustomerUpserted, InvoiceIssued
from schemas.plans import Action, Plan, Step

__all__ = ["main"]

_FIRST: Final = datetime.date(2026, 3, 2)
_SOURCE: Final = "bench"
_DAY: Final = datetime.timedelta(days=1)
_ONE_STEP: Final = replace(
    PLAN,
    plan=Plan(
        id="default",
        version=1,
        steps=(Step(name="first", offset_days=0, actions=(Action(channel="email"),)),),
    ),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print p50 and p95 of a day with a reminder, and of one without anything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=60, help="of each kind")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        seconds = _played(Settings(data_dir=Path(folder)), days=chosen.days)
    busy, idle = seconds[: chosen.days], seconds[chosen.days :]
    save(
        [
            *_figures("a played day with an invoice, a reminder and its outcome", busy),
            *_figures("a played day without anything", idle),
        ],
        file=chosen.json,
    )


def _played(settings: Settings, *, days: int) -> list[float]:
    """Play twice as many days, of which only the first half has facts; give the seconds of each."""
    facts = [fact for place in range(days) for fact in _facts(_FIRST + place * _DAY, place=place)]
    planned = schedule(
        facts,
        first=_FIRST,
        last=_FIRST + (2 * days - 1) * _DAY,
        every=_DAY,
        zone=zone_of(PROFILE.time_zone),
    )
    seconds: list[float] = []

    def timed(each: Sequence[Day]) -> Iterable[Day]:
        return _timed(each, into=seconds)

    with workers_for(settings, start=True) as (ready, check), open_play(ready, check=check) as on:
        first: tuple[ConfigureCompany | PublishPlan | SetLaw, ...] = (PROFILE, _ONE_STEP, ANY_TIME)
        play(planned, profiles=[outgoing(event, source=_SOURCE) for event in first], on=on, watch=timed)
    return seconds


def _timed(days: Sequence[Day], *, into: list[float]) -> Iterator[Day]:
    for day in days:
        started = time.monotonic()
        yield day
        into.append(time.monotonic() - started)


def _facts(day: datetime.date, *, place: int) -> Iterator[Fact]:
    customer, before = f"P-{place:04d}", (day - _DAY).isoformat()
    events: tuple[CustomerUpserted | InvoiceIssued, ...] = (
        CustomerUpserted(
            company=COMPANY,
            customer=customer,
            occurred_at=before,
            name=customer,
            contacts=(Contact(email=f"{customer.lower()}@debtor.test"),),
        ),
        InvoiceIssued(
            company=COMPANY,
            customer=customer,
            occurred_at=before,
            document=f"F-{place:04d}",
            due_date=day - _DAY,
            amount="100.00",
            currency=PROFILE.currency,
        ),
    )
    for order, event in enumerate(events):
        yield Fact(day=day, order=(place, order), record=outgoing(event, source=_SOURCE))


def _figures(name: str, seconds: Sequence[float]) -> list[Figure]:
    slowest = statistics.quantiles(seconds, n=20)[-1]
    note = f"{len(seconds)} days; p95 {slowest * 1e3:.0f} ms"
    return [
        Figure(
            name=name,
            unit="ms",
            values=[statistics.median(seconds) * 1e3],
            budget=100,
            at_most=True,
            note=note,
        )
    ]


if __name__ == "__main__":
    main()

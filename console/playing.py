"""History played: each day's facts, then its tick, with quiet in between.

    facts before the first day ─► quiet ─► for each day: its facts ─► quiet ─► tick 09:00 ─► quiet

A tick closes no day: it says "it is 09:00"; the day's facts of later hours are
in before it, since history is known by day. Playing again changes nothing:
facts are absorbed by their natural keys (what the ledger has forgotten by then is
refused as ``too_old``), ticks that are not new are passed over.
"""

import bisect
import datetime
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

from console.importing import Fact
from console.publishing import Outgoing

__all__ = ["Day", "Play", "PlaySummary", "Schedule", "play", "schedule"]

TICK_HOUR = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A tick and the facts that are published before it."""

    tick_at: datetime.datetime
    facts: Sequence[Fact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What is played: ``before`` the first day at once, then ``days``, then the ``rest`` without a tick.

    ``left_out`` facts are later than the last day.
    """

    before: Sequence[Fact]
    days: Sequence[Day]
    rest: Sequence[Fact]
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaySummary:
    """What a play came to."""

    facts: int
    ticks: int
    ticks_passed_over: int
    left_out: int
    duration_s: float


class _Quiet(Protocol):
    def wait(self, *, at: datetime.datetime | None) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What playing needs.

    Attributes:
        publish: writes records and returns when they are written.
        tick: writes a tick.
        quiet: waits until nothing is left to do.
        newest: the newest tick of the journal, None when it has none.
    """

    publish: Callable[[Iterable[Outgoing]], int]
    tick: Callable[[datetime.datetime], object]
    quiet: _Quiet
    newest: datetime.datetime | None


def schedule(
    facts: Sequence[Fact],
    *,
    first: datetime.date,
    last: datetime.date,
    every: datetime.timedelta,
    zone: ZoneInfo,
) -> Schedule:
    """Lay facts out over days.

    Args:
        facts: sorted by day.
        first: day of the first tick; older facts are published before it.
        last: no tick and no fact is later than this.
        every: from tick to tick; whole days.
        zone: ticks are at 09:00 there.
    """
    days = []
    index = _count_before(facts, first)
    before, day = facts[:index], first
    while day <= last:
        end = _count_before(facts, day + datetime.timedelta(days=1))
        at = datetime.datetime.combine(day, datetime.time(TICK_HOUR), tzinfo=zone)
        days.append(Day(tick_at=at.astimezone(datetime.UTC), facts=facts[index:end]))
        index, day = end, day + every
    end = max(index, _count_before(facts, last + datetime.timedelta(days=1)))
    return Schedule(before=before, days=days, rest=facts[index:end], left_out=len(facts) - end)


def play(
    planned: Schedule,
    *,
    profiles: Sequence[Outgoing],
    on: Play,
    watch: Callable[[Sequence[Day]], Iterable[Day]] = iter,
) -> PlaySummary:
    """Play a schedule.

    Args:
        planned: what and when.
        profiles: company profiles and plans: published first, folded before any fact.
        on: where.
        watch: given the days, gives them back one by one (a progress bar).
    """
    started_s = time.monotonic()
    newest = on.newest
    on.publish(profiles)
    # Commands and facts come by different topics: no order is promised between them.
    on.quiet.wait(at=newest)
    past = [day for day in planned.days if newest is not None and day.tick_at <= newest]
    sent = on.publish(_records([*planned.before, *(fact for day in past for fact in day.facts)]))
    on.quiet.wait(at=newest)
    for day in watch(planned.days[len(past) :]):
        if day.facts:
            sent += on.publish(_records(day.facts))
            on.quiet.wait(at=newest)
        on.tick(day.tick_at)
        newest = day.tick_at
        on.quiet.wait(at=newest)
    sent += on.publish(_records(planned.rest))
    on.quiet.wait(at=newest)
    return PlaySummary(
        facts=sent,
        ticks=len(planned.days) - len(past),
        ticks_passed_over=len(past),
        left_out=planned.left_out,
        duration_s=time.monotonic() - started_s,
    )


def _count_before(facts: Sequence[Fact], day: datetime.date) -> int:

    return bisect.bisect_left(facts, day, key=lambda fact: fact.day)


def _records(facts: Iterable[Fact]) -> Iterator[Outgoing]:
    return (fact.record for fact in facts)

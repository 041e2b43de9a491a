"""Playing: which facts come before which tick, where it waits, and what a second play does."""

import datetime
from collections.abc import Iterable

from console.importing import Fact, fact_of
from console.playing import Play, play, schedule
from console.publishing import Outgoing, outgoing
from processors.calendar import zone_of
from schemas.commands import ConfigureCompany
from schemas.events import InvoiceCancelled

ZONE = zone_of("America/Santiago")
DAY = datetime.timedelta(days=1)
PROFILE = outgoing(
    ConfigureCompany(
        company="acme", occurred_at="2026-01-01", command="p", name="A", time_zone="UTC", currency="USD"
    ),
    source="test",
)


def _fact(day: str) -> Fact:
    event = InvoiceCancelled(company="acme", customer="C", occurred_at=day, document=day)
    return fact_of(event, source="test", zone=ZONE, order=(0, 0))


def _days(facts: Iterable[Fact]) -> list[str]:
    return [fact.day.isoformat() for fact in facts]


FACTS = [_fact(f"2026-01-{day:02d}") for day in (1, 4, 5, 5, 7, 8, 9)]


class _Installation:
    """Writes down what is done to it."""

    def __init__(self, newest: datetime.datetime | None = None) -> None:
        self.log: list[str] = []
        self.play = Play(publish=self._publish, tick=self._tick, quiet=self, newest=newest)

    def _publish(self, records: Iterable[Outgoing]) -> int:
        count = len(list(records))
        self.log.append(f"publish {count}")
        return count

    def _tick(self, at: datetime.datetime) -> None:
        self.log.append(f"tick {at:%m-%d}")

    def wait(self, *, at: datetime.datetime | None) -> None:
        self.log.append("wait" if at is None else f"wait {at:%m-%d}")


def test_facts_lie_before_the_tick_of_their_day() -> None:
    """Older ones go first, later ones not at all."""
    planned = schedule(
        FACTS, first=datetime.date(2026, 1, 5), last=datetime.date(2026, 1, 8), every=DAY, zone=ZONE
    )
    assert ["2026-01-01", "2026-01-04"] == _days(planned.before)
    expected = [["2026-01-05", "2026-01-05"], [], ["2026-01-07"], ["2026-01-08"]]
    assert expected == [_days(day.facts) for day in planned.days]
    assert 1 == planned.left_out


def test_ticks_are_at_nine_in_the_company_zone() -> None:
    """Through summer time, too: Chile leaves it on 5 April 2026."""
    planned = schedule(
        [], first=datetime.date(2026, 4, 4), last=datetime.date(2026, 4, 5), every=DAY, zone=ZONE
    )
    assert [12, 13] == [day.tick_at.hour for day in planned.days]


def test_wider_steps_gather_facts_and_leave_none_behind() -> None:
    """Facts after the last tick but not after the last day are published without a tick."""
    planned = schedule(
        FACTS, first=datetime.date(2026, 1, 1), last=datetime.date(2026, 1, 8), every=5 * DAY, zone=ZONE
    )
    assert [["2026-01-01"], ["2026-01-04", "2026-01-05", "2026-01-05"]] == [
        _days(day.facts) for day in planned.days
    ]
    assert ["2026-01-07", "2026-01-08"] == _days(planned.rest)


def test_play_waits_before_and_after_each_tick() -> None:
    """No tick overtakes a fact, no fact a decision of the day before."""
    planned = schedule(
        FACTS, first=datetime.date(2026, 1, 5), last=datetime.date(2026, 1, 7), every=DAY, zone=ZONE
    )
    installation = _Installation()
    summary = play(planned, profiles=[PROFILE], on=installation.play)
    expected = [
        *("publish 1", "wait", "publish 2", "wait"),
        *("publish 2", "wait", "tick 01-05", "wait 01-05"),
        *("tick 01-06", "wait 01-06"),
        *("publish 1", "wait 01-06", "tick 01-07", "wait 01-07"),
        *("publish 0", "wait 01-07"),
    ]
    assert expected == installation.log
    assert (5, 3, 0, 2) == (summary.facts, summary.ticks, summary.ticks_passed_over, summary.left_out)


def test_play_goes_on_where_it_was_interrupted() -> None:
    """Facts are published again (they change nothing), ticks that are there are not."""
    planned = schedule(
        FACTS, first=datetime.date(2026, 1, 5), last=datetime.date(2026, 1, 7), every=DAY, zone=ZONE
    )
    installation = _Installation(newest=planned.days[1].tick_at)
    summary = play(planned, profiles=[], on=installation.play)
    expected = [
        *("publish 0", "wait 01-06", "publish 4", "wait 01-06"),
        *("publish 1", "wait 01-06", "tick 01-07", "wait 01-07"),
        *("publish 0", "wait 01-07"),
    ]
    assert expected == installation.log
    assert (1, 2) == (summary.ticks, summary.ticks_passed_over)

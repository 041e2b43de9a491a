"""Reminders and noes as lists and counts: what was sent, what became of it, what was withheld and why."""

import datetime

import pytest
from sqlalchemy import Engine

from infra.database.engine import reading
from infra.database.queries.reminder_filter import By, Filter
from infra.database.queries.reminders import ReminderLine, Summary, reminder_lines, reminder_summary
from tests.infra.database.filled import Filled, day


def at(text: str) -> datetime.datetime:
    """Read 'MM-DD HH' of 2026, UTC."""
    return datetime.datetime.strptime(f"2026-{text}", "%Y-%m-%d %H").replace(tzinfo=datetime.UTC)


@pytest.fixture
def told(engine: Engine) -> Filled:
    """Two companies, half a day apart; a sent, a failed and an open reminder, and two noes."""
    filled = Filled(engine)
    filled.company("acme", "America/Santiago")
    filled.company("kiwi", "Pacific/Auckland")
    filled.customer("acme:C1", "Ñandú")
    filled.reminder(
        "acme:C1", name="r1", tick=at("02-01 12"), step="first", items="I2 I1", channels=("email", "letter")
    )
    filled.outcome("acme:C1", reminder="r1", channel="email", status="unknown")
    filled.outcome("acme:C1", reminder="r1", channel="email", status="accepted")
    filled.outcome("acme:C1", reminder="r1", channel="letter", status="failed", error="address_missing")
    filled.ended("acme:C1", reminder="r1", tick=at("02-02 12"), status="sent")
    filled.withheld(
        "acme:C2", name="w1", tick=at("02-01 12"), step="first", reasons={"I3": "gap", "I4": "excluded"}
    )
    filled.reminder("kiwi:C1", name="r2", tick=at("02-01 20"), step="second", items="I1", channels=("email",))
    filled.ended("kiwi:C1", reminder="r2", tick=at("02-02 20"), status="failed")
    filled.reminder("kiwi:C1", name="r3", tick=at("02-05 20"), step="second", items="I1", channels=("email",))
    return filled


def listed(engine: Engine, asked: Filter | None = None, *, lines_max: int = 100) -> list[ReminderLine]:
    """List what a filter leaves."""
    with reading(engine) as connection:
        return reminder_lines(connection, asked=asked or Filter(), lines_max=lines_max)


def counted(engine: Engine, by: By, asked: Filter | None = None) -> list[Summary]:
    """Count what a filter leaves."""
    with reading(engine) as connection:
        return reminder_summary(connection, asked=asked or Filter(), by=by)


def short(found: list[ReminderLine]) -> list[tuple[str, str, str, str, str, str]]:
    """Write lines as (day, items, level, channel, status, reason)."""
    return [(f"{one.day:%m-%d}", one.items, one.level, one.channel, one.status, one.reason) for one in found]


@pytest.mark.usefixtures("told")
def test_each_delivery_and_each_no_has_a_line(engine: Engine) -> None:
    """In the order of time; items, level, channel, fate and reason; the day is the company's."""
    assert [
        ("02-01", "I1, I2", "first", "email", "sent", ""),
        ("02-01", "I1, I2", "first", "letter", "sent", "address_missing"),
        ("02-01", "I3", "first", "", "withheld", "gap"),
        ("02-01", "I4", "first", "", "withheld", "excluded"),
        ("02-02", "I1", "second", "email", "failed", ""),
        ("02-06", "I1", "second", "email", "open", ""),
    ] == short(listed(engine))


@pytest.mark.usefixtures("told")
def test_a_line_says_what_it_is_about(engine: Engine) -> None:
    """Name, amounts per currency, the delivery's last outcome, the reminder's id."""
    email, letter, *_, pending = listed(engine)
    assert ("Ñandú", "r1", 2, (("USD", 2000),)) == (
        email.name,
        email.reminder,
        email.item_count,
        email.amounts,
    )
    assert ("accepted", "failed", "pending") == (email.outcome, letter.outcome, pending.outcome)


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        (Filter(first_on=day("02-02")), 2),  # 20:00 UTC on the 1st is the 2nd in Auckland
        (Filter(last_on=day("02-01")), 4),
        (Filter(first_on=day("02-02"), last_on=day("02-02")), 1),
        (Filter(company="kiwi"), 2),
        (Filter(account="acme:C2"), 2),
        (Filter(level="first"), 4),
        (Filter(channel="letter"), 1),
        (Filter(status="sent"), 2),
        (Filter(status="withheld"), 2),
        (Filter(status="withheld", reason="gap"), 1),
        (Filter(status="sent", level="second"), 0),
    ],
)
@pytest.mark.usefixtures("told")
def test_filters_leave_what_was_asked_for(engine: Engine, asked: Filter, count: int) -> None:
    """Days are company days; filters hold together."""
    assert count == len(listed(engine, asked))


@pytest.mark.usefixtures("told")
def test_the_newest_lines_are_kept(engine: Engine) -> None:
    """A limit drops the oldest ones."""
    assert ["02-02", "02-06"] == [line[0] for line in short(listed(engine, lines_max=2))]


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (
            "day",
            [
                ("2026-02-01", "sent", 2, 1),
                ("2026-02-01", "withheld", 2, 0),
                ("2026-02-02", "failed", 1, 1),
                ("2026-02-06", "open", 1, 1),
            ],
        ),
        (
            "level",
            [
                ("first", "sent", 2, 1),
                ("first", "withheld", 2, 0),
                ("second", "failed", 1, 1),
                ("second", "open", 1, 1),
            ],
        ),
        (
            "channel",
            [
                ("", "withheld", 2, 0),
                ("email", "failed", 1, 1),
                ("email", "open", 1, 1),
                ("email", "sent", 1, 1),
                ("letter", "sent", 1, 1),
            ],
        ),
    ],
)
@pytest.mark.usefixtures("told")
def test_counts_by(engine: Engine, by: By, expected: list[tuple[str, str, int, int]]) -> None:
    """Lines and distinct reminders per value and status."""
    found = [(one.value, one.status, one.count, one.reminder_count) for one in counted(engine, by)]
    assert expected == found


@pytest.mark.usefixtures("told")
def test_reasons_are_counted(engine: Engine) -> None:
    """R31: how often what was withheld for what."""
    found = counted(engine, "reason", Filter(status="withheld"))
    assert [("excluded", 1), ("gap", 1)] == [(one.value, one.count) for one in found]


def test_a_company_without_a_profile_has_utc_days(engine: Engine) -> None:
    """What is asked of days still finds it."""
    filled = Filled(engine)
    filled.reminder("new:C1", name="r1", tick=at("02-01 23"), step="first", items="I1", channels=("email",))
    assert [("02-01", "I1", "first", "email", "open", "")] == short(
        listed(engine, Filter(last_on=day("02-01")))
    )

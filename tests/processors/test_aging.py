"""Amounts by age in a message: exact also where a message does not name every item."""

import datetime

import pytest

from processors.aging import age_bucket
from schemas import commands, events
from schemas.facts import AgedTotal, MessageDecided, ReminderDecided
from schemas.journal import TickPassed
from schemas.plans import Action, Plan, Step
from tests.scenarios.on_core import Stage

PLAN = Plan(
    id="default",
    version=1,
    steps=(Step(name="first", offset_days=40, actions=(Action(channel="email"),)),),
)
DUE = {600: datetime.date(2026, 1, 10), 30: datetime.date(2026, 2, 10), 5: datetime.date(2026, 3, 31)}


@pytest.mark.parametrize(
    ("days", "bucket"),
    [(-5, 0), (0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4), (9999, 4)],
)
def test_edges(days: int, bucket: int) -> None:
    """Section 6: due on the day itself is not due; the last day of a bucket belongs to it."""
    assert bucket == age_bucket(days)


def staged(*counts: int) -> Stage:
    """Give an account of one customer who wants statements, with so many items of one dollar per due date."""
    stage = Stage()
    stage.fold(commands.PublishPlan(company="acme", occurred_at="2026-01-01", command="plan", plan=PLAN))
    stage.fold(
        commands.ConfigureCompany(
            company="acme",
            occurred_at="2026-01-01",
            command="profile",
            name="Acme",
            time_zone="UTC",
            currency="USD",
            statements="monthly",
            payment_link="https://pay.example.com/{customer}",
        )
    )
    for count in counts:
        for number in range(count):
            stage.fold(
                events.InvoiceIssued(
                    company="acme",
                    customer="C1",
                    occurred_at="2026-01-02",
                    document=f"INV-{count}-{number:04}",
                    currency="USD",
                    amount="1.00",
                    due_date=DUE[count],
                    contact=events.Contact(email="a@b.example"),
                )
            )
    return stage


def tick(stage: Stage, day: str) -> list[ReminderDecided]:
    """Let a day's tick pass; give what was decided to be said."""
    at = datetime.datetime.fromisoformat(f"{day}T09:00:00+00:00")
    facts = stage.fold(TickPassed(at=at, mode="played"))
    said = [each.content if isinstance(each, MessageDecided) else each for each in facts]
    return [each for each in said if isinstance(each, ReminderDecided)]


def test_a_reminder_that_cannot_name_all_brings_its_sums() -> None:
    """R1, DESIGN 3.6: 600 items are due, 500 are named, 30 more are overdue: all are in the sums by age."""
    (made,) = [each for each in tick(staged(600, 30, 5), "2026-02-20") if each.step == "first"]
    assert (100, (AgedTotal(currency="USD", buckets=(0, 3_000, 60_000, 0, 0)),)) == (
        made.unlisted,
        made.aging,
    )
    assert "https://pay.example.com/{customer}" == made.payment_link


def test_a_reminder_that_names_all_brings_none() -> None:
    """The figures are in the items: the fact says nothing twice."""
    (made,) = [each for each in tick(staged(30), "2026-03-23") if each.step == "first"]
    assert (30, 0, ()) == (len(made.items), made.unlisted, made.aging)


def test_a_statement_that_cannot_name_all_brings_its_sums() -> None:
    """R33, S4-11: a statement counts what is not due yet too."""
    stage = staged(600, 30, 5)
    said = [each for day in range(25, 29) for each in tick(stage, f"2026-02-{day}")]
    said += [each for day in range(1, 4) for each in tick(stage, f"2026-03-0{day}")]
    (made,) = [each for each in said if each.step == "statement"]
    (aged,) = made.aging
    assert ((500, 3_000, 60_000, 0, 0), made.totals[0].amount_minor) == (aged.buckets, sum(aged.buckets))

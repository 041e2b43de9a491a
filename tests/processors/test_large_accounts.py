"""Accounts with many items: lists stay within a record, every step is still consumed or explained."""

import datetime
import time

import pytest

from processors.audit import audit_journal
from schemas import commands, events
from schemas.codec import encode
from schemas.facts import LedgerFact, ReminderDecided, ReminderEnded, ReminderWithheld
from schemas.journal import TickPassed
from schemas.plans import Action, Plan, Step
from tests.scenarios.on_core import Stage

ACCOUNT = "acme:C1"
RECORD_MAX = 1024 * 1024
PLAN = Plan(
    id="default",
    version=1,
    steps=(
        Step(name="first", offset_days=0, actions=(Action(channel="task", summary="Call"),)),
        Step(name="second", offset_days=15, actions=(Action(channel="task", summary="Call"),)),
    ),
)


def staged(count: int, *, reference: str = "") -> Stage:
    """Give an account with ``count`` items that are due on 2 February 2026."""
    stage = Stage()
    stage.fold(commands.PublishPlan(company="acme", occurred_at="2026-01-01", command="plan", plan=PLAN))
    for number in range(count):
        stage.fold(
            events.InvoiceIssued(
                company="acme",
                customer="C1",
                occurred_at="2026-01-02",
                document=f"INV-{number:06}",
                currency="USD",
                amount="1.00",
                due_date=datetime.date(2026, 2, 2),
                reference=reference,
            )
        )
    return stage


def tick(stage: Stage, day: str) -> list[LedgerFact]:
    """Let a day's tick pass, and the notifier accept."""
    at = datetime.datetime.fromisoformat(f"{day}T09:00:00+00:00")
    return stage.take(TickPassed(at=at, mode="played"))


def test_reminder_names_500_items_and_consumes_all() -> None:
    """DESIGN 3.6: 1,200 items: one message with 500, all steps consumed, totals over all."""
    stage = staged(1200)
    facts = tick(stage, "2026-02-02")
    (reminder,) = [fact for fact in facts if isinstance(fact, ReminderDecided)]
    assert (500, 700, 120_000) == (len(reminder.items), reminder.unlisted, reminder.totals[0].amount_minor)
    consumed = [pair for fact in facts if isinstance(fact, ReminderEnded) for pair in fact.consumed]
    assert 1200 == len(set(consumed)) == len(consumed)
    rows = stage.partition.account(ACCOUNT).items.values()
    assert {(0, None)} == {(row.step, row.pending) for row in rows}
    assert [] == audit_journal({0: stage.records}).problems


def test_failed_reminder_gives_back_what_it_did_not_name() -> None:
    """R19: items beyond the 500 wait like the others, and are tried again with them."""
    stage = staged(600)
    at = datetime.datetime(2026, 2, 2, 9, tzinfo=datetime.UTC)
    (reminder,) = [
        fact for fact in stage.fold(TickPassed(at=at, mode="played")) if isinstance(fact, ReminderDecided)
    ]
    stage.fold(outcome_of(reminder, status="failed"))
    assert [] == [fact for fact in tick(stage, "2026-02-04") if isinstance(fact, ReminderDecided)]
    (again,) = [fact for fact in tick(stage, "2026-02-05") if isinstance(fact, ReminderDecided)]
    assert 100 == again.unlisted
    assert [] == audit_journal({0: stage.records}).problems


def outcome_of(reminder: ReminderDecided, *, status: str) -> "events.BillingEvent":
    """Answer for a reminder's task."""
    from schemas.codec import decode_source

    data = (
        f'{{"type":"notify.outcome.reported.v1","company":"acme","customer":"C1",'
        f'"occurred_at":"2026-02-02","reminder":"{reminder.id}","channel":"task","status":"{status}"}}'
    )
    return decode_source("notify.outcome.reported.v1", data.encode())  # type: ignore[return-value]


def test_every_fact_fits_into_a_record() -> None:
    """Long references, all items held, all items due: no fact is over 1 MiB."""
    stage = staged(1500, reference="ñ" * 2000)
    facts = tick(stage, "2026-02-02")
    stage.fold(
        commands.PlaceHold(
            company="acme",
            customer="C1",
            occurred_at="2026-02-03",
            command="h",
            kind="blocked",
            reason="é" * 2000,
        )
    )
    facts += tick(stage, "2026-02-17")
    withheld = [fact for fact in facts if isinstance(fact, ReminderWithheld)]
    assert 1500 == sum(len(fact.items) for fact in withheld)
    assert RECORD_MAX > max(len(encode(fact)) for fact in facts)
    (reminder,) = [fact for fact in facts if isinstance(fact, ReminderDecided)]
    assert 1500 == len(reminder.items) + reminder.unlisted > 500 > len(reminder.items) > 100


@pytest.mark.parametrize("count", [20_000])
def test_event_costs_what_it_touches(count: int) -> None:
    """DESIGN 7: a payment on an account with very many open items costs about what it does on one with few.

    Generous here (a budget is for benchmarks): it would be hundreds of times
    slower if an event walked over all items.
    """

    def cost_s(stage: Stage) -> float:
        started_s = time.perf_counter()
        for number in range(200):
            stage.fold(
                events.PaymentReceived(
                    company="acme",
                    customer="C1",
                    occurred_at="2026-01-03",
                    payment=f"P-{number}",
                    currency="USD",
                    amount="0.10",
                    lines=(events.PaymentLine(document=f"INV-{number:06}"),),
                )
            )
        return time.perf_counter() - started_s

    assert cost_s(staged(count)) < 20 * cost_s(staged(200))

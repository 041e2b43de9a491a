"""Accounts with many items: lists stay within a record, every step is still consumed or explained."""

import datetime
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from msgspec import structs

from processors.audit import audit_journal
from schemas import commands, events
from schemas.answers import AnswerSaid, GiveAnswer
from schemas.codec import encode
from schemas.facts import LedgerFact, ReminderDecided, ReminderEnded, ReminderWithheld
from schemas.journal import JournalEvent, TickPassed
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


FAR = datetime.date(2027, 1, 1)
KINDS: dict[str, Callable[[int], JournalEvent]] = {
    "new invoice": lambda number: invoice(f"NEW-{number}", due=datetime.date(2026, 2, 2)),
    "payment that names its invoice": lambda number: payment(f"P-{number}", f"NEW-{number}"),
    "reversal": lambda number: events.PaymentReversed(
        company="acme", customer="C1", occurred_at="2026-01-03", payment=f"P-{number}"
    ),
    "payment, oldest first": lambda number: payment(f"Q-{number}"),
    "a reader's answer": lambda number: GiveAnswer(
        company="acme",
        customer="C1",
        occurred_at="2026-01-04",
        command=f"reader/{number}",
        reminder="r",
        channel="email",
        said=AnswerSaid(kind="paid", documents=(f"NEW-{number}",)),
    ),
    "tick with few due": lambda number: TickPassed(
        at=datetime.datetime(2026, 3, 1 + 5 * number, 9, tzinfo=datetime.UTC), mode="played"
    ),
}


def invoice(document: str, *, due: datetime.date) -> events.InvoiceIssued:
    """Make an invoice of 1.00."""
    return events.InvoiceIssued(
        company="acme",
        customer="C1",
        occurred_at="2026-01-02",
        document=document,
        currency="USD",
        amount="1.00",
        due_date=due,
    )


def payment(name: str, *documents: str) -> events.PaymentReceived:
    """Make a payment of 1.00."""
    lines = tuple(events.PaymentLine(document=each) for each in documents)
    return events.PaymentReceived(
        company="acme",
        customer="C1",
        occurred_at="2026-01-03",
        payment=name,
        currency="USD",
        amount="1.00",
        lines=lines,
    )


def operations(stage: Stage, event: JournalEvent) -> int:
    """Count the instructions of Python that folding an event takes."""
    count = 0

    def trace(frame: FrameType, what: str, _argument: object) -> Callable[..., Any]:
        nonlocal count
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        count += what == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        stage.fold(event)
    finally:
        sys.settrace(before)
    return count


def counted(*, items: int) -> dict[str, int]:
    """Give the operations of each kind of event on an account with so many invoices that are not due."""
    stage = staged(0)
    for number in range(items):
        stage.fold(invoice(f"OLD-{number:06}", due=FAR))
    stage.fold(TickPassed(at=datetime.datetime(2026, 1, 5, 9, tzinfo=datetime.UTC), mode="played"))
    for number in range(9):
        stage.fold(invoice(f"DUE-{number}", due=datetime.date(2026, 3, 1 + 5 * (number // 3))))
    counts = {}
    for kind, make in KINDS.items():
        stage.take(make(0))  # some indexes are filled when they are first asked for
        stage.take(make(1))
        counts[kind] = operations(stage, make(2))
    reminders = [fact for fact in stage.log if isinstance(fact, ReminderDecided)]
    assert ["DUE-6", "DUE-7", "DUE-8"] == [each.item for each in reminders[-1].items]
    return counts


def test_an_event_costs_what_it_touches_not_what_is_open() -> None:
    """DESIGN 7: at most twice the operations of an account with one open item, for each kind of event.

    A walk over all items would be some hundred times as many.
    """
    few, many = counted(items=1), counted(items=2_000)
    assert {} == {kind: (few[kind], many[kind]) for kind in few if many[kind] > 2 * few[kind]}


def test_an_invoice_beside_a_cheque_costs_what_it_touches() -> None:
    """S1-20, DESIGN 7: a cheque without names is larger than all that is open; a new invoice looks at none of the old ones."""
    few, many = (beside_a_cheque(items=count) for count in (1, 1_000))
    assert many <= 2 * few


def beside_a_cheque(*, items: int) -> int:
    """Give the operations of a new invoice on an account with a cheque and so many invoices that are paid."""
    stage = staged(0)
    for number in range(items):
        stage.fold(invoice(f"OLD-{number:06}", due=FAR))
        stage.fold(payment(f"P-{number}", f"OLD-{number:06}"))
    stage.fold(structs.replace(payment("CH-1"), amount="100.00", means="cheque", state="received"))
    stage.fold(invoice("NEW-1", due=FAR))
    return operations(stage, invoice("NEW-2", due=FAR))

"""R19: proposals of more items than a message names are kept, approved and dropped as a whole."""

import datetime
from typing import Any

from processors.audit import audit_journal
from processors.record_size import ENTRIES_MAX
from schemas.commands import ApproveReminder, CompleteTask, DropReminder, PublishPlan, SetMode
from schemas.events import Contact, CustomerUpserted, InvoiceIssued, PaymentLine, PaymentReceived
from schemas.facts import LedgerFact, ReminderDecided, ReminderEnded, ReminderProposed, TaskClosed, TaskOpened
from schemas.journal import TickPassed
from schemas.plans import Action, Plan, Step
from tests.scenarios.on_core import Stage, _hold_true

COUNT = ENTRIES_MAX + 120
WHOSE: dict[str, Any] = {"company": "acme", "customer": "C1"}


def tick(stage: Stage, *, day: int) -> list[LedgerFact]:
    """Let the morning of a day in February pass."""
    at = datetime.datetime(2026, 2, day, 9, tzinfo=datetime.UTC)
    return stage.take(TickPassed(at=at, mode="played"))


def told(*, blocking: bool = False) -> Stage:
    """Make an account with many invoices that are due on the 2nd of February."""
    stage = Stage(restores=False)
    action = Action(channel="task", summary="Call") if blocking else Action(channel="email")
    step = Step(name="first", offset_days=0, actions=(action,), blocking=blocking, pay_by_days=0)
    last = Step(name="last", offset_days=60, actions=(Action(channel="email"),))
    plan = Plan(id="default", version=1, steps=(step, last))
    stage.take(PublishPlan(company="acme", occurred_at="2026-01-01", command="plan", plan=plan))
    stage.take(
        CustomerUpserted(**WHOSE, occurred_at="2026-01-01", name="C1", contacts=(Contact(email="a@c1.test"),))
    )
    for number in range(COUNT):
        stage.take(
            InvoiceIssued(
                **WHOSE,
                occurred_at="2026-01-02",
                document=f"I-{number:04}",
                currency="USD",
                amount="10.00",
                due_date=datetime.date(2026, 2, 2),
            )
        )
    return stage


def manual() -> Stage:
    """Make that account one of manual mode."""
    stage = told()
    stage.take(SetMode(**WHOSE, occurred_at="2026-01-02", command="mode", mode="manual"))
    return stage


def proposed(facts: list[LedgerFact]) -> list[ReminderProposed]:
    """Give the proposals among facts."""
    return [each for each in facts if isinstance(each, ReminderProposed)]


def test_what_a_proposal_does_not_name_is_approved_with_it() -> None:
    """All items are consumed, but the one that was paid meanwhile."""
    stage = manual()
    (first,) = proposed(tick(stage, day=2))
    assert (ENTRIES_MAX, COUNT - ENTRIES_MAX) == (len(first.content.items), first.content.unlisted)
    paid = PaymentLine(document=f"I-{COUNT - 1:04}")
    stage.take(
        PaymentReceived(
            **WHOSE, occurred_at="2026-02-03", payment="P", currency="USD", amount="10.00", lines=(paid,)
        )
    )
    (second,) = proposed(tick(stage, day=3))
    assert (2, COUNT - ENTRIES_MAX - 1) == (second.revision, second.content.unlisted)
    _hold_true(stage)
    stage.take(ApproveReminder(**WHOSE, occurred_at="2026-02-04", command="yes", reminder=second.reminder))
    facts = tick(stage, day=4)
    assert [second.reminder] == [each.id for each in facts if isinstance(each, ReminderDecided)]
    consumed = [item for each in facts if isinstance(each, ReminderEnded) for item, _ in each.consumed]
    assert COUNT - 1 == len(set(consumed))
    items = stage.partition.account("acme:C1").items.values()
    assert {0, -1} == {item.step for item in items}
    assert [] == [item.item for item in items if item.pending is not None]
    assert [] == audit_journal({0: stage.records}).problems


def test_what_a_proposal_does_not_name_is_dropped_with_it() -> None:
    """R19: no trace on levels, and all of them wait."""
    stage = manual()
    (first,) = proposed(tick(stage, day=2))
    stage.take(DropReminder(**WHOSE, occurred_at="2026-02-02", command="no", reminder=first.reminder))
    items = stage.partition.account("acme:C1").items.values()
    assert {(-1, datetime.date(2026, 2, 2), None)} == {
        (item.step, item.dropped_on, item.pending) for item in items
    }
    assert [] == proposed(tick(stage, day=3))
    (again,) = proposed(tick(stage, day=5))
    assert COUNT - ENTRIES_MAX == again.content.unlisted


def test_a_task_that_many_items_wait_for_lets_all_go_on() -> None:
    """R28: also those that its row does not name."""
    stage = told(blocking=True)
    (opened,) = [each for each in tick(stage, day=2) if isinstance(each, TaskOpened)]
    assert ENTRIES_MAX == len(opened.items)
    _hold_true(stage)
    facts = stage.take(
        CompleteTask(**WHOSE, occurred_at="2026-02-03", command="done", task=opened.task, text="will pay")
    )
    consumed = [item for each in facts if isinstance(each, TaskClosed) for item, _ in each.consumed]
    assert COUNT == len(set(consumed))
    assert {0} == {item.step for item in stage.partition.account("acme:C1").items.values()}
    assert [] == audit_journal({0: stage.records}).problems

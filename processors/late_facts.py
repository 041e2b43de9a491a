"""What later facts say of reminders that were sent: the item was cancelled (R13), or had been paid by then (R30)."""

import datetime
from collections.abc import Iterable

from processors.account import Account
from processors.context import FoldContext
from processors.messages import correct_reminder
from processors.tasks import open_task
from schemas.facts import LedgerFact, ReminderRetracted, ReminderWasWrong
from schemas.rows import ItemRow, ReminderRow

__all__ = ["retract", "review_reminders"]


def retract(account: Account, row: ReminderRow, *, item: str, context: FoldContext) -> list[LedgerFact]:
    """Say that a sent reminder named an invoice that is cancelled now; the customer is told where the plan says so (R13)."""
    if item in row.retracted:
        return []
    row.retracted.append(item)
    account.touch(row)
    step = next((each for each in row.items if each.item == item), None)
    plan = None if step is None else context.company.plan(step.plan, version=step.plan_version)
    if plan is not None and plan.correction:
        correct_reminder(account, row.reminder, context=context)
    return [
        ReminderRetracted(
            id=f"{account.id}/{account.next_sequence()}",
            account=account.id,
            reminder=row.reminder,
            item=item,
        )
    ]


def review_reminders(account: Account, items: Iterable[str], *, context: FoldContext) -> list[LedgerFact]:
    """Say which sent reminders named items that had been settled before the day they were sent.

    Each reminder and item once; a person is asked once per reminder whether
    a correction is to be sent. Costs what changed, and the account's reminders
    where something of it had been paid.
    """
    facts: list[LedgerFact] = []
    for name in sorted(items):
        item = account.items.get(name)
        if item is None or item.status != "settled" or item.step < 0:
            continue
        settled_on = _settled_on(account, item, context=context)
        for row in _wrong_of(account, name, settled_on=settled_on):
            facts += _say(account, row, item=name, settled_on=settled_on, context=context)
    return facts


def _settled_on(account: Account, item: ItemRow, *, context: FoldContext) -> datetime.date:
    applied = (row.applied_on for row in account.applications.get(item.item, {}).values())
    return max(applied, default=context.day)


def _wrong_of(account: Account, item: str, *, settled_on: datetime.date) -> list[ReminderRow]:
    rows = [
        row
        for row in account.reminders.values()
        if row.status == "sent"
        and row.ended_on is not None
        and settled_on < row.ended_on
        and item not in row.wrong
        and any(each.item == item for each in row.items)
    ]
    return sorted(rows, key=lambda row: (row.tick, row.reminder))


def _say(
    account: Account, row: ReminderRow, *, item: str, settled_on: datetime.date, context: FoldContext
) -> list[LedgerFact]:
    if row.ended_on is None:
        raise AssertionError(f"reminder {row.reminder} was sent on no day")
    row.wrong.append(item)
    account.touch(row)
    account.touch(account.row)
    said = ReminderWasWrong(
        id=f"{account.id}/{account.next_sequence()}",
        account=account.id,
        reminder=row.reminder,
        item=item,
        sent_on=row.ended_on,
        settled_on=settled_on,
        known_on=context.today(),
        cause=context.cause,
    )
    offered = open_task(
        account,
        task=f"correction/{row.reminder}",
        task_type="correction",
        on=context.today(),
        items=[item],
        values={
            "reminder": row.reminder,
            "sent_on": row.ended_on.isoformat(),
            "settled_on": settled_on.isoformat(),
        },
    )
    return [said, *offered]

"""What later facts say of reminders that were sent: the item was cancelled (R13), or had been paid by then (R30)."""

import datetime
from collections.abc import Iterable
from typing import Literal, NamedTuple

from processors.account import Account
from processors.company import Company
from processors.context import FoldContext
from processors.messages import correct_reminder, has_planned_correction, told_of
from processors.residual import residual_of
from processors.tasks import close_task, open_task
from processors.whereabouts import now_with
from schemas.facts import LedgerFact, ReminderRetracted, ReminderWasWrong
from schemas.moved_rows import SettledOn
from schemas.rows import ItemRow, ReminderRow

__all__ = ["end_corrections", "retract", "retract_item", "review_reminders"]

_CORRECTION = "correction/"  # a task to correct a sent reminder
_Because = Literal["settled", "within_tolerance", "below_minimum"]


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


def retract_item(account: Account, item: str, *, context: FoldContext) -> list[LedgerFact]:
    """Say so of each sent reminder that named an invoice that is cancelled now."""
    facts: list[LedgerFact] = []
    for row in sorted(account.reminders.values(), key=lambda row: (row.tick, row.reminder)):
        if row.status == "sent" and any(each.item == item for each in row.items):
            facts += retract(account, row, item=item, context=context)
    return facts


def review_reminders(account: Account, items: Iterable[str], *, context: FoldContext) -> list[LedgerFact]:
    """Say which sent reminders would not have named items, had the money been known that came before their day.

    It settled the item, or left a mere residual of it, or left the whole reminder below the company's
    minimum. Each reminder and item once; a person is asked once per reminder whether a correction is to
    be sent. Costs what changed, and the account's reminders where something of it had been paid.
    """
    facts: list[LedgerFact] = []
    for name in sorted(items):
        item = account.items.get(name)
        if item is None or item.step < 0 or item.status == "cancelled":
            continue
        over = _over(account, item, company=context.company)
        for row in _naming(account, name):
            wrong = _wrong(account, row, item=item, over=over, context=context)
            if wrong is not None:
                facts += _say(account, row, item=name, wrong=wrong, context=context)
    return facts


def end_corrections(account: Account, *, context: FoldContext) -> list[LedgerFact]:
    """End the tasks to correct reminders that were right after all: the money that made them wrong was taken back (R14, R30).

    Of a message that is only planned the same is forgotten: its day says that it is needless. Both may be
    wrong again; what the customer has been told may not. Costs what changed, and the account's reminders where something of it had been reminded.
    """
    facts: list[LedgerFact] = []
    for task in sorted(name for name in account.tasks if name.startswith(_CORRECTION)):
        row = account.reminders.get(task.removeprefix(_CORRECTION))
        if row is None:
            continue
        _take_back(account, row, context=context)
        if not set(row.wrong) - told_of(account, row.reminder):
            facts += close_task(account, task=task, outcome="needless")
    if account.messages and any(_was_reminded(account, name) for name in account.stale):
        for row in account.reminders.values():
            if row.wrong and has_planned_correction(account, row.reminder):
                _take_back(account, row, context=context)
    return facts


def _was_reminded(account: Account, item: str) -> bool:
    known = account.items.get(item)
    return known is not None and known.step >= 0


def _take_back(account: Account, row: ReminderRow, *, context: FoldContext) -> None:
    """Forget of what has changed that a reminder should not have named it, where that is so no more."""
    told = told_of(account, row.reminder)
    for name in [each for each in row.wrong if each in account.stale and each not in told]:
        item = account.items[name]
        if item.status == "cancelled" and not has_planned_correction(account, row.reminder):
            continue  # named in error all the same, and nobody says so by itself (R13)
        over = _over(account, item, company=context.company)
        if _wrong(account, row, item=item, over=over, context=context) is None:
            row.wrong.remove(name)
            account.touch(row)


class _Wrong(NamedTuple):
    """Why a reminder need not have named an item, and the day of the money that says so."""

    because: _Because
    settled_on: datetime.date


def _over(account: Account, item: ItemRow, *, company: Company) -> _Because | None:
    """Say that nothing is left of an item that may be dunned, here or where it went."""
    if now_with(item):
        settled_minor = sum(row.amount_minor for row in account.applications.get(item.item, {}).values())
        settled_minor += sum(each.amount_minor for each in _after(item))
        return "settled" if settled_minor >= item.amount_minor - item.settled_before_minor else None
    if item.status == "settled":
        return "settled"
    return None if residual_of(account, item, company=company) is None else "within_tolerance"


def _naming(account: Account, item: str) -> list[ReminderRow]:
    rows = [
        row
        for row in account.reminders.values()
        if row.status == "sent"
        and row.ended_on is not None
        and item not in row.wrong
        and any(each.item == item for each in row.items)
    ]
    return sorted(rows, key=lambda row: (row.tick, row.reminder))


def _wrong(
    account: Account, row: ReminderRow, *, item: ItemRow, over: _Because | None, context: FoldContext
) -> _Wrong | None:
    sent_on = row.ended_on
    if sent_on is None:
        raise AssertionError(f"reminder {row.reminder} was sent on no day")
    days = [each.applied_on for each in account.applications.get(item.item, {}).values()]
    days += [max(each.on, item.issued_on) for each in _after(item)]
    if over is not None and (settled_on := max(days, default=context.day)) < sent_on:
        return _Wrong(over, settled_on)
    spare_minor = row.spare_minor.get(item.currency)
    before = [day for day in days if day < sent_on]
    if spare_minor is None or not before or _known_late_minor(account, row, item=item) <= spare_minor:
        return None
    return _Wrong("below_minimum", max(before))


def _known_late_minor(account: Account, row: ReminderRow, *, item: ItemRow) -> int:
    """Give what money of before a reminder's day, heard after it was decided, took off its items of a currency."""
    late_minor = 0
    for each in row.items:
        known = account.items.get(each.item)
        if known is not None and known.currency == item.currency:
            late_minor += sum(
                one.amount_minor
                for one in account.applications.get(each.item, {}).values()
                if row.ended_on is not None
                and one.applied_on < row.ended_on
                and account.credits[one.credit].order > row.sequence
            )
            late_minor += sum(
                one.amount_minor
                for one in _after(known)
                if row.ended_on is not None and one.on < row.ended_on
            )
    return late_minor


def _after(item: ItemRow) -> tuple[SettledOn, ...]:
    """Give what settled an item at the customer whose it is now."""
    return () if item.elsewhere is None else item.elsewhere.after


def _say(
    account: Account, row: ReminderRow, *, item: str, wrong: _Wrong, context: FoldContext
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
        settled_on=wrong.settled_on,
        because=wrong.because,
        known_on=context.today(),
        cause=context.cause,
    )
    if context.company.profile.correction_messages and wrong.because != "below_minimum":
        # What was too little to write about is still owed: no message says so, a person may.
        correct_reminder(account, row.reminder, context=context)
        return [said]
    offered = open_task(
        account,
        task=f"{_CORRECTION}{row.reminder}",
        task_type="correction",
        on=context.today(),
        items=[item],
        values={
            "reminder": row.reminder,
            "sent_on": row.ended_on.isoformat(),
            "settled_on": wrong.settled_on.isoformat(),
            "because": wrong.because,
        },
    )
    return [said, *offered]

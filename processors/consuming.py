"""What it does to an item that one of its steps was carried out: its place, its days, its plan's end (R2, R17, R18).

Steps are carried out by sent reminders (``outcomes``) and by tasks that a
ladder waits for (``manual_steps``).
"""

import datetime
from collections.abc import Iterator

from processors.account import Account
from processors.company import Company
from processors.holds import date_by_hand
from processors.ladder import Rung, is_level, shift_after_sending, standing_on
from processors.plan import last_index, step_at
from schemas.facts import PlanFinished
from schemas.rows import Before, ItemRow, ReminderRowItem

__all__ = ["CONSUMED_MAX", "consume", "record_contact"]

CONSUMED_MAX = 2000  # steps in one fact: a record holds 1 MiB


def consume(
    account: Account,
    *,
    item: ItemRow,
    step: ReminderRowItem,
    on: datetime.date,
    pay_by_on: datetime.date | None,
    company: Company,
    reached: bool = True,
    reminder: str = "",
) -> Iterator[PlanFinished]:
    """Move an item up to a step: the plan's version is pinned, a level sets pay-by date and distances (R2, R17).

    Args:
        pay_by_on: what it gave the customer; None: nothing.
        reached: the customer was reached by it; a step that was skipped leaves the item's days as they were.
        reminder: what carries it: should that reach nobody, the step is given back (R19). "": it cannot be.
    """
    account.touch(item)
    item.before = _standing_before(item, reminder=reminder) if reminder else None
    plan = company.plan(step.plan, version=step.plan_version)
    if plan is None:
        raise LookupError(
            f"{item.item}: plan {step.plan} version {step.plan_version} was sent and is not known"
        )
    definition = step_at(plan, step.step_index)
    standing = standing_on(item, plan=plan, company=company, customer=account.customer)
    item.pay_by_on = standing.pay_by_on
    if reached:
        rung = Rung(plan, step.step_index, definition, step.step_due_on)
        item.shift_days = shift_after_sending(standing, rung=rung, item=item, company=company, sent_on=on)
        item.sent_on = on
        if is_level(definition):
            item.sent_level_on, item.pay_by_on = on, pay_by_on
            _open_episode(account, on=on)
    was_said = item.plan_finished and item.plan in ("", plan.id)
    item.plan, item.plan_version, item.step = plan.id, plan.version, step.step_index
    item.plan_finished = step.step_index == last_index(plan)
    item.judged, item.failed_on, item.dropped_on = "", None, None
    if item.plan_finished and not was_said:
        yield PlanFinished(
            id=f"{account.id}/{account.next_sequence()}",
            account=account.id,
            item=item.item,
            plan=plan.id,
            plan_version=plan.version,
        )


def _standing_before(item: ItemRow, *, reminder: str) -> Before:
    return Before(
        reminder=reminder,
        plan=item.plan,
        plan_version=item.plan_version,
        step=item.step,
        shift_days=item.shift_days,
        plan_finished=item.plan_finished,
        sent_on=item.sent_on,
        sent_level_on=item.sent_level_on,
        pay_by_on=item.pay_by_on,
    )


def record_contact(account: Account, *, on: datetime.date) -> None:
    """Note a contact (R5); the first on or after a date by hand consumes it (R20)."""
    row = account.row
    row.last_contact_on = on if row.last_contact_on is None else max(row.last_contact_on, on)
    by_hand = date_by_hand(account)
    if by_hand is not None and (by_hand.until is None or on >= by_hand.until):
        del account.holds["snoozed"]
        account.remove(by_hand)
    account.touch(row)


def _open_episode(account: Account, *, on: datetime.date) -> None:
    if account.row.episode_opened_on is None:
        account.row.episode_opened_on, account.row.episode_closed_on = on, None

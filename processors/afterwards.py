"""What becomes of a delivery after a provider has taken it (R19): it arrives, or it comes back.

A bad address is not used again. A reminder that has reached nobody after all
gives back the steps that it consumed, and counts as no contact (R5): the next
look tries what is left, in the end a task. What went out stays in the register
of the law, also where it came back (docs/domain.md).
"""

import datetime
from collections.abc import Iterable, Iterator

from processors.account import Account
from processors.addressing import ADDRESS_TASK, is_address_bad, opt_out, remember_failure, wish_of
from processors.calendar import told_at
from processors.consuming import CONSUMED_MAX
from processors.context import FoldContext
from processors.fates import REACHED, UNREACHED, contradicts, error_of, says_stop, word, worst
from processors.judged import in_reminder
from processors.kin import tell_silence
from processors.moved_wishes import left_aside, tell_wishes
from processors.plan import step_at
from processors.tasks import open_task
from processors.whereabouts import now_with
from schemas.facts import LedgerFact, ReminderEnded
from schemas.message_rows import MessageRow
from schemas.outcomes import OutcomeReported
from schemas.rows import ItemRow, ReminderRow, ReminderRowItem

__all__ = ["give_back_unreached", "heed_stop", "mend_address", "take_afterword", "was_told"]

_UNRESOLVED = frozenset({"dispatched", "unknown"})
_NO_CONTACT = "call_attempt"  # of the register: it does not start the gap


def take_afterword(
    account: Account,
    row: ReminderRow | MessageRow,
    *,
    event: OutcomeReported,
    items: Iterable[str],
    is_customers: bool = True,
) -> str:
    """Note what is said of a delivery that a provider had; give what it contradicts, "" where it does not (``heed_stop`` is the caller's).

    Args:
        row: of the reminder or message, which has the delivery.
        items: what it was about, whose own contacts count.
        is_customers: it went to the customer, and not to the company's own desk.
    """
    before = row.deliveries[event.channel]
    row.told.append(word(event))
    row.deliveries[event.channel] = worst(before, event.status)
    account.touch(row)
    account.touch(account.row)
    if event.status in UNREACHED and is_customers:
        remember_failure(account, event, items=items)
    if contradicts(before, event.status):
        return f"the delivery is {before}, and now it is said to be {event.status}"
    return ""


def was_told(row: ReminderRow | MessageRow, channel: str) -> bool:
    """Say whether a provider has said what became of a delivery: then it had taken it."""
    return any(each.partition("/")[0] == channel for each in row.told)


def heed_stop(account: Account, event: OutcomeReported, *, context: FoldContext) -> list[LedgerFact]:
    """Take a customer out of a channel who has complained of it, or told its provider to stop (R15); his children hear of it, and who he is merged into.

    Who is out is so by a newer word then: where he is merged into, he may have asked for the channel meanwhile.
    """
    if not says_stop(event) or event.channel == "task":
        return []
    known, zone = wish_of(account, event.channel), context.company.zone
    if event.channel in account.row.opted_out and (
        known is None or told_at(event.occurred_at, zone) <= told_at(known.at, zone)
    ):
        return []
    if not opt_out(account, event.channel, at=event.occurred_at, zone=zone):
        return left_aside(account, event.channel, at=event.occurred_at, is_out=True)
    told = tell_wishes(account, context=context)
    return told + tell_silence(account, occurred_at=event.occurred_at, on=context.day)


def mend_address(account: Account, event: OutcomeReported, *, context: FoldContext) -> list[LedgerFact]:
    """Ask a person to mend an address, where nothing else will be tried because of it."""
    if event.status not in UNREACHED or not is_address_bad(account, event):
        return []
    return open_task(
        account,
        task=f"{ADDRESS_TASK}{event.channel}",
        task_type="mend_address",
        on=context.today(),
        values={
            "channel": event.channel,
            "error": error_of(event),
            **({"address": event.address} if event.address else {}),
            "reminder": event.reminder,
        },
    )


def give_back_unreached(account: Account, row: ReminderRow, *, context: FoldContext) -> list[ReminderEnded]:
    """End a sent reminder as failed once each of its deliveries has come back, and give back its steps (R19)."""
    fates = set(row.deliveries.values())
    if row.status != "sent" or fates & _UNRESOLVED or fates & REACHED:
        return []
    _forget_contact(account, row)
    row.status, row.ended_on = "failed", context.day
    account.row.failed_on = context.day
    account.row.episode_in_doubt = True  # the next tick asks whether a level is left that keeps it open
    account.keep_until(context.day + context.company.retention, kind="reminder", key=row.reminder)
    account.touch(row)
    account.touch(account.row)
    given_back = [
        (item.item, name)
        for item in _consumed_last(account, row)
        if (name := _give_back(account, item, context=context))
    ]
    return [*_ended(account, row, given_back=given_back)]


def _consumed_last(account: Account, row: ReminderRow) -> Iterator[ItemRow]:
    """Walk the items whose last step is of this reminder, and which nobody has been handed over to since."""
    names: Iterable[str] = sorted(account.items) if row.unlisted else [each.item for each in row.items]
    for name in names:
        item = account.items.get(name)
        if item is None or item.before is None or item.before.reminder != row.reminder:
            continue
        if item.final_on is None and not now_with(item):
            yield item


def _give_back(account: Account, item: ItemRow, *, context: FoldContext) -> str:
    """Let an item stand where it stood before its last step, whose name is given; "" where that cannot be."""
    before = item.before
    plan = context.company.plan(item.plan, version=item.plan_version)
    if before is None or plan is None:
        return ""
    name = step_at(plan, item.step).name
    # The last word on it stays, that it was in a reminder: courtesies before it are done with.
    item.judged = in_reminder(
        ReminderRowItem(
            item=item.item,
            step_index=item.step,
            step=name,
            plan=item.plan,
            plan_version=item.plan_version,
            step_due_on=context.day,
        )
    )
    item.plan, item.plan_version, item.step = before.plan, before.plan_version, before.step
    item.sent_on, item.sent_level_on, item.pay_by_on = before.sent_on, before.sent_level_on, before.pay_by_on
    item.shift_days, item.plan_finished = before.shift_days, before.plan_finished
    item.failed_on, item.dropped_on, item.before = context.day, None, None
    account.touch(item)
    return name


def _forget_contact(account: Account, row: ReminderRow) -> None:
    """Count a reminder that has reached nobody as no contact (R5), here and in what later ones remember."""
    sent_on, before = row.ended_on, row.contact_before
    others = [each for each in account.reminders.values() if each.reminder != row.reminder]
    if sent_on is None or any(each.status == "sent" and each.ended_on == sent_on for each in others):
        return
    if any(_is_contact(account, name, row=row, on=sent_on) for name in account.contacts):
        return
    if account.row.last_contact_on == sent_on:
        account.row.last_contact_on = before
    for each in others:
        if each.contact_before == sent_on:
            each.contact_before = before
            account.touch(each)


def _is_contact(account: Account, name: str, *, row: ReminderRow, on: datetime.date) -> bool:
    """Say whether an entry of the register is a contact of that day beside the reminder: a conversation, say."""
    entry = account.contacts[name]
    message = name.rpartition("/")[0]
    if entry.on != on or entry.contact_kind == _NO_CONTACT:
        return False
    return (
        message not in account.reminders
        and message not in account.messages_sent_as
        and message != row.reminder
    )


def _ended(
    account: Account, row: ReminderRow, *, given_back: list[tuple[str, str]]
) -> Iterator[ReminderEnded]:
    if row.ended_on is None:
        raise AssertionError(f"reminder {row.reminder} has not ended")
    for start in range(0, max(1, len(given_back)), CONSUMED_MAX):
        yield ReminderEnded(
            id=f"{account.id}/{account.next_sequence()}",
            account=account.id,
            reminder=row.reminder,
            tick=row.tick,
            status="failed",
            on=row.ended_on,
            given_back=tuple(given_back[start : start + CONSUMED_MAX]),
        )

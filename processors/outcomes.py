"""What becomes of a reminder (R19): the fates of its deliveries, and what a sent one consumes.

::

    open ──first delivery accepted──► sent        its steps are consumed
      ├──all failed─────────────────► failed      nothing is consumed; its steps wait
      ├──some superseded, the rest failed──► superseded   evaluated again at the next tick
      └──the same, a person called it back──► cancelled   nothing is consumed; its steps wait

    sent ──all came back, or failed─────► failed      what it consumed is given back (``afterwards``)

The account's next reminder waits until every delivery has a fate: also those
of a sent one, and while one is unknown. The order in which outcomes come does
not matter: what a provider says later implies that it had taken the delivery.
"""

from collections.abc import Callable, Iterator

import msgspec

from processors import messages
from processors.account import Account
from processors.addressing import forget_other_failures, remember_failure
from processors.afterwards import (
    give_back_unreached,
    heed_stop,
    mend_address,
    take_afterword,
    was_told,
)
from processors.charges.claims import raise_claims
from processors.consuming import CONSUMED_MAX, consume, record_contact
from processors.context import FoldContext
from processors.fates import is_afterword, word
from processors.judged import in_reminder
from processors.late_facts import retract, review_reminders
from processors.law.register import register
from processors.reminder import UNRESOLVED, decided_beside
from schemas.facts import ExceptionRaised, LedgerFact, ReminderEnded
from schemas.outcomes import OutcomeReported
from schemas.rows import ReminderRow, ReminderRowItem

__all__ = ["HANDLERS", "report"]

_MOVES: dict[str, frozenset[str]] = {
    "dispatched": frozenset({"accepted", "failed", "superseded", "unknown"}),
    "unknown": frozenset({"accepted", "failed", "superseded"}),
}


def report(account: Account, event: OutcomeReported, *, context: FoldContext) -> list[LedgerFact]:
    """Take the fate of one delivery; a repetition changes nothing, a contradiction is said."""
    if event.reminder in account.messages_sent_as:
        return messages.report(account, event, context=context)
    row = account.reminders.get(event.reminder)
    before = None if row is None else row.deliveries.get(event.channel)
    if row is None or before is None:
        return [_refused(account, event, detail="the account has no such delivery")]
    if is_afterword(event.status, before=before):
        return _report_afterword(account, row, event, before=before, context=context)
    if before == event.status or (event.status == "accepted" and was_told(row, event.channel)):
        return []  # a provider that says what became of it has taken it
    if event.status not in _MOVES.get(before, ()):
        return [_refused(account, event, detail=f"the delivery is {before}, which stands")]
    return _take(account, row, event, context=context)


def _take(
    account: Account, row: ReminderRow, event: OutcomeReported, *, context: FoldContext
) -> list[LedgerFact]:
    """Take what a sender says of its delivery."""
    row.deliveries[event.channel] = event.status
    account.touch(row)
    _register(account, event, context=context)
    if event.status == "failed":
        remember_failure(account, event, items=[each.item for each in row.items])
    facts = heed_stop(account, event, context=context) if event.status == "failed" else []
    if event.status == "accepted" and row.status == "open":
        facts += _send(account, row, context=context)
    if not UNRESOLVED & set(row.deliveries.values()):
        facts += _close(account, row, context=context)
        facts += give_back_unreached(account, row, context=context)
    return facts


def _report_afterword(
    account: Account, row: ReminderRow, event: OutcomeReported, *, before: str, context: FoldContext
) -> list[LedgerFact]:
    """Take what a provider says later; of a delivery whose sender is not heard yet it says that it was accepted, too."""
    if before == "superseded" or event.channel == "task":
        return [_refused(account, event, detail=f"the delivery is {before}, which stands")]
    if word(event) in row.told:
        return []
    facts: list[LedgerFact] = []
    if before in _MOVES:
        accepted = msgspec.structs.replace(event, status="accepted", error_type="", detail="")
        facts += _take(account, row, accepted, context=context)
    contradiction = take_afterword(account, row, event=event, items=[each.item for each in row.items])
    facts += heed_stop(account, event, context=context)
    if contradiction:
        facts.append(_refused(account, event, detail=contradiction))
    if event.status == "failed":
        _register(account, event, context=context)
    was_sent = row.status == "sent"
    ended = give_back_unreached(account, row, context=context)
    facts += ended
    if was_sent and not any(each.given_back for each in ended):
        facts += mend_address(account, event, context=context)  # nothing else will be tried because of it
    return facts


def _register(account: Account, event: OutcomeReported, *, context: FoldContext) -> None:
    """Enter what went out, or may have, in the register of the law; take out what turns out not to have."""
    contact = f"{event.reminder}/{event.channel}"
    if event.channel == "task":
        return  # who carries it out notes the call
    if event.status in ("accepted", "unknown"):
        register(
            account,
            contact=contact,
            channel=event.channel,
            kind="delivery",
            occurred_at=event.occurred_at,
            context=context,
        )
    elif contact in account.contacts:
        account.remove(account.contacts.pop(contact))


def _refused(account: Account, event: OutcomeReported, *, detail: str) -> ExceptionRaised:
    account.touch(account.row)
    return ExceptionRaised(
        id=f"{account.id}/{account.next_sequence()}",
        account=account.id,
        reason="outcome_refused",
        key=f"outcome/{event.reminder}/{event.channel}/{event.status}",
        detail=detail,
    )


# -- sent ----------------------------------------------------------------------


def _send(account: Account, row: ReminderRow, *, context: FoldContext) -> Iterator[LedgerFact]:
    """Consume the steps of a reminder that one provider has accepted; the day is the company's."""
    on = context.day
    row.status, row.ended_on, row.contact_before = "sent", on, account.row.last_contact_on
    account.keep_until(on + context.company.retention, kind="reminder", key=row.reminder)
    record_contact(account, on=on)
    forget_other_failures(account)
    steps = list(_steps(account, row))
    finished: list[LedgerFact] = []
    for each in steps:
        item = account.items[each.item]
        finished += consume(
            account,
            item=item,
            step=each,
            on=on,
            pay_by_on=row.pay_by_on,
            company=context.company,
            reminder=row.reminder,
        )
        item.pending = None
    yield from _ended(account, row, steps=steps)
    yield from finished
    yield from _retract_cancelled(account, row, context=context)
    if row.charges:
        yield from raise_claims(account, row.charges, reminder=row.reminder, context=context)
    yield from review_reminders(account, [each.item for each in row.items], context=context)


def _steps(account: Account, row: ReminderRow) -> Iterator[ReminderRowItem]:
    yield from row.items
    if row.unlisted:
        pending = (item.pending for item in account.items.values() if item.pending is not None)
        yield from sorted(pending, key=lambda each: each.item)


def _ended(account: Account, row: ReminderRow, *, steps: list[ReminderRowItem]) -> Iterator[ReminderEnded]:
    """Say the reminder's fate; with many steps in several facts of the same content."""
    if row.status == "open" or row.status == "proposed" or row.ended_on is None:  # noqa: PLR1714 - the type checker follows this
        raise AssertionError(f"reminder {row.reminder} has not ended")
    consumed = [(each.item, each.step) for each in steps]
    for start in range(0, max(1, len(consumed)), CONSUMED_MAX):
        yield ReminderEnded(
            id=f"{account.id}/{account.next_sequence()}",
            account=account.id,
            reminder=row.reminder,
            tick=row.tick,
            status=row.status,
            on=row.ended_on,
            consumed=tuple(consumed[start : start + CONSUMED_MAX]),
            author=row.ended_by if row.status == "cancelled" else "",
            reason=row.ended_because if row.status == "cancelled" else "",
        )


def _retract_cancelled(account: Account, row: ReminderRow, *, context: FoldContext) -> Iterator[LedgerFact]:
    """Say which named invoices were cancelled while the reminder was on its way (R13)."""
    for each in row.items:
        if account.items[each.item].status == "cancelled":
            yield from retract(account, row, item=each.item, context=context)


# -- failed and superseded -----------------------------------------------------


def _close(account: Account, row: ReminderRow, *, context: FoldContext) -> Iterator[LedgerFact]:
    """Let the account go on: every delivery of the reminder has its fate."""
    if account.row.open_reminder == row.reminder:
        beside = decided_beside(account, row) if context.company.profile.currencies_apart else []
        account.row.open_reminder = beside[0].reminder if beside else ""
        account.touch(account.row)
    if row.status != "open":
        return
    row.ended_on = context.day
    account.keep_until(context.day + context.company.retention, kind="reminder", key=row.reminder)
    row.status = "superseded" if "superseded" in row.deliveries.values() else "failed"
    if row.cancelled and row.status == "superseded":
        row.status = "cancelled"
    if row.status != "superseded":
        account.row.failed_on = context.day
        account.touch(account.row)
    for each in list(_steps(account, row)):
        item = account.items[each.item]
        item.pending = None
        item.judged = in_reminder(each)  # whatever was said meanwhile was of steps after it
        if row.status == "failed":
            item.failed_on = context.day
        elif row.status == "cancelled":
            item.dropped_on = context.day
        account.touch(item)
    yield from _ended(account, row, steps=[])


HANDLERS: dict[type, Callable[..., list[LedgerFact]]] = {OutcomeReported: report}

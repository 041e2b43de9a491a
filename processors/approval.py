"""What people say of a reminder before it is sent: approved, edited, dropped, called back, sent now; and undone (R5, R19).

What they say is kept; the next tick decides by it (R26). What comes too
late, or speaks of what is not there, is refused and said.
"""

import datetime
from collections.abc import Callable

from processors import identity
from processors.account import Account
from processors.context import FoldContext
from processors.kin import last_contact_on
from processors.proposals import end, forget_word, is_changed, proposal_of, steps_of
from schemas.commands import (
    ApproveReminder,
    CancelReminder,
    DropReminder,
    EditReminder,
    SendNow,
)
from schemas.facts import ExceptionRaised, ExceptionReason, LedgerFact
from schemas.reminder_commands import UndoReminder
from schemas.rows import Proposal, ReminderRow

__all__ = ["HANDLERS"]

_BY_HAND = "sent by hand"  # why what is due goes now, where nobody need give a reason
_Command = ApproveReminder | EditReminder | DropReminder | CancelReminder | UndoReminder | SendNow


def _once(account: Account, event: _Command, *, context: FoldContext) -> list[LedgerFact]:
    """Carry out a command that is new; of one that came before, only a contradiction is said."""
    key = f"command/{event.command}"
    repeated = identity.remember_for_retention(account, event, key=key, context=context)
    return _carry_out(account, event, context=context) if repeated is None else repeated


def _carry_out(account: Account, event: _Command, *, context: FoldContext) -> list[LedgerFact]:
    match event:
        case ApproveReminder():
            return _approve(account, event)
        case EditReminder():
            return _edit(account, event, context=context)
        case DropReminder():
            return _drop(account, event, context=context)
        case CancelReminder():
            return _cancel(account, event)
        case UndoReminder():
            return _undo(account, event, context=context)
        case SendNow():
            return _send_now(account, event, context=context)


def _approve(account: Account, event: ApproveReminder) -> list[LedgerFact]:
    row = _waiting(account, event.reminder)
    if row is None:
        return [_refused(account, event, detail=f"reminder {event.reminder} waits for nobody")]
    said = _said(row)
    if changed := _changed(event, said):
        return [_refused(account, event, detail=changed)]
    # Without a reason it goes when the gap is over, and "withheld" says when that is.
    said.approved, said.approved_by = True, event.author
    said.now_because = event.now_because
    account.touch(row)
    account.advance()
    return []


def _edit(account: Account, event: EditReminder, *, context: FoldContext) -> list[LedgerFact]:
    row = _waiting(account, event.reminder)
    if row is None:
        return [_refused(account, event, detail=f"reminder {event.reminder} waits for nobody")]
    said = _said(row)
    if changed := _changed(event, said):
        return [_refused(account, event, detail=changed)]
    said.edits += 1
    if event.channels is not None:
        said.channels = event.channels
    if event.text is not None:
        said.text = event.text
    if event.next_on is not None:
        said.next_on = event.next_on
    if event.template is not None:
        said.template = event.template
    if event.attach_invoices is not None:
        said.attach_invoices = event.attach_invoices
    named = {each.item for each in steps_of(account, row)}
    for name in event.drop_items:
        if name in named:
            _wait(account, name, on=_day(context))
    account.touch(row)
    account.advance()
    return []


def _drop(account: Account, event: DropReminder, *, context: FoldContext) -> list[LedgerFact]:
    row = _waiting(account, event.reminder)
    if row is None:
        return [_refused(account, event, detail=f"reminder {event.reminder} waits for nobody")]
    if changed := _changed(event, _said(row)):
        return [_refused(account, event, detail=changed)]
    for each in steps_of(account, row):
        _wait(account, each.item, on=_day(context))
    facts = end(account, row, status="dropped", context=context, author=event.author, reason=event.reason)
    account.advance()
    return facts


def _cancel(account: Account, event: CancelReminder) -> list[LedgerFact]:
    """Call a reminder back: by the new version its deliveries are superseded, unless one is accepted first."""
    row = account.reminders.get(event.reminder)
    if row is None or row.status != "open" or "accepted" in row.deliveries.values():
        status = "unknown" if row is None else row.status
        return [_refused(account, event, detail=f"reminder {event.reminder} cannot be called back: {status}")]
    row.cancelled, row.ended_by, row.ended_because = True, event.author, event.reason
    account.touch(row)
    account.advance()
    return []


def _send_now(account: Account, event: SendNow, *, context: FoldContext) -> list[LedgerFact]:
    until = _gap_until(account, context=context)
    if _inside_gap(account, context=context) and not event.because:
        detail = f"the last contact was on {last_contact_on(account)}: too soon before {until}, unless confirmed with a reason"
        return [_refused(account, event, detail=detail, reason="not_confirmed")]
    row = proposal_of(account)
    if row is not None:
        said = _said(row)
        said.approved, said.approved_by, said.next_on = True, event.author, None
        said.now_because = event.because
        account.touch(row)
    account.row.send_now, account.row.send_now_by = event.because or _BY_HAND, event.author
    account.row.send_now_on = _day(context)
    account.advance()
    return []


# -- undone ----------------------------------------------------------------------


def _undo(account: Account, event: UndoReminder, *, context: FoldContext) -> list[LedgerFact]:
    row = account.reminders.get(event.reminder)
    if row is None or row.proposal is None:
        return [_refused(account, event, detail=f"reminder {event.reminder} was never proposed")]
    if changed := _changed(event, row.proposal):
        return [_refused(account, event, detail=changed)]
    match event.what:
        case "approval":
            refused = _take_back(account, row, context=context)
        case "changes":
            refused = _as_planned(account, row)
        case "drop":
            refused = _put_back(account, row)
    if refused:
        return [_refused(account, event, detail=f"reminder {event.reminder} {refused}")]
    account.touch(row)
    account.touch(account.row)
    account.advance()
    return []


def _take_back(account: Account, row: ReminderRow, *, context: FoldContext) -> str:
    """Take an approval back; what was decided on it is superseded by the new version, unless it is accepted first."""
    said = _said(row)
    if not said.approved:
        return "is not approved"
    is_open = row.status == "open" and "accepted" not in row.deliveries.values() and not row.cancelled
    if not is_open and row.status != "proposed":
        return f"cannot be called back: {row.status}"
    if not _asks_a_person(account, row, context=context):
        return "would go again by itself: call it back"
    said.approved, said.approved_by, said.now_because = False, "", ""
    forget_word(account)
    if is_open and is_changed(said):
        account.row.undone = row.reminder  # it is proposed anew as another one, with what people changed
    return ""


def _asks_a_person(account: Account, row: ReminderRow, *, context: FoldContext) -> bool:
    """Say whether what is called back would be proposed, as it was before, and not be sent by itself (R20)."""
    if account.row.mode == "manual" or not context.company.profile.automatic:
        return True
    plans = [(context.company.plan(each.plan, version=each.plan_version), each) for each in row.items]
    return any(plan is not None and not plan.steps[each.step_index].automatic for plan, each in plans)


def _as_planned(account: Account, row: ReminderRow) -> str:
    """Forget what people have changed of a proposal, but for items that they left out: those wait like dropped ones."""
    said = _said(row)
    if _waiting(account, row.reminder) is None:
        return "waits for nobody"
    if not is_changed(said):
        return "is as its plan has it"
    said.channels, said.text, said.template = None, "", ""
    said.next_on, said.attach_invoices = None, None
    said.edits += 1
    return ""


def _put_back(account: Account, row: ReminderRow) -> str:
    """Let the steps of what was dropped or called back wait no more: the next tick proposes them anew."""
    if row.status not in ("dropped", "cancelled"):
        return f"was not dropped: {row.status}"
    # What a message was too long to name is known by its day alone.
    names = account.items.keys() if row.unlisted else [each.item for each in row.items]
    waiting = [account.items[name] for name in names if name in account.items]
    waiting = [item for item in waiting if item.dropped_on is not None and item.dropped_on == row.ended_on]
    if not waiting:
        return "waits for nothing any more"
    for item in waiting:
        item.dropped_on = None
        account.touch(item)
    return ""


def _waiting(account: Account, reminder: str) -> ReminderRow | None:
    row = proposal_of(account)
    return row if row is not None and row.reminder == reminder else None


def _said(row: ReminderRow) -> Proposal:
    if row.proposal is None:
        raise AssertionError(f"{row.reminder} waits and was never proposed")
    return row.proposal


def _changed(event: ApproveReminder | EditReminder | DropReminder | UndoReminder, said: Proposal) -> str:
    """Say how a proposal differs from what a person has seen; '': it does not, or he does not say what he saw."""
    if not isinstance(event, UndoReminder) and event.revision is not None and event.revision != said.revision:
        return f"reminder {event.reminder} is at revision {said.revision} by now, not {event.revision}"
    if event.edits is not None and event.edits != said.edits:
        return f"reminder {event.reminder} was changed {said.edits} times by now, not {event.edits}"
    return ""


def _wait(account: Account, name: str, *, on: datetime.date) -> None:
    """Let a dropped step wait, as a failed one does (R19)."""
    item = account.items[name]
    item.dropped_on = on
    account.row.failed_on = on
    account.touch(item)
    account.touch(account.row)


def _day(context: FoldContext) -> datetime.date:
    """Give the day on which a person says something: the ledger may have had no tick of it yet."""
    return max(context.day, context.today())


def _gap_until(account: Account, *, context: FoldContext) -> datetime.date | None:
    last_on = last_contact_on(account)
    if last_on is None:
        return None
    return last_on + datetime.timedelta(days=context.company.profile.min_days_between_contacts)


def _inside_gap(account: Account, *, context: FoldContext) -> bool:
    until = _gap_until(account, context=context)
    return until is not None and _day(context) < until


def _refused(
    account: Account, event: _Command, *, detail: str, reason: ExceptionReason = "request_refused"
) -> ExceptionRaised:
    account.touch(account.row)
    return ExceptionRaised(
        id=f"{account.id}/{account.next_sequence()}",
        account=account.id,
        reason=reason,
        key=f"command/{event.command}",
        detail=detail,
    )


HANDLERS: dict[type, Callable[..., list[LedgerFact]]] = dict.fromkeys(
    (ApproveReminder, EditReminder, DropReminder, CancelReminder, UndoReminder, SendNow), _once
)

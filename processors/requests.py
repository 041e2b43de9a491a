"""What people ask about an account: notes, holds, exclusions, the next date, the mode.

Each command counts once, by its id. What changes whether a reminder may go
out also moves the decision version (R32); a note does not.
"""

from collections.abc import Callable

from processors import identity
from processors.account import Account, hold_id
from processors.context import FoldContext
from processors.law.register import register
from processors.outcomes import record_contact
from processors.quarantine import release
from schemas.commands import (
    AddNote,
    ExcludeItem,
    IncludeItem,
    PlaceHold,
    ReleaseHold,
    ReleaseQuarantine,
    SetMode,
    SetNextDate,
)
from schemas.facts import LedgerFact
from schemas.rows import HoldRow

__all__ = ["HANDLERS"]

AccountCommand = (
    AddNote | ExcludeItem | IncludeItem | PlaceHold | ReleaseHold | SetNextDate | SetMode | ReleaseQuarantine
)


def _once(account: Account, event: AccountCommand, *, context: FoldContext) -> list[LedgerFact]:
    """Carry out a command that is new; of one that came before, only a contradiction is said."""
    repeated = identity.remember(account, event, key=f"command/{event.command}")
    if repeated is not None:
        return repeated
    account.keep_until(context.day + context.company.retention, kind="seen", key=f"command/{event.command}")
    match event:
        case AddNote():
            _note(account, event, context=context)
        case ExcludeItem():
            _place(account, _exclusion(account, event))
        case IncludeItem():
            _release(account, hold=f"excluded/{event.document}")
        case PlaceHold():
            _place(account, _hold(account, event))
        case ReleaseHold():
            _release(account, hold=event.kind)
        case SetNextDate():
            account.row.failed_on = None  # R19: a date by hand ends the wait of a failed step
            _place(account, _date(account, event))
        case SetMode():
            account.row.mode = event.mode
            account.advance()
        case ReleaseQuarantine():
            return [*release(account, event)]
    return []


def _note(account: Account, event: AddNote, *, context: FoldContext) -> None:
    """Note somebody's look (R20); count a conversation as a contact (R5), and it and a call attempt in the register.

    The text is kept with the event. Whoever was called just now is not written to by what was decided before (R32).
    """
    row = account.row
    row.last_note_on = max(context.day, row.last_note_on or context.day)
    account.touch(row)
    if event.kind == "note":
        return
    row.last_call_on = max(context.day, row.last_call_on or context.day)
    contact = f"note/{event.command}"
    register(
        account,
        contact=contact,
        channel="call",
        kind=event.kind,
        occurred_at=event.occurred_at,
        context=context,
    )
    account.advance()
    if event.kind == "conversation":
        record_contact(account, on=context.day)


def _exclusion(account: Account, event: ExcludeItem) -> HoldRow:
    return HoldRow(
        account=account.id,
        hold="excluded",
        item=event.document,
        reason=event.reason,
        author=event.author,
        review_on=event.review_on,
        placed_at=event.occurred_at,
    )


def _hold(account: Account, event: PlaceHold) -> HoldRow:
    return HoldRow(
        account=account.id,
        hold=event.kind,
        reason=event.reason,
        author=event.author,
        until=event.until,
        review_on=event.review_on,
        placed_at=event.occurred_at,
    )


def _date(account: Account, event: SetNextDate) -> HoldRow:
    """Snooze until a date that a person set: the first contact on or after it consumes it (R20)."""
    return HoldRow(
        account=account.id,
        hold="snoozed",
        reason="next date set by hand",
        author=event.author,
        until=event.next_on,
        placed_at=event.occurred_at,
        by_hand=True,
    )


def _place(account: Account, hold: HoldRow) -> None:
    account.holds[hold_id(hold)] = hold
    account.touch(hold)
    account.advance()


def _release(account: Account, *, hold: str) -> None:
    row = account.holds.pop(hold, None)
    if row is not None:
        account.remove(row)
        account.advance()


HANDLERS: dict[type, Callable[..., list[LedgerFact]]] = dict.fromkeys(
    (AddNote, ExcludeItem, IncludeItem, PlaceHold, ReleaseHold, SetNextDate, SetMode, ReleaseQuarantine),
    _once,
)

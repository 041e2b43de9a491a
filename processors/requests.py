"""What people ask about an account: notes, holds, exclusions, the next date, the mode.

Each command counts once, by its id. What changes whether a reminder may go
out also moves the decision version (R32); a note does not.
"""

from collections.abc import Callable

from processors import identity
from processors.account import Account, hold_id
from processors.consuming import record_contact
from processors.context import FoldContext
from processors.disputes import rule_dispute
from processors.exclusions import exclude_payment, include_payment
from processors.holds import ACCOUNT_HOLDS
from processors.kin import tell_silence
from processors.law.register import register
from processors.moved_holds import tell_end
from processors.moved_wishes import hear_wish, tell_wishes
from processors.payment_plans import cancel_payment_plan
from processors.promises import make_promise, withdraw_promise
from processors.quarantine import release
from processors.replies import record_reply
from schemas.commands import (
    AddNote,
    CancelPaymentPlan,
    EnrolCustomer,
    ExcludeItem,
    ExcludePayment,
    IncludeItem,
    IncludePayment,
    MakePromise,
    OptIn,
    OptOut,
    PlaceHold,
    RecordReply,
    ReleaseHold,
    ReleaseQuarantine,
    RuleDispute,
    SetMode,
    SetNextDate,
    WithdrawPromise,
)
from schemas.facts import LedgerFact
from schemas.rows import HoldRow

__all__ = ["HANDLERS"]

_Plain = AddNote | ExcludeItem | IncludeItem | PlaceHold | ReleaseHold | SetNextDate | SetMode | EnrolCustomer
_Telling = (
    ExcludePayment
    | IncludePayment
    | MakePromise
    | WithdrawPromise
    | RuleDispute
    | CancelPaymentPlan
    | RecordReply
    | OptOut
    | OptIn
)

# What these lead to is said, and may move money.
_TELLING: dict[type, Callable[..., list[LedgerFact]]] = {
    ExcludePayment: exclude_payment,
    IncludePayment: include_payment,
    MakePromise: make_promise,
    WithdrawPromise: withdraw_promise,
    CancelPaymentPlan: cancel_payment_plan,
    RuleDispute: rule_dispute,
    RecordReply: record_reply,
    OptOut: hear_wish,
    OptIn: hear_wish,
}


def _once(
    account: Account, event: _Plain | _Telling | ReleaseQuarantine, *, context: FoldContext
) -> list[LedgerFact]:
    """Carry out a command that is new; of one that came before, only a contradiction is said."""
    key = f"command/{event.command}"
    repeated = identity.remember_for_retention(account, event, key=key, context=context)
    if repeated is not None:
        return repeated
    telling = _TELLING.get(type(event))
    if telling is not None:
        return telling(account, event, context=context)
    if isinstance(event, ReleaseQuarantine):
        return [*release(account, event)]
    before = account.holds.get(event.kind) if isinstance(event, PlaceHold | ReleaseHold) else None
    _carry_out(account, event, context=context)  # type: ignore[arg-type]  # one of the plain ones
    if not isinstance(event, PlaceHold | ReleaseHold):
        return []
    told = tell_wishes(account, context=context)
    if before is not None and before.hold in ACCOUNT_HOLDS:
        told += tell_end(account, before, anew=account.holds.get(before.hold), context=context)
    return [*told, *tell_silence(account, occurred_at=event.occurred_at, on=context.day)]


def _carry_out(account: Account, event: _Plain, *, context: FoldContext) -> None:
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
        case EnrolCustomer():
            account.row.enrolled = event.enrolled
            account.advance()


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
        command=event.command,
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
    account.row.episode_in_doubt = True  # the next tick looks: all may be held now
    account.advance()


def _release(account: Account, *, hold: str) -> None:
    row = account.holds.pop(hold, None)
    if row is not None:
        account.remove(row)
        account.row.episode_in_doubt = True
        account.advance()


HANDLERS: dict[type, Callable[..., list[LedgerFact]]] = dict.fromkeys(
    (
        AddNote,
        EnrolCustomer,
        ExcludeItem,
        IncludeItem,
        PlaceHold,
        ReleaseHold,
        SetNextDate,
        SetMode,
        ReleaseQuarantine,
        *_TELLING,
    ),
    _once,
)

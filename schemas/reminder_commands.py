"""What people ask about reminders: to approve, change, drop or call one back, to send what is due now (R5, R19);
and what customers answer to them."""

import datetime
from typing import Annotated, Literal

from msgspec import Meta

from schemas.command import AccountRequest
from schemas.fields import Channel, DocumentId, Text

__all__ = [
    "ApproveReminder",
    "CancelReminder",
    "DropReminder",
    "EditReminder",
    "RecordReply",
    "ReminderCommand",
    "SendNow",
    "UndoReminder",
    "UndoneWhat",
]

UndoneWhat = Literal["approval", "changes", "drop"]
_Edits = Annotated[int, Meta(ge=0)]


class ApproveReminder(AccountRequest, frozen=True, kw_only=True, tag="collections.reminder.approve.v1"):
    """Let a proposed reminder go out (R19): at the next tick that nothing else stands against.

    With ``revision`` only if the proposal is still that one, with ``edits`` only if it was changed so often
    by people: nobody lets go what he has not seen. ``now_because``
    confirms, with a reason, that it goes inside the minimum gap (R5).
    """

    reminder: DocumentId
    revision: Annotated[int, Meta(ge=1)] | None = None
    edits: _Edits | None = None
    now_because: Text = ""


class EditReminder(AccountRequest, frozen=True, kw_only=True, tag="collections.reminder.edit.v1"):
    """Change a proposed reminder (R19); an absent field stays as it was.

    ``channels`` it is written over instead (tasks of its steps stay), ``text``
    stands for the template's opening, ``drop_items`` are left out of it as
    if they were dropped, ``next_on`` is the day before which it does not go.
    ``template`` names the texts that it uses instead of its step's, ``attach_invoices``
    says whether the invoices go along (S2-17). ``revision`` and ``edits`` are what was seen, as in an approval:
    of two people who change one proposal the second is told.
    """

    reminder: DocumentId
    revision: Annotated[int, Meta(ge=1)] | None = None
    edits: _Edits | None = None
    channels: Annotated[tuple[Channel, ...], Meta(min_length=1, max_length=4)] | None = None
    text: Annotated[str, Meta(max_length=8000)] | None = None
    drop_items: Annotated[tuple[DocumentId, ...], Meta(max_length=500)] = ()
    next_on: datetime.date | None = None
    template: Annotated[str, Meta(max_length=64, pattern="^[a-z0-9][a-z0-9_-]*$")] | None = None
    attach_invoices: bool | None = None


class DropReminder(AccountRequest, frozen=True, kw_only=True, tag="collections.reminder.drop.v1"):
    """Drop a proposed reminder (R19): levels stay, its steps wait the minimum days; ``revision`` and ``edits`` as in an approval."""

    reminder: DocumentId
    revision: Annotated[int, Meta(ge=1)] | None = None
    edits: _Edits | None = None
    reason: Text = ""


class CancelReminder(AccountRequest, frozen=True, kw_only=True, tag="collections.reminder.cancel.v1"):
    """Call back a reminder that no provider has accepted yet (R19); its steps wait like dropped ones."""

    reminder: DocumentId
    reason: Text = ""


class UndoReminder(AccountRequest, frozen=True, kw_only=True, tag="collections.reminder.undo.v1"):
    """Take back what a person has said of a reminder that was proposed, while no provider has accepted it (R19).

    ``what``: the ``approval``, so that it waits for a person again (one that has been decided meanwhile is called
    back, and proposed anew once no provider can have it any more); the ``changes``, so that text, template, channels, attachments and day are
    the plan's again; the ``drop`` (or the call back), so that its steps do not wait, and are proposed anew.
    ``edits`` is what was seen, as in an approval.
    """

    reminder: DocumentId
    what: UndoneWhat
    edits: _Edits | None = None
    reason: Text = ""


class SendNow(AccountRequest, frozen=True, kw_only=True, tag="collections.reminder.send_now.v1"):
    """Send today what is due, proposed or not, past the gap, the minimum and the bank gate (R5, R8, R21).

    Inside the minimum gap it needs ``because``: the confirmation, which the reminder then carries.
    """

    because: Text = ""


class RecordReply(AccountRequest, frozen=True, kw_only=True, tag="collections.reply.record.v1"):
    """Keep what a customer has written back, and have a person read it (B-14): it opens a task, and is no contact of ours.

    ``reminder`` is the one that it answers, where that is known; ``address`` whom it came from.
    """

    channel: Channel
    text: Annotated[str, Meta(max_length=8000)]
    reminder: DocumentId | None = None
    address: Text = ""


ReminderCommand = (
    ApproveReminder | EditReminder | DropReminder | CancelReminder | UndoReminder | SendNow | RecordReply
)

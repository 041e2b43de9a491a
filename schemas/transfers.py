"""What accounts tell each other (transfers, parents and children): written to the journal by the ledger, in the transaction of what it follows from.

One account's *transfer out* is the other's *transfer in* (SEMANTICS 2.6). Amounts are
integer minor units; nobody else may write these, so they are no source events.
"""

import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.arrangement_rows import InstrumentState
from schemas.charges import ClaimDocument
from schemas.events import (
    Contact,
    CreditNoteIssued,
    DebitNoteIssued,
    InvoiceIssued,
    ItemOpened,
    PaymentReceived,
    WriteOffBooked,
    _AccountFact,
)
from schemas.fields import Channel, CustomerId, DocumentId, Text
from schemas.law import LawPlace
from schemas.moved_rows import SettledOn

__all__ = [
    "ChildLinked",
    "GroupContacted",
    "ItemSettledElsewhere",
    "MovedCredit",
    "MovedDispute",
    "MovedHold",
    "MovedInstrument",
    "MovedItem",
    "MovedPromise",
    "MovedWish",
    "ParentKnown",
    "TransferReceived",
    "UncountedMoney",
]


class MovedDispute(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A dispute that goes with its item.

    ``amended_minor`` of the amount was taken off the item instead of a note; ``is_over``: nothing else of it is left. ``again_minor``
    is how much more of it is left than was sent before, since a note was taken back.
    """

    dispute: str
    opened_on: datetime.date
    amount_minor: int | None = None
    reason: str = ""
    author: str = ""
    review_on: datetime.date | None = None
    ruled_on: datetime.date | None = None
    amended_minor: int = 0
    is_over: bool = False
    again_minor: int = 0


class MovedItem(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What is open of an item, with its level, its last reminder, its disputes and what was claimed on it.

    ``excluded`` is the reason of a person (``excluded_by``) who took it out of dunning, to be seen again on ``review_on``. Negative: so much of it is owed no more, since it
    was amended, or ``cancelled``. ``item`` is its name there, ``settled`` what had settled it, where something was claimed on it;
    ``corrected_minor`` is what was taken off it, where it is itself a claim. ``is_more``: the rest of it is there still.
    """

    document: InvoiceIssued | DebitNoteIssued | ItemOpened | ClaimDocument
    currency: str
    amount_minor: int
    issued_on: datetime.date
    due_on: datetime.date
    reference: str = ""
    contact: Contact | None = None
    chosen_plan: str = ""
    plan: str = ""
    plan_version: int = 0
    step: int = -1
    sent_level_on: datetime.date | None = None
    sent_on: datetime.date | None = None
    part_paid_on: datetime.date | None = None
    final_on: datetime.date | None = None
    pay_by_on: datetime.date | None = None
    shift_days: int = 0
    plan_finished: bool = False
    claimed_through: datetime.date | None = None
    charged: tuple[str, ...] = ()
    costs_minor: int = 0
    disputes: tuple[MovedDispute, ...] = ()
    excluded: str | None = None
    excluded_by: str = ""
    excluded_at: str = ""
    review_on: datetime.date | None = None
    item: str = ""
    revision: int = 0
    cancelled: bool = False
    settled: tuple[SettledOn, ...] = ()
    corrected_minor: int = 0
    is_more: bool = False


class MovedCredit(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Money or a note, or a part of it; negative: it does not count any more (a reversal), and goes back.

    ``credit`` is its key in the account that it comes from. ``limits`` are how much of it each of
    ``documents`` gets, in their order (None, or none said: as much as is open). ``named_there``: they are the
    names that documents have where it goes to, else those where it comes from. ``promised`` is what of it has counted for
    which promise ('': for one that was judged, and stays where it was), and is no news for another one (R35).
    """

    credit: str
    document: PaymentReceived | CreditNoteIssued | WriteOffBooked
    currency: str
    amount_minor: int
    received_on: datetime.date
    documents: tuple[str, ...] = ()
    limits: tuple[int | None, ...] = ()
    named_there: bool = False
    excluded: bool = False
    promised: dict[str, int] = {}


class MovedHold(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A hold on a whole customer that goes with him when he is merged: nobody is written to because of a merger (R15).

    ``of`` is the customer that it was placed at, ``command`` what placed it: the same may be said twice on one day.
    """

    hold: Literal["legal_hold", "do_not_contact", "blocked"]
    reason: str = ""
    author: str = ""
    until: datetime.date | None = None
    review_on: datetime.date | None = None
    placed_at: str = ""
    of: str = ""
    command: str = ""


class MovedWish(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A customer's newest word on a channel (R15), of business time ``at``: he is written to by it, or (``is_out``) is not.

    ``of`` is the customer that it was said at, ``order`` its place among what was said there.
    """

    channel: Channel
    at: str
    is_out: bool = False
    of: str = ""
    order: int = 0


class MovedInstrument(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A payment of a merged customer that has not cleared, or what has become of it (S1-21).

    Its states are still told to the account that it came to, and its money comes from there.
    """

    payment: str
    state: InstrumentState
    received_on: datetime.date
    document: PaymentReceived | None = None


class MovedPromise(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """An open promise of a merged customer (R35): ``documents`` are what it covers, as they were called there."""

    promise: str
    currency: str
    amount_minor: int
    made_on: datetime.date
    due_on: datetime.date
    until: datetime.date
    by: str = ""
    how: str = ""
    author: str = ""
    received_minor: int = 0
    documents: tuple[str, ...] = ()


class UncountedMoney(Struct, frozen=True, kw_only=True, gc=False):
    """Money of before a merger that counts no more for a promise that went along: it was reversed, or is another's (R35)."""

    promise: str
    amount_minor: int


class TransferReceived(_AccountFact, frozen=True, kw_only=True, tag="ledger.transfer.received.v1"):
    """Items and credits come from another account of the company; ``transfer`` is the id of the fact that sent them.

    ``path`` are the customers that they came through: nothing goes back to one of them by itself. ``absorbed`` are
    the customers that are merged into this one: whoever sends it, and those that had been merged into that one, ``absorbed_into`` (in their order)
    whom each was merged into.
    ``released`` are holds that came from there before, or had gone there, and that a person has ended. ``wishes`` are what was said of channels
    (``opted_out`` in older versions).
    """

    transfer: str
    from_customer: CustomerId
    reason: Text = ""
    path: Annotated[tuple[CustomerId, ...], Meta(min_length=1)]
    items: tuple[MovedItem, ...] = ()
    credits: tuple[MovedCredit, ...] = ()
    holds: tuple[MovedHold, ...] = ()
    instruments: tuple[MovedInstrument, ...] = ()
    promises: tuple[MovedPromise, ...] = ()
    uncounted: tuple[UncountedMoney, ...] = ()
    released: tuple[MovedHold, ...] = ()
    opted_out: tuple[Channel, ...] = ()
    wishes: tuple[MovedWish, ...] = ()
    absorbed: tuple[CustomerId, ...] = ()
    absorbed_into: tuple[str, ...] = ()


class ItemSettledElsewhere(_AccountFact, frozen=True, kw_only=True, tag="ledger.item.settled_elsewhere.v1"):
    """Money of days before an item moved was heard where it is now, at ``of``: what it was there for (R30). ``settled`` is all of it."""

    of: CustomerId
    item: DocumentId
    settled: tuple[SettledOn, ...] = ()


class ChildLinked(_AccountFact, frozen=True, kw_only=True, tag="ledger.child.linked.v1"):
    """A customer says that this one is its parent (B-13), or is not any more."""

    child: CustomerId
    is_child: bool = True


class GroupContacted(_AccountFact, frozen=True, kw_only=True, tag="ledger.group.contacted.v1"):
    """The contacts of a group of customers were written or talked to on a day, for the account ``of`` (B-13, R5)."""

    of: CustomerId
    on: datetime.date


class ParentKnown(_AccountFact, frozen=True, kw_only=True, tag="ledger.parent.known.v1"):
    """A parent tells a child who can be written to (B-13), and where: then it is the parent's law of contact that holds.

    ``held`` are not to be written to, since the parent is under a hold, before ``held_until``; None: before the parent says so.
    """

    parent: CustomerId
    contacts: tuple[Contact, ...] = ()
    held: tuple[Contact, ...] = ()
    held_until: datetime.date | None = None
    place: LawPlace | None = None

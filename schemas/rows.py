"""The state as rows: what an event touches is rewritten, and nothing else.

Rows are the values of ``ledger.account`` (compacted). They are mutable in
memory: the account that owns them says which ones changed. Keys are the JSON
array ``[owner, kind, id]``, so that the rows of one owner are neighbours
wherever keys are sorted; internal records (links) have keys that start
with a NUL byte, so readers tell them apart by the first byte.
Amounts are integer minor units.
"""

import datetime
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from msgspec import Struct, json

from schemas.arrangement_rows import ChildRow, DisputeRow, InstrumentRow, PaymentPlanRow, PromiseRow
from schemas.bank_rows import BankAlertRow, BankLineRow, BankRow, GateOverrideRow
from schemas.charges import ClaimDocument
from schemas.commands import ConfigureCompany, GoLive, HoldKind, SetLaw
from schemas.contacts import ContactRow
from schemas.customer_rows import CustomerRow
from schemas.events import (
    Contact,
    CreditNoteIssued,
    DebitNoteIssued,
    InvoiceIssued,
    ItemOpened,
    PaymentReceived,
    WriteOffBooked,
)
from schemas.fields import Channel, Trust
from schemas.journal import FoldedEvent, JournalMode
from schemas.message_rows import MessageRow
from schemas.moved_rows import Elsewhere
from schemas.plans import Plan
from schemas.reminder_rows import Awaited, Before, Proposal, ReminderRow, ReminderRowItem, TaskRow
from schemas.row import StateRow
from schemas.transfers import MovedHold, MovedWish

__all__ = [
    "AccountRow",
    "ApplicationRow",
    "Awaited",
    "Balance",
    "BankAlertRow",
    "BankLineRow",
    "BankRow",
    "Before",
    "ChildRow",
    "ClockRow",
    "CompanyRow",
    "CreditRow",
    "CustomerRow",
    "DisputeRow",
    "GateOverrideRow",
    "HoldRow",
    "InstrumentRow",
    "ItemRow",
    "KeyParts",
    "Name",
    "PaymentPlanRow",
    "PlanRow",
    "PromiseRow",
    "Proposal",
    "ReminderRow",
    "ReminderRowItem",
    "Row",
    "RowKey",
    "SeenRow",
    "Short",
    "TaskRow",
    "Trust",
    "WaitingRow",
    "decode_key",
    "decode_row",
    "encode_key",
    "encode_keys",
    "encode_row",
    "encode_rows",
    "owner_prefix",
]


class RowKey(NamedTuple):
    """``owner`` is an account, a company, or '' for what a partition has once."""

    kind: str
    owner: str
    id: str


class Balance(Struct, kw_only=True, gc=False, array_like=True):
    """Sums of one currency: Σ open amounts of items, Σ unapplied amounts of credits."""

    open_minor: int = 0
    credit_minor: int = 0


class AccountRow(StateRow, kw_only=True, tag="account"):
    """The header of an account: sums, versions and what dunning needs at once.

    ``version`` is the decision version of R32 (items, money, holds, contacts,
    plan). ``sequence`` numbers movements and other facts of the account.
    ``wake_at_s`` is when a tick must look at it again, in epoch seconds UTC
    (None: nothing to come). ``config_version`` is the company version that
    the wake was computed with. ``failed_channels`` are ``channel/error type``
    of deliveries that failed and whose cause has not changed since (R19), or ``channel/error type/address``
    where only that address is bad.
    ``episode_in_doubt``: an item has closed, and the next tick asks whether
    the episode has, too. ``opted_out`` are channels that the customer does
    not want (R15), by his ``wishes``, the newest word on each; ``wishes_sent`` are those that went along with a merger, ``ended_holds`` holds that have ended here and
    that whoever is merged into this one may have. ``promises`` are those made in this episode (R35); ``is_all_held``: at the last look
    all that could be dunned was held. ``merged_into`` is the customer that this one is the same as, ``merged_at`` the business time of the newest word
    that was carried out, ``absorbed`` are those that are the same as this one, ``absorbed_into`` whom each was merged into; ``has_moved``: something of it went
    to another account (SEMANTICS 2.6). ``limit_minor`` of
    ``limit_currency`` is the credit limit (B-15). ``quarantined_offset`` is the journal offset of the
    last record that the fold raised on. ``statement_on`` is the day of the next statement (R33). ``purge_on`` is the first day on which something may
    have been kept long enough; ``purged_through`` the newest business day of
    what is gone. ``proposal`` is the reminder that waits for a person, and
    ``send_now`` the reason for which what is due goes out on ``send_now_on``
    (R5, R19). ``failed_on`` is also when a step was dropped last: both waits
    end with what resets it. ``trust`` is R34's: ``trust_set`` by a person, else derived from the counters of
    items that money has settled and of broken promises (``processors.trust``). ``last_note_on`` and
    ``last_call_on`` (an attempt or a conversation) are what the worklist asks for (R20, R37).
    ``group_contact_on`` is when the contacts of the group that it belongs to were last contacted for another of it (B-13).
    ``asked_lines`` are bank credits that a person was asked about (R21). ``undone`` is the reminder whose changes the next
    proposal of the same steps begins with (R19).
    """

    account: str
    version: int = 0
    sequence: int = 0
    balances: dict[str, Balance] = {}
    mode: Literal["automatic", "manual"] = "automatic"
    wake_at_s: int | None = None
    config_version: int = 0
    last_contact_on: datetime.date | None = None
    group_contact_on: datetime.date | None = None
    episode_opened_on: datetime.date | None = None
    episode_closed_on: datetime.date | None = None
    episode_in_doubt: bool = False
    open_reminder: str = ""
    failed_on: datetime.date | None = None
    failed_channels: tuple[str, ...] = ()
    opted_out: tuple[Channel, ...] = ()
    wishes: tuple[MovedWish, ...] = ()
    wishes_sent: tuple[Channel, ...] = ()
    promises: int = 0
    is_all_held: bool = False
    merged_into: str = ""
    merged_at: str = ""
    absorbed: tuple[str, ...] = ()
    absorbed_into: dict[str, str] = {}
    ended_holds: tuple[MovedHold, ...] = ()
    has_moved: bool = False
    limit_minor: int | None = None
    limit_currency: str = ""
    is_above_limit: bool = False
    quarantined: str = ""
    quarantined_offset: int = -1
    statement_on: datetime.date | None = None
    enrolled: bool = False
    purge_on: datetime.date | None = None
    purged_through: datetime.date | None = None
    proposal: str = ""
    send_now: str = ""
    send_now_by: str = ""
    send_now_on: datetime.date | None = None
    trust: Trust = "normal"
    trust_set: Trust | None = None
    paid_items: int = 0
    late_items: int = 0
    late_days: int = 0
    broken_promises: int = 0
    last_note_on: datetime.date | None = None
    last_call_on: datetime.date | None = None
    asked_lines: tuple[str, ...] = ()
    undone: str = ""


class ItemRow(StateRow, kw_only=True, tag="item"):
    """One receivable. ``document`` is as first published; the rest as it stands.

    ``settled_before_minor`` is what of an opened item was settled before it
    came to us; ``moved_minor`` is now in other items: its instalments (R25),
    or the same item of the customer ``moved_to``; ``moved_from`` is whose it was (SEMANTICS 2.6):
    open = amount − settled before − moved − Σ applications.
    ``entered_on`` is the day that an opened item came to us (None: the day of
    issue); ``grown_on`` the last day on which money was taken off it or its
    amount grew: nothing is applied with an earlier date, so that no past day
    shows less than nothing open.
    ``step`` is the index of the last consumed step of the pinned plan (-1: none). ``sent_level_on`` and ``pay_by_on``
    come from the last *sent level* (R2); ``shift_days`` re-anchors an item whose level went out more than 7
    days late. ``judged`` is what was last said of its due step (R31):
    ``'<plan>/<version>|<step index> <reason> <until>'``. ``failed_on`` is when the reminder of
    its next step failed on all channels, ``dropped_on`` when a person dropped it. ``promise`` is the
    last promise to pay that covers it (R35). ``pending`` is its step in the open
    reminder where that lists too many items to name it. ``proposed_minor`` is the
    residual that was last proposed as a write-off. ``claimed_through`` is the last day
    whose interest was claimed, ``charged`` what was claimed once (``fixed_sum``,
    ``fee/<level>``), ``costs_minor`` what of it counts against the law's cap. ``corrected_minor`` is what later facts took
    off a claim (``processors.charges.corrections``). ``closed_on`` is the ledger's day of the last change since the item is
    settled or cancelled. ``late_days`` is how long after its due date money settled it (None: it did not), as the
    account's counters have it. ``elsewhere`` is what is known of it at other customers.
    ``sent_on`` is when any of its steps was sent last, ``part_paid_on`` the
    day since which the plan's share of it is paid (R9), ``final_on``
    when it was handed over or proposed as a loss (R18), ``awaiting`` the task
    that its next step is. ``before`` is where it stood before a reminder consumed its last step.
    """

    account: str
    item: str
    document: InvoiceIssued | DebitNoteIssued | ItemOpened | ClaimDocument
    currency: str
    amount_minor: int
    open_minor: int
    issued_on: datetime.date
    due_on: datetime.date
    status: Literal["open", "settled", "cancelled"] = "open"
    revision: int = 0
    reference: str = ""
    contact: Contact | None = None
    chosen_plan: str = ""
    plan: str = ""
    plan_version: int = 0
    step: int = -1
    sent_level_on: datetime.date | None = None
    pay_by_on: datetime.date | None = None
    shift_days: int = 0
    plan_finished: bool = False
    promise: str = ""
    judged: str = ""
    failed_on: datetime.date | None = None
    dropped_on: datetime.date | None = None
    sent_on: datetime.date | None = None
    part_paid_on: datetime.date | None = None
    final_on: datetime.date | None = None
    awaiting: Awaited | None = None
    pending: ReminderRowItem | None = None
    order: int = 0
    settled_before_minor: int = 0
    moved_minor: int = 0
    moved_to: str = ""
    moved_from: str = ""
    entered_on: datetime.date | None = None
    grown_on: datetime.date | None = None
    closed_on: datetime.date | None = None
    late_days: int | None = None
    proposed_minor: int = 0
    before: Before | None = None
    claimed_through: datetime.date | None = None
    charged: tuple[str, ...] = ()
    costs_minor: int = 0
    corrected_minor: int = 0
    elsewhere: Elsewhere | None = None


class Name(Struct, kw_only=True, gc=False, array_like=True):
    """An item that a credit is meant for; ``limit_minor`` None: as much as is open.

    ``less_minor`` is what reconciliation took off: of the limit, or of the
    item's amount where that is smaller.
    """

    document: str
    limit_minor: int | None = None
    less_minor: int = 0


class Short(Struct, kw_only=True, gc=False, array_like=True):
    """What a payment says was kept back from an item on the way."""

    amount_minor: int
    why: Literal["bank_fee", "withholding"]


class CreditRow(StateRow, kw_only=True, tag="credit"):
    """An amount in the customer's favour: a payment, credit note or write-off.

    ``credit`` is ``'<credit_kind>/<id>'``, since each kind has its own ids.
    ``effective_minor`` is what counts of ``amount_minor`` (after refunds; 0
    once reversed or cancelled). ``rest_minor`` = effective − Σ applications;
    ``reserved_minor`` of it waits for named items that are not known yet.
    ``order`` is its place in the account's log; ``freed_on`` the last day on
    which it was taken off an item (as ``ItemRow.grown_on``); ``excluded``: a person
    took it out, and it is never applied unasked (S0-10); ``moved_minor`` of it counts for the
    customer ``moved_to`` (SEMANTICS 2.6), but what is in ``moved_also`` for those; ``closed_on`` the
    ledger's day of the last change since nothing is left of it. ``shorts`` are by item.
    ``converted_minor`` of a payment counts in other credits: in ``'<credit>@<part>'`` for each of
    ``converted_into``, which are ``part_of`` it: of another currency (``EUR``), or meant for the items of
    another customer (``EUR>C2``; ``for_customer``), to whom it goes.
    ``ask_on`` is the day on which a person is asked what the unknown items are; ``promised`` what of it counts for which promise (R35).
    """

    account: str
    credit: str
    credit_kind: Literal["payment", "credit_note", "write_off"]
    document: PaymentReceived | CreditNoteIssued | WriteOffBooked
    currency: str
    amount_minor: int
    effective_minor: int
    rest_minor: int
    reserved_minor: int = 0
    refunded_minor: int = 0
    names: list[Name] = []
    shorts: dict[str, Short] = {}
    received_on: datetime.date
    ended_on: datetime.date | None = None  # reversed or cancelled
    order: int = 0
    freed_on: datetime.date | None = None
    excluded: bool = False
    moved_minor: int = 0
    moved_to: str = ""
    moved_also: dict[str, int] = {}
    closed_on: datetime.date | None = None
    ask_on: datetime.date | None = None
    converted_minor: int = 0
    converted_into: tuple[str, ...] = ()
    part_of: str = ""
    for_customer: str = ""
    promised: dict[str, int] = {}


class ApplicationRow(StateRow, kw_only=True, tag="application"):
    """What one credit settles of one item; ``automatic``: no one named it.

    ``applied_on`` is the date of its latest part, ``order`` its place among
    the applications of the account: the last one is the first to be released.
    """

    account: str
    credit: str
    item: str
    amount_minor: int
    applied_on: datetime.date
    automatic: bool = False
    order: int = 0


class HoldRow(StateRow, kw_only=True, tag="hold"):
    """A hold on the account, on one item (excluded) or on one payment: reason and author (R15).

    ``item`` is the item's id, or the payment's. ``by_hand``: it is the next reminder's date, set by a person (R20). ``is_sent``: it has gone along with a
    merged customer, once (SEMANTICS 2.6). ``joint`` are others of its kind that have come, for which it stands as well.
    ``of`` is the customer that it was placed at and came from, '' for one of the account's own; ``command`` is what placed it.
    """

    account: str
    hold: HoldKind | Literal["excluded", "excluded_payment"]
    item: str = ""
    reason: str = ""
    author: str = ""
    until: datetime.date | None = None
    review_on: datetime.date | None = None
    placed_at: str = ""
    by_hand: bool = False
    is_sent: bool = False
    joint: tuple[MovedHold, ...] = ()
    of: str = ""
    command: str = ""


class SeenRow(StateRow, kw_only=True, tag="seen"):
    """An event without a row of its own, remembered by natural key (SEMANTICS 2.2)."""

    account: str
    key: str
    event: FoldedEvent


class WaitingRow(StateRow, kw_only=True, tag="waiting"):
    """An event that came before what it speaks of; folded when that arrives (SEMANTICS 2.3).

    ``subject`` is what it waits for, ``key`` its own natural key, ``order``
    its place among those that wait for the same. ``since`` is the ledger's
    day; ``said``: a person was told that it may wait in vain (``purge``).
    """

    account: str
    subject: str
    key: str
    order: int
    cause: str
    event: FoldedEvent
    since: datetime.date
    said: bool = False


class CompanyRow(StateRow, kw_only=True, tag="company"):
    """A company's profile and law, in each partition; ``version`` counts their changes and the plans'.

    ``commands`` are the natural keys that have been taken in, each with a
    digest of its content: all versions of plans, and the newest of the rest.
    ``migrations`` are, by plan, the version by which items of older ones go on (R17).
    """

    company: str
    version: int = 0
    profile: ConfigureCompany | None = None
    commands: dict[str, str] = {}
    migrations: dict[str, int] = {}
    law: SetLaw | None = None
    go_live: GoLive | None = None


class PlanRow(StateRow, kw_only=True, tag="plan"):
    """One published version of a plan."""

    company: str
    plan: Plan


class ClockRow(StateRow, kw_only=True, tag="clock"):
    """The partition's now, written with every tick: how old a read model is.

    ``since`` is the first tick's instant: what came before it has been known
    since then.
    """

    at: datetime.datetime
    mode: JournalMode
    journal_offset: int = 0
    since: datetime.datetime | None = None


Row = (
    AccountRow
    | CustomerRow
    | ItemRow
    | CreditRow
    | ApplicationRow
    | HoldRow
    | PromiseRow
    | DisputeRow
    | InstrumentRow
    | PaymentPlanRow
    | ChildRow
    | ReminderRow
    | TaskRow
    | ContactRow
    | MessageRow
    | SeenRow
    | WaitingRow
    | CompanyRow
    | PlanRow
    | BankRow
    | BankAlertRow
    | BankLineRow
    | GateOverrideRow
    | ClockRow
)

KeyParts = tuple[str, str, str]  # owner, kind and name: a record key in the order in which it is written

_encoder = json.Encoder()
_row_decoder: json.Decoder[Row] = json.Decoder(Row)
_key_decoder = json.Decoder(tuple[str, str, str])


def encode_key(key: RowKey) -> bytes:
    """Write a row's record key."""
    kind, owner, name = key
    return _encoder.encode((owner, kind, name))


def owner_prefix(owner: str) -> bytes:
    """Give what the keys of an owner's rows begin with, and no other key does."""
    return b"[" + _encoder.encode(owner) + b","


def encode_keys(keys: Sequence[KeyParts]) -> list[bytes]:
    """Write the record keys of many rows, as ``encode_key`` each; in one buffer (see ``encode_rows``)."""
    written = _encoder.encode_lines(keys).split(b"\n")
    written.pop()
    return written


def decode_key(key: bytes) -> RowKey:
    """Read a row's record key."""
    owner, kind, name = _key_decoder.decode(key)
    return RowKey(kind, owner, name)


# Writes a row's record value, and reads it: without a call of Python between, millions are written.
encode_row: Callable[[Row], bytes] = _encoder.encode
decode_row: Callable[[bytes], Row] = _row_decoder.decode


def encode_rows(rows: Sequence[Row | None]) -> list[bytes | None]:
    """Write the values of many rows, as ``encode_row`` each; None stays None (a tombstone)."""
    # All in one buffer, which costs less than one for each: JSON holds no line break of its own.
    values: list[bytes | None] = list(_encoder.encode_lines(rows).split(b"\n"))
    if values.pop() or len(values) != len(rows):
        raise AssertionError(f"{len(rows)} rows were written as {len(values)} lines")
    place = -1
    for _ in range(rows.count(None)):
        place = rows.index(None, place + 1)
        values[place] = None
    return values

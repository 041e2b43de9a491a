"""What billing systems and banks tell us: facts, in the past tense.

Each struct is the ``data`` of one CloudEvent; its tag is the event's type.
Amounts are decimal text in major units, ``occurred_at`` is business time
(SEMANTICS section 2.4). Unknown fields are refused: a misspelt optional
field must not be lost in silence.
"""

import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.fields import Amount, CompanyId, Currency, CustomerId, DocumentId, Text, When

__all__ = [
    "BillingEvent",
    "Contact",
    "CreditNoteCancelled",
    "CreditNoteIssued",
    "CustomerMerged",
    "CustomerUpserted",
    "DebitNoteIssued",
    "DiscountTerm",
    "InvoiceAmended",
    "InvoiceCancelled",
    "InvoiceIssued",
    "ItemOpened",
    "PaymentLine",
    "PaymentReceived",
    "PaymentReversed",
    "PaymentStateChanged",
    "ReconciliationLine",
    "ReconciliationRecorded",
    "RefundPaid",
    "ReminderSentElsewhere",
    "WriteOffBooked",
    "WriteOffReversed",
]

Role = Literal["main", "billing", "finance", "director", "legal"]
Means = Literal["transfer", "card", "cash", "cheque", "direct_debit", "promissory_note", "other"]


class Contact(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """A person or desk of the customer who can be written to (R27, S2-18)."""

    role: Role = "main"
    name: Annotated[str, Meta(max_length=200)] = ""
    email: Annotated[str, Meta(max_length=254)] = ""
    phone: Annotated[str, Meta(max_length=40, description="E.164")] = ""
    address: Annotated[tuple[Annotated[str, Meta(max_length=120)], ...], Meta(max_length=6)] = ()


class _AccountFact(
    Struct,
    frozen=True,
    kw_only=True,
    gc=False,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="type",
):
    """A fact about one account."""

    company: CompanyId
    customer: CustomerId
    occurred_at: When


class DiscountTerm(
    Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True
):
    """A percentage that may be deducted from what is paid up to and on a day."""

    percent: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=10,
            description="Percent as decimal text: '2' or '2.5'.",
            extra_json_schema={"pattern": r"^[0-9]{1,2}(\.[0-9]{1,6})?$"},
        ),
    ]
    until: datetime.date


class InvoiceIssued(_AccountFact, frozen=True, kw_only=True, tag="billing.invoice.issued.v1"):
    """An invoice was issued; ``occurred_at`` is its issue date.

    Without ``due_date`` it is due after the customer's term, else the
    company's (R6).
    """

    document: DocumentId
    currency: Currency
    amount: Amount
    due_date: datetime.date | None = None
    reference: Text = ""
    contact: Contact | None = None
    plan: Annotated[str, Meta(max_length=64)] = ""
    discount: DiscountTerm | None = None
    pdf_url: Text = ""
    xml_url: Text = ""


class InvoiceAmended(_AccountFact, frozen=True, kw_only=True, tag="billing.invoice.amended.v1"):
    """An invoice or debit note was changed; the highest revision wins (SEMANTICS 2.2).

    An absent field stays as it was.
    """

    document: DocumentId
    revision: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    amount: Amount | None = None
    due_date: datetime.date | None = None
    reference: Text | None = None
    contact: Contact | None = None
    plan: Annotated[str, Meta(max_length=64)] | None = None


class InvoiceCancelled(_AccountFact, frozen=True, kw_only=True, tag="billing.invoice.cancelled.v1"):
    """An invoice or debit note was cancelled as a whole (R13)."""

    document: DocumentId
    reason: Text = ""


class CreditNoteIssued(_AccountFact, frozen=True, kw_only=True, tag="billing.credit_note.issued.v1"):
    """A credit note was issued, for one invoice or for none (R12)."""

    document: DocumentId
    currency: Currency
    amount: Amount
    invoice: DocumentId | None = None
    reference: Text = ""


class CreditNoteCancelled(_AccountFact, frozen=True, kw_only=True, tag="billing.credit_note.cancelled.v1"):
    """A credit note was cancelled: what it had settled is open again."""

    document: DocumentId
    reason: Text = ""


class DebitNoteIssued(_AccountFact, frozen=True, kw_only=True, tag="billing.debit_note.issued.v1"):
    """A debit note was issued: a receivable that is not a sale."""

    document: DocumentId
    currency: Currency
    amount: Amount
    due_date: datetime.date | None = None
    invoice: DocumentId | None = None
    reference: Text = ""
    contact: Contact | None = None
    plan: Annotated[str, Meta(max_length=64)] = ""


class ItemOpened(_AccountFact, frozen=True, kw_only=True, tag="billing.item.opened.v1"):
    """An existing receivable was brought in at going live (R36).

    ``occurred_at`` is the cut-over; ``amount`` is what the document was,
    ``open_amount`` what is left of it; ``level`` the name of the last step
    that was sent elsewhere.
    """

    document: DocumentId
    currency: Currency
    amount: Amount
    open_amount: Amount
    issue_date: datetime.date
    due_date: datetime.date
    level: Annotated[str, Meta(max_length=64)] = ""
    last_reminder_on: datetime.date | None = None
    last_contact_on: datetime.date | None = None
    reference: Text = ""
    contact: Contact | None = None
    plan: Annotated[str, Meta(max_length=64)] = ""
    pdf_url: Text = ""
    xml_url: Text = ""


class ReminderSentElsewhere(
    _AccountFact, frozen=True, kw_only=True, tag="billing.reminder.sent_elsewhere.v1"
):
    """Another system, or a person, has reminded of an item (R36); ``level`` is the name of the step of its plan.

    ``occurred_at`` is when it went out; it is a contact.
    """

    document: DocumentId
    level: Annotated[str, Meta(min_length=1, max_length=64)]
    channel: Literal["email", "sms", "letter", "call"] = "email"


class PaymentLine(
    Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True
):
    """An item that a payment names; without an amount: up to its open amount.

    ``customer`` is whose item it is, where the payer is another one (SEMANTICS 2.6): so much of the money,
    which needs an ``amount``, goes over to that customer's account, and settles it there.

    ``item_amount`` is the same money in the item's own currency, where that is
    another one than the payment's; it needs an ``amount``, too.

    ``short`` is what was kept back from it on the way, and ``short_for`` why:
    what is then left of the item is proposed as a write-off, not dunned.
    """

    document: DocumentId
    amount: Amount | None = None
    item_amount: Amount | None = None
    item_currency: Currency | None = None
    short: Amount | None = None
    short_for: Literal["bank_fee", "withholding"] = "bank_fee"
    customer: CustomerId | None = None


class PaymentReceived(_AccountFact, frozen=True, kw_only=True, tag="billing.payment.received.v1"):
    """Money came in, naming items (S1-18) or none (S1-19).

    A deposit with an ``order_reference`` is never auto-applied. A cheque, a promissory
    note or a direct debit that is ``received`` or ``deposited`` is no money yet: dunning of
    what it covers sleeps until ``billing.payment.state_changed.v1`` says that it has cleared,
    or was returned (S1-20, S1-21). ``payable_on`` is the day from which it can be cashed.
    """

    payment: DocumentId
    currency: Currency
    amount: Amount
    lines: Annotated[tuple[PaymentLine, ...], Meta(max_length=5000)] = ()
    means: Means = "transfer"
    order_reference: Text = ""
    state: Literal["received", "deposited", "cleared"] = "cleared"
    payable_on: datetime.date | None = None


class PaymentStateChanged(_AccountFact, frozen=True, kw_only=True, tag="billing.payment.state_changed.v1"):
    """A cheque, promissory note or direct debit went on: deposited, then cleared or returned (S1-21).

    One that is returned may be deposited again. Returned after it has cleared is a reversal (R14).
    ``change`` is this change's own id: without one, payment, state and ``occurred_at`` say which it is, so that a
    source that gives days tells of a second deposit on the day of the first by its ``change`` only.
    """

    payment: DocumentId
    state: Literal["deposited", "cleared", "returned"]
    reason: Text = ""
    change: DocumentId | None = None


class PaymentReversed(_AccountFact, frozen=True, kw_only=True, tag="billing.payment.reversed.v1"):
    """A payment bounced, was charged back or cancelled: R14."""

    payment: DocumentId
    reason: Text = ""


class RefundPaid(_AccountFact, frozen=True, kw_only=True, tag="billing.refund.paid.v1"):
    """Money was paid back out of a payment or a credit note.

    ``of`` says which kind ``credit`` is the id of.
    """

    refund: DocumentId
    of: Literal["payment", "credit_note"] = "payment"
    credit: DocumentId
    currency: Currency
    amount: Amount


class WriteOffBooked(_AccountFact, frozen=True, kw_only=True, tag="billing.write_off.booked.v1"):
    """Part or all of an item was given up as lost."""

    write_off: DocumentId
    document: DocumentId
    currency: Currency
    amount: Amount
    reason: Text = ""


class WriteOffReversed(_AccountFact, frozen=True, kw_only=True, tag="billing.write_off.reversed.v1"):
    """A write-off was taken back."""

    write_off: DocumentId
    reason: Text = ""


class ReconciliationLine(
    Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True
):
    """One instruction of the bank: apply money to an item, or take it off."""

    action: Literal["apply", "unapply"]
    document: DocumentId
    amount: Amount | None = None


class ReconciliationRecorded(
    _AccountFact, frozen=True, kw_only=True, tag="billing.reconciliation.recorded.v1"
):
    """The bank's word on what a payment's money is for (SEMANTICS section 3).

    An ``apply`` line replaces what the payment said of that item; an
    ``unapply`` line without amount ends its name.
    """

    reconciliation: DocumentId
    payment: DocumentId
    lines: Annotated[tuple[ReconciliationLine, ...], Meta(min_length=1, max_length=5000)]


class CustomerUpserted(_AccountFact, frozen=True, kw_only=True, tag="billing.customer.upserted.v1"):
    """Master data of a customer at a company; the latest ``occurred_at`` wins.

    ``parent`` is the customer that this one belongs to; ``dunned_at`` says whose contacts are
    written to (B-13). ``credit_limit`` is in ``credit_currency``, else in the company's (B-15).
    """

    name: Annotated[str, Meta(max_length=200)]
    tax_id: Annotated[str, Meta(max_length=40)] = ""
    kind: Literal["business", "consumer", "unknown"] = "unknown"
    language: Annotated[str, Meta(max_length=5)] = ""
    time_zone: Annotated[str, Meta(max_length=64)] = ""
    country: Annotated[str, Meta(max_length=2)] = ""
    group: Annotated[str, Meta(max_length=64)] = ""
    payment_terms_days: Annotated[int, Meta(ge=0, le=365)] | None = None
    plan: Annotated[str, Meta(max_length=64)] = ""
    responsible: Annotated[str, Meta(max_length=128)] = ""
    contacts: Annotated[tuple[Contact, ...], Meta(max_length=50)] = ()
    parent: Annotated[str, Meta(max_length=128)] = ""
    dunned_at: Literal["own", "parent"] = "own"
    credit_limit: Amount | None = None
    credit_currency: Currency | None = None


class CustomerMerged(_AccountFact, frozen=True, kw_only=True, tag="billing.customer.merged.v1"):
    """A customer is the same as another one of the company: all that is open goes there, now and whenever more comes (SEMANTICS 2.6)."""

    into: CustomerId
    reason: Text = ""


BillingEvent = (
    InvoiceIssued
    | InvoiceAmended
    | InvoiceCancelled
    | CreditNoteIssued
    | CreditNoteCancelled
    | DebitNoteIssued
    | ItemOpened
    | PaymentReceived
    | PaymentReversed
    | PaymentStateChanged
    | RefundPaid
    | ReminderSentElsewhere
    | WriteOffBooked
    | WriteOffReversed
    | ReconciliationRecorded
    | CustomerUpserted
    | CustomerMerged
)

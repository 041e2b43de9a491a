"""What people ask of us, in the imperative: about an account, ordered with its facts; about a company (plan,
profile), written to every journal partition.
"""

import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.answers import GiveAnswer
from schemas.bank import BANK_FACTS, BankAccountId, BankLineMatched, BankLineUnmatched, BankReconciled
from schemas.charges import LateCharges, MoneyPays
from schemas.command import AccountRequest as _AccountCommand
from schemas.command import Author as _Author
from schemas.fields import (
    Amount,
    CompanyId,
    Currency,
    CustomerId,
    DocumentId,
    LetterLayout,
    Text,
    TextLanguage,
    When,
)
from schemas.law import LawChoice, LawProfile
from schemas.plans import Plan
from schemas.reminder_commands import (
    ApproveReminder,
    CancelReminder,
    DropReminder,
    EditReminder,
    RecordReply,
    ReminderCommand,
    SendNow,
)

__all__ = [
    "COMPANY_COMMANDS",
    "AccountCommand",
    "AddNote",
    "ApproveReminder",
    "CancelPaymentPlan",
    "CancelReminder",
    "Command",
    "CompanyCommand",
    "CompleteTask",
    "ConfigureCompany",
    "DropReminder",
    "EditReminder",
    "EnrolCustomer",
    "ExcludeItem",
    "ExcludePayment",
    "GiveAnswer",
    "GoLive",
    "GoLiveDay",
    "HoldKind",
    "IncludeItem",
    "IncludePayment",
    "MakePaymentPlan",
    "MakePromise",
    "MigratePlan",
    "OpenDispute",
    "OptIn",
    "OptOut",
    "OverrideBankGate",
    "PlaceHold",
    "PublishPlan",
    "RecordReply",
    "ReleaseHold",
    "ReleaseQuarantine",
    "RuleDispute",
    "SendNow",
    "SetLaw",
    "SetMode",
    "SetNextDate",
    "SetResponsible",
    "SetTrust",
    "TransferItem",
    "TransferPayment",
    "WaiveClaim",
    "WithdrawPromise",
]

HoldKind = Literal["legal_hold", "do_not_contact", "blocked", "snoozed"]


class EnrolCustomer(_AccountCommand, frozen=True, kw_only=True, tag="collections.customer.enrol.v1"):
    """Let a customer be followed up, or not any more, where the company's enrolment is ``selected`` (S4-01, R36)."""

    enrolled: bool = True


class AddNote(_AccountCommand, frozen=True, kw_only=True, tag="collections.note.add.v1"):
    """Log a note (S0-11, S1-11). A note of kind ``conversation`` is a contact (R5)."""

    kind: Literal["note", "call_attempt", "conversation"] = "note"
    text: Annotated[str, Meta(min_length=1, max_length=8000)]
    responsible: Annotated[str, Meta(max_length=128)] = ""


class ExcludeItem(_AccountCommand, frozen=True, kw_only=True, tag="collections.item.exclude.v1"):
    """Take an item out of dunning (S0-10, S2-13); it stays in balance and aging."""

    document: DocumentId
    reason: Text
    review_on: datetime.date | None = None


class IncludeItem(_AccountCommand, frozen=True, kw_only=True, tag="collections.item.include.v1"):
    """Bring an excluded item back."""

    document: DocumentId
    reason: Text = ""


class ExcludePayment(_AccountCommand, frozen=True, kw_only=True, tag="collections.payment.exclude.v1"):
    """Take a payment out (S0-10): it is never applied unasked; what it had settled so is open again."""

    payment: DocumentId
    reason: Text
    review_on: datetime.date | None = None


class IncludePayment(_AccountCommand, frozen=True, kw_only=True, tag="collections.payment.include.v1"):
    """Bring an excluded payment back."""

    payment: DocumentId
    reason: Text = ""


class OptOut(_AccountCommand, frozen=True, kw_only=True, tag="collections.channel.opt_out.v1"):
    """Stop writing to a customer by one channel (R15); the next one in the fallback order is used."""

    channel: Literal["email", "sms", "letter"]
    reason: Text = ""


class OptIn(_AccountCommand, frozen=True, kw_only=True, tag="collections.channel.opt_in.v1"):
    """Write by a channel again."""

    channel: Literal["email", "sms", "letter"]


class MakePromise(_AccountCommand, frozen=True, kw_only=True, tag="collections.promise.make.v1"):
    """Note a promise to pay (R35), named by its ``command``.

    Without an amount it is all that is open and due by ``due_on``, or of ``documents``
    where they are named. Without a currency it is the one that the customer owes in, or the company's. ``by`` is who promised, ``how`` by what means.
    """

    due_on: datetime.date
    amount: Amount | None = None
    currency: Currency | None = None
    documents: Annotated[tuple[DocumentId, ...], Meta(max_length=500)] = ()
    by: Annotated[str, Meta(max_length=200)] = ""
    how: Annotated[str, Meta(max_length=200)] = ""


class WithdrawPromise(_AccountCommand, frozen=True, kw_only=True, tag="collections.promise.withdraw.v1"):
    """Take a promise back that was noted by mistake; it counts no more."""

    promise: DocumentId


class MakePaymentPlan(_AccountCommand, frozen=True, kw_only=True, tag="collections.payment_plan.make.v1"):
    """Split what is open of an item into ``count`` instalments of equal sum (R25); named by its ``command``.

    The first is due on ``first_on``; cents that do not divide are in the last one.
    """

    document: DocumentId
    first_on: datetime.date
    count: Annotated[int, Meta(ge=2, le=60)]
    every: Literal["week", "two_weeks", "month"] = "month"
    reason: Text = ""


class CancelPaymentPlan(_AccountCommand, frozen=True, kw_only=True, tag="collections.payment_plan.cancel.v1"):
    """End a payment plan: what is left of its instalments returns to the original due date and level (R25)."""

    payment_plan: DocumentId
    reason: Text = ""


class TransferItem(_AccountCommand, frozen=True, kw_only=True, tag="collections.item.transfer.v1"):
    """Re-assign an item to another customer of the company: what is open goes there, with its level (SEMANTICS 2.6)."""

    document: DocumentId
    to_customer: CustomerId
    reason: Text = ""


class TransferPayment(_AccountCommand, frozen=True, kw_only=True, tag="collections.payment.transfer.v1"):
    """Let a payment pay another customer's items (SEMANTICS 2.6): ``amount`` of it, else what is left.

    There it settles ``documents``; without them it is applied like any payment.
    """

    payment: DocumentId
    to_customer: CustomerId
    amount: Amount | None = None
    documents: Annotated[tuple[DocumentId, ...], Meta(max_length=500)] = ()
    reason: Text = ""


class OpenDispute(_AccountCommand, frozen=True, kw_only=True, tag="collections.dispute.open.v1"):
    """Note that a customer disputes an item, or ``amount`` of it (R29); named by its ``command``."""

    document: DocumentId
    reason: Text
    amount: Amount | None = None
    review_on: datetime.date | None = None


class RuleDispute(_AccountCommand, frozen=True, kw_only=True, tag="collections.dispute.rule.v1"):
    """Decide a dispute (R29): ``rejected``, it is dunned again; ``credited``, ``amount`` of it (else all) waits for its credit note."""

    dispute: DocumentId
    ruling: Literal["rejected", "credited"]
    amount: Amount | None = None
    text: Text = ""


class PlaceHold(_AccountCommand, frozen=True, kw_only=True, tag="collections.hold.place.v1"):
    """Hold the whole account (R15); ``until`` is the first day without the hold."""

    kind: HoldKind
    reason: Text
    until: datetime.date | None = None
    review_on: datetime.date | None = None


class ReleaseHold(_AccountCommand, frozen=True, kw_only=True, tag="collections.hold.release.v1"):
    """End the account's hold of this kind."""

    kind: HoldKind


class SetNextDate(_AccountCommand, frozen=True, kw_only=True, tag="collections.next_date.set.v1"):
    """Set the next reminder's date by hand (S0-12, S2-20, R20): nothing is sent before it."""

    next_on: datetime.date


class SetMode(_AccountCommand, frozen=True, kw_only=True, tag="collections.mode.set.v1"):
    """Choose automatic or manual reminders for a customer (S2-14)."""

    mode: Literal["automatic", "manual"]


class SetTrust(_AccountCommand, frozen=True, kw_only=True, tag="collections.trust.set.v1"):
    """Say how far a customer is trusted (S0-26, S2-22, R34); ``derived``: by the own history again."""

    trust: Literal["good", "normal", "bad", "derived"]


class SetResponsible(_AccountCommand, frozen=True, kw_only=True, tag="collections.responsible.set.v1"):
    """Say who is in charge of a customer (S2-15), whatever its master data say; empty: whom these name, again."""

    responsible: Annotated[str, Meta(max_length=128)] = ""


class CompleteTask(_AccountCommand, frozen=True, kw_only=True, tag="collections.task.complete.v1"):
    """Say that a task is done, or will not be (R28); ``text`` is what came of it."""

    task: Annotated[str, Meta(min_length=1, max_length=256)]
    outcome: Literal["done", "skipped"] = "done"
    text: Annotated[str, Meta(max_length=8000)] = ""


class ReleaseQuarantine(_AccountCommand, frozen=True, kw_only=True, tag="collections.quarantine.release.v1"):
    """Let the account be written to again: what the fold raised on is mended, and was replayed or is not needed.

    With ``up_to_offset`` only if nothing after that journal offset was raised on.
    """

    up_to_offset: Annotated[int, Meta(ge=0)] | None = None


class WaiveClaim(_AccountCommand, frozen=True, kw_only=True, tag="collections.claim.waive.v1"):
    """Give up a claim of interest or costs, or an amount of it (R22); it is not claimed again."""

    claim: Annotated[str, Meta(min_length=1, max_length=300)]
    amount: Amount | None = None
    reason: Text


class _CompanyCommand(
    Struct,
    frozen=True,
    kw_only=True,
    gc=False,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="type",
):
    """A request about a whole company."""

    company: CompanyId
    occurred_at: When
    command: DocumentId
    author: _Author = ""


class PublishPlan(_CompanyCommand, frozen=True, kw_only=True, tag="collections.plan.publish.v1"):
    """Publish a version of a plan; items keep the version that they began with (R17)."""

    plan: Plan


class MigratePlan(_CompanyCommand, frozen=True, kw_only=True, tag="collections.plan.migrate.v1"):
    """Let items that have begun on older versions of a plan go on by this one (R17).

    Each goes on after the last step whose offset is not later than that of
    the step it had. A version that is not published moves nothing until it is.
    """

    plan: Annotated[str, Meta(min_length=1, max_length=64)]
    to_version: Annotated[int, Meta(ge=1, le=1_000_000_000)]


class ConfigureCompany(_CompanyCommand, frozen=True, kw_only=True, tag="collections.company.configure.v1"):
    """Set a company's whole profile; the latest by its time stands.

    ``minimums`` are decimal amounts per currency (R8). ``past_from`` and
    ``new_from`` are the start dates of S4-03 and S4-04: an item is enrolled
    when it is due on or after the first or issued on or after the second;
    both absent enrol everything. ``enrolment`` ``selected`` follows up only the
    customers that a command has enrolled (S4-01). ``decision_hour`` is the local hour from
    which a day's decisions are taken. ``credit_policy`` says what money on the
    account does to a decision (R11): it counts against the oldest items, holds
    all reminders of its currency, or is not looked at. ``tolerances`` are decimal
    amounts per currency: less than this left of a paid item is no debt to dun.
    ``bank_accounts`` must be reconciled through the last bank business day before
    anything is sent (R21; none: the gate is off); from the local ``bank_alert_hour``
    on people are told that one is not.
    ``currencies_apart``: a reminder per currency instead of one with subtotals (R23).
    ``late_charges`` (R22): interest and fees are off, shown in messages, or claimed,
    which puts them into the balance; ``money_pays`` says which of both money without
    names settles first. ``returned_payment_fees`` are amounts per currency;
    ``unit_values`` of a legal unit of account (UF), in the company's currency.
    ``promise_tolerance_days`` is how long after its date a promise still counts as kept,
    ``promises_per_episode`` how many there may be (R35). ``retention_days``: what is settled is remembered so long.
    ``courtesies``, ``invoice_messages``, ``payment_messages``, ``correction_messages`` (R30) and ``statements`` switch each kind of message (R33);
    ``statement_day`` is a day of the month, or of the week (1 is Monday), ``statement_pdf``: a statement brings it along.
    ``payment_link`` leads to where a customer can pay: an https URL in which ``{reminder}``, ``{customer}``,
    ``{document}``, ``{amount}`` and ``{currency}`` are filled in. ``logo`` is an https URL, or a file's name in the
    company's template folder. ``next_action_days`` after the last contact or note a person looks at a customer again
    (R20, S0-14). ``raise_all_to_max``: all items of a message go as its highest step (R1).
    What readers of messages answer (S4-17) is mailed to ``answers_to``; "I have paid" lets the account rest for
    ``answer_rest_days`` (0: it does not), once a message; a promise up to ``answer_promise_days`` ahead is taken by
    itself (0: none is); ``answer_disputes``: so is a dispute. ``letter_layout`` is the paper of letters and the window
    of their envelopes: DIN 5008 form A or B on A4, US #10 on Letter, or what the company's country uses;
    ``letter_documents``: what mails take along goes with letters, too, on paper.
    """

    name: Annotated[str, Meta(max_length=200)]
    time_zone: Annotated[str, Meta(min_length=1, max_length=64)]
    currency: Currency
    language: TextLanguage = "en"
    country: Annotated[str, Meta(max_length=2)] = ""
    plan: Annotated[str, Meta(max_length=64)] = "default"
    group_plans: dict[str, str] = {}
    minimums: dict[str, Amount] = {}
    min_days_between_contacts: Annotated[int, Meta(ge=0, le=90)] = 3
    payment_terms_days: Annotated[int, Meta(ge=0, le=365)] = 30
    auto_apply: bool = True
    tolerances: dict[str, Amount] = {}
    credit_policy: Literal["net", "hold", "ignore"] = "net"
    bank_accounts: Annotated[tuple[BankAccountId, ...], Meta(max_length=50)] = ()
    bank_alert_hour: Annotated[int, Meta(ge=0, le=23)] = 12
    currencies_apart: bool = False
    late_charges: LateCharges = "off"
    returned_payment_fees: dict[str, Amount] = {}
    unit_values: dict[str, Amount] = {}
    money_pays: MoneyPays = "principal_first"
    automatic: bool = True
    courtesies: bool = True
    invoice_messages: bool = False
    payment_messages: bool = False
    correction_messages: bool = False
    statements: Literal["off", "weekly", "monthly"] = "off"
    statement_day: Annotated[int, Meta(ge=1, le=28)] = 1
    statement_pdf: bool = True
    raise_all_to_max: bool = False
    enrolment: Literal["all", "selected"] = "all"
    past_from: datetime.date | None = None
    new_from: datetime.date | None = None
    decision_hour: Annotated[int, Meta(ge=0, le=23)] = 8
    promise_tolerance_days: Annotated[int, Meta(ge=0, le=30)] = 2
    promises_per_episode: Annotated[int, Meta(ge=0, le=100)] = 2
    retention_days: Annotated[int, Meta(ge=400, le=36_500)] = 400
    next_action_days: Annotated[int, Meta(ge=1, le=365)] = 15
    sender_email: Annotated[str, Meta(max_length=254)] = ""
    address: Annotated[tuple[Annotated[str, Meta(max_length=120)], ...], Meta(max_length=6)] = ()
    phone: Annotated[str, Meta(max_length=40)] = ""
    tax_id: Annotated[str, Meta(max_length=40)] = ""
    payment_instructions: Annotated[str, Meta(max_length=4000)] = ""
    footer: Annotated[str, Meta(max_length=4000)] = ""
    answers_to: Annotated[tuple[Annotated[str, Meta(max_length=254)], ...], Meta(max_length=10)] = ()
    answer_rest_days: Annotated[int, Meta(ge=0, le=30)] = 3
    answer_promise_days: Annotated[int, Meta(ge=0, le=365)] = 14
    answer_disputes: bool = True
    payment_link: Annotated[str, Meta(max_length=1000)] = ""
    logo: Annotated[str, Meta(max_length=500)] = ""
    letter_layout: LetterLayout | Literal["by_country"] = "by_country"
    letter_documents: bool = False


class SetLaw(_CompanyCommand, frozen=True, kw_only=True, tag="collections.law.set.v1"):
    """Set a company's own law, as a whole; the latest by its time stands.

    ``profiles`` are added to the shipped ones, or stand for those of the same
    id; ``choices`` come before the shipped ones. Both empty: as shipped.
    """

    profiles: Annotated[tuple[LawProfile, ...], Meta(max_length=20)] = ()
    choices: Annotated[tuple[LawChoice, ...], Meta(max_length=300)] = ()


class GoLiveDay(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """From the company day ``on``: accounts whose oldest debt is due before ``due_on``, or on it, up to ``customer``."""

    on: datetime.date
    due_on: datetime.date
    customer: CustomerId


class GoLive(_CompanyCommand, frozen=True, kw_only=True, tag="collections.company.go_live.v1"):
    """Let the first run go out in daily portions, the oldest debts first (R36); the latest by its time stands.

    ``days`` ascend; who is in none of them waits until the day after the
    last. None: nobody waits. ``cobranza preview`` makes it.
    """

    days: Annotated[tuple[GoLiveDay, ...], Meta(max_length=2000)] = ()


class OverrideBankGate(_CompanyCommand, frozen=True, kw_only=True, tag="collections.bank_gate.override.v1"):
    """Let reminders go out on a company day ``on`` although a bank account is not reconciled (R21).

    Recorded with author and reason; credits that match a customer still hold that one.
    """

    on: datetime.date
    reason: Annotated[str, Meta(min_length=1, max_length=2000)]


CompanyCommand = (
    PublishPlan
    | MigratePlan
    | ConfigureCompany
    | SetLaw
    | GoLive
    | OverrideBankGate
    | BankReconciled
    | BankLineUnmatched
    | BankLineMatched
)
COMPANY_COMMANDS = (
    PublishPlan,
    MigratePlan,
    ConfigureCompany,
    SetLaw,
    GoLive,
    OverrideBankGate,
    *BANK_FACTS,
)  # written to every journal partition, by class
AccountCommand = (
    AddNote
    | EnrolCustomer
    | ExcludeItem
    | IncludeItem
    | PlaceHold
    | ReleaseHold
    | SetNextDate
    | SetMode
    | SetResponsible
    | SetTrust
    | ReminderCommand
    | CompleteTask
    | ExcludePayment
    | IncludePayment
    | OptOut
    | OptIn
    | MakePromise
    | WithdrawPromise
    | MakePaymentPlan
    | CancelPaymentPlan
    | TransferItem
    | TransferPayment
    | OpenDispute
    | RuleDispute
    | ReleaseQuarantine
    | WaiveClaim
    | GiveAnswer
)
Command = AccountCommand | CompanyCommand

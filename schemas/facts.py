"""What the ledger says: movements, reminders, decisions and exceptions.

Each struct is the ``data`` of one CloudEvent in binary mode; its tag is the
event's type. Amounts are integer minor units of ``currency``.
"""

import datetime
from typing import Literal

from msgspec import Raw, Struct, field

from schemas.answers import AnswerGiven, AnswerSaid
from schemas.arrangement_facts import (
    ConditionalPaymentChanged,
    DisputeOpened,
    DisputeRuled,
    PaymentPlanEnded,
    PaymentPlanMade,
    PromiseJudged,
    PromiseMade,
)
from schemas.charges import Charge, ClaimCorrected, ClaimRaised
from schemas.events import Contact
from schemas.fact import AccountFact
from schemas.fields import Channel, LetterLayout
from schemas.journal import JournalMode
from schemas.law import LawTerms, LegalText
from schemas.message_rows import MessageEnd, MessageKind
from schemas.movement import Movement, MovementKind
from schemas.transfer_facts import AccountTold, CreditLimitCrossed, TransferSent

__all__ = [
    "AccountQuarantined",
    "AccountReleased",
    "AccountTold",
    "AgedTotal",
    "AnswerGiven",
    "ConditionalPaymentChanged",
    "CreditLimitCrossed",
    "Delivery",
    "DisputeOpened",
    "DisputeRuled",
    "ExceptionRaised",
    "ExceptionReason",
    "ItemHandedOver",
    "LedgerFact",
    "LevelTakenOver",
    "MessageDecided",
    "MessageEnded",
    "Movement",
    "MovementKind",
    "PaymentPlanEnded",
    "PaymentPlanMade",
    "PlanFinished",
    "PromiseJudged",
    "PromiseMade",
    "Reason",
    "ReminderCredit",
    "ReminderDecided",
    "ReminderEnded",
    "ReminderItem",
    "ReminderProposed",
    "ReminderRetracted",
    "ReminderWasWrong",
    "ReminderWithheld",
    "TaskClosed",
    "TaskOpened",
    "TaskOutcome",
    "Total",
    "TransferSent",
    "Withheld",
]

Reason = Literal[  # SEMANTICS R15; the first that applies
    "quarantined",
    "legal_hold",
    "do_not_contact",
    "blocked",
    "disputed",
    "promised",
    "payment_plan",
    "conditional_payment",
    "excluded",
    "snoozed",
    "not_enrolled",
    "before_start",
    "no_plan",
    "plan_finished",
    "condition",
    "awaiting_task",
    "reminder_open",
    "dropped",
    "failed",
    "manual_mode",
    "switched_off",
    "courtesy_passed",
    "within_tolerance",
    "credit_covers",
    "below_minimum",
    "account_grace",
    "daily_portion",
    "source_lag",
    "bank_gate",
    "gap",
    "law",
]

ExceptionReason = Literal[
    "conflict",  # same natural key, other content
    "currency_mismatch",  # money in another currency than its item or credit
    "amount_refused",  # a negative amount, or more decimals than the currency of what it speaks of has
    "over_refunded",  # more was paid back than was left of the credit
    "outcome_refused",  # the fate of a delivery that is not there, or that has another one already
    "too_old",  # a document, or what speaks of one, of a day whose documents have been purged
    "not_confirmed",  # "send now" inside the minimum gap without a reason (R5)
    "request_refused",  # a request that speaks of what is not there, or comes too late
    "bank_gate",  # a required bank account is not reconciled: reminders wait (R21)
    "bank_gate_overridden",  # a person let them go out all the same
    "unknown_subject",  # a request about a promise, dispute, instrument or plan that is not there, or is over
    "promise_refused",  # one too many in this episode, or nothing is open that it could cover
    "tick_refused",  # a tick that may not be: ahead of its log time, or of the other mode
]


TaskOutcome = Literal[
    "done",
    "skipped",
    "timed_out",
    "needless",  # what it was about has settled, is held, or has changed
]


class Total(Struct, frozen=True, kw_only=True, gc=False):
    """A subtotal; never summed over currencies (R23)."""

    currency: str
    amount_minor: int


class AgedTotal(Struct, frozen=True, kw_only=True, gc=False):
    """What is asked for in one currency, by days past due: not due, 1-30, 31-60, 61-90, more; minor units."""

    currency: str
    buckets: tuple[int, int, int, int, int]


class ReminderItem(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """An item listed in a reminder; with ``step`` it is due and consumes it (R1).

    ``held_minor`` of the open amount is disputed or paid by what has not cleared yet: it is
    not asked for (R15, R29), and no part of the totals.
    """

    item: str
    currency: str
    amount_minor: int
    open_minor: int
    issued_on: datetime.date
    due_on: datetime.date
    days_overdue: int  # negative: days until it is due
    step: str = ""
    step_index: int = -1
    step_due_on: datetime.date | None = None
    plan: str = ""
    plan_version: int = 0
    reference: str = ""
    pdf_url: str = ""
    xml_url: str = ""
    held_minor: int = 0


class ReminderCredit(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Credit of the customer's that settles nothing yet, shown in a reminder (R11, R12); ``left_minor`` is what it still counts."""

    kind: Literal["payment", "credit_note"]
    credit: str
    currency: str
    left_minor: int
    received_on: datetime.date


class Delivery(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One channel of a reminder: to whom, not before when, and a task's fields. ``cc`` get a copy of a mail (B-13)."""

    channel: Channel
    not_before: datetime.datetime
    contact: Contact
    task_type: str = ""
    summary: str = ""
    responsible: str = ""
    cc: tuple[Contact, ...] = ()


class ReminderDecided(AccountFact, frozen=True, kw_only=True, tag="collections.reminder.decided.v1"):
    """The decision to write to an account (R1): all that a notifier needs.

    ``decision_version`` is the account's version that it was judged on
    (R32). ``others`` are open items listed for information. At most 500 items
    are named; ``totals`` count all due items, ``unlisted`` those not named.
    ``credits`` are what the customer has on account in these currencies, the oldest
    100 of them; ``credit_totals`` count all. ``charges`` are what lateness costs (R22),
    beside ``totals``, with claims of earlier reminders that are open, the oldest 100 of them;
    ``charge_totals`` count all.
    ``aging`` counts all items by age, where the message does not name all of them
    (else their own figures say it). ``payment_link`` is the company's, not filled in yet.
    ``text`` is a person's opening instead of the template's; ``approved_by``
    and ``now_because`` are whose word it goes out on, and why it does not
    wait for the gap (R5, R19). ``answer`` is what a customer answered, where
    this tells the company's own desk of it. ``country`` is the customer's,
    else the company's: where a phone number without a country is dialled in. ``letter_layout``
    is the paper of its letter, and the window of the envelope; with ``letter_documents`` the letter takes along
    on paper what a mail would. ``statement_from``: the account's statement goes along, from that day to the tick's.
    """

    company: str
    customer: str
    tick: datetime.datetime
    mode: JournalMode
    decision_version: int
    step: str
    offset_days: int
    template: str
    language: str
    items: tuple[ReminderItem, ...]
    totals: tuple[Total, ...]
    deliveries: tuple[Delivery, ...]
    pay_by_on: datetime.date
    company_name: str
    customer_name: str
    others: tuple[ReminderItem, ...] = ()
    other_totals: tuple[Total, ...] = ()
    credits: tuple[ReminderCredit, ...] = ()
    credit_totals: tuple[Total, ...] = ()
    charges: tuple[Charge, ...] = ()
    charge_totals: tuple[Total, ...] = ()
    unlisted: int = 0
    attach_invoices: bool = False
    time_zone: str = "UTC"
    sender_email: str = ""
    company_address: tuple[str, ...] = ()
    company_phone: str = ""
    company_tax_id: str = ""
    payment_instructions: str = ""
    footer: str = ""
    payment_link: str = ""
    logo: str = ""
    aging: tuple[AgedTotal, ...] = ()
    text: str = ""
    approved_by: str = ""
    now_because: str = ""
    law: LawTerms | None = None
    legal_texts: tuple[LegalText, ...] = ()
    answer: AnswerSaid | None = None
    country: str = ""
    letter_layout: LetterLayout = "din_5008_b"
    letter_documents: bool = False
    statement_from: datetime.date | None = None


class ReminderProposed(AccountFact, frozen=True, kw_only=True, tag="collections.reminder.proposed.v1"):
    """A reminder that waits for a person (R19), or what has become of it since: each revision is whole.

    ``content`` is what would go out if it went today; notifiers never see it.
    ``because`` says whose mode it is that nothing goes by itself.
    ``too_soon_until`` is the day on which the minimum gap ends (S0-16).
    """

    reminder: str
    revision: int
    because: Literal["customer", "company", "step"]
    content: ReminderDecided
    too_soon_until: datetime.date | None = None


class LevelTakenOver(AccountFact, frozen=True, kw_only=True, tag="collections.level.taken_over.v1"):
    """A step of an item was consumed by a reminder that was sent elsewhere (R36), or under the customer whose it was (SEMANTICS 2.6)."""

    item: str
    step: str
    step_index: int
    plan: str
    plan_version: int
    on: datetime.date
    pay_by_on: datetime.date | None = None


class MessageDecided(AccountFact, frozen=True, kw_only=True, tag="collections.message.decided.v1"):
    """The decision to say something other than a reminder (R33); notifiers carry ``content`` as they do reminders.

    ``subject`` is an invoice, a payment, the day of a statement, or the reminder
    that is corrected. A
    ``decision_version`` of -1 is overtaken by nothing (R32).
    """

    message_kind: MessageKind
    subject: str
    content: ReminderDecided


class MessageEnded(AccountFact, frozen=True, kw_only=True, tag="collections.message.ended.v1"):
    """What became of a message other than a reminder; ``message`` is its id where it was decided."""

    message_kind: MessageKind
    subject: str
    status: MessageEnd
    message: str = ""


class Withheld(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One due step that is not sent, why, and the values it was judged by (R31)."""

    item: str
    step: str
    reason: Reason
    step_due_on: datetime.date | None = None
    until: datetime.date | None = None
    values: dict[str, str] = {}


class ReminderWithheld(AccountFact, frozen=True, kw_only=True, tag="collections.reminder.withheld.v1"):
    """The account's due steps that go out in no reminder; said when it changes."""

    tick: datetime.datetime
    decision_version: int
    items: tuple[Withheld, ...]


class ReminderEnded(AccountFact, frozen=True, kw_only=True, tag="collections.reminder.ended.v1"):
    """A reminder's fate (R19): ``sent`` consumes the steps of its items.

    ``dropped`` and ``cancelled`` are a person's word, whose ``author`` and ``reason`` it has.
    A second one of a sent reminder is ``failed``: it has reached nobody after all, and
    ``given_back`` are the steps of it that were the last ones of their items.
    """

    reminder: str
    tick: datetime.datetime
    status: Literal["sent", "failed", "superseded", "dropped", "cancelled"]
    on: datetime.date
    consumed: tuple[tuple[str, str], ...] = ()  # (item, step)
    author: str = ""
    reason: str = ""
    given_back: tuple[tuple[str, str], ...] = ()  # (item, step)


class ReminderRetracted(AccountFact, frozen=True, kw_only=True, tag="collections.reminder.retracted.v1"):
    """A sent reminder named an invoice that was cancelled later (R13)."""

    reminder: str
    item: str


class ReminderWasWrong(AccountFact, frozen=True, kw_only=True, tag="collections.reminder.was_wrong.v1"):
    """A sent reminder need not have named an item (R30), as we know since ``known_on``: it had been settled before.

    ``settled_on`` is the business day of the money, ``cause`` the event that told it. ``because`` says
    what the money did: it ``settled`` the item; it left no more than a residual (``within_tolerance``); or
    it left the whole reminder ``below_minimum``.
    """

    reminder: str
    item: str
    sent_on: datetime.date
    settled_on: datetime.date
    known_on: datetime.date
    cause: str
    because: Literal["settled", "within_tolerance", "below_minimum"] = "settled"


class PlanFinished(AccountFact, frozen=True, kw_only=True, tag="collections.plan.finished.v1"):
    """An item has no step left; said once (R18)."""

    item: str
    plan: str
    plan_version: int


class ItemHandedOver(AccountFact, frozen=True, kw_only=True, tag="collections.item.handed_over.v1"):
    """An item's plan is finished without payment, and it goes to an agency or to lawyers (R18); said once."""

    item: str
    to: Literal["agency", "legal"]
    currency: str
    amount_minor: int
    open_minor: int
    due_on: datetime.date
    on: datetime.date
    plan: str
    plan_version: int
    reference: str = ""


class TaskOpened(AccountFact, frozen=True, kw_only=True, tag="collections.task.opened.v1"):
    """A person has to do something (R28, R37); ``task`` is its id within the account.

    ``task_type`` says what: of a plan's manual step as written there, else one
    of ours (``processors.tasks``), whose wording is the reader's. ``items``
    are what it is about. ``due_on`` is a company day.
    """

    task: str
    task_type: str
    due_on: datetime.date
    summary: str = ""
    responsible: str = ""
    items: tuple[str, ...] = ()
    blocking: bool = False
    values: dict[str, str] = {}


class TaskClosed(AccountFact, frozen=True, kw_only=True, tag="collections.task.closed.v1"):
    """A task is over: by a person, by its time-out, or because there is nothing left to do.

    ``consumed`` are the steps of a ladder that waited for it (R28). ``task`` of
    one that a reminder carried is ``reminder/<reminder>/<position>``.
    """

    task: str
    outcome: TaskOutcome
    author: str = ""
    text: str = ""
    consumed: tuple[tuple[str, str], ...] = ()  # (item, step)


class AccountQuarantined(AccountFact, frozen=True, kw_only=True, tag="collections.account.quarantined.v1"):
    """A fold raised on this account: our bug; no reminders until it is replayed (DESIGN 3.6)."""

    error: str
    journal_offset: int


class AccountReleased(AccountFact, frozen=True, kw_only=True, tag="collections.account.released.v1"):
    """The account is out of quarantine; the next tick decides as ever."""

    command: str
    author: str = ""


def _nothing() -> Raw:
    # A factory: a Raw default has no place in an exported JSON Schema.
    return Raw(b"null")


class ExceptionRaised(AccountFact, frozen=True, kw_only=True, tag="collections.exception.raised.v1"):
    """Something that a person must look at; both contents where two differ."""

    reason: ExceptionReason
    key: str
    detail: str = ""
    first: Raw = field(default_factory=_nothing)
    second: Raw = field(default_factory=_nothing)


LedgerFact = (
    Movement
    | ReminderDecided
    | ReminderProposed
    | LevelTakenOver
    | MessageDecided
    | MessageEnded
    | ReminderWithheld
    | ReminderEnded
    | ReminderRetracted
    | ReminderWasWrong
    | ClaimRaised
    | ClaimCorrected
    | PlanFinished
    | ItemHandedOver
    | TaskOpened
    | TaskClosed
    | PromiseMade
    | PromiseJudged
    | DisputeOpened
    | DisputeRuled
    | ConditionalPaymentChanged
    | TransferSent
    | AnswerGiven
    | AccountTold
    | CreditLimitCrossed
    | PaymentPlanMade
    | PaymentPlanEnded
    | AccountQuarantined
    | AccountReleased
    | ExceptionRaised
)

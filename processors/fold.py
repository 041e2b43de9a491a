"""The account fold: one event in, the account changed, what is to be said out.

Which handler an event type has, what waits for what, and the check that no
cent was made or lost (SEMANTICS section 3). It decides no reminders: that
happens on ticks (R26).
"""

import datetime
from collections.abc import Callable

from processors import (
    answers,
    approval,
    credits,  # noqa: A004 - the domain's word
    customers,
    disputes,
    documents,
    elsewhere,
    identity,
    instruments,
    kin,
    moved_settled,
    moving,
    outcomes,
    payment_plans,
    promises,
    requests,
    transfers,
    trust,
)
from processors.account import Account
from processors.addressing import close_mended
from processors.calendar import business_day
from processors.charges import claims
from processors.charges.corrections import correct_claims
from processors.company import Company
from processors.conservation import conserve, net_minor
from processors.context import FoldContext
from processors.credit_limit import review_limit
from processors.late_facts import end_corrections, review_reminders
from processors.manual_steps import close_settled, complete_task
from processors.money_tasks import close_needless, propose_write_offs
from processors.promised_money import count_money, is_recounted
from processors.reconcile import reconcile
from processors.record_size import fitting
from processors.subjects import DOCUMENTS, KEYS, SUBJECTS
from processors.too_old import WAITING, too_old
from schemas.commands import (
    CompleteTask,
    GiveAnswer,
    MakePaymentPlan,
    OpenDispute,
    SetResponsible,
    SetTrust,
    TransferItem,
    TransferPayment,
    WaiveClaim,
)
from schemas.events import (
    CreditNoteCancelled,
    CreditNoteIssued,
    CustomerMerged,
    CustomerUpserted,
    DebitNoteIssued,
    InvoiceAmended,
    InvoiceCancelled,
    InvoiceIssued,
    ItemOpened,
    PaymentReceived,
    PaymentReversed,
    PaymentStateChanged,
    ReconciliationRecorded,
    RefundPaid,
    ReminderSentElsewhere,
    WriteOffBooked,
    WriteOffReversed,
)
from schemas.facts import LedgerFact
from schemas.journal import AccountEvent, FoldedEvent
from schemas.rows import WaitingRow
from schemas.transfers import (
    ChildLinked,
    GroupContacted,
    ItemSettledElsewhere,
    ParentKnown,
    TransferReceived,
)

__all__ = ["fold"]

Handler = Callable[..., list[LedgerFact]]


# What speaks of another document or credit, and what is done once that is known.
_FOLLOW_UPS: dict[type, Handler] = {
    InvoiceAmended: payment_plans.amend_item,
    InvoiceCancelled: payment_plans.cancel_item,
    CreditNoteCancelled: credits.cancel_credit_note,
    PaymentReversed: instruments.reverse,
    PaymentStateChanged: instruments.change_state,
    RefundPaid: credits.refund,
    ReminderSentElsewhere: elsewhere.take_over,
    WriteOffReversed: credits.reverse_write_off,
    ReconciliationRecorded: reconcile,
    OpenDispute: disputes.open_dispute,
    MakePaymentPlan: payment_plans.make_payment_plan,
    TransferItem: transfers.transfer_item,
    TransferPayment: transfers.transfer_payment,
}


def fold(
    account: Account,
    event: AccountEvent,
    *,
    cause: str,
    company: Company,
    now: datetime.datetime | None = None,
    heard_ms: int | None = None,
) -> list[LedgerFact]:
    """Change the account by one event of its log, and give the facts to say.

    Args:
        account: the aggregate; changed in place, rows marked.
        event: a valid event of this account (``processors.validation``).
        cause: the id of the event, said by each movement.
        company: the creditor at this place in the log.
        now: the ledger's: its newest tick; None before the first.
        heard_ms: when the event was appended to a live journal, in epoch milliseconds; None: it is played.

    Raises:
        InvariantBroken: our bug; the account is to be quarantined.
        RecordTooLarge: a row or fact that its topic does not take; quarantined like a bug.
    """
    row = account.row
    before = account.net_minor or net_minor(account)
    day = business_day(event.occurred_at, company.zone)
    context = FoldContext(company, cause, day, now, heard_ms=heard_ms)
    if row.purged_through is not None and context.day <= row.purged_through:
        refused = too_old(account, event, through=row.purged_through)
        if refused is not None:
            return [refused]
    contacted_on, absorbed = row.last_contact_on, row.absorbed
    facts = _HANDLERS[type(event)](account, event, context=context)
    if row.last_contact_on is not contacted_on:
        facts += kin.tell_contact(account, context=context)
    if account.waiting:
        facts += _resume(account, event, context=context)
    if account.claimed and account.stale:
        facts += correct_claims(account, account.stale, context=context)
    is_news = row.absorbed is not absorbed and row.absorbed != absorbed
    count_money(account, facts)  # before any of it goes to another customer
    if row.has_moved and (
        facts or account.stale or account.stale_credits or is_news or is_recounted(account)
    ):
        facts += transfers.follow(account, event, context=context, said=facts, merger_is_news=is_news)
    if account.arrangements is not None and (facts or is_recounted(account)):
        instruments.review(account, facts)
        facts += promises.review(account, context=context)
        facts += disputes.review(account)
        facts += payment_plans.review(account, context=context)
    if row.limit_minor is not None:
        facts += review_limit(account)
    if facts:
        conserve(account, facts, before=before)
        if account.stale:
            facts += propose_write_offs(account, context=context)
            if row.last_contact_on is not None and context.day < row.last_contact_on:
                facts += review_reminders(account, account.stale, context=context)
    if account.tasks or account.messages:
        facts += _end_needless(account, context=context)
    return fitting(facts)


def _end_needless(account: Account, *, context: FoldContext) -> list[LedgerFact]:
    """End tasks that nobody need do any more, and forget of planned messages what need not be said."""
    facts: list[LedgerFact] = []
    if account.tasks:
        facts += [*close_needless(account, company=context.company), *close_settled(account, context=context)]
        facts += close_mended(account)
    return facts + end_corrections(account, context=context)


def _follow(account: Account, event: AccountEvent, *, context: FoldContext) -> list[LedgerFact]:
    """Take an event that speaks of another; it waits if that has not come yet."""
    kind = type(event)
    key = KEYS[kind](event)
    repeated = identity.remember(account, event, key=key)
    if repeated is not None:
        return repeated
    subject = SUBJECTS[kind](event)
    if _is_known(account, event, subject=subject):
        return _FOLLOW_UPS[kind](account, event, context=context)
    others = account.waiting.setdefault(subject, {})
    others[key] = row = WaitingRow(
        account=account.id,
        subject=subject,
        key=key,
        order=next(reversed(others.values())).order + 1 if others else 0,
        cause=context.cause,
        event=event,
        since=context.today(),
    )
    account.touch(row)
    account.keep_until(row.since + WAITING, kind="waiting", key=key)
    return []


def _resume(account: Account, event: AccountEvent, *, context: FoldContext) -> list[LedgerFact]:
    """Fold what waited for the document or credit that has come, in log order, each with its own cause."""
    if isinstance(event, TransferReceived):
        subjects = [f"item/{moved.document.document}" for moved in event.items]
        return [fact for each in subjects for fact in _resume_for(account, each, context=context)]
    name = _ARRIVALS.get(type(event))
    return [] if name is None else _resume_for(account, name(event), context=context)


def _resume_for(account: Account, subject: str, *, context: FoldContext) -> list[LedgerFact]:
    facts: list[LedgerFact] = []
    while waiting := account.waiting.get(subject):
        row = next((row for row in waiting.values() if _is_known(account, row.event, subject=subject)), None)
        if row is None:
            break  # what is there is a cheque, and it waits for the money
        del waiting[row.key]
        if not waiting:
            del account.waiting[subject]
        account.remove(row)
        day = business_day(row.event.occurred_at, context.company.zone)
        own = FoldContext(context.company, row.cause, day, context.now)
        facts += _FOLLOW_UPS[type(row.event)](account, row.event, context=own)
    return facts


def _is_known(account: Account, event: FoldedEvent, *, subject: str) -> bool:
    """Say whether what an event speaks of is here; of what has not cleared, only its own states speak (S1-21)."""
    if account.knows(subject):
        return True
    return isinstance(event, PaymentStateChanged | PaymentReversed) and instruments.is_known(
        account, event.payment
    )


# What may be waited for: documents, and money that has cleared.
_ARRIVALS: dict[type, Callable[..., str]] = {
    **DOCUMENTS,
    PaymentStateChanged: lambda event: f"payment/{event.payment}",
}


_HANDLERS: dict[type, Handler] = {
    InvoiceIssued: documents.issue,
    DebitNoteIssued: documents.issue,
    ItemOpened: documents.open_existing,
    PaymentReceived: instruments.receive,
    CreditNoteIssued: credits.issue_credit_note,
    WriteOffBooked: credits.book_write_off,
    CustomerUpserted: customers.upsert,
    CustomerMerged: transfers.merge,
    TransferReceived: moving.take_in,
    ChildLinked: kin.hear_child,
    ParentKnown: kin.hear_parent,
    GroupContacted: kin.hear_contact,
    ItemSettledElsewhere: moved_settled.hear_settled,
    **dict.fromkeys(_FOLLOW_UPS, _follow),
    WaiveClaim: claims.waive,
    SetResponsible: customers.set_responsible,
    SetTrust: trust.set_trust,
    CompleteTask: complete_task,
    GiveAnswer: answers.give_answer,
    **requests.HANDLERS,
    **approval.HANDLERS,
    **outcomes.HANDLERS,
}

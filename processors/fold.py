"""The account fold: one event in, the account changed, what is to be said out.

Which handler an event type has, what waits for what, and the check that no
cent was made or lost (SEMANTICS section 3). It decides no reminders: that
happens on ticks (R26).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from processors import credits, customers, documents, identity, outcomes, requests  # noqa: A004 - the domain's word
from processors.account import Account
from processors.calendar import business_day
from processors.company import Company
from processors.context import FoldContext
from processors.invariants import InvariantBroken
from processors.reconcile import reconcile
from processors.record_size import fitting
from schemas.events import (
    CreditNoteCancelled,
    CreditNoteIssued,
    CustomerUpserted,
    DebitNoteIssued,
    InvoiceAmended,
    InvoiceCancelled,
    InvoiceIssued,
    ItemOpened,
    PaymentReceived,
    PaymentReversed,
    ReconciliationRecorded,
    RefundPaid,
    WriteOffBooked,
    WriteOffReversed,
)
from schemas.facts import LedgerFact, Movement
from schemas.journal import AccountEvent
from schemas.rows import WaitingRow

__all__ = ["fold"]

Handler = Callable[..., list[LedgerFact]]


class _FollowUp(NamedTuple):
    """An event that speaks of another: its natural key, what it speaks of, and what it does once that is known."""

    key: Callable[[Any], str]
    subject: Callable[[Any], str]
    handler: Handler


_FOLLOW_UPS: dict[type, _FollowUp] = {
    InvoiceAmended: _FollowUp(
        lambda event: f"amended/{event.document}/{event.revision}",
        lambda event: f"item/{event.document}",
        documents.amend,
    ),
    InvoiceCancelled: _FollowUp(
        lambda event: f"cancelled/{event.document}",
        lambda event: f"item/{event.document}",
        documents.cancel,
    ),
    CreditNoteCancelled: _FollowUp(
        lambda event: f"credit_note_cancelled/{event.document}",
        lambda event: f"credit_note/{event.document}",
        credits.cancel_credit_note,
    ),
    PaymentReversed: _FollowUp(
        lambda event: f"reversed/{event.payment}",
        lambda event: f"payment/{event.payment}",
        credits.reverse_payment,
    ),
    RefundPaid: _FollowUp(
        lambda event: f"refund/{event.refund}",
        lambda event: f"{event.of}/{event.credit}",
        credits.refund,
    ),
    WriteOffReversed: _FollowUp(
        lambda event: f"write_off_reversed/{event.write_off}",
        lambda event: f"write_off/{event.write_off}",
        credits.reverse_write_off,
    ),
    ReconciliationRecorded: _FollowUp(
        lambda event: f"reconciliation/{event.reconciliation}",
        lambda event: f"payment/{event.payment}",
        reconcile,
    ),
}

_SUBJECTS: dict[type, Callable[[Any], str]] = {
    InvoiceIssued: lambda event: f"item/{event.document}",
    DebitNoteIssued: lambda event: f"item/{event.document}",
    ItemOpened: lambda event: f"item/{event.document}",
    PaymentReceived: lambda event: f"payment/{event.payment}",
    CreditNoteIssued: lambda event: f"credit_note/{event.document}",
    WriteOffBooked: lambda event: f"write_off/{event.write_off}",
}


def fold(account: Account, event: AccountEvent, *, cause: str, company: Company) -> list[LedgerFact]:
    """Change the account by one event of its log, and give the facts to say.

    Args:
        account: the aggregate; changed in place, rows marked.
        event: a valid event of this account (``processors.validation``).
        cause: the id of the event, said by each movement.
        company: the creditor at this place in the log.

    Raises:
        InvariantBroken: our bug; the account is to be quarantined.
        RecordTooLarge: a row or fact that its topic does not take; quarantined like a bug.
    """
    row = account.row
    before = {currency: each.open_minor - each.credit_minor for currency, each in row.balances.items()}
    context = FoldContext(company, cause, business_day(event.occurred_at, company.zone))
    facts = _HANDLERS[type(event)](account, event, context=context)
    if account.waiting:
        facts += _resume(account, event, company=company)
    if facts:
        _conserve(account, facts, before=before)
    return fitting(facts)


def _follow(account: Account, event: AccountEvent, *, context: FoldContext) -> list[LedgerFact]:
    """Take an event that speaks of another; it waits if that has not come yet."""
    rule = _FOLLOW_UPS[type(event)]
    key = rule.key(event)
    repeated = identity.remember(account, event, key=key)
    if repeated is not None:
        return repeated
    subject = rule.subject(event)
    if subject in account.credits or subject.removeprefix("item/") in account.items:
        return rule.handler(account, event, context=context)
    others = account.waiting.setdefault(subject, {})
    others[key] = row = WaitingRow(
        account=account.id,
        subject=subject,
        key=key,
        order=next(reversed(others.values())).order + 1 if others else 0,
        cause=context.cause,
        event=event,
    )
    account.touch(row)
    return []


def _resume(account: Account, event: AccountEvent, *, company: Company) -> list[LedgerFact]:
    """Fold what waited for the document or credit that has come, in log order, each with its own cause."""
    subject = _SUBJECTS.get(type(event))
    waiting = None if subject is None else account.waiting.pop(subject(event), None)
    if waiting is None:
        return []
    facts: list[LedgerFact] = []
    for row in waiting.values():
        account.remove(row)
        context = FoldContext(company, row.cause, business_day(row.event.occurred_at, company.zone))
        facts += _FOLLOW_UPS[type(row.event)].handler(account, row.event, context=context)
    return facts


def _conserve(account: Account, facts: list[LedgerFact], *, before: dict[str, int]) -> None:
    """Compare the sums with what the movements say: the two come about on different paths."""
    expected = before
    for fact in facts:
        if type(fact) is Movement:
            signed = fact.amount_minor if fact.item else -fact.amount_minor
            expected[fact.currency] = expected.get(fact.currency, 0) + signed
    for currency, balance in account.row.balances.items():
        if balance.open_minor - balance.credit_minor != expected.get(currency, 0):
            raise InvariantBroken(
                f"{account.id}: {balance.open_minor} open - {balance.credit_minor} credit {currency},"
                f" movements say {expected.get(currency, 0)}"
            )
        if balance.open_minor < 0 or balance.credit_minor < 0:
            raise InvariantBroken(f"{account.id}: a sum in {currency} is below zero: {balance}")


_HANDLERS: dict[type, Handler] = {
    InvoiceIssued: documents.issue,
    DebitNoteIssued: documents.issue,
    ItemOpened: documents.open_existing,
    PaymentReceived: credits.receive_payment,
    CreditNoteIssued: credits.issue_credit_note,
    WriteOffBooked: credits.book_write_off,
    CustomerUpserted: customers.upsert,
    **dict.fromkeys(_FOLLOW_UPS, _follow),
    **requests.HANDLERS,
    **outcomes.HANDLERS,
}

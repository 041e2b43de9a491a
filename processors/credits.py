"""Amounts in the customer's favour: payments, credit notes and write-offs come, go back and are paid back."""

from processors import identity
from processors.account import Account
from processors.charges.claims import claim_returned
from processors.context import FoldContext
from processors.conversions import converted_parts, own_lines, part_in, parts_of, split_off, with_own_items
from processors.instalment_names import with_instalments
from processors.messages import thank_for_payment
from processors.money import to_minor
from processors.money_tasks import watch_unknown
from processors.movements import Postings
from processors.record_size import require_credit_fits
from processors.settle import cascade, receive, refuse_other_currency, settle
from schemas.events import (
    CreditNoteCancelled,
    CreditNoteIssued,
    PaymentReceived,
    PaymentReversed,
    RefundPaid,
    WriteOffBooked,
    WriteOffReversed,
)
from schemas.facts import LedgerFact, MovementKind
from schemas.rows import CreditRow, Name, Short

__all__ = [
    "book_write_off",
    "cancel_credit_note",
    "issue_credit_note",
    "receive_payment",
    "refund",
    "reverse_payment",
    "reverse_write_off",
]


def receive_payment(account: Account, event: PaymentReceived, *, context: FoldContext) -> list[LedgerFact]:
    """Take money in: to the items that it names (S1-18), else to the oldest due (S1-19)."""
    key = f"payment/{event.payment}"
    known = account.credits.get(key)
    if known is not None:
        return identity.compare(account, event, first=known.document, key=key)
    currency = event.currency
    amount_minor = to_minor(event.amount, currency=currency)
    said, event = event, with_own_items(event, account=account)
    names = [
        Name(
            document=line.document,
            limit_minor=None if line.amount is None else to_minor(line.amount, currency=currency),
        )
        for line in own_lines(event)
    ]
    converted_minor = split_off(event) if len(names) < len(event.lines) else 0
    credit = CreditRow(
        account=account.row.account,
        credit=key,
        credit_kind="payment",
        document=said,
        currency=currency,
        amount_minor=amount_minor,
        effective_minor=amount_minor - converted_minor,
        converted_minor=converted_minor,
        rest_minor=0,
        names=names,
        shorts=_shorts(event) if names else {},
        received_on=context.day,
    )
    if account.holds and f"excluded_payment/{event.payment}" in account.holds:
        credit.excluded = True
    unasked = (
        not event.lines
        and not credit.excluded
        and not event.order_reference
        and context.company.profile.auto_apply
    )
    if context.company.profile.payment_messages:
        thank_for_payment(account, event, context=context)
    parts = converted_parts(credit, event) if converted_minor else []
    credit.converted_into = tuple(part.credit.removeprefix(f"{key}@") for part in parts)
    if any(part.for_customer for part in parts):
        account.row.has_moved = True  # ``transfers.follow`` sends it on
    facts = _enter(account, credit, kind="received", context=context, auto_apply=unasked)
    for part in parts:
        facts += _enter(account, part, kind="converted", context=context)
    return facts


def _shorts(event: PaymentReceived) -> dict[str, Short]:
    return {
        line.document: Short(amount_minor=to_minor(line.short, currency=event.currency), why=line.short_for)
        for line in event.lines
        if line.short is not None
    }


def issue_credit_note(account: Account, event: CreditNoteIssued, *, context: FoldContext) -> list[LedgerFact]:
    """Take a credit note: against its invoice, or kept on the account for the decision to weigh (R12)."""
    key = f"credit_note/{event.document}"
    known = account.credits.get(key)
    if known is not None:
        return identity.compare(account, event, first=known.document, key=key)
    amount_minor = to_minor(event.amount, currency=event.currency)
    credit = CreditRow(
        account=account.row.account,
        credit=key,
        credit_kind="credit_note",
        document=event,
        currency=event.currency,
        amount_minor=amount_minor,
        effective_minor=amount_minor,
        rest_minor=0,
        names=[] if event.invoice is None else [Name(document=event.invoice)],
        received_on=context.day,
    )
    return _enter(account, credit, kind="credit_note_issued", context=context)


def book_write_off(account: Account, event: WriteOffBooked, *, context: FoldContext) -> list[LedgerFact]:
    """Take a write-off against its item; what is more than the item holds is left on the account, for all to see."""
    key = f"write_off/{event.write_off}"
    known = account.credits.get(key)
    if known is not None:
        return identity.compare(account, event, first=known.document, key=key)
    amount_minor = to_minor(event.amount, currency=event.currency)
    credit = CreditRow(
        account=account.row.account,
        credit=key,
        credit_kind="write_off",
        document=event,
        currency=event.currency,
        amount_minor=amount_minor,
        effective_minor=amount_minor,
        rest_minor=0,
        names=[Name(document=event.document)],
        received_on=context.day,
    )
    return _enter(account, credit, kind="write_off_booked", context=context)


def reverse_payment(account: Account, event: PaymentReversed, *, context: FoldContext) -> list[LedgerFact]:
    """End a known payment: what it had settled is open again, at its old level (R14)."""
    credit = account.credits[f"payment/{event.payment}"]
    counted = credit.effective_minor > 0
    settled = account.applied.get(credit.credit, {})
    debt_minor = sum(row.amount_minor for row in settled.values())
    due_on = min((account.items[name].due_on for name in settled), default=None)
    facts: list[LedgerFact] = []
    for part in parts_of(account, credit):
        facts += _end(account, part, kind="reversed", context=context)
    if not counted or not context.company.profile.returned_payment_fees:
        return facts
    return facts + claim_returned(
        account,
        payment=event.payment,
        currency=credit.currency,
        debt_minor=debt_minor,
        due_on=due_on,
        context=context,
    )


def cancel_credit_note(
    account: Account, event: CreditNoteCancelled, *, context: FoldContext
) -> list[LedgerFact]:
    """End a known credit note."""
    credit = account.credits[f"credit_note/{event.document}"]
    return _end(account, credit, kind="credit_note_cancelled", context=context)


def reverse_write_off(account: Account, event: WriteOffReversed, *, context: FoldContext) -> list[LedgerFact]:
    """End a known write-off: its item is owed again."""
    credit = account.credits[f"write_off/{event.write_off}"]
    return _end(account, credit, kind="write_off_reversed", context=context)


def refund(account: Account, event: RefundPaid, *, context: FoldContext) -> list[LedgerFact]:
    """Pay money back out of a known credit: what is left of it goes first, then what it settled unasked, then the rest.

    No more is taken than the credit counts; more is shown to a person.
    """
    credit = part_in(account, account.credits[f"{event.of}/{event.credit}"], currency=event.currency)
    postings = Postings(account, context)
    key = f"refund/{event.refund}"
    if event.currency != credit.currency:
        detail = f"the refund is in {event.currency}, {credit.credit} in {credit.currency}: not counted"
        postings.object_to(reason="currency_mismatch", key=key, detail=detail)
        account.touch(account.row)
        return postings.facts
    amount_minor = to_minor(event.amount, currency=event.currency)
    counted_minor = min(amount_minor, credit.effective_minor)
    credit.refunded_minor += amount_minor
    _lower(postings, credit, kind="refunded", by_minor=counted_minor)
    if counted_minor < amount_minor:
        detail = f"{event.amount} {event.currency} paid back, more than was left of {credit.credit}"
        postings.object_to(reason="over_refunded", key=key, detail=detail)
    account.advance()
    return postings.facts


def _enter(
    account: Account,
    credit: CreditRow,
    *,
    kind: MovementKind,
    context: FoldContext,
    auto_apply: bool = False,
) -> list[LedgerFact]:
    if account.arrangements is not None:
        credit.names = with_instalments(account, credit.names)
    require_credit_fits(credit)
    credit.order = account.row.sequence + 1
    account.credits[credit.credit] = credit
    postings = Postings(account, context)
    postings.change_credit(credit, kind=kind, amount_minor=credit.amount_minor, on=context.day)
    if credit.converted_minor:
        postings.change_credit(credit, kind="converted", amount_minor=-credit.converted_minor, on=context.day)
    for name in credit.names:
        account.settling.claim(credit, name)
        item = account.items.get(name.document)
        if item is not None and item.currency != credit.currency:
            refuse_other_currency(postings, credit=credit, item=item)
    costs_first = context.company.profile.money_pays == "costs_first"
    receive(postings, credit, auto_apply=auto_apply, costs_first=costs_first)
    if credit.reserved_minor:
        watch_unknown(account, credit, context=context)
    account.advance()
    return postings.facts


def _end(
    account: Account, credit: CreditRow, *, kind: MovementKind, context: FoldContext
) -> list[LedgerFact]:
    postings = Postings(account, context)
    credit.ended_on = context.day
    _lower(postings, credit, kind=kind, by_minor=credit.effective_minor)
    account.advance()
    return postings.facts


def _lower(postings: Postings, credit: CreditRow, *, kind: MovementKind, by_minor: int) -> None:
    """Let a credit count less: it is distributed anew, and what it leaves open is offered to others who name it."""
    credit.effective_minor -= by_minor
    postings.account.touch(credit)
    settle(postings, credit)
    if by_minor:
        on = max(postings.day, credit.received_on, credit.freed_on or postings.day)
        postings.change_credit(credit, kind=kind, amount_minor=-by_minor, on=on)
    cascade(postings)

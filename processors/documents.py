"""Receivables: invoices, debit notes and opened items arrive, are amended and cancelled."""

import datetime

from processors import identity
from processors.account import Account
from processors.addressing import address_changed
from processors.context import FoldContext
from processors.dispute_notes import lower_ruled
from processors.disputes import due_again
from processors.ladder import reanchored_shift_days
from processors.late_facts import retract_item
from processors.messages import announce_invoice
from processors.money import MoneyError, to_minor
from processors.movements import Postings, entered_on, latest_first
from processors.settle import arrive, cascade, counted_minor
from schemas.events import DebitNoteIssued, InvoiceAmended, InvoiceCancelled, InvoiceIssued, ItemOpened
from schemas.facts import LedgerFact, MovementKind
from schemas.rows import ItemRow

__all__ = ["amend", "cancel", "issue", "new_amount_minor", "open_existing"]


def issue(
    account: Account, event: InvoiceIssued | DebitNoteIssued, *, context: FoldContext
) -> list[LedgerFact]:
    """Take an invoice or a debit note; who waits for it is served (SEMANTICS 2.3)."""
    known = account.items.get(event.document)
    if known is not None:
        return identity.compare(account, event, first=known.document, key=f"item/{event.document}")
    amount_minor = to_minor(event.amount, currency=event.currency)
    item = ItemRow(
        account=account.row.account,
        item=event.document,
        document=event,
        currency=event.currency,
        amount_minor=amount_minor,
        open_minor=0,
        issued_on=context.day,
        due_on=event.due_date or context.day + _term(account, context),
        reference=event.reference,
        contact=event.contact,
        chosen_plan=event.plan,
    )
    kind: MovementKind = "issued" if type(event) is InvoiceIssued else "debit_note_issued"
    if type(event) is InvoiceIssued and context.company.profile.invoice_messages:
        announce_invoice(account, event, context=context)
    return _enter(account, item, kind=kind, context=context)


def open_existing(account: Account, event: ItemOpened, *, context: FoldContext) -> list[LedgerFact]:
    """Bring in an existing receivable at going live (R36), with the day of its last reminder and contact."""
    known = account.items.get(event.document)
    if known is not None:
        return identity.compare(account, event, first=known.document, key=f"item/{event.document}")
    amount_minor = to_minor(event.amount, currency=event.currency)
    open_minor = to_minor(event.open_amount, currency=event.currency)
    item = ItemRow(
        account=account.row.account,
        item=event.document,
        document=event,
        currency=event.currency,
        amount_minor=amount_minor,
        open_minor=0,
        issued_on=event.issue_date,
        due_on=event.due_date,
        reference=event.reference,
        contact=event.contact,
        chosen_plan=event.plan,
        sent_level_on=event.last_reminder_on,
        sent_on=event.last_reminder_on,
        settled_before_minor=amount_minor - open_minor,
        entered_on=context.day,
    )
    contacts = (account.row.last_contact_on, event.last_contact_on, event.last_reminder_on)
    account.row.last_contact_on = max((day for day in contacts if day is not None), default=None)
    return _enter(account, item, kind="opened", context=context)


def amend(postings: Postings, event: InvoiceAmended) -> list[LedgerFact]:
    """Change a known item; an older revision than it has, or one of a cancelled item, changes nothing."""
    account = postings.account
    item = account.items[event.document]
    if not _is_newer(event, item):
        return []
    try:
        amount_minor = _amended_amount(event, item)
    except MoneyError as error:
        key = f"amended/{event.document}/{event.revision}"
        postings.object_to(reason="amount_refused", key=key, detail=error.detail)
        account.touch(account.row)
        return postings.facts
    counted_before, due_before = counted_minor(item), item.due_on
    item.revision = event.revision
    again = lower_ruled(account, item, less_minor=item.amount_minor - amount_minor)
    postings.facts += due_again(account, again, on=postings.context.today())
    item.amount_minor = amount_minor
    _amend_terms(account, item, event)
    change_minor = counted_minor(item) - counted_before
    if item.due_on != due_before and item.open_minor:
        account.settling.open_item(item)
    if change_minor or item.due_on != due_before:
        _change_amount(postings, item, change_minor=change_minor)
    account.touch(item)
    account.advance()
    return postings.facts


def new_amount_minor(event: InvoiceAmended, *, item: ItemRow) -> int | None:
    """Give the amount that an amendment gives an item; None: it gives it no other one, or none that can be."""
    try:
        return _amended_amount(event, item) if event.amount is not None and _is_newer(event, item) else None
    except MoneyError:
        return None


def cancel(postings: Postings, event: InvoiceCancelled) -> list[LedgerFact]:
    """Cancel a known item: its money is credit again, and sent reminders that named it are retracted (R13)."""
    account, context = postings.account, postings.context
    item = account.items[event.document]
    if item.status == "cancelled":
        return []
    item.status = "cancelled"
    for row in latest_first(account, item):
        postings.unapply(row, amount_minor=row.amount_minor)
    on = max(context.day, entered_on(item), item.grown_on or context.day)
    postings.change_item(item, kind="cancelled", amount_minor=-counted_minor(item), on=on)
    cascade(postings)
    postings.facts += retract_item(account, item.item, context=context)
    account.advance()
    return postings.facts


def _enter(account: Account, item: ItemRow, *, kind: MovementKind, context: FoldContext) -> list[LedgerFact]:
    item.order = account.row.sequence + 1
    account.items[item.item] = item
    postings = Postings(account, context, correcting=True)
    postings.change_item(item, kind=kind, amount_minor=counted_minor(item), on=context.day)
    if item.open_minor:
        account.settling.open_item(item)
    arrive(postings, item, auto_apply=context.company.profile.auto_apply)
    account.advance()
    return postings.facts


def _term(account: Account, context: FoldContext) -> datetime.timedelta:
    """Give the customer's payment term, else the company's (R6, S4-05)."""
    days = account.customer.customer.payment_terms_days if account.customer is not None else None
    if days is None:
        days = context.company.profile.payment_terms_days
    return datetime.timedelta(days=days)


def _is_newer(event: InvoiceAmended, item: ItemRow) -> bool:
    return item.status != "cancelled" and event.revision > item.revision


def _amended_amount(event: InvoiceAmended, item: ItemRow) -> int:
    if event.amount is None:
        return item.amount_minor
    return to_minor(event.amount, currency=item.currency)


def _amend_terms(account: Account, item: ItemRow, event: InvoiceAmended) -> None:
    """Change what is not money; an absent field stays as it was. A new contact or plan ends R19's wait."""
    if event.due_date is not None:
        item.shift_days = reanchored_shift_days(item, due_on=event.due_date)
        item.due_on = event.due_date
    if event.reference is not None:
        item.reference = event.reference
    if event.contact is not None:
        item.contact = event.contact
        address_changed(account)
    if event.plan is not None:
        item.chosen_plan = event.plan
        item.failed_on = item.dropped_on = None


def _change_amount(postings: Postings, item: ItemRow, *, change_minor: int) -> None:
    """Say the amendment; money that is too much now is released, the last applied first, and keeps its names."""
    account = postings.account
    postings.release(item, excess_minor=-change_minor - item.open_minor)
    on = max(postings.day, entered_on(item))
    if change_minor > 0:
        item.grown_on = max(item.grown_on or on, on)
        postings.grown.append(item)
    elif change_minor < 0:
        on = max(on, item.grown_on or on)
    postings.change_item(item, kind="amended", amount_minor=change_minor, on=on)
    if change_minor > 0:
        account.settling.open_item(item)
    for credit, name in account.settling.claims(item.item):
        if name.less_minor:  # it asks for a part of the amount, which is another one now
            postings.freed[credit.credit] = credit
    cascade(postings)

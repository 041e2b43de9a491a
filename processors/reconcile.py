"""Reconciliation: the bank's word on what a payment's money is for."""

from collections.abc import Sequence

from processors.account import Account
from processors.context import FoldContext
from processors.conversions import parts_of
from processors.instalment_names import spread
from processors.money import MoneyError, to_minor
from processors.money_tasks import watch_unknown
from processors.movements import Postings
from processors.record_size import require_credit_fits
from processors.settle import cascade, limit_minor, refuse_other_currency, settle
from processors.settlement_index import shares_money
from schemas.events import ReconciliationLine, ReconciliationRecorded
from schemas.facts import LedgerFact
from schemas.rows import CreditRow, Name

__all__ = ["reconcile"]


def reconcile(account: Account, event: ReconciliationRecorded, *, context: FoldContext) -> list[LedgerFact]:
    """Change what a known payment names, and distribute it anew.

    The bank corrects what should have been from the start, so applications
    are taken back as of their own date.
    """
    payment = account.credits[f"payment/{event.payment}"]
    facts: list[LedgerFact] = []
    for part, lines in _by_part(account, payment, event.lines):
        facts += _correct(account, part, lines, event=event, context=context)
    account.advance()
    return facts


def _by_part(
    account: Account, payment: CreditRow, lines: Sequence[ReconciliationLine]
) -> list[tuple[CreditRow, list[ReconciliationLine]]]:
    """Give each line to the part of the payment that names its item; else to the payment itself."""
    left = list(lines)
    found: list[tuple[CreditRow, list[ReconciliationLine]]] = []
    for part in parts_of(account, payment)[1:]:
        named = {name.document for name in part.names}
        mine = [line for line in left if line.document in named]
        if mine:
            found.append((part, mine))
            left = [line for line in left if line.document not in named]
    return [(payment, left), *found] if left else found


def _correct(
    account: Account,
    credit: CreditRow,
    lines: Sequence[ReconciliationLine],
    *,
    event: ReconciliationRecorded,
    context: FoldContext,
) -> list[LedgerFact]:
    postings = Postings(account, context, correcting=True)
    shared = shares_money(credit)
    names = {name.document: name for name in credit.names}
    for line in lines:
        try:
            amount_minor = None if line.amount is None else to_minor(line.amount, currency=credit.currency)
        except MoneyError as error:
            key = f"reconciliation/{event.reconciliation}/{line.document}"
            postings.object_to(reason="amount_refused", key=key, detail=error.detail)
            continue
        for document, part_minor in spread(account, credit, line=line, amount_minor=amount_minor):
            if line.action == "apply":
                _name(postings, credit, names, document=document, limit_minor=part_minor)
            else:
                _take_off(postings, credit, names, document=document, amount_minor=part_minor, shared=shared)
    require_credit_fits(credit)
    account.touch(credit)
    settle(postings, credit)
    cascade(postings)
    if credit.reserved_minor:
        watch_unknown(account, credit, context=context)
    return postings.facts


def _name(
    postings: Postings, credit: CreditRow, names: dict[str, Name], *, document: str, limit_minor: int | None
) -> None:
    """Let the credit name an item with an amount (None: as much as is open); a new name comes after its others."""
    account = postings.account
    name = names.get(document)
    if name is not None:
        name.limit_minor = limit_minor
        name.less_minor = 0
        return
    name = names[document] = Name(document=document, limit_minor=limit_minor)
    credit.names.append(name)
    account.settling.claim(credit, name)
    item = account.items.get(document)
    if item is not None:
        refuse_other_currency(postings, credit=credit, item=item)


def _take_off(
    postings: Postings,
    credit: CreditRow,
    names: dict[str, Name],
    *,
    document: str,
    amount_minor: int | None,
    shared: bool,
) -> None:
    account = postings.account
    row = account.applied.get(credit.credit, {}).get(document)
    name = names.get(document)
    if amount_minor is None:
        if name is not None:
            del names[document]
            credit.names = [each for each in credit.names if each is not name]
            account.settling.unclaim(name)
            item = account.items.get(document)
            if item is not None:
                account.touch(item)  # it is kept for its own sake from now on (``purge``)
        if row is not None:
            postings.unapply(row, amount_minor=row.amount_minor)
    elif name is not None:
        _lower(postings, credit, name, by_minor=amount_minor, shared=shared)
    elif row is not None:
        postings.unapply(row, amount_minor=min(amount_minor, row.amount_minor))


def _lower(postings: Postings, credit: CreditRow, name: Name, *, by_minor: int, shared: bool) -> None:
    """Let a name ask for less: less than it could have, whether or not its item has come yet.

    Where the credit's names compete for its money, what a name could have is
    what it holds.
    """
    account = postings.account
    name.limit_minor = min(
        credit.amount_minor, credit.amount_minor if name.limit_minor is None else name.limit_minor
    )
    item = account.items.get(name.document)
    if shared and item is not None:
        row = account.applied.get(credit.credit, {}).get(name.document)
        held_minor = row.amount_minor if row is not None else 0
        name.less_minor += limit_minor(name, item=item, most=credit.amount_minor) - held_minor
    name.less_minor += by_minor

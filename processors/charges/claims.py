"""Claims (R22): charges that are in the balance, with neither ladder nor interest of their own.

A claim's id is its natural key, so that nothing is claimed twice; what was
claimed is noted on its item, too, so that it is not claimed again after it
was waived or forgotten.
"""

import datetime
from collections.abc import Iterable

from processors import identity
from processors.account import Account
from processors.charges.costs import cap_minor
from processors.context import FoldContext
from processors.money import MoneyError, to_minor, to_text
from processors.movements import Postings
from processors.settle import arrive
from schemas.charges import Charge, ClaimDocument, ClaimRaised
from schemas.commands import WaiveClaim
from schemas.facts import LedgerFact
from schemas.rows import ItemRow

__all__ = ["claim_returned", "raise_claims", "waive"]


def raise_claims(
    account: Account, charges: Iterable[Charge], *, reminder: str, context: FoldContext
) -> list[LedgerFact]:
    """Book what a sent reminder has told the customer; of items that were cancelled meanwhile, nothing."""
    facts: list[LedgerFact] = []
    for charge in charges:
        item = account.items.get(charge.item)
        if not charge.claim or not charge.is_new or item is None or item.status == "cancelled":
            continue
        _note(account, item, charge=charge)
        facts += _raise(account, charge, reminder=reminder, context=context)
    return facts


def claim_returned(
    account: Account,
    *,
    payment: str,
    currency: str,
    debt_minor: int,
    due_on: datetime.date | None,
    context: FoldContext,
) -> list[LedgerFact]:
    """Claim the company's fee for a payment that came back, once per payment (R14), within the law's cap.

    Args:
        payment: its name; ``currency``, that of the fee.
        debt_minor: what it had settled, or covered, and is owed again.
        due_on: the first due date of that; None: it had settled nothing.
    """
    profile = context.company.profile
    fee = profile.returned_payment_fees.get(currency)
    if fee is None or profile.late_charges != "claim":
        return []
    amount_minor = to_minor(fee, currency=currency)
    allowed_minor = cap_minor(
        context.company.law.edition(account.customer, on=context.day).cost_cap,
        debt_minor=debt_minor,
        currency=currency,
        unit_values=profile.unit_values,
        due_on=due_on or context.day,
        on=context.day,
    )
    if allowed_minor is not None:
        amount_minor = min(amount_minor, allowed_minor)
    if not amount_minor:
        return []
    charge = Charge(
        kind="returned_payment",
        item=payment,
        currency=currency,
        amount_minor=amount_minor,
        claim=f"{payment}/returned_payment",
    )
    return _raise(account, charge, reminder="", context=context)


def waive(account: Account, event: WaiveClaim, *, context: FoldContext) -> list[LedgerFact]:
    """Give up what is open of a claim, or an amount of it; more than is open is not waived."""
    key = f"command/{event.command}"
    repeated = identity.remember_for_retention(account, event, key=key, context=context)
    if repeated is not None:
        return repeated
    postings = Postings(account, context)
    claim = account.claims.get(event.claim)
    if claim is None:
        postings.object_to(reason="request_refused", key=key, detail=f"there is no claim {event.claim}")
        account.touch(account.row)
        return postings.facts
    try:
        wanted_minor = claim.open_minor
        if event.amount is not None:
            wanted_minor = min(wanted_minor, to_minor(event.amount, currency=claim.currency))
    except MoneyError as error:
        postings.object_to(reason="amount_refused", key=key, detail=error.detail)
        account.touch(account.row)
        return postings.facts
    if wanted_minor <= 0:
        return []
    claim.amount_minor -= wanted_minor
    on = max(context.day, claim.issued_on, claim.grown_on or context.day)
    postings.change_item(claim, kind="waived", amount_minor=-wanted_minor, on=on)
    account.advance()
    return postings.facts


def _note(account: Account, item: ItemRow, *, charge: Charge) -> None:
    if charge.kind == "interest":
        item.claimed_through = charge.until_on
    else:
        item.charged = (*item.charged, f"{charge.kind}/{charge.step}".rstrip("/"))
        item.costs_minor += charge.amount_minor
    account.touch(item)


def _raise(account: Account, charge: Charge, *, reminder: str, context: FoldContext) -> list[LedgerFact]:
    if charge.claim in account.items:
        return []
    document = ClaimDocument(
        company=account.company,
        customer=account.customer_id,
        occurred_at=context.day.isoformat(),
        document=charge.claim,
        currency=charge.currency,
        amount=to_text(charge.amount_minor, currency=charge.currency),
        charge=charge.kind,
        item=charge.item,
        from_on=charge.from_on,
        until_on=charge.until_on,
        step=charge.step,
        reminder=reminder,
        rates=charge.rates,
        days_in_year=charge.days_in_year,
        disputed_minor=charge.disputed_minor,
    )
    claim = ItemRow(
        account=account.id,
        item=charge.claim,
        document=document,
        currency=charge.currency,
        amount_minor=charge.amount_minor,
        open_minor=0,
        issued_on=context.day,
        due_on=context.day,
        order=account.row.sequence + 1,
    )
    account.items[claim.item] = claim
    account.enter_claim(claim, document=document)
    postings = Postings(account, context)
    raised = ClaimRaised(
        id=f"{account.id}/{account.next_sequence()}",
        account=account.id,
        claim=claim.item,
        charge=charge.kind,
        item=charge.item,
        currency=charge.currency,
        amount_minor=charge.amount_minor,
        on=context.day,
        from_on=charge.from_on,
        until_on=charge.until_on,
        step=charge.step,
        reminder=reminder,
    )
    postings.change_item(claim, kind="claimed", amount_minor=charge.amount_minor, on=context.day)
    arrive(postings, claim, auto_apply=context.company.profile.auto_apply)
    return [raised, *postings.facts]

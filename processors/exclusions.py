"""Payments that a person took out (S0-10): they stay credit, and are never applied unasked."""

from processors.account import Account, hold_id
from processors.context import FoldContext
from processors.movements import Postings
from processors.settle import cascade, receive
from schemas.commands import ExcludePayment, IncludePayment
from schemas.facts import LedgerFact
from schemas.rows import HoldRow

__all__ = ["exclude_payment", "include_payment"]


def exclude_payment(account: Account, event: ExcludePayment, *, context: FoldContext) -> list[LedgerFact]:
    """Take a payment out, also one that has not come yet: what it settled unasked is open again, names stand."""
    hold = HoldRow(
        account=account.id,
        hold="excluded_payment",
        item=event.payment,
        reason=event.reason,
        author=event.author,
        review_on=event.review_on,
        placed_at=event.occurred_at,
    )
    account.holds[hold_id(hold)] = hold
    account.touch(hold)
    account.advance()
    credit = account.credits.get(f"payment/{event.payment}")
    if credit is None or credit.excluded:
        return []
    credit.excluded = True
    account.touch(credit)
    postings = Postings(account, context)
    for row in sorted(account.applied.get(credit.credit, {}).values(), key=lambda each: each.order):
        if row.automatic:
            postings.unapply(row, amount_minor=row.amount_minor)
    cascade(postings)
    return postings.facts


def include_payment(account: Account, event: IncludePayment, *, context: FoldContext) -> list[LedgerFact]:
    """Bring an excluded payment back: it is applied as if it had come today."""
    hold = account.holds.pop(f"excluded_payment/{event.payment}", None)
    if hold is None:
        return []
    account.remove(hold)
    account.advance()
    credit = account.credits.get(f"payment/{event.payment}")
    if credit is None:
        return []
    credit.excluded = False
    account.touch(credit)
    account.settling.loosen(credit)
    postings = Postings(account, context)
    unasked = not credit.names and not getattr(credit.document, "order_reference", "")
    profile = context.company.profile
    receive(
        postings,
        credit,
        auto_apply=unasked and profile.auto_apply,
        costs_first=profile.money_pays == "costs_first",
    )
    return postings.facts

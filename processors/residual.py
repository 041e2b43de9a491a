"""What little is left of an item that was paid: within the company's tolerance, a discount, a fee of the bank.

Such a residual is not overdue; a person is asked to write it off (SEMANTICS
section 3, Discount and small differences). It judges; nothing is booked here.
"""

from typing import Literal, NamedTuple

from processors.account import Account
from processors.company import Company
from processors.money import to_minor
from processors.percent import micro_of, share_minor
from schemas.charges import ClaimDocument
from schemas.events import DiscountTerm, InvoiceIssued
from schemas.rows import ItemRow

__all__ = ["Residual", "is_owed", "residual_of"]


class Residual(NamedTuple):
    """Why what is open of an item need not be asked for, and what would have been allowed."""

    why: Literal["tolerance", "discount", "bank_fee", "withholding"]
    allowed_minor: int


def residual_of(account: Account, item: ItemRow, *, company: Company) -> Residual | None:
    """Judge what is open of an item; None: it is owed like any other.

    Only what is left of a larger amount is a residual. A discount was taken
    in time when what was paid by its day, with the discount and the
    tolerance, covers the item; linked credit notes lower what it counts from.
    """
    if item.status != "open" or item.open_minor >= item.amount_minor:
        return None
    tolerance = company.profile.tolerances.get(item.currency)
    allowed_minor = 0 if tolerance is None else to_minor(tolerance, currency=item.currency)
    term = item.document.discount if type(item.document) is InvoiceIssued else None
    why: Literal["tolerance", "discount", "bank_fee", "withholding"] = "tolerance"
    if term is not None:
        discount_minor = _discount_taken(account, item, term=term, tolerance_minor=allowed_minor)
        if discount_minor:
            why = "discount"
            allowed_minor += discount_minor
    for credit in account.applications.get(item.item, ()):
        short = account.credits[credit].shorts.get(item.item)
        if short is not None:
            why = short.why
            allowed_minor += short.amount_minor
    return Residual(why, allowed_minor) if item.open_minor <= allowed_minor else None


def is_owed(account: Account, item: ItemRow, *, company: Company) -> bool:
    """Say whether what is open of an item may be dunned: neither a mere residual nor a claim of interest and costs (R22)."""
    if type(item.document) is ClaimDocument:
        return False
    # Of most nothing was paid, or all.
    is_whole = item.status != "open" or item.open_minor >= item.amount_minor
    return is_whole or residual_of(account, item, company=company) is None


def _discount_taken(account: Account, item: ItemRow, *, term: DiscountTerm, tolerance_minor: int) -> int:
    """Give the discount that was earned, or 0."""
    base_minor, in_time_minor = item.amount_minor, 0
    for row in account.applications.get(item.item, {}).values():
        credit = account.credits[row.credit]
        if credit.credit_kind == "credit_note":
            base_minor -= row.amount_minor
        elif credit.credit_kind == "payment" and credit.received_on <= term.until:
            in_time_minor += row.amount_minor
    discount_minor = share_minor(max(0, base_minor), micro=micro_of(term.percent))
    is_taken = in_time_minor > 0 and in_time_minor + discount_minor + tolerance_minor >= base_minor
    return discount_minor if is_taken else 0

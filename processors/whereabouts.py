"""Where an item is by now (SEMANTICS 2.6): here, with another customer, or here again after it had been there; and whose a credit was."""

import msgspec

from processors.account import Account
from schemas.moved_rows import Elsewhere
from schemas.rows import ItemRow

__all__ = ["came_from", "comes_back", "goes_to", "is_back", "name_here", "now_with"]


def now_with(item: ItemRow) -> str:
    """Give the customer that what is open of an item goes to, "" where it stays here."""
    return "" if is_back(item) else item.moved_to


def is_back(item: ItemRow) -> bool:
    """Say whether an item is here again after it had been with another customer."""
    return item.elsewhere is not None and item.elsewhere.is_back


def goes_to(item: ItemRow, customer: str) -> None:
    """Note that what is open of an item goes to a customer, now and when more of it is open."""
    item.moved_to = customer
    if item.elsewhere is not None and is_back(item):
        item.elsewhere = msgspec.structs.replace(item.elsewhere, is_back=False)


def name_here(account: Account, document: str, *, of: str) -> str:
    """Give the name that another customer's document has here: its own, or that with his, where this one had one of that name.

    ``document`` is its name there, where it may be a third customer's, or this one's own (``INV-1 @C1``).
    """
    other = f"{document} @{of}"
    if other in account.items:
        return other
    first, _, whose = document.rpartition(" @")
    own = account.items.get(first)
    if own is None or document in account.items:
        return document
    came = own.moved_from == of and own.elsewhere is not None and own.elsewhere.item == document
    is_home = whose == account.customer_id and not own.moved_from
    return first if came or is_home else document


def came_from(credit: str, customer: str) -> bool:
    """Say whether a credit of this key came from a customer: the first part of it (``payment/P-1@C1``), or another (``payment/P-1@C1+2``)."""
    part, _, number = credit.rpartition("+")
    return credit.endswith(f"@{customer}") or (number.isdecimal() and part.endswith(f"@{customer}"))


def comes_back(item: ItemRow) -> None:
    """Note that an item is here again. A part may be where it was, settled: ``moved_to`` still hears what is amended."""
    item.elsewhere = msgspec.structs.replace(item.elsewhere or Elsewhere(), is_back=True)

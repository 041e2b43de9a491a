"""Where an item is by now (SEMANTICS 2.6): here, with another customer, or here again after it had been there."""

import msgspec

from processors.account import Account
from schemas.moved_rows import Elsewhere
from schemas.rows import ItemRow

__all__ = ["comes_back", "goes_to", "name_here", "now_with"]


def now_with(item: ItemRow) -> str:
    """Give the customer that what is open of an item goes to, "" where it stays here."""
    return "" if item.elsewhere is not None and item.elsewhere.is_back else item.moved_to


def goes_to(item: ItemRow, customer: str) -> None:
    """Note that what is open of an item goes to a customer, now and when more of it is open."""
    item.moved_to = customer
    if item.elsewhere is not None and item.elsewhere.is_back:
        item.elsewhere = msgspec.structs.replace(item.elsewhere, is_back=False)


def name_here(account: Account, document: str, *, of: str) -> str:
    """Give the name that another customer's document has here: its own, or that with his, where this one had one of that name."""
    other = f"{document} @{of}"
    return other if other in account.items else document


def comes_back(item: ItemRow) -> None:
    """Note that an item is here again. A part may be where it was, settled: ``moved_to`` still hears what is amended."""
    item.elsewhere = msgspec.structs.replace(item.elsewhere or Elsewhere(), is_back=True)

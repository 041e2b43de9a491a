"""The row of a customer's master data, and of what its parent has told it (B-13).

It is part of the state like those of ``schemas.rows``, which has the union of all.
"""

import datetime

from schemas.events import Contact, CustomerUpserted
from schemas.law import LawPlace
from schemas.row import StateRow

__all__ = ["CustomerRow"]


class CustomerRow(StateRow, kw_only=True, tag="customer"):
    """Master data: the latest ``occurred_at`` wins. What begins with ``parent_`` is as its parent has told (B-13).

    ``parent_contacts`` can be written to. ``parent_held`` cannot, since the parent is under a hold: they can from
    ``parent_held_until`` on (None: not before the parent says so).
    ``responsible_set`` is a person's word on who is in charge (S2-15); it stands until it is cleared.
    """

    account: str
    customer: CustomerUpserted
    parent_contacts: tuple[Contact, ...] = ()
    parent_held: tuple[Contact, ...] = ()
    parent_held_until: datetime.date | None = None
    parent_place: LawPlace | None = None
    responsible_set: str = ""

    def responsible(self) -> str:
        """Give who is in charge of the customer, '' when nobody is."""
        return self.responsible_set or self.customer.responsible

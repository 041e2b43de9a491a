"""What an account's own row says beside its figures: whose it is the same as, who writes to it, and by what it may not be written to."""

from typing import Literal

from msgspec import Struct
from sqlalchemy import Connection, select

from infra.database.queries.group import children_of
from infra.database.queries.live import live_row
from infra.database.tables import accounts, arrangements, items
from schemas.fields import split_account_id
from schemas.rows import AccountRow, CustomerRow

__all__ = [
    "ArrangementKind",
    "CustomerStanding",
    "currency_of_arrangement",
    "currency_of_document",
    "customer_is_known",
    "customer_standing",
    "document_is_known",
]

ArrangementKind = Literal["dispute", "promise", "payment_plan"]


class CustomerStanding(Struct, frozen=True, kw_only=True):
    """Accounts are ``company:customer``; '' and empty: there is none.

    ``merged_into`` has all that is open (SEMANTICS 2.6); ``parent`` is whom it belongs to, ``dunned_at_parent``:
    the parent's contacts are written to (B-13). ``limit_minor`` None: no credit limit (B-15).
    """

    merged_into: str = ""
    parent: str = ""
    dunned_at_parent: bool = False
    children: tuple[str, ...] = ()
    opted_out: tuple[str, ...] = ()
    enrolled: bool = False
    limit_minor: int | None = None
    limit_currency: str = ""
    is_above_limit: bool = False
    paid_items: int = 0
    late_items: int = 0
    late_days: int = 0
    broken_promises: int = 0


def customer_standing(connection: Connection, *, account: str) -> CustomerStanding:
    """Read it from the rows that the ledger keeps; all is empty where it keeps none."""
    company = split_account_id(account)[0]
    row = live_row(connection, owner=account, kind="account")
    who = live_row(connection, owner=account, kind="customer")
    if not isinstance(row, AccountRow):
        return CustomerStanding()
    said = who.customer if isinstance(who, CustomerRow) else None
    return CustomerStanding(
        merged_into=f"{company}:{row.merged_into}" if row.merged_into else "",
        parent=f"{company}:{said.parent}" if said is not None and said.parent else "",
        dunned_at_parent=said is not None and said.dunned_at == "parent",
        children=tuple(children_of(connection, account)),
        opted_out=row.opted_out,
        enrolled=row.enrolled,
        limit_minor=row.limit_minor,
        limit_currency=row.limit_currency,
        is_above_limit=row.is_above_limit,
        paid_items=row.paid_items,
        late_items=row.late_items,
        late_days=row.late_days,
        broken_promises=row.broken_promises,
    )


def customer_is_known(connection: Connection, *, account: str) -> bool:
    """Say whether anything was ever said of an account."""
    found = select(accounts.c["account"]).where(accounts.c["account"] == account)
    return connection.execute(found).first() is not None


def document_is_known(connection: Connection, *, account: str, document: str) -> bool:
    """Say whether an account has a document of this number, open or not."""
    found = select(items.c["item"]).where(items.c["account"] == account, items.c["item"] == document)
    return connection.execute(found).first() is not None


def currency_of_document(connection: Connection, *, account: str, document: str) -> str | None:
    """Give the currency of an account's document; None: it has none of this number."""
    wanted = select(items.c["currency"]).where(items.c["account"] == account, items.c["item"] == document)
    found: str | None = connection.execute(wanted).scalar()
    return found


def currency_of_arrangement(
    connection: Connection, *, account: str, kind: ArrangementKind, name: str
) -> str | None:
    """Give the currency of what was agreed with an account, or decided about it; None: nothing was under this name.

    '' is one that names no currency.
    """
    wanted = select(arrangements.c["currency"]).where(
        arrangements.c["account"] == account, arrangements.c["arrangement"] == f"{kind}/{name}"
    )
    found: str | None = connection.execute(wanted).scalar()
    return found

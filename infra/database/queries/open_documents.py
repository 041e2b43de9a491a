"""Open documents as of the end of a day, of some accounts, each with where the document itself is kept (S1-26).

An account may have 100,000 of them: they are given one after the other, and a page goes on behind the last one.
"""

import datetime
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Date, and_, func, literal, or_, select

from infra.database.queries.balances import open_items_as_of, total
from infra.database.tables import customers, holds, items, live_rows

__all__ = [
    "OpenDocument",
    "Place",
    "addresses_of",
    "document_address",
    "open_documents",
    "open_sums",
]

_AT_ONCE: Final = 500  # documents named in one query

_WEB: Final = ("https://", "http://")
_NO_DATE: Final = datetime.date.min
_ROWS_AT_ONCE: Final = 1_000
Place = tuple[str, datetime.date, str]  # (account, due date or 0001-01-01, item)


class OpenDocument(Struct, frozen=True, kw_only=True):
    """An item that was not settled; ``address`` is the web address of the document itself, '' where there is none.

    ``excluded`` is why it is out of dunning now, '' where it is in.
    """

    account: str
    name: str
    company: str
    item: str
    reference: str
    currency: str
    issued_on: datetime.date | None
    due_on: datetime.date | None
    amount_minor: int
    open_minor: int
    sent_level_on: datetime.date | None
    excluded: str
    address: str

    @property
    def place(self) -> Place:
        """Say where it stands in the order of account, due date and id."""
        return (self.account, self.due_on or _NO_DATE, self.item)


class _Kept(Struct, frozen=True, kw_only=True):
    pdf_url: str = ""
    xml_url: str = ""


class _KeptItem(Struct, frozen=True, kw_only=True):
    document: _Kept = _Kept()


_kept: Final = msgspec.json.Decoder(_KeptItem)


def document_address(row_json: str | None) -> str:
    """Give the web address of a document from its kept row: the PDF, else the XML; others are no addresses."""
    if not row_json:
        return ""
    document = _kept.decode(row_json).document
    return next((each for each in (document.pdf_url, document.xml_url) if each.startswith(_WEB)), "")


def addresses_of(connection: Connection, *, account: str, names: Sequence[str]) -> dict[str, str]:
    """Give the web addresses of documents of an account by their ids; those without one are left out."""
    found: dict[str, str] = {}
    for start in range(0, len(names), _AT_ONCE):
        query = select(live_rows.c["name"], live_rows.c["row_json"]).where(
            live_rows.c["owner"] == account,
            live_rows.c["kind"] == "item",
            live_rows.c["name"].in_(names[start : start + _AT_ONCE]),
        )
        found |= {name: document_address(row_json) for name, row_json in connection.execute(query)}
    return {name: address for name, address in found.items() if address}


def open_documents(
    connection: Connection,
    *,
    as_of: datetime.date,
    accounts: Sequence[str],
    currency: str = "",
    late_days_min: int = 0,
    after: Place | None = None,
) -> Iterator[OpenDocument]:
    """Walk the open documents of some accounts by account, due date and id, behind a place."""
    found = open_items_as_of(as_of, scope=(None, accounts))
    due = func.coalesce(found.c.due_on, literal(_NO_DATE, Date))
    query = (
        select(
            found,
            items.c["reference"],
            items.c["issued_on"],
            items.c["amount_minor"],
            items.c["sent_level_on"],
            func.coalesce(customers.c["name"], "").label("name"),
            _excluded(found).label("excluded"),
            live_rows.c["row_json"],
        )
        .select_from(
            found.outerjoin(items, _same(items, found))
            .outerjoin(customers, customers.c["account"] == found.c.account)
            .outerjoin(live_rows, _kept_row(found))
        )
        .order_by(found.c.account, due, found.c.item)
    )
    if currency:
        query = query.where(found.c.currency == currency)
    if late_days_min:
        query = query.where(found.c.due_on <= as_of - datetime.timedelta(days=late_days_min))
    if after is not None:
        account, day, item = after
        later = or_(due > literal(day, Date), and_(due == literal(day, Date), found.c.item > item))
        query = query.where(or_(found.c.account > account, and_(found.c.account == account, later)))
    for row in connection.execute(query.execution_options(yield_per=_ROWS_AT_ONCE)):
        yield _document(row)


def open_sums(
    connection: Connection, *, as_of: datetime.date, accounts: Any, currency: str = "", late_days_min: int = 0
) -> list[tuple[str, int, int]]:
    """Give (currency, documents, open amount) over the accounts that a query selects."""
    found = open_items_as_of(as_of, scope=(None, accounts))
    query = select(found.c.currency, func.count(), total(found.c.open_minor)).group_by(found.c.currency)
    if currency:
        query = query.where(found.c.currency == currency)
    if late_days_min:
        query = query.where(found.c.due_on <= as_of - datetime.timedelta(days=late_days_min))
    return [
        (code, count, minor) for code, count, minor in connection.execute(query.order_by(found.c.currency))
    ]


def _same(table: Any, found: Any) -> Any:
    return and_(table.c["account"] == found.c.account, table.c["item"] == found.c.item)


def _kept_row(found: Any) -> Any:
    return and_(
        live_rows.c["owner"] == found.c.account,
        live_rows.c["kind"] == literal("item"),
        live_rows.c["name"] == found.c.item,
    )


def _excluded(found: Any) -> Any:
    """Give the reason of the hold that keeps a document out of dunning."""
    said = func.max(
        func.coalesce(func.nullif(holds.c["reason"], ""), func.nullif(holds.c["author"], ""), "-")
    )
    return (
        select(func.coalesce(said, ""))
        .where(_same(holds, found), holds.c["hold_kind"] == "excluded")
        .correlate(found)
        .scalar_subquery()
    )


def _document(row: Any) -> OpenDocument:
    return OpenDocument(
        account=row.account,
        name=row.name,
        company=row.company,
        item=row.item,
        reference=row.reference or "",
        currency=row.currency,
        issued_on=row.issued_on,
        due_on=row.due_on,
        amount_minor=row.open_minor if row.amount_minor is None else row.amount_minor,
        open_minor=row.open_minor,
        sent_level_on=row.sent_level_on,
        excluded=row.excluded,
        address=document_address(row.row_json),
    )

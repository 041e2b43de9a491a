"""One document under two customers of a company: found here, where all accounts meet (SEMANTICS 2.2).

It records an exception against each account but the one whose document is the oldest; it takes no
side and changes no row. Payments are left out: one bank line may well be for two customers.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from msgspec import json
from sqlalchemy import Column, Connection, Select, bindparam, exists, select

from infra.database import tables
from infra.database.bulk import Values, write

__all__ = ["DUPLICATE_DOCUMENT", "RAISED_BY_PROJECTOR", "Document", "record_duplicates"]

DUPLICATE_DOCUMENT: Final = "duplicate_document"
RAISED_BY_PROJECTOR: Final = "projector"
_LOOKED_UP_AT_ONCE: Final = 500
Document = tuple[str, str]  # (company, id of an item or of a credit note's credit)


def record_duplicates(
    connection: Connection,
    *,
    items: Iterable[Document],
    credit_notes: Iterable[Document],
    recorded_at: datetime.datetime,
) -> int:
    """Look for other accounts with these documents; return how many exceptions that makes.

    Args:
        connection: in the transaction that wrote the documents.
        items: invoices, debit notes and opened items just written.
        credit_notes: credit notes just written, as ``credit_note/<id>``.
        recorded_at: when; an exception that is there already keeps its time.
    """
    rows = {
        row[0]: row
        for table, ids in ((tables.items, items), (tables.account_credits, credit_notes))
        for group in _same_documents(connection, columns=_columns(table), documents=ids)
        for row in _exceptions(group, recorded_at=recorded_at)
    }
    write(connection, table=tables.exceptions, rows=list(rows.values()), known="left")
    return len(rows)


def _columns(table: Any) -> list[Column[Any]]:
    if table is tables.items:
        return [
            table.c.company,
            table.c.item,
            table.c.account,
            table.c.issued_on,
            table.c.currency,
            table.c.amount_minor,
        ]
    return [
        table.c.company,
        table.c.credit,
        table.c.account,
        table.c.received_on,
        table.c.currency,
        table.c.amount_minor,
    ]


def _same_documents(
    connection: Connection, *, columns: list[Column[Any]], documents: Iterable[Document]
) -> Iterator[list[Any]]:
    by_company: defaultdict[str, set[str]] = defaultdict(set)
    for company, document in documents:
        by_company[company].add(document)
    statement = _of_several_accounts(columns)
    for company, ids in by_company.items():
        rest = iter(sorted(ids))
        while some := list(islice(rest, _LOOKED_UP_AT_ONCE)):
            found: defaultdict[str, list[Any]] = defaultdict(list)
            for row in connection.execute(statement, {"of_company": company, "documents": some}):
                found[row[1]].append(row)
            yield from found.values()


def _of_several_accounts(columns: list[Column[Any]]) -> Select[Any]:
    company, document, account, day, *_ = columns
    other = company.table.alias("other")
    return (
        select(*columns)
        .where(company == bindparam("of_company"))
        .where(document.in_(bindparam("documents", expanding=True)))
        .where(
            exists()
            .where(other.c[company.name] == company)
            .where(other.c[document.name] == document)
            .where(other.c[account.name] != account)
        )
        .order_by(document, day, account)
    )


def _exceptions(group: list[Any], *, recorded_at: datetime.datetime) -> Iterator[Values]:
    first, *later = group
    for other in later:
        company, document, account = other[:3]
        yield (
            f"{DUPLICATE_DOCUMENT}/{document}/{account}",
            account,
            RAISED_BY_PROJECTOR,
            DUPLICATE_DOCUMENT,
            f"{company}/{document}",
            f"document {document} of company {company} is under {first[2]} already",
            _content(first),
            _content(other),
            recorded_at,
        )


def _content(row: Any) -> str:
    _, document, account, day, currency, amount_minor = row
    content = {
        "account": account,
        "document": document,
        "date": day,
        "currency": currency,
        "amount_minor": amount_minor,
    }
    return json.encode(content).decode()

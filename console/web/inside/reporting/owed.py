"""What is owed: balances by age, the documents behind them, and one customer's statement (S0-02 … S0-04, S1-23, S3-03, S3-04)."""

import datetime
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import Final

from sqlalchemy import Connection

from console.web.inside.reporting.asking import ReportAsked
from console.web.inside.reporting.leading import to_customer, to_document, to_report
from console.web.inside.reporting.sheets import Cell, Column, Money, Row
from infra.database.queries.account_choice import blocks
from infra.database.queries.aged import AgedRow, aged_rows, aged_totals
from infra.database.queries.open_documents import (
    OpenDocument,
    Place,
    addresses_of,
    open_documents,
    open_sums,
)
from infra.database.queries.statement import StatementLine, currency_sums, moved_lines

__all__ = [
    "DOCUMENT_COLUMNS",
    "STATEMENT_COLUMNS",
    "aged_columns",
    "aged_lines",
    "aged_sums",
    "bucket_columns",
    "document_lines",
    "document_sums",
    "statement_lines",
]

_BLOCK: Final = 51  # two of them fill a page of 100 who owe, mostly, and tell that there is another page
_DOCUMENTS_BLOCK: Final = 20
_CREDIT_KINDS: Final = ("payment", "credit_note", "write_off")

# -- balances by age ----------------------------------------------------------------------------


def aged_columns(asked: ReportAsked) -> tuple[Column, ...]:
    """Give the columns: a bucket for each edge, and one beyond the last."""
    return (
        *(Column(name=name) for name in ("account", "customer")),
        Column(name="documents", kind="count"),
        Column(name="receivables", kind="money"),
        *bucket_columns(asked),
        Column(name="days", kind="count"),
        Column(name="credit", kind="money"),
    )


def bucket_columns(asked: ReportAsked) -> tuple[Column, ...]:
    """Give the columns of the age buckets alone: not due, up to each edge, beyond the last."""
    edges = asked.filters.edges
    between = [f"{first + 1}–{last}" for first, last in pairwise((0, *edges))]
    headings = ("", *between, f"> {edges[-1]}")
    return tuple(
        Column(name=f"bucket_{number}", kind="money", heading=heading)
        for number, heading in enumerate(headings)
    )


def aged_lines(connection: Connection, asked: ReportAsked, after: str) -> Iterator[Row]:
    """Walk the customers who owe something, or have credit; a name leads to the documents, an account to the customer."""
    for accounts in blocks(connection, asked.choice(), after=after, size=_BLOCK):
        found = aged_rows(connection, as_of=asked.on, scope=(None, accounts), edges=asked.filters.edges)
        for row in found:
            if asked.filters.currency in ("", row.currency) and _days(row, asked.on) >= asked.filters.late:
                links = {"account": to_customer(row.account), "customer": _documents(row.account, asked)}
                yield Row(cells=_aged_cells(row, asked.on), links=links, place=row.account)


def aged_sums(connection: Connection, asked: ReportAsked) -> list[Row]:
    """Add up over all customers, currency by currency; how late the oldest is, is of all of them."""
    accounts = asked.choice().ids()
    found = aged_totals(connection, as_of=asked.on, scope=(None, accounts), edges=asked.filters.edges)
    return [
        Row(cells=_aged_cells(row, asked.on)) for row in found if asked.filters.currency in ("", row.currency)
    ]


def _aged_cells(row: AgedRow, on: datetime.date) -> dict[str, Cell]:
    def money(minor: int) -> Money:
        return Money(minor=minor, currency=row.currency)

    return {
        "account": row.account,
        "customer": row.name,
        "documents": row.open_count,
        "receivables": money(row.receivables_minor),
        **{f"bucket_{number}": money(each.amount_minor) for number, each in enumerate(row.buckets)},
        "days": _days(row, on),
        "credit": money(row.credit_minor),
    }


def _days(row: AgedRow, on: datetime.date) -> int:
    return 0 if row.oldest_due_on is None else max(0, (on - row.oldest_due_on).days)


def _documents(account: str, asked: ReportAsked) -> str:
    return to_report("documents", account=account, on=asked.on.isoformat())


# -- documents ----------------------------------------------------------------------------------


DOCUMENT_COLUMNS: Final = (
    *(Column(name=name) for name in ("account", "customer", "document", "reference")),
    Column(name="issued", kind="day"),
    Column(name="due", kind="day"),
    Column(name="days", kind="count"),
    Column(name="amount", kind="money"),
    Column(name="open", kind="money"),
    Column(name="reminded", kind="day"),
    Column(name="excluded"),
    Column(name="address"),
)


def document_lines(connection: Connection, asked: ReportAsked, after: str) -> Iterator[Row]:
    """Walk the open documents, the oldest of each customer first; each leads to the document itself (S1-26)."""
    place = _place(after)
    first = "" if place is None else place[0]
    if place is not None:  # the rest of the account that the page before ended in
        yield from _documents_of(connection, asked, [first], after=place)
    for accounts in blocks(connection, asked.choice(), after=first, size=_DOCUMENTS_BLOCK):
        yield from _documents_of(connection, asked, accounts, after=None)


def document_sums(connection: Connection, asked: ReportAsked) -> list[Row]:
    """Add up over all of them, currency by currency."""
    found = open_sums(
        connection,
        as_of=asked.on,
        accounts=asked.choice().ids(),
        currency=asked.filters.currency,
        late_days_min=asked.filters.late,
    )
    return [Row(cells={"open": Money(minor=minor, currency=code)}) for code, _, minor in found]


def _documents_of(
    connection: Connection, asked: ReportAsked, accounts: Sequence[str], after: Place | None
) -> Iterator[Row]:
    names = asked.hidden_names(connection, accounts=accounts)
    found = open_documents(
        connection,
        as_of=asked.on,
        accounts=accounts,
        currency=asked.filters.currency,
        late_days_min=asked.filters.late,
        after=after,
    )
    for each in found:
        if asked.sees(each.company):
            links = {"account": to_customer(each.account)}
            if each.address:
                links |= {"document": each.address, "address": each.address}
            cells = _document_cells(each, asked.on)
            cells["excluded"] = asked.prose(each.excluded, names=names.get(each.account, ()))
            yield Row(cells=cells, links=links, place="\n".join(map(str, each.place)))


def _document_cells(each: OpenDocument, on: datetime.date) -> dict[str, Cell]:
    return {
        "account": each.account,
        "customer": each.name,
        "document": each.item,
        "reference": each.reference,
        "issued": each.issued_on,
        "due": each.due_on,
        "days": 0 if each.due_on is None else max(0, (on - each.due_on).days),
        "amount": Money(minor=each.amount_minor, currency=each.currency),
        "open": Money(minor=each.open_minor, currency=each.currency),
        "reminded": each.sent_level_on,
        "address": each.address,
    }


def _place(after: str) -> Place | None:
    """Read a place as a page was given it; what is none begins at the beginning."""
    parts = after.split("\n")
    if len(parts) != 3:
        return None
    try:
        return (parts[0], datetime.date.fromisoformat(parts[1]), parts[2])
    except ValueError:
        return None


# -- statement ----------------------------------------------------------------------------------

_AT_ONCE: Final = 100  # lines whose documents are looked up together

STATEMENT_COLUMNS: Final = (
    Column(name="on", kind="day"),
    Column(name="movement", kind="word", words="movements"),
    Column(name="document"),
    Column(name="due", kind="day"),
    Column(name="amount", kind="money", is_summed=False),
    Column(name="balance", kind="money", is_summed=False),
)


def statement_lines(connection: Connection, asked: ReportAsked, after: str) -> Iterator[Row]:
    """Give what moved the balance of one customer within the window, from the opening balance to the closing one.

    A document leads to itself where its address is known (S1-26), else to its page, as a payment does.
    """
    account = asked.filters.account
    if not account or not asked.sees(account.partition(":")[0]):
        return
    begun = int(after) if after.isdecimal() else 0
    numbered = enumerate(_moved(connection, asked, skip=begun), start=begun + 1)
    while some := list(islice(numbered, _AT_ONCE)):
        names = sorted({name for _, (name, _) in some if name and not _is_credit(name)})
        addresses = addresses_of(connection, account=account, names=names)
        for number, (name, cells) in some:
            link = addresses.get(name) or (name and to_document(account, name, is_credit=_is_credit(name)))
            yield Row(cells=cells, links={"document": link} if link else {}, place=str(number))


def _moved(connection: Connection, asked: ReportAsked, *, skip: int) -> Iterator[tuple[str, dict[str, Cell]]]:
    """Walk the lines, each with the document that it is about, without the first ``skip``: those are counted, not read."""
    account, first_on = asked.filters.account, asked.first_on
    sums = currency_sums(connection, account=account, as_of=asked.on, first_on=first_on)
    for currency, of in sorted(sums.items()):
        if asked.filters.currency not in ("", currency):
            continue
        if skip == 0:
            balance = Money(minor=of.opening_minor, currency=currency)
            yield "", {"on": first_on, "movement": "opening", "balance": balance}
        if skip <= of.line_count:
            moved = moved_lines(
                connection,
                account=account,
                currency=currency,
                as_of=asked.on,
                first_on=first_on,
                skip=max(0, skip - 1),
            )
            yield from ((each.document, _line_cells(each, currency)) for each in moved)
        if skip <= of.line_count + 1:
            balance = Money(minor=of.closing_minor, currency=currency)
            yield "", {"on": asked.on, "movement": "closing", "balance": balance}
        skip = max(0, skip - of.line_count - 2)


def _line_cells(each: StatementLine, currency: str) -> dict[str, Cell]:
    return {
        "on": each.date,
        "movement": each.kind,
        "document": _own_name(each.document),
        "due": each.due_on,
        "amount": Money(minor=each.amount_minor, currency=currency),
        "balance": Money(minor=each.balance_minor, currency=currency),
    }


def _is_credit(document: str) -> bool:
    kind, slash, _ = document.partition("/")
    return bool(slash) and kind in _CREDIT_KINDS


def _own_name(document: str) -> str:
    """Give the id that a payment or a note has by itself: which of them it is, the movement says."""
    return document.partition("/")[2] if _is_credit(document) else document

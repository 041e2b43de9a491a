"""What a company's banks have said, as the ledger keeps it: how far each is reconciled, credits without an owner,
and customers and documents that such a credit may be of (R21, S2-21, S3-02).
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, func, select

from infra.database.tables import accounts, customers, items, live_rows
from processors.banks import Banks
from schemas.bank_rows import BankAlertRow, BankLineRow, BankRow, GateOverrideRow
from schemas.rows import decode_row

__all__ = [
    "Payer",
    "bank_line",
    "banks_of",
    "customer_names",
    "likely_payers",
    "payers_like",
    "unmatched_lines",
]

_MATCHED = '"matched":true'


class Payer(Struct, frozen=True, kw_only=True):
    """A customer that a credit may be of; ``why``: tax_id, document, name or ''."""

    account: str
    name: str
    tax_id: str
    why: str = ""


def banks_of(connection: Connection, company: str) -> Banks:
    """Give how far a company's bank accounts are reconciled, and its overrides; without the lines."""
    query = select(live_rows.c["row_json"]).where(
        live_rows.c["owner"] == company, live_rows.c["kind"].in_(("bank", "bank_alert", "gate_override"))
    )
    banks = Banks()
    for kept in connection.execute(query).scalars():
        row = decode_row(kept.encode())
        if isinstance(row, BankRow | BankAlertRow | GateOverrideRow):
            banks.place(row)
    return banks


def unmatched_lines(
    connection: Connection, company: str, *, after: str = "", limit: int
) -> list[BankLineRow]:
    """List credits without an owner, by their id from ``after`` on."""
    query = (
        select(live_rows.c["row_json"])
        .where(live_rows.c["owner"] == company, live_rows.c["kind"] == "bank_line")
        .where(live_rows.c["name"] > after, live_rows.c["row_json"].not_like(f"%{_MATCHED}%"))
        .order_by(live_rows.c["name"])
        .limit(limit)
    )
    return list(_lines(connection.execute(query).scalars().all()))


def bank_line(connection: Connection, company: str, line: str) -> BankLineRow | None:
    """Give a credit by its id, matched or not; None: none has come, or it is forgotten."""
    query = select(live_rows.c["row_json"]).where(
        live_rows.c["owner"] == company, live_rows.c["kind"] == "bank_line", live_rows.c["name"] == line
    )
    return next(_lines(connection.execute(query).scalars().all()), None)


def _lines(found: Sequence[str]) -> Iterator[BankLineRow]:
    for kept in found:
        row = decode_row(kept.encode())
        if isinstance(row, BankLineRow) and row.line is not None:
            yield row


def likely_payers(connection: Connection, row: BankLineRow, *, limit: int) -> list[Payer]:
    """List customers of the company that a credit may be of: by tax id, by a document that it names, by name.

    The ledger compares names without accents and punctuation, this list as they are written: a person decides.
    """
    said = row.line
    if said is None:
        return []
    own = (customers.c["account"], customers.c["name"], customers.c["tax_id"])
    found: dict[str, Payer] = {}
    if said.payer_tax_id:
        written = func.lower(func.replace(func.replace(customers.c["tax_id"], ".", ""), "-", ""))
        by_tax = select(*own).where(
            *_of_company(row.company), written == said.payer_tax_id.replace(".", "").replace("-", "").lower()
        )
        for each in connection.execute(by_tax.limit(limit)):
            found.setdefault(
                each.account, Payer(account=each.account, name=each.name, tax_id=each.tax_id, why="tax_id")
            )
    named = [
        *said.documents,
        *(word.strip(",;") for word in said.text.split() if any(map(str.isdigit, word))),
    ]
    if named:
        accounts = select(items.c["account"]).where(
            items.c["company"] == row.company, items.c["item"].in_(named), items.c["status"] == "open"
        )
        by_item = select(*own).where(customers.c["account"].in_(accounts)).limit(limit)
        for each in connection.execute(by_item):
            found.setdefault(
                each.account, Payer(account=each.account, name=each.name, tax_id=each.tax_id, why="document")
            )
    if said.payer_name:
        for payer in payers_like(connection, row.company, said.payer_name, limit=limit):
            found.setdefault(payer.account, replace(payer, why="name"))
    return list(found.values())[:limit]


def _of_company(company: str) -> tuple[ColumnElement[bool], ...]:
    """The customers of a company stand together in the table's order: ``;`` is the character after ``:``."""
    return customers.c["account"] > f"{company}:", customers.c["account"] < f"{company};"


def customer_names(connection: Connection, named: Sequence[str]) -> dict[str, str]:
    """Give the names of accounts; who never had one is called by his id, who is not known is left out."""
    query = (
        select(accounts.c["account"], customers.c["name"])
        .outerjoin(customers, customers.c["account"] == accounts.c["account"])
        .where(accounts.c["account"].in_(named))
    )
    return {row.account: row.name or row.account.partition(":")[2] for row in connection.execute(query)}


def payers_like(connection: Connection, company: str, text: str, *, limit: int) -> list[Payer]:
    """List customers of a company whose id, tax id or name has a text in it, by account."""
    wanted = [customers.c[name].icontains(text, autoescape=True) for name in ("customer", "name", "tax_id")]
    query = (
        select(customers.c["account"], customers.c["name"], customers.c["tax_id"])
        .where(*_of_company(company))
        .where(wanted[0] | wanted[1] | wanted[2])
        .order_by(customers.c["account"])
        .limit(limit)
    )
    return [
        Payer(account=each.account, name=each.name, tax_id=each.tax_id) for each in connection.execute(query)
    ]

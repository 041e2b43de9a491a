"""Whom a company would write to: its debtors with what they owe, and the company as the ledger knows it."""

import datetime
from collections.abc import Iterator

from msgspec import Struct, json
from sqlalchemy import Connection, func, select

from infra.database.queries.live import live_rows_of
from infra.database.tables import clocks, customers, items, live_rows
from processors.company import Company
from schemas.events import Contact, CustomerUpserted
from schemas.rows import CustomerRow, decode_row

__all__ = ["Debtor", "company_as_kept", "debtors", "enrolled_customers", "newest_tick"]

_contacts = json.Decoder(tuple[Contact, ...])


class Debtor(Struct, frozen=True, kw_only=True):
    """An account with open items; ``customer`` None: no master data has come."""

    account: str
    oldest_due_on: datetime.date
    item_count: int
    customer: CustomerRow | None


def company_as_kept(connection: Connection, company: str) -> Company | None:
    """Build a company from the rows that are alive; None: nothing was ever said of it."""
    rows = live_rows_of(connection, owners=[company]).get(company, {})
    return Company.restore(company, rows=[decode_row(value) for value in rows.values()]) if rows else None


def debtors(connection: Connection, company: str) -> Iterator[Debtor]:
    """List the accounts of a company that owe something, the oldest debt first, then by account."""
    oldest = func.min(items.c["due_on"])
    owed = (
        select(items.c["account"], oldest.label("oldest"), func.count().label("count"))
        .where(items.c["company"] == company, items.c["status"] == "open", items.c["open_minor"] > 0)
        .group_by(items.c["account"])
        .subquery()
    )
    query = (
        select(owed, customers)
        .select_from(owed.outerjoin(customers, customers.c["account"] == owed.c["account"]))
        .order_by(owed.c["oldest"], owed.c["account"])
    )
    for row in connection.execute(query).mappings():
        yield Debtor(
            account=row[owed.c["account"]],
            oldest_due_on=row["oldest"],
            item_count=row["count"],
            customer=None if row[customers.c["account"]] is None else _customer(row),
        )


def enrolled_customers(connection: Connection, company: str) -> int:
    """Count the customers that a command has enrolled (S4-01)."""
    kept = select(live_rows.c["row_json"]).where(
        live_rows.c["kind"] == "account",
        live_rows.c["owner"].startswith(f"{company}:", autoescape=True),
        live_rows.c["row_json"].contains('"enrolled":true'),
    )
    return len(connection.execute(kept).all())


def newest_tick(connection: Connection) -> datetime.datetime | None:
    """Give the newest tick that all partitions have; None before the first."""
    ticks = connection.execute(select(clocks.c["at"])).scalars().all()
    return min(ticks, default=None)


def _customer(row: object) -> CustomerRow:
    said = {column.name: row[column] for column in customers.columns}  # type: ignore[index]  # a row by column
    return CustomerRow(
        account=said["account"],
        customer=CustomerUpserted(
            company=said["company"],
            customer=said["customer"],
            occurred_at="1970-01-01",
            name=said["name"],
            tax_id=said["tax_id"],
            kind=said["kind"] or "unknown",
            language=said["language"],
            time_zone=said["time_zone"],
            country=said["country"],
            contacts=_contacts.decode(said["contacts_json"]),
        ),
    )

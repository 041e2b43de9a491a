"""All that a person looks at before writing to a customer, calling him, or leaving him alone: one account on one sheet."""

import datetime
from typing import Any

from msgspec import Struct, json
from sqlalchemy import Connection, select

from infra.database.tables import (
    account_credits,
    accounts,
    arrangements,
    balances,
    customers,
    holds,
    items,
)
from schemas.events import Contact

__all__ = ["CustomerSheet", "SheetCredit", "SheetItem", "customer_sheet"]

_contacts = json.Decoder(tuple[Contact, ...])


class SheetItem(Struct, frozen=True, kw_only=True):
    """A document that is not settled; ``excluded``: why it is out of dunning, '' where it is in."""

    item: str
    document_kind: str
    reference: str
    currency: str
    amount_minor: int
    open_minor: int
    issued_on: datetime.date
    due_on: datetime.date
    step: int
    sent_level_on: datetime.date | None
    excluded: str


class SheetCredit(Struct, frozen=True, kw_only=True):
    """Money or a credit note of which something is left."""

    credit: str
    credit_kind: str
    currency: str
    rest_minor: int
    received_on: datetime.date


class CustomerSheet(Struct, frozen=True, kw_only=True):
    """An account as the read model has it; ``balances`` are (currency, open, unapplied credit)."""

    account: str
    company: str
    customer: str
    name: str
    tax_id: str
    responsible: str
    language: str
    contacts: tuple[Contact, ...]
    mode: str
    trust: str
    quarantined: str
    proposal: str
    last_contact_on: datetime.date | None
    balances: tuple[tuple[str, int, int], ...]
    items: tuple[SheetItem, ...]
    credits: tuple[SheetCredit, ...]
    holds: tuple[dict[str, Any], ...]
    arrangements: tuple[dict[str, Any], ...]


def customer_sheet(connection: Connection, *, account: str, items_max: int) -> CustomerSheet | None:
    """Give the sheet of an account, its oldest open documents first; None: nothing is known of it."""
    row = connection.execute(select(accounts).where(accounts.c["account"] == account)).mappings().first()
    if row is None:
        return None
    who = connection.execute(select(customers).where(customers.c["account"] == account)).mappings().first()
    held = _of(connection, holds, account)
    return CustomerSheet(
        account=account,
        company=row["company"],
        customer=row["customer"],
        name=row["customer"] if who is None else who["name"] or row["customer"],
        tax_id="" if who is None else who["tax_id"],
        responsible="" if who is None else who["responsible"],
        language="" if who is None else who["language"],
        contacts=() if who is None else _contacts.decode(who["contacts_json"]),
        mode=row["mode"],
        trust=row["trust"],
        quarantined=row["quarantined"],
        proposal=row["proposal"],
        last_contact_on=row["last_contact_on"],
        balances=tuple(
            (each["currency"], each["open_minor"], each["credit_minor"])
            for each in _of(connection, balances, account)
        ),
        items=tuple(_items(connection, account, held=held, items_max=items_max)),
        credits=tuple(_credits(connection, account)),
        holds=tuple(each for each in held if not each["item"]),
        arrangements=tuple(_of(connection, arrangements, account)),
    )


def _items(
    connection: Connection, account: str, *, held: list[dict[str, Any]], items_max: int
) -> list[SheetItem]:
    excluded = {each["item"]: each["reason"] or each["author"] or "-" for each in held if each["item"]}
    query = (
        select(items)
        .where(items.c["account"] == account, items.c["status"] == "open")
        .order_by(items.c["due_on"], items.c["item"])
        .limit(items_max)
    )
    names = [name for name in SheetItem.__struct_fields__ if name != "excluded"]
    return [
        SheetItem(**{name: row[name] for name in names}, excluded=excluded.get(row["item"], ""))
        for row in connection.execute(query).mappings()
    ]


def _credits(connection: Connection, account: str) -> list[SheetCredit]:
    query = (
        select(account_credits)
        .where(account_credits.c["account"] == account, account_credits.c["rest_minor"] > 0)
        .order_by(account_credits.c["received_on"], account_credits.c["credit"])
    )
    return [
        SheetCredit(**{name: row[name] for name in SheetCredit.__struct_fields__})
        for row in connection.execute(query).mappings()
    ]


def _of(connection: Connection, table: Any, account: str) -> list[dict[str, Any]]:
    query = select(table).where(table.c["account"] == account).order_by(*table.primary_key)
    return [dict(row) for row in connection.execute(query).mappings()]

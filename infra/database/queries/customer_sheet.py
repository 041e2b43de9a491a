"""All that a person looks at before writing to a customer, calling him, or leaving him alone: one account on one sheet."""

import datetime
from collections.abc import Collection
from typing import Any

from msgspec import Struct, json
from sqlalchemy import Connection, func, select

from infra.database.queries.customer_standing import CustomerStanding, customer_standing
from infra.database.queries.plan_names import level_names
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

__all__ = [
    "ARRANGEMENTS_MAX",
    "CREDITS_MAX",
    "CustomerSheet",
    "ItemPage",
    "SheetCredit",
    "SheetItem",
    "contact_names",
    "credits_of",
    "customer_sheet",
    "open_items",
    "overdue_of",
]

CREDITS_MAX = 100
ARRANGEMENTS_MAX = 200
_contacts = json.Decoder(tuple[Contact, ...])


class SheetItem(Struct, frozen=True, kw_only=True):
    """A document that is not settled; ``excluded``: why it is out of dunning, '' where it is in.

    ``level`` is the step of its plan that it has reached, '' before the first.
    """

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
    plan: str
    plan_version: int
    plan_finished: bool
    level: str = ""
    excluded: str = ""
    review_on: datetime.date | None = None
    disputed: bool = False


class ItemPage(Struct, frozen=True, kw_only=True):
    """Some of the open documents, the first due first; ``count`` is of all."""

    items: tuple[SheetItem, ...]
    count: int


class SheetCredit(Struct, frozen=True, kw_only=True):
    """Money or a credit note; ``rest_minor`` of it is not used up."""

    credit: str
    credit_kind: str
    currency: str
    amount_minor: int
    rest_minor: int
    received_on: datetime.date
    ended_on: datetime.date | None
    excluded: str = ""


class CustomerSheet(Struct, frozen=True, kw_only=True):
    """An account as the read model has it; ``balances`` are (currency, open, unapplied credit).

    ``arrangements`` are the newest of ``arrangements_count``.
    """

    account: str
    company: str
    customer: str
    name: str
    tax_id: str
    kind: str
    group: str
    country: str
    plan: str
    payment_terms_days: int | None
    responsible: str
    language: str
    contacts: tuple[Contact, ...]
    mode: str
    trust: str
    trust_by_hand: bool
    quarantined: str
    proposal: str
    last_contact_on: datetime.date | None
    balances: tuple[tuple[str, int, int], ...]
    credits: tuple[SheetCredit, ...]
    has_more_credits: bool
    holds: tuple[dict[str, Any], ...]
    arrangements: tuple[dict[str, Any], ...]
    arrangements_count: int
    standing: CustomerStanding
    next_on: datetime.date | None


def contact_names(connection: Connection, *, accounts: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Give the names of some customers' contacts; who has none is left out."""
    query = select(customers.c["account"], customers.c["contacts_json"]).where(
        customers.c["account"].in_(sorted(accounts))
    )
    found = connection.execute(query) if accounts else ()
    return {account: tuple(each.name for each in _contacts.decode(text)) for account, text in found}


def customer_sheet(connection: Connection, *, account: str) -> CustomerSheet | None:
    """Give the sheet of an account without its documents; None: nothing is known of it."""
    row = connection.execute(select(accounts).where(accounts.c["account"] == account)).mappings().first()
    if row is None:
        return None
    who = connection.execute(select(customers).where(customers.c["account"] == account)).mappings().first()
    held = _of(connection, holds, account)
    said = {} if who is None else dict(who)
    money = credits_of(connection, account=account, limit=CREDITS_MAX + 1)
    by_hand = next((each["until_on"] for each in held if each["by_hand"]), None)
    return CustomerSheet(
        account=account,
        company=row["company"],
        customer=row["customer"],
        name=said.get("name") or row["customer"],
        tax_id=said.get("tax_id", ""),
        kind=said.get("kind", "unknown"),
        group=said.get("customer_group", ""),
        country=said.get("country", ""),
        plan=said.get("plan", ""),
        payment_terms_days=said.get("payment_terms_days"),
        responsible=said.get("responsible", ""),
        language=said.get("language", ""),
        contacts=() if who is None else _contacts.decode(who["contacts_json"]),
        mode=row["mode"],
        trust=row["trust"],
        trust_by_hand=row["trust_by_hand"],
        quarantined=row["quarantined"],
        proposal=row["proposal"],
        last_contact_on=row["last_contact_on"],
        balances=tuple(
            (each["currency"], each["open_minor"], each["credit_minor"])
            for each in _of(connection, balances, account)
        ),
        credits=tuple(money[:CREDITS_MAX]),
        has_more_credits=len(money) > CREDITS_MAX,
        holds=tuple(each for each in held if not each["item"] and not each["by_hand"]),
        arrangements=tuple(_arrangements(connection, account)),
        arrangements_count=_count_agreed(connection, account),
        standing=customer_standing(connection, account=account),
        next_on=by_hand,
    )


def open_items(
    connection: Connection, *, account: str, offset: int, limit: int, item: str | None = None
) -> ItemPage:
    """List ``limit`` open documents of an account from the one at ``offset`` on; with ``item`` that one only, if it is open."""
    is_open = [items.c["account"] == account, items.c["status"] == "open"]
    if item is not None:
        is_open.append(items.c["item"] == item)
    query = (
        select(items).where(*is_open).order_by(items.c["due_on"], items.c["item"]).offset(offset).limit(limit)
    )
    rows = list(connection.execute(query).mappings())
    count = connection.execute(select(func.count()).select_from(items).where(*is_open)).scalar_one()
    names = [row["item"] for row in rows]
    kept_out = {
        row.item: row
        for row in connection.execute(
            select(holds).where(
                holds.c["account"] == account,
                holds.c["hold"].in_([f"excluded/{name}" for name in names]),
            )
        )
    }
    disputed = set(
        connection.execute(
            select(arrangements.c["item"]).where(
                arrangements.c["account"] == account,
                arrangements.c["kind"] == "dispute",
                arrangements.c["status"] == "open",
            )
        ).scalars()
    )
    company = rows[0]["company"] if rows else ""
    levels = level_names(
        connection, company=company, versions={(row["plan"], row["plan_version"]) for row in rows}
    )
    own = [name for name in SheetItem.__struct_fields__ if name in items.c]
    return ItemPage(
        items=tuple(
            SheetItem(
                **{name: row[name] for name in own},
                level=levels.name(row["plan"], row["plan_version"], row["step"]),
                disputed=row["item"] in disputed,
                **_exclusion(kept_out.get(row["item"])),
            )
            for row in rows
        ),
        count=int(count),
    )


def _exclusion(hold: Any) -> dict[str, Any]:
    if hold is None:
        return {}
    return {"excluded": hold.reason or hold.author or "-", "review_on": hold.review_on}


def credits_of(connection: Connection, *, account: str, limit: int, skip: int = 0) -> list[SheetCredit]:
    """List money and notes without the first ``skip``, the newest first, those with something left before all others."""
    held = _of(connection, holds, account)
    out = {each["item"]: each["reason"] or "-" for each in held if each["hold_kind"] == "excluded_payment"}
    query = (
        select(account_credits)
        .where(account_credits.c["account"] == account)
        .order_by(
            (account_credits.c["rest_minor"] > 0).desc(),
            account_credits.c["received_on"].desc(),
            account_credits.c["credit"],
        )
        .offset(skip)
        .limit(limit)
    )
    own = [name for name in SheetCredit.__struct_fields__ if name in account_credits.c]
    return [
        SheetCredit(
            **{name: row[name] for name in own}, excluded=out.get(row["credit"].removeprefix("payment/"), "")
        )
        for row in connection.execute(query).mappings()
    ]


def _arrangements(connection: Connection, account: str) -> list[dict[str, Any]]:
    """List what was agreed; what has no currency of its own has that of its document."""
    of_item = (items.c["account"] == arrangements.c["account"]) & (items.c["item"] == arrangements.c["item"])
    query = (
        select(arrangements, items.c["currency"].label("item_currency"))
        .select_from(arrangements.outerjoin(items, of_item))
        .where(arrangements.c["account"] == account)
        .order_by(arrangements.c["made_on"].desc(), arrangements.c["arrangement"])
        .limit(ARRANGEMENTS_MAX)
    )
    return [
        {**row, "currency": row["currency"] or row["item_currency"] or ""}
        for row in connection.execute(query).mappings()
    ]


def _count_agreed(connection: Connection, account: str) -> int:
    query = select(func.count()).select_from(arrangements).where(arrangements.c["account"] == account)
    return int(connection.execute(query).scalar_one())


def _of(connection: Connection, table: Any, account: str) -> list[dict[str, Any]]:
    query = select(table).where(table.c["account"] == account).order_by(*table.primary_key)
    return [dict(row) for row in connection.execute(query).mappings()]


def overdue_of(connection: Connection, *, account: str, today: datetime.date) -> dict[str, tuple[int, int]]:
    """Give, by currency, how much of an account is late today and how many documents that is."""
    query = (
        select(items.c["currency"], func.sum(items.c["open_minor"]), func.count())
        .where(items.c["account"] == account, items.c["status"] == "open", items.c["due_on"] < today)
        .group_by(items.c["currency"])
    )
    return {currency: (int(minor), int(count)) for currency, minor, count in connection.execute(query)}

"""The customers as a register (S4-19): found by name, id or tax id, a page at a time, with what each owes."""

import datetime
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from msgspec import Struct, field, json
from sqlalchemy import ColumnElement, Connection, case, exists, func, or_, select

from infra.database.queries.next_actions import next_days_of
from infra.database.tables import accounts, balances, customers, items, owed
from infra.database.tables import companies as known
from schemas.events import Contact

__all__ = ["CustomerLine", "Search", "company_names", "customer_count", "customer_page"]

_ESCAPE = "\\"
_contacts = json.Decoder(tuple[Contact, ...])


class Search(Struct, frozen=True, kw_only=True):
    """Which customers are listed; ``companies`` empty: of all, ``text`` is part of a name, an id or,
    ``by_tax_id``, a tax id.
    """

    text: str = ""
    by_tax_id: bool = True
    company: str = ""
    companies: tuple[str, ...] = ()
    owing: bool = False
    quarantined: bool = False


class CustomerLine(Struct, kw_only=True):
    """A customer of the register; money is (currency, minor units), ``days`` how late the worst of it is.

    ``documents`` are open, ``late_documents`` of them past due; ``next_on`` is when somebody acts next on it, by a
    person's word (``is_by_hand``) or by the rule (R20).
    """

    account: str
    company: str
    customer: str
    name: str
    tax_id: str
    responsible: str
    trust: str
    mode: str
    quarantined: str
    contact_count: int
    open: list[tuple[str, int]] = field(default_factory=list)
    credit: list[tuple[str, int]] = field(default_factory=list)
    overdue: list[tuple[str, int]] = field(default_factory=list)
    days: int = 0
    documents: int = 0
    late_documents: int = 0
    next_on: datetime.date | None = None
    is_by_hand: bool = False


def customer_count(connection: Connection, *, search: Search) -> int:
    """Count the customers that a search finds."""
    query = select(func.count()).select_from(_joined()).where(*_conditions(search))
    return int(connection.execute(query).scalar_one())


def customer_page(
    connection: Connection, *, search: Search, today: datetime.date, offset: int, limit: int
) -> list[CustomerLine]:
    """List ``limit`` customers by name from the one at ``offset`` on, with what they owe and is late today."""
    label = case(
        (func.coalesce(customers.c["name"], "") != "", customers.c["name"]), else_=accounts.c["customer"]
    )
    said = ("name", "tax_id", "responsible", "contacts_json")
    query = (
        select(accounts, *(customers.c[name] for name in said))
        .select_from(_joined())
        .where(*_conditions(search))
        .order_by(func.lower(label), accounts.c["account"])
        .offset(offset)
        .limit(limit)
    )
    lines = [_line(row) for row in connection.execute(query).mappings()]
    by_account = {each.account: each for each in lines}
    _add_money(connection, by_account, today=today)
    _add_documents(connection, by_account)
    for account, (day, by_hand) in next_days_of(connection, accounts_named=list(by_account)).items():
        by_account[account].next_on, by_account[account].is_by_hand = day, by_hand
    return lines


def _joined() -> Any:
    return accounts.outerjoin(customers, customers.c["account"] == accounts.c["account"])


def _conditions(search: Search) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if search.company:
        found.append(accounts.c["company"] == search.company)
    if search.companies:
        found.append(accounts.c["company"].in_(search.companies))
    if search.text:
        found.append(_named(search.text, by_tax_id=search.by_tax_id))
    if search.owing:
        owes = exists().where(balances.c["account"] == accounts.c["account"], balances.c["open_minor"] > 0)
        found.append(owes)
    if search.quarantined:
        found.append(accounts.c["quarantined"] != "")
    return found


def _named(text: str, *, by_tax_id: bool) -> ColumnElement[bool]:
    columns = [customers.c["name"], accounts.c["customer"], accounts.c["account"]]
    columns += [customers.c["tax_id"]] if by_tax_id else []
    return or_(*(column.icontains(text, autoescape=True, escape=_ESCAPE) for column in columns))


def _line(row: Any) -> CustomerLine:
    return CustomerLine(
        account=row["account"],
        company=row["company"],
        customer=row["customer"],
        name=row["name"] or row["customer"],
        tax_id=row["tax_id"] or "",
        responsible=row["responsible"] or "",
        trust=row["trust"],
        mode=row["mode"],
        quarantined=row["quarantined"],
        contact_count=len(_contacts.decode(row["contacts_json"] or "[]")),
    )


def _add_money(connection: Connection, lines: dict[str, CustomerLine], *, today: datetime.date) -> None:
    """Add balances, and what is overdue, of the customers of one page."""
    names: Sequence[str] = list(lines)
    sums = select(balances).where(balances.c["account"].in_(names)).order_by(balances.c["currency"])
    for row in connection.execute(sums):
        each = lines[row.account]
        each.open += [(row.currency, row.open_minor)] if row.open_minor else []
        each.credit += [(row.currency, row.credit_minor)] if row.credit_minor else []
    late = (
        select(
            items.c["account"],
            items.c["currency"],
            func.sum(items.c["open_minor"]),
            func.min(items.c["due_on"]),
            func.count(),
        )
        .where(items.c["account"].in_(names), items.c["status"] == "open", items.c["due_on"] < today)
        .group_by(items.c["account"], items.c["currency"])
    )
    overdue: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for account, currency, minor, due_on, count in connection.execute(late):
        lines[account].late_documents += int(count)
        lines[account].days = max(lines[account].days, (today - due_on).days)
        overdue[account].append((currency, int(minor)))
    for account, money in overdue.items():
        lines[account].overdue = sorted(money)


def _add_documents(connection: Connection, lines: dict[str, CustomerLine]) -> None:
    """Add how many documents are open, as they are kept beside the items."""
    counts = select(owed.c["account"], func.sum(owed.c["open_count"])).where(owed.c["account"].in_(lines))
    for account, count in connection.execute(counts.group_by(owed.c["account"])):
        lines[account].documents = int(count)


def company_names(connection: Connection, *, companies: Sequence[str]) -> list[tuple[str, str]]:
    """List (company, name) of those that may be seen; empty ``companies``: all."""
    query = select(known.c["company"], known.c["name"]).order_by(known.c["company"])
    if companies:
        query = query.where(known.c["company"].in_(companies))
    return [(row.company, row.name or row.company) for row in connection.execute(query)]

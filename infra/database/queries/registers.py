"""Registers of customers for reports: who they are, what they owe, what was written down of them.

Each answers for a few accounts, or walks on from a place: none of them reads everything.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, json
from sqlalchemy import Connection, and_, case, func, or_, select

from infra.database.queries.account_choice import AccountChoice
from infra.database.queries.balances import total
from infra.database.tables import accounts, balances, customers, items, requests
from schemas.commands import AddNote

__all__ = [
    "Entry",
    "Registered",
    "Standing",
    "balance_sums",
    "entries",
    "registered",
]

_NOTE: Final = "collections.note.add.v1"
_ROWS_AT_ONCE: Final = 1_000
_notes: Final = json.Decoder(AddNote)
_contacts: Final = json.Decoder(tuple[dict[str, Any], ...])


class Standing(Struct, frozen=True, kw_only=True):
    """What an account owes now in one currency; ``late_since`` is the earliest due date that has passed, ``first_due_on`` the earliest of all."""

    currency: str
    open_minor: int
    credit_minor: int
    documents: int = 0
    late_documents: int = 0
    late_minor: int = 0
    late_since: datetime.date | None = None
    first_due_on: datetime.date | None = None


class Registered(Struct, frozen=True, kw_only=True):
    """A customer as the register has him; ``standings`` by currency, none where he never owed anything."""

    account: str
    company: str
    name: str
    tax_id: str
    responsible: str
    trust: str
    contacts: int
    last_contact_on: datetime.date | None
    last_note_on: datetime.date | None
    last_call_on: datetime.date | None
    episode_opened_on: datetime.date | None
    standings: tuple[Standing, ...]


class Entry(Struct, frozen=True, kw_only=True):
    """Something written down of a customer (S1-11); ``request`` is the command's id."""

    account: str
    name: str
    company: str
    request: str
    occurred_at: str
    author: str
    kind: str
    responsible: str
    text: str


def registered(connection: Connection, *, wanted: Sequence[str], on: datetime.date) -> list[Registered]:
    """Give the customers with these ids, in their order; what is late, is late on a day."""
    standings = _standings(connection, wanted, on=on)
    query = (
        select(
            accounts,
            *(customers.c[name] for name in ("name", "tax_id", "responsible", "contacts_json")),
        )
        .select_from(accounts.outerjoin(customers, customers.c["account"] == accounts.c["account"]))
        .where(accounts.c["account"].in_(wanted))
    )
    found = {row.account: row for row in connection.execute(query)}
    return [
        Registered(
            account=each,
            company=row.company,
            name=row.name or row.customer,
            tax_id=row.tax_id or "",
            responsible=row.responsible or "",
            trust=row.trust,
            contacts=len(_contacts.decode(row.contacts_json)) if row.contacts_json else 0,
            last_contact_on=row.last_contact_on,
            last_note_on=row.last_note_on,
            last_call_on=row.last_call_on,
            episode_opened_on=row.episode_opened_on,
            standings=tuple(standings.get(each, ())),
        )
        for each in wanted
        if (row := found.get(each)) is not None
    ]


def balance_sums(connection: Connection, choice: AccountChoice) -> list[tuple[str, int, int]]:
    """Give (currency, open amount, unapplied credit) over the accounts that are chosen."""
    by = balances.c["currency"]
    query = select(by, total(balances.c["open_minor"]), total(balances.c["credit_minor"])).group_by(by)
    rows = connection.execute(query.where(balances.c["account"].in_(choice.ids())).order_by(by))
    return [(currency, minor, credit) for currency, minor, credit in rows]


def _standings(
    connection: Connection, wanted: Sequence[str], *, on: datetime.date
) -> Mapping[str, list[Standing]]:
    is_late = items.c["due_on"] < on
    by = (items.c["account"], items.c["currency"])
    query = (
        select(
            *by,
            func.count().label("documents"),
            total(case((is_late, 1), else_=0)).label("late_documents"),
            total(case((is_late, items.c["open_minor"]), else_=0)).label("late_minor"),
            func.min(case((is_late, items.c["due_on"]))).label("late_since"),
            func.min(items.c["due_on"]).label("first_due_on"),
        )
        .where(items.c["account"].in_(wanted), items.c["status"] == "open", items.c["open_minor"] > 0)
        .group_by(*by)
    )
    documents = {(row.account, row.currency): row for row in connection.execute(query)}
    owed = select(balances).where(balances.c["account"].in_(wanted)).order_by(*balances.primary_key)
    found: defaultdict[str, list[Standing]] = defaultdict(list)
    for row in connection.execute(owed):
        of = documents.get((row.account, row.currency))
        plain = Standing(currency=row.currency, open_minor=row.open_minor, credit_minor=row.credit_minor)
        found[row.account].append(plain if of is None else _with_documents(plain, of))
    return found


def _with_documents(plain: Standing, of: Any) -> Standing:
    return Standing(
        currency=plain.currency,
        open_minor=plain.open_minor,
        credit_minor=plain.credit_minor,
        documents=of.documents,
        late_documents=of.late_documents,
        late_minor=of.late_minor,
        late_since=of.late_since,
        first_due_on=of.first_due_on,
    )


# -- what was written down -----------------------------------------------------------------------


def entries(
    connection: Connection,
    *,
    wanted: Sequence[str],
    first_on: datetime.date,
    last_on: datetime.date,
    after: tuple[str, str, str] | None = None,
) -> Iterator[Entry]:
    """Walk what was written down of some accounts between two days, by account and time, behind a place."""
    at, request = requests.c["occurred_at"], requests.c["request"]
    query = (
        select(requests, func.coalesce(customers.c["name"], "").label("name"))
        .select_from(requests.outerjoin(customers, customers.c["account"] == requests.c["account"]))
        .where(
            requests.c["account"].in_(wanted),
            requests.c["request_type"] == _NOTE,
            at >= first_on.isoformat(),
            at < (last_on + datetime.timedelta(days=1)).isoformat(),
        )
        .order_by(requests.c["account"], at, request)
    )
    if after is not None:
        account, moment, last = after
        later = or_(at > moment, and_(at == moment, request > last))
        query = query.where(
            or_(requests.c["account"] > account, and_(requests.c["account"] == account, later))
        )
    for row in connection.execute(query.execution_options(yield_per=_ROWS_AT_ONCE)):
        note = _notes.decode(row.request_json)
        yield Entry(
            account=row.account,
            name=row.name,
            company=row.company,
            request=row.request,
            occurred_at=row.occurred_at,
            author=row.author,
            kind=note.kind,
            responsible=note.responsible,
            text=note.text,
        )

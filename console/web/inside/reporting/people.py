"""Whom one deals with: the register of customers, those nobody has looked at, who acts next, what was written down
(S1-08, S1-14 … S1-16, S4-19).
"""

import datetime
from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import Connection

from console.web.inside.masking import masked
from console.web.inside.reporting.asking import ReportAsked
from console.web.inside.reporting.leading import to_customer, to_report
from console.web.inside.reporting.sheets import Cell, Column, Money, Row
from infra.database.queries.account_choice import blocks
from infra.database.queries.next_actions import NextAction, next_actions
from infra.database.queries.registers import (
    Registered,
    Standing,
    balance_sums,
    entries,
    registered,
)

__all__ = [
    "ACTION_COLUMNS",
    "CUSTOMER_COLUMNS",
    "ENTRY_COLUMNS",
    "action_lines",
    "customer_lines",
    "customer_sums",
    "entry_lines",
    "untouched_lines",
]

_BLOCK: Final = 100


CUSTOMER_COLUMNS: Final = (
    *(Column(name=name) for name in ("account", "customer", "company", "tax_id", "responsible")),
    Column(name="trust", kind="word", words="trust"),
    *(Column(name=name, kind="count") for name in ("contacts", "documents", "overdue_documents")),
    *(Column(name=name, kind="money") for name in ("receivables", "overdue", "credit")),
)


def customer_lines(connection: Connection, asked: ReportAsked, after: str) -> Iterator[Row]:
    """Walk the register: company, number of contacts, documents, what is receivable, who is responsible."""
    for accounts in blocks(connection, asked.choice(), after=after, size=_BLOCK):
        for each in registered(connection, wanted=accounts, on=asked.on):
            common = _who(each, asked)
            standings = [of for of in each.standings if asked.filters.currency in ("", of.currency)]
            links = {"account": to_customer(each.account), "documents": _documents(each, asked)}
            for cells in [_owed(of) for of in standings] or ([{}] if not asked.filters.currency else []):
                yield Row(cells={**common, **cells}, links=links, place=each.account)


def customer_sums(connection: Connection, asked: ReportAsked) -> list[Row]:
    """Add up what all of them owe, currency by currency."""
    return [
        Row(
            cells={
                "receivables": Money(minor=minor, currency=currency),
                "credit": Money(minor=credit, currency=currency),
            }
        )
        for currency, minor, credit in balance_sums(connection, asked.choice())
        if asked.filters.currency in ("", currency)
    ]


def _who(each: Registered, asked: ReportAsked) -> dict[str, Cell]:
    may_read = asked.person.may("collector")
    return {
        "account": each.account,
        "customer": each.name,
        "company": each.company,
        "tax_id": each.tax_id if may_read else masked(each.tax_id),
        "responsible": each.responsible,
        "trust": each.trust,
        "contacts": each.contacts,
    }


def _owed(of: Standing) -> dict[str, Cell]:
    return {
        "documents": of.documents,
        "overdue_documents": of.late_documents,
        "receivables": Money(minor=of.open_minor, currency=of.currency),
        "overdue": Money(minor=of.late_minor, currency=of.currency),
        "credit": Money(minor=of.credit_minor, currency=of.currency),
    }


def _documents(each: Registered, asked: ReportAsked) -> str:
    return to_report("documents", account=each.account, on=asked.on.isoformat())


# -- who is to be looked at ---------------------------------------------------------------------


ACTION_COLUMNS: Final = (
    *(Column(name=name) for name in ("account", "customer", "responsible")),
    Column(name="trust", kind="word", words="trust"),
    Column(name="overdue", kind="money"),
    Column(name="days", kind="count"),
    Column(name="oldest_due", kind="day"),
    *(
        Column(name=name, kind="day")
        for name in ("episode_opened_on", "next_on", "last_contact_on", "last_call_on", "last_note_on")
    ),
)


def untouched_lines(connection: Connection, asked: ReportAsked, after: str) -> Iterator[Row]:
    """Clientes sin acción: whom nobody has looked at since the episode opened (S1-08, S1-15)."""
    for accounts in blocks(connection, asked.choice(untouched=True), after=after, size=_BLOCK):
        for each in registered(connection, wanted=accounts, on=asked.on):
            yield from _actions(each, asked, next_on=each.episode_opened_on, place=each.account)


def action_lines(connection: Connection, asked: ReportAsked, after: str) -> Iterator[Row]:
    """Control de acciones: customers and when somebody acts next, by that day, and what was done last (S1-16)."""
    place = _place(after)
    while found := next_actions(connection, asked.choice(), after=place, actions_max=_BLOCK):
        wanted: Sequence[str] = [each.account for each in found]
        known = {each.account: each for each in registered(connection, wanted=wanted, on=asked.on)}
        for each in found:
            if each.account in known:
                here = f"{each.next_on.isoformat()} {each.account}"
                yield from _actions(known[each.account], asked, next_on=each.next_on, place=here)
        place = found[-1]


def _place(after: str) -> NextAction | None:
    """Read where a page begins; what is no place is the beginning."""
    day, _, account = after.partition(" ")
    try:
        return NextAction(next_on=datetime.date.fromisoformat(day), account=account)
    except ValueError:
        return None


def _actions(
    each: Registered, asked: ReportAsked, *, next_on: datetime.date | None, place: str
) -> Iterator[Row]:
    common: dict[str, Cell] = {
        **_who(each, asked),
        "episode_opened_on": each.episode_opened_on,
        "next_on": next_on,
        "last_contact_on": each.last_contact_on,
        "last_call_on": each.last_call_on,
        "last_note_on": each.last_note_on,
    }
    late = [of for of in each.standings if of.late_minor and asked.filters.currency in ("", of.currency)]
    links = {"account": to_customer(each.account)}
    for cells in [_late(of, asked.on) for of in late] or [_first_due(each, asked)]:
        if asked.filters.late == 0 or int(str(cells.get("days", 0))) >= asked.filters.late:
            yield Row(cells={**common, **cells}, links=links, place=place)


def _late(of: Standing, on: datetime.date) -> dict[str, Cell]:
    days = 0 if of.late_since is None else (on - of.late_since).days
    overdue = Money(minor=of.late_minor, currency=of.currency)
    return {"overdue": overdue, "days": days, "oldest_due": of.late_since}


def _first_due(each: Registered, asked: ReportAsked) -> dict[str, Cell]:
    """Say when the first of what is open falls due, of whom nothing is late."""
    standings = [of for of in each.standings if asked.filters.currency in ("", of.currency)]
    days = [of.first_due_on for of in standings if of.first_due_on is not None]
    return {"oldest_due": min(days, default=None)}


# -- what was written down -----------------------------------------------------------------------


ENTRY_COLUMNS: Final = (
    *(Column(name=name) for name in ("account", "customer")),
    Column(name="on", kind="day"),
    Column(name="kind", kind="word", words="notes"),
    *(Column(name=name) for name in ("responsible", "observations", "author")),
)


def entry_lines(connection: Connection, asked: ReportAsked, after: str) -> Iterator[Row]:
    """Registro de clientes: what was written down of each within the window (S1-14)."""
    parts = tuple(after.split("\n"))
    place = (parts[0], parts[1], parts[2]) if len(parts) == 3 else None
    first = "" if place is None else place[0]
    if place is not None:
        yield from _entries(connection, asked, [first], after=place)
    for accounts in blocks(connection, asked.choice(asked=True), after=first, size=_BLOCK):
        yield from _entries(connection, asked, accounts, after=None)


def _entries(
    connection: Connection, asked: ReportAsked, accounts: Sequence[str], *, after: tuple[str, str, str] | None
) -> Iterator[Row]:
    names = asked.hidden_names(connection, accounts=accounts)
    found = entries(connection, wanted=accounts, first_on=asked.first_on, last_on=asked.on, after=after)
    for each in found:
        if not asked.sees(each.company) or asked.filters.kind not in ("", each.kind):
            continue
        yield Row(
            cells={
                "account": each.account,
                "customer": each.name,
                "on": datetime.date.fromisoformat(each.occurred_at[:10]),
                "kind": each.kind,
                "responsible": each.responsible,
                "observations": asked.prose(each.text, names=names.get(each.account, ())),
                "author": each.author,
            },
            links={"account": to_customer(each.account)},
            place=f"{each.account}\n{each.occurred_at}\n{each.request}",
        )

"""The reports of the console as sheets: what each asks the read model for, and which columns it has.

A report is one function; a new one is a function, a line in ``REPORTS``, and its words.
"""

import datetime
from collections.abc import Callable, Iterable, Mapping
from typing import Final
from urllib.parse import quote

from msgspec import Struct, json
from sqlalchemy import Connection, func, select

from console.web.inside.access import Person
from console.web.inside.sheets import Cell, Column, Money, Sheet
from infra.database.queries.aged import aged
from infra.database.queries.figures import figures
from infra.database.queries.worklist import WorkLine, worklist
from infra.database.tables import balances, customers, requests
from schemas.commands import AddNote

__all__ = ["REPORTS", "ReportAsked"]

_LINES_MAX: Final = 100_000
_NOTE: Final = "collections.note.add.v1"


class ReportAsked(Struct, frozen=True, kw_only=True):
    """What a report is asked for; ``company`` '' is all that the person may see, ``days`` the window of figures."""

    person: Person
    on: datetime.date
    company: str = ""
    days: int = 90

    def sees(self, company: str) -> bool:
        """Say whether a company is asked for, and may be seen."""
        return self.company in ("", company) and self.person.sees(company)


def _aged(connection: Connection, asked: ReportAsked) -> Sheet:
    """Balances vencidos: who owes how much, and since when (S0-02, S0-03, S3-03, S3-04)."""
    found = aged(connection, as_of=asked.on, company=asked.company or None)
    names = tuple(f"bucket_{number}" for number in range(len(found.bucket_names)))
    rows: list[Mapping[str, Cell]] = []
    links: list[Mapping[str, str]] = []
    for row in found.rows:
        if not asked.sees(row.account.partition(":")[0]):
            continue
        cells: dict[str, Cell] = {
            "account": row.account,
            "customer": row.name,
            "receivables": Money(minor=row.receivables_minor, currency=row.currency),
            "credit": Money(minor=row.credit_minor, currency=row.currency),
        }
        for name, bucket in zip(names, row.buckets, strict=True):
            cells[name] = Money(minor=bucket.amount_minor, currency=row.currency)
        rows.append(cells)
        links.append({"account": _customer(row.account)})
    columns = (
        Column(name="account"),
        Column(name="customer"),
        *(Column(name=name, kind="money") for name in ("receivables", *names, "credit")),
    )
    return Sheet(columns=columns, rows=tuple(rows), links=tuple(links))


def _customers(connection: Connection, asked: ReportAsked) -> Sheet:
    """The customers: company, what is receivable, who is responsible (S4-19)."""
    query = (
        select(
            customers.c["account"],
            customers.c["company"],
            customers.c["name"],
            customers.c["responsible"],
            balances.c["currency"],
            balances.c["open_minor"],
            balances.c["credit_minor"],
        )
        .select_from(customers.outerjoin(balances, balances.c["account"] == customers.c["account"]))
        .order_by(customers.c["account"], balances.c["currency"])
        .limit(_LINES_MAX)
    )
    rows: list[Mapping[str, Cell]] = []
    for row in connection.execute(query):
        if asked.sees(row.company):
            money = row.currency is not None
            rows.append(
                {
                    "account": row.account,
                    "customer": row.name,
                    "company": row.company,
                    "responsible": row.responsible,
                    "receivables": Money(minor=row.open_minor, currency=row.currency) if money else None,
                    "credit": Money(minor=row.credit_minor, currency=row.currency) if money else None,
                }
            )
    columns = (
        *(Column(name=name) for name in ("account", "customer", "company", "responsible")),
        Column(name="receivables", kind="money"),
        Column(name="credit", kind="money"),
    )
    return Sheet(columns=columns, rows=tuple(rows), links=_to_customers(rows))


def _no_action(connection: Connection, asked: ReportAsked) -> Sheet:
    """Clientes sin acción: whom nobody has looked at since the episode opened (S1-08, S1-15)."""
    return _of_worklist(line for line in _worklist(connection, asked) if "no_action" in line.whys)


def _actions(connection: Connection, asked: ReportAsked) -> Sheet:
    """Control de acciones: customers and when somebody acts next, by that day (S1-16)."""
    lines = [line for line in _worklist(connection, asked) if line.next_on is not None]
    return _of_worklist(sorted(lines, key=lambda line: (line.next_on or datetime.date.max, line.account)))


def _worklist(connection: Connection, asked: ReportAsked) -> list[WorkLine]:
    return [line for line in worklist(connection, on=asked.on) if asked.sees(line.company)]


def _of_worklist(lines: Iterable[WorkLine]) -> Sheet:
    rows: list[Mapping[str, Cell]] = []
    for line in lines:
        common: dict[str, Cell] = {
            "account": line.account,
            "customer": line.name,
            "days": line.days,
            "responsible": line.responsible,
            "next_on": line.next_on,
            "last_contact_on": line.last_contact_on,
        }
        rows += [
            {**common, "overdue": Money(minor=minor, currency=currency)} for currency, minor in line.at_risk
        ] or [common]
    columns = (
        Column(name="account"),
        Column(name="customer"),
        Column(name="overdue", kind="money"),
        Column(name="days", kind="number"),
        Column(name="responsible"),
        Column(name="next_on", kind="day"),
        Column(name="last_contact_on", kind="day"),
    )
    return Sheet(columns=columns, rows=tuple(rows), links=_to_customers(rows))


def _activity(connection: Connection, asked: ReportAsked) -> Sheet:
    """Registro de clientes: what was written down of each (S1-14)."""
    decoder = json.Decoder(AddNote)
    query = (
        select(requests, func.coalesce(customers.c["name"], "").label("name"))
        .select_from(requests.outerjoin(customers, customers.c["account"] == requests.c["account"]))
        .where(requests.c["request_type"] == _NOTE)
        .order_by(requests.c["account"], requests.c["occurred_at"])
        .limit(_LINES_MAX)
    )
    rows: list[Mapping[str, Cell]] = []
    for row in connection.execute(query):
        if asked.sees(row.company):
            note = decoder.decode(row.request_json)
            rows.append(
                {
                    "account": row.account,
                    "customer": row.name,
                    "on": datetime.date.fromisoformat(row.occurred_at[:10]),
                    "kind": note.kind,
                    "responsible": note.responsible,
                    "observations": note.text,
                    "author": row.author,
                }
            )
    columns = (
        Column(name="account"),
        Column(name="customer"),
        Column(name="on", kind="day"),
        *(Column(name=name) for name in ("kind", "responsible", "observations", "author")),
    )
    return Sheet(columns=columns, rows=tuple(rows), links=_to_customers(rows))


def _figures(connection: Connection, asked: ReportAsked) -> Sheet:
    """The executive page: DSO, best possible DSO, average days delinquent, effectiveness, promises kept (S0-27, S0-28)."""
    shares = ("effectiveness", "paid_late", "promises_kept")
    days = ("dso", "best_dso", "days_delinquent")
    found = figures(connection, as_of=asked.on, days=asked.days, company=asked.company or None)
    rows: list[Mapping[str, Cell]] = [
        {
            "company": each.company,
            "receivables": Money(minor=each.receivables_minor, currency=each.currency),
            "sales": Money(minor=each.sales_minor, currency=each.currency),
            **{name: getattr(each, name) for name in (*days, *shares)},
        }
        for each in found
        if asked.sees(each.company)
    ]
    columns = (
        Column(name="company"),
        Column(name="receivables", kind="money"),
        Column(name="sales", kind="money"),
        *(Column(name=name, kind="number") for name in (*days, *shares)),
    )
    return Sheet(columns=columns, rows=tuple(rows))


def _to_customers(rows: list[Mapping[str, Cell]]) -> tuple[Mapping[str, str], ...]:
    return tuple({"account": _customer(str(row["account"]))} for row in rows)


def _customer(account: str) -> str:
    return f"/customers/{quote(account, safe='')}"


REPORTS: Final[Mapping[str, Callable[[Connection, ReportAsked], Sheet]]] = {
    "aged": _aged,
    "customers": _customers,
    "no_action": _no_action,
    "actions": _actions,
    "activity": _activity,
    "figures": _figures,
}

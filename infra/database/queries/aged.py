"""The aged balance as of the end of a day: what each customer owes, by how late it is (SEMANTICS 6)."""

import datetime
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, Select, func, literal, or_, select, union_all

from infra.database.queries.balances import (
    Scope,
    counted,
    credit_as_of,
    no_date,
    open_items_as_of,
    overdue_between,
    total,
)
from infra.database.tables import customers

__all__ = ["EDGES", "Aged", "AgedRow", "Bucket", "aged", "aged_rows", "aged_totals", "bucket_names"]

EDGES: Final = (30, 60, 90)


class Bucket(Struct, frozen=True, kw_only=True):
    """Items of one degree of lateness: how many, and their open amounts."""

    count: int
    amount_minor: int


class AgedRow(Struct, frozen=True, kw_only=True):
    """One customer, or all (``account`` is ''), in one currency; buckets in the order of `bucket_names`.

    ``oldest_due_on`` is the earliest due date of what is open; None: nothing is, or it has no date.
    """

    account: str
    name: str
    currency: str
    open_count: int
    receivables_minor: int
    buckets: tuple[Bucket, ...]
    credit_minor: int
    oldest_due_on: datetime.date | None = None


class Aged(Struct, frozen=True, kw_only=True):
    """The report: customers, and a total for each currency; currencies are never added together."""

    as_of: datetime.date
    bucket_names: tuple[str, ...]
    rows: tuple[AgedRow, ...]
    totals: tuple[AgedRow, ...]


def bucket_names(edges: Sequence[int]) -> tuple[str, ...]:
    """Name the buckets: ``not due``, ``1-30``, …, ``90+``.

    Raises:
        ValueError: the edges are not positive and ascending.
    """
    if not edges or edges[0] < 1 or any(one >= other for one, other in pairwise(edges)):
        raise ValueError(f"edges must be positive and ascending, not {list(edges)}")
    return ("not due", *(f"{first}-{last}" for first, last in _ranges(edges)[:-1]), f"{edges[-1]}+")


def aged(
    connection: Connection,
    *,
    as_of: datetime.date,
    company: str | None = None,
    account: str | None = None,
    edges: Sequence[int] = EDGES,
) -> Aged:
    """Compute the aged balance at the end of `as_of`, a company day.

    Raises:
        ValueError: as `bucket_names`.
    """
    names = bucket_names(edges)
    scope = (company, account)
    return Aged(
        as_of=as_of,
        bucket_names=names,
        rows=aged_rows(connection, as_of=as_of, scope=scope, edges=edges),
        totals=aged_totals(connection, as_of=as_of, scope=scope, edges=edges),
    )


def aged_rows(
    connection: Connection, *, as_of: datetime.date, scope: Scope, edges: Sequence[int] = EDGES
) -> tuple[AgedRow, ...]:
    """Give the rows of customers alone, by account and currency; a scope of some accounts reads no others."""
    selected = _selected(as_of, scope)
    sums = (
        select(selected.c.account, *_figures(selected, as_of=as_of, edges=edges))
        .group_by(selected.c.account, selected.c.currency)
        .subquery("sums")
    )
    # Names are looked up for customers, not for each of their items.
    account, *figures = sums.c
    by_customer = (
        select(account, func.coalesce(customers.c.name, "").label("name"), *figures)
        .select_from(sums.outerjoin(customers, customers.c.account == sums.c.account))
        .order_by(sums.c.account, sums.c.currency)
    )
    return tuple(_row(row) for row in connection.execute(by_customer))


def aged_totals(
    connection: Connection, *, as_of: datetime.date, scope: Scope, edges: Sequence[int] = EDGES
) -> tuple[AgedRow, ...]:
    """Give the totals alone, one for each currency."""
    selected = _selected(as_of, scope)
    by_currency: Select[Any] = (
        select(
            literal("").label("account"),
            literal("").label("name"),
            *_figures(selected, as_of=as_of, edges=edges),
        )
        .select_from(selected)
        .group_by(selected.c.currency)
        .order_by(selected.c.currency)
    )
    return tuple(_row(row) for row in connection.execute(by_currency))


def _ranges(edges: Sequence[int]) -> list[tuple[int, int | None]]:
    firsts = [1, *(edge + 1 for edge in edges)]
    return list(zip(firsts, [*edges, None], strict=True))


def _selected(as_of: datetime.date, scope: Scope) -> Any:
    items = open_items_as_of(as_of, scope=scope)
    credit = credit_as_of(as_of, scope=scope).subquery("credit")
    return union_all(
        select(
            items.c.account,
            items.c.currency,
            literal(1).label("item_count"),
            items.c.open_minor,
            items.c.due_on,
            literal(0).label("credit_minor"),
        ),
        select(
            credit.c.account,
            credit.c.currency,
            literal(0).label("item_count"),
            literal(0).label("open_minor"),
            no_date().label("due_on"),
            credit.c.credit_minor,
        ),
    ).cte("selected")


def _figures(selected: Any, *, as_of: datetime.date, edges: Sequence[int]) -> list[Any]:
    not_due = or_(selected.c.due_on >= as_of, selected.c.due_on.is_(None))
    late = [
        overdue_between(selected.c.due_on, as_of=as_of, first=first, last=last)
        for first, last in _ranges(edges)
    ]
    buckets = [
        figure
        for place, condition in enumerate([not_due, *late])
        for figure in (
            counted(condition, selected.c.item_count).label(f"count_{place}"),
            counted(condition, selected.c.open_minor).label(f"amount_{place}"),
        )
    ]
    return [
        selected.c.currency,
        total(selected.c.item_count).label("open_count"),
        total(selected.c.open_minor).label("receivables"),
        total(selected.c.credit_minor).label("credit"),
        func.min(selected.c.due_on).label("oldest"),
        *buckets,
    ]


def _row(row: Any) -> AgedRow:
    account, name, currency, open_count, receivables, credit, oldest, *figures = row
    pairs = zip(figures[::2], figures[1::2], strict=True)
    return AgedRow(
        account=account,
        name=name,
        currency=currency,
        open_count=open_count,
        receivables_minor=receivables,
        buckets=tuple(Bucket(count=count, amount_minor=amount) for count, amount in pairs),
        credit_minor=credit,
        oldest_due_on=oldest,
    )

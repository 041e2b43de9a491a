"""Figures of collection (SEMANTICS 6) per company and currency: from movements dated until the day, and promises.

Decimal arithmetic only, to four decimals, half up; where there is nothing to divide by there is no figure.
"""

import datetime
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, and_, func, select

from infra.database.queries.balances import counted, in_scope, newest_due_on, open_items_as_of, total
from infra.database.queries.dso import Dso, dso
from infra.database.tables import accounts, arrangements, balances, movements

__all__ = ["Figures", "figures", "places"]

_PLACES: Final = Decimal("0.0001")
Place = tuple[str, str]  # (company, currency)


class Figures(Struct, frozen=True, kw_only=True):
    """One company in one currency over (as_of − days, as_of].

    Days: ``dso``, ``best_dso`` (what is not due yet over sales), ``days_delinquent`` (their difference).
    Shares of one: ``effectiveness`` (collected of what could be), ``paid_late`` (of the items that
    money settled), ``promises_kept`` (of those that ended). None: nothing to divide by.
    """

    company: str
    currency: str
    opening_minor: int
    sales_minor: int
    receivables_minor: int
    not_due_minor: int
    dso: Decimal | None
    best_dso: Decimal | None
    days_delinquent: Decimal | None
    effectiveness: Decimal | None
    paid_items: int
    paid_late_items: int
    paid_late: Decimal | None
    promises: int
    promises_kept: Decimal | None


def places(connection: Connection, *, company: str | None = None) -> list[Place]:
    """List the companies and currencies in which something was ever owed or paid, which no figure has to be made for."""
    query = select(accounts.c["company"], balances.c["currency"]).distinct()
    query = query.select_from(balances.join(accounts, accounts.c["account"] == balances.c["account"]))
    if company is not None:
        query = query.where(accounts.c["company"] == company)
    return [
        (row.company, row.currency) for row in connection.execute(query.order_by(*query.selected_columns))
    ]


def figures(
    connection: Connection, *, as_of: datetime.date, days: int, company: str | None = None
) -> list[Figures]:
    """Compute the figures as of the end of a day, for a window of so many days.

    Raises:
        ValueError: `days` is not positive.
    """
    after = as_of - datetime.timedelta(days=days)
    closing = {
        (each.company, each.currency): each
        for each in dso(connection, as_of=as_of, days=days, company=company)
    }
    opening = _receivables(connection, as_of=after, company=company)
    not_due = _not_due(connection, as_of=as_of, company=company)
    paid = _paid(connection, as_of=as_of, after=after, company=company)
    promises = _promises(connection, as_of=as_of, after=after, company=company)
    return [
        _figures(
            place,
            closing.get(place),
            opening_minor=opening.get(place, 0),
            not_due_minor=not_due.get(place, 0),
            days=days,
            paid=paid.get(place, (0, 0)),
            promises=promises.get(place, (0, 0)),
        )
        for place in sorted(closing.keys() | promises.keys())
    ]


def _figures(
    place: Place,
    closing: Dso | None,
    *,
    opening_minor: int,
    not_due_minor: int,
    days: int,
    paid: tuple[int, int],
    promises: tuple[int, int],
) -> Figures:
    sales = 0 if closing is None else closing.sales_minor
    receivables = 0 if closing is None else closing.receivables_minor
    outstanding = None if closing is None else closing.days_outstanding
    best = _ratio(not_due_minor * days, sales)
    collectable = opening_minor + sales
    return Figures(
        company=place[0],
        currency=place[1],
        opening_minor=opening_minor,
        sales_minor=sales,
        receivables_minor=receivables,
        not_due_minor=not_due_minor,
        dso=outstanding,
        best_dso=best,
        days_delinquent=None if outstanding is None or best is None else outstanding - best,
        effectiveness=_ratio(collectable - receivables, collectable - not_due_minor),
        paid_items=paid[0],
        paid_late_items=paid[1],
        paid_late=_ratio(paid[1], paid[0]),
        promises=promises[0],
        promises_kept=_ratio(promises[1], promises[0]),
    )


def _ratio(part: int, whole: int) -> Decimal | None:
    return None if whole <= 0 else (Decimal(part) / Decimal(whole)).quantize(_PLACES, ROUND_HALF_UP)


def _receivables(connection: Connection, *, as_of: datetime.date, company: str | None) -> dict[Place, int]:
    rows = connection.execute(
        select(movements.c.company, movements.c.currency, total(movements.c.amount_minor))
        .where(
            movements.c.item != "", movements.c.business_date <= as_of, *in_scope(movements, (company, None))
        )
        .group_by(movements.c.company, movements.c.currency)
    )
    return {(name, currency): minor for name, currency, minor in rows}


def _not_due(connection: Connection, *, as_of: datetime.date, company: str | None) -> dict[Place, int]:
    """Sum what is open and not overdue: due on the day itself, later, or without a date yet."""
    found = open_items_as_of(as_of, scope=(company, None))
    overdue = counted(found.c.due_on < as_of, found.c.open_minor)
    rows = connection.execute(
        select(found.c.company, found.c.currency, total(found.c.open_minor) - overdue).group_by(
            found.c.company, found.c.currency
        )
    )
    return {(name, currency): minor for name, currency, minor in rows}


def _paid(
    connection: Connection, *, as_of: datetime.date, after: datetime.date, company: str | None
) -> dict[Place, tuple[int, int]]:
    """Count the items that payments settled in the window, and those of them settled after their due date."""
    # Item by item in one pass, without a join: most items are settled, and PostgreSQL, which thinks that few are, would
    # look through all dates for each of them.
    moved = movements.c
    by_money = and_(moved.kind == "applied", moved.counterpart.like("payment/%"))
    settled = (
        select(
            moved.company,
            moved.currency,
            func.max(moved.business_date).label("closed_on"),
            newest_due_on().label("due_on"),
        )
        .where(moved.item != "", moved.business_date <= as_of, *in_scope(movements, (company, None)))
        .group_by(moved.company, moved.currency, moved.account, moved.item)
        .having(func.sum(moved.amount_minor) == 0, func.max(moved.business_date) > after)
        .having(counted(moved.kind == "cancelled", 1) == 0, counted(by_money, 1) > 0)
        .having(func.max(moved.due_on).is_not(None))
        .cte("settled")
    )
    late = counted(settled.c.closed_on > settled.c.due_on, 1)
    rows = connection.execute(
        select(settled.c.company, settled.c.currency, func.count(), late).group_by(
            settled.c.company, settled.c.currency
        )
    )
    return {(name, currency): (count, late) for name, currency, count, late in rows}


def _promises(
    connection: Connection, *, as_of: datetime.date, after: datetime.date, company: str | None
) -> dict[Place, tuple[int, int]]:
    """Count the promises whose time ended in the window, and those that were kept."""
    ended = ("kept", "partly_kept", "broken")
    rows = connection.execute(
        select(arrangements.c["company"], arrangements.c["currency"], arrangements.c["status"], func.count())
        .where(arrangements.c["kind"] == "promise", arrangements.c["status"].in_(ended))
        .where(arrangements.c["until_on"] > after, arrangements.c["until_on"] <= as_of)
        .where(*([arrangements.c["company"] == company] if company else []))
        .group_by(arrangements.c["company"], arrangements.c["currency"], arrangements.c["status"])
    )
    found: defaultdict[Place, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for name, currency, status, count in rows:
        promised, kept = found[name, currency]
        found[name, currency] = promised + count, kept + (count if status == "kept" else 0)
    return dict(found)

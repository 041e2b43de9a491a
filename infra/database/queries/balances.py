"""The parts that figures are made of: open amounts, due dates and credit as of the end of a day.

An item's due date as of D is the one of its last movement, in the order of the log, that set one and
is dated D or before: revisions only rise in the log, and the ledger duns by the highest (SEMANTICS 2.2).
"""

import datetime
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    select,
)

from infra.database.tables import movements

__all__ = [
    "Scope",
    "counted",
    "credit_as_of",
    "in_scope",
    "newest_due_on",
    "no_date",
    "open_items_as_of",
    "overdue_between",
    "total",
]

_FIRST_OF_19_DIGITS: Final = 10**18

# (company, accounts): one account, some, or those that a query selects; None: all.
Scope = tuple[str | None, str | Sequence[str] | Select[Any] | None]


def total(amount: Any) -> ColumnElement[int]:
    """Sum as an integer (PostgreSQL's sums of bigint are numeric), 0 of nothing."""
    return cast(func.coalesce(func.sum(amount), 0), BigInteger)


def in_scope(table: Any, scope: Scope) -> list[ColumnElement[bool]]:
    """Give the conditions that a scope sets on a table with columns ``company`` and ``account``."""
    company, account = scope
    conditions = []
    if company is not None:
        conditions.append(table.c.company == company)
    if isinstance(account, str):
        conditions.append(table.c.account == account)
    elif account is not None:
        conditions.append(table.c.account.in_(account))
    return conditions


def open_items_as_of(as_of: datetime.date, *, scope: Scope) -> Any:
    """Select (company, account, currency, item, open_minor, due_on) of items not settled at the end of a day."""
    by = (movements.c.company, movements.c.account, movements.c.currency, movements.c.item)
    # What has no due date yet (a cancellation dated before its invoice) still counts as money.
    return (
        select(*by, total(movements.c.amount_minor).label("open_minor"), newest_due_on().label("due_on"))
        .where(movements.c.item != "", movements.c.business_date <= as_of, *in_scope(movements, scope))
        .group_by(*by)
        .having(func.sum(movements.c.amount_minor) != 0)
        .cte("open_items")
    )


def newest_due_on() -> ColumnElement[Any]:
    """Give the due date of a group's last movement that set one.

    The greatest place in the log, written with as many digits always, brings its date along: no window is sorted,
    which took half of an aged balance's time, and none of the databases needs words of its own.
    """
    place = cast(movements.c.record_offset + _FIRST_OF_19_DIGITS, Text)
    said = case((movements.c.due_on.is_not(None), place + cast(movements.c.due_on, Text)))
    return func.date(func.substr(func.max(said), 20), type_=Date())


def credit_as_of(as_of: datetime.date, *, scope: Scope) -> Select[Any]:
    """Select (company, account, currency, credit_minor): money and credit notes that are not applied."""
    columns = (movements.c.company, movements.c.account, movements.c.currency)
    return (
        select(*columns, total(movements.c.amount_minor).label("credit_minor"))
        .where(movements.c.credit != "", movements.c.business_date <= as_of, *in_scope(movements, scope))
        .group_by(*columns)
        .having(func.sum(movements.c.amount_minor) != 0)
    )


def overdue_between(
    due_on: ColumnElement[Any], *, as_of: datetime.date, first: int, last: int | None
) -> ColumnElement[bool]:
    """Say whether an item is `first` to `last` days past due (SEMANTICS 6); None: or more.

    Days are compared as dates, which is the same in both databases; differences are not.
    """
    oldest_ok = literal(True) if last is None else due_on >= as_of - datetime.timedelta(days=last)
    return and_(due_on <= as_of - datetime.timedelta(days=first), oldest_ok)


def no_date() -> ColumnElement[Any]:
    """Give a date that is not there, typed, for one side of a UNION."""
    return cast(null(), Date)


def counted(condition: ColumnElement[bool], value: Any) -> ColumnElement[int]:
    """Sum `value` over the rows for which the condition holds."""
    return total(case((condition, value), else_=0))

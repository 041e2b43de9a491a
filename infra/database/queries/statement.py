"""An account's statement as of the end of a day: what moved its balance, and what is open.

The balance is Σ open amounts − Σ unapplied credit. Applying credit to an item moves both by the
same amount, so applications are no lines of a statement, nor is splitting an item into instalments; the open items
show what they did.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final, TypeVar

from msgspec import Struct
from sqlalchemy import Connection, and_, case, exists, func, or_, select

from infra.database.queries.aged import EDGES, AgedRow, aged, bucket_names
from infra.database.queries.balances import Scope, open_items_as_of, total
from infra.database.queries.conditional import ConditionalPayment, conditional_payments
from infra.database.tables import accounts, customers, items, movements

__all__ = ["CurrencyStatement", "OpenItem", "Statement", "StatementLine", "statement", "statement_lines"]

_INNER: Final = ("applied", "unapplied", "split", "instalment")
_Entry = TypeVar("_Entry")


class StatementLine(Struct, frozen=True, kw_only=True):
    """One change of the balance: documents raise it, money and credit notes lower it."""

    date: datetime.date
    kind: str
    document: str
    due_on: datetime.date | None
    amount_minor: int
    balance_minor: int


class OpenItem(Struct, frozen=True, kw_only=True):
    """An item that is not settled; ``days_overdue`` is 0 or less when it is not late."""

    item: str
    reference: str
    issued_on: datetime.date | None
    due_on: datetime.date | None
    amount_minor: int
    open_minor: int
    days_overdue: int


class CurrencyStatement(Struct, frozen=True, kw_only=True):
    """All of one currency; ``opening_minor`` is the balance before the first line's day.

    ``conditional`` is no part of any balance: it has not cleared (S1-21).
    """

    currency: str
    opening_minor: int
    lines: tuple[StatementLine, ...]
    closing_minor: int
    open_items: tuple[OpenItem, ...]
    conditional: tuple[ConditionalPayment, ...]
    aged: AgedRow | None


class Statement(Struct, frozen=True, kw_only=True):
    """An account's statement; currencies stand side by side."""

    account: str
    name: str
    first_on: datetime.date | None
    as_of: datetime.date
    bucket_names: tuple[str, ...]
    currencies: tuple[CurrencyStatement, ...]


def statement(
    connection: Connection, *, account: str, as_of: datetime.date, first_on: datetime.date | None = None
) -> Statement | None:
    """Make the statement of an account at the end of `as_of`; None: nothing is known of the account.

    Args:
        connection: one that sees one moment.
        account: its id.
        as_of: a company day.
        first_on: the first day of the lines; what was before is the opening balance. None: all.
    """
    name = _name(connection, account)
    if name is None:
        return None
    scope = (None, account)
    opening = _opening(connection, scope, first_on)
    lines = _by_currency(_lines(connection, scope, as_of, first_on))
    open_items = _by_currency(_open_items(connection, scope, as_of))
    conditional = _by_currency(
        (each.currency, each) for each in conditional_payments(connection, account=account, as_of=as_of)
    )
    by_age = {row.currency: row for row in aged(connection, as_of=as_of, account=account).rows}
    currencies = sorted({*opening, *lines, *by_age, *conditional})
    return Statement(
        account=account,
        name=name,
        first_on=first_on,
        as_of=as_of,
        bucket_names=bucket_names(EDGES),
        currencies=tuple(
            CurrencyStatement(
                currency=currency,
                opening_minor=opening.get(currency, 0),
                lines=tuple(lines[currency]),
                closing_minor=_closing(lines[currency], opening.get(currency, 0)),
                open_items=tuple(open_items[currency]),
                conditional=tuple(conditional[currency]),
                aged=by_age.get(currency),
            )
            for currency in currencies
        ),
    )


def statement_lines(
    connection: Connection, *, account: str, as_of: datetime.date, first_on: datetime.date | None = None
) -> int:
    """Count the lines that a statement would have, and the items open now, without reading them; arguments as for `statement`."""
    moved = [
        movements.c.account == account,
        movements.c.business_date <= as_of,
        movements.c.kind.not_in(_INNER),
        *([] if first_on is None else [movements.c.business_date >= first_on]),
    ]
    open_now = [items.c.account == account, items.c.open_minor > 0]
    counts = (
        select(func.count()).select_from(table).where(*conditions).scalar_subquery()
        for table, conditions in ((movements, moved), (items, open_now))
    )
    return int(sum(connection.execute(select(*counts)).one()))


def _name(connection: Connection, account: str) -> str | None:
    name = connection.execute(select(customers.c.name).where(customers.c.account == account)).scalar()
    if name is not None:
        return str(name)
    known = or_(*(exists().where(table.c.account == account) for table in (accounts, movements)))
    return "" if connection.execute(select(known)).scalar_one() else None


def _effect() -> Any:
    """Give a movement's effect on the balance: credit counts against it."""
    return case((movements.c.item != "", movements.c.amount_minor), else_=-movements.c.amount_minor)


def _opening(connection: Connection, scope: Scope, first_on: datetime.date | None) -> dict[str, int]:
    if first_on is None:
        return {}
    rows = connection.execute(
        select(movements.c.currency, total(_effect()))
        .where(movements.c.account == scope[1], movements.c.business_date < first_on)
        .group_by(movements.c.currency)
    )
    return {row[0]: row[1] for row in rows}


def _lines(
    connection: Connection, scope: Scope, as_of: datetime.date, first_on: datetime.date | None
) -> Iterable[tuple[str, StatementLine]]:
    running = _balance_over_time()
    said = (
        select(
            movements.c.currency,
            movements.c.business_date,
            movements.c.kind,
            case((movements.c.item != "", movements.c.item), else_=movements.c.credit).label("document"),
            movements.c.due_on,
            _effect().label("amount"),
            running.label("balance"),
            movements.c.record_offset,
        )
        .where(movements.c.account == scope[1], movements.c.business_date <= as_of)
        .where(movements.c.kind.not_in(_INNER))
        .subquery("said")
    )
    shown = select(said).order_by(said.c.business_date, said.c.record_offset)
    if first_on is not None:
        shown = shown.where(said.c.business_date >= first_on)
    for currency, day, kind, document, due_on, amount, balance, _ in connection.execute(shown):
        yield (
            currency,
            StatementLine(
                date=day,
                kind=kind,
                document=document,
                due_on=due_on,
                amount_minor=amount,
                balance_minor=int(balance),
            ),
        )


def _balance_over_time() -> Any:
    """Sum the effects up to and with each movement, per currency, in the order of days and of the log."""
    return func.sum(_effect()).over(
        partition_by=movements.c.currency, order_by=(movements.c.business_date, movements.c.record_offset)
    )


def _open_items(connection: Connection, scope: Scope, as_of: datetime.date) -> Iterable[tuple[str, OpenItem]]:
    found = open_items_as_of(as_of, scope=scope)
    same = and_(items.c.account == found.c.account, items.c.item == found.c.item)
    rows = connection.execute(
        select(found, items.c.issued_on, items.c.reference, items.c.amount_minor)
        .select_from(found.outerjoin(items, same))
        .order_by(found.c.due_on, found.c.item)
    )
    for row in rows:
        yield (
            row.currency,
            OpenItem(
                item=row.item,
                reference=row.reference or "",
                issued_on=row.issued_on,
                due_on=row.due_on,
                amount_minor=row.open_minor if row.amount_minor is None else row.amount_minor,
                open_minor=row.open_minor,
                days_overdue=(as_of - row.due_on).days if row.due_on else 0,
            ),
        )


def _by_currency(entries: Iterable[tuple[str, _Entry]]) -> defaultdict[str, list[_Entry]]:
    sorted_out: defaultdict[str, list[_Entry]] = defaultdict(list)
    for currency, entry in entries:
        sorted_out[currency].append(entry)
    return sorted_out


def _closing(lines: list[StatementLine], opening_minor: int) -> int:
    return lines[-1].balance_minor if lines else opening_minor

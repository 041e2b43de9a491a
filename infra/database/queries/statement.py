"""An account's statement as of the end of a day: what moved its balance, and what is open.

The balance is Σ open amounts − Σ unapplied credit. Applying credit to an item moves both by the
same amount, so applications are no lines of a statement, nor is splitting an item into instalments; the open items
show what they did.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Row, and_, case, exists, false, func, not_, or_, select

from infra.database.queries.aged import EDGES, AgedRow, aged_rows, bucket_names
from infra.database.queries.balances import Scope, counted, open_items_as_of, total
from infra.database.queries.conditional import ConditionalPayment, conditional_payments
from infra.database.tables import accounts, customers, items, movements

__all__ = [
    "CurrencyStatement",
    "CurrencySums",
    "OpenItem",
    "Part",
    "Statement",
    "StatementLine",
    "balances_of",
    "currency_sums",
    "moved_lines",
    "statement",
    "statement_lines",
]

_INNER: Final = ("applied", "unapplied", "split", "instalment")
_ROWS_AT_ONCE: Final = 200
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


class Part(Struct, frozen=True, kw_only=True):
    """Which of the lines, the newest first, and of the open items, the first due first, are read: of each currency."""

    skip: int = 0
    most: int


class CurrencySums(Struct, frozen=True, kw_only=True):
    """What an account's statement of one currency adds up to, and how many lines it has.

    ``moved_minor``: what all lines come to, those before the first day, too: the balance after the newest.
    """

    opening_minor: int = 0
    closing_minor: int = 0
    line_count: int = 0
    moved_minor: int = 0


class CurrencyStatement(Struct, frozen=True, kw_only=True):
    """All of one currency; ``opening_minor`` is the balance before the first line's day.

    ``line_count`` and ``open_count`` are of all there are, where a part of them is read.

    ``conditional`` is no part of any balance: it has not cleared (S1-21).
    """

    currency: str
    opening_minor: int
    lines: tuple[StatementLine, ...]
    closing_minor: int
    open_items: tuple[OpenItem, ...]
    line_count: int
    open_count: int
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
    connection: Connection,
    *,
    account: str,
    as_of: datetime.date,
    first_on: datetime.date | None = None,
    part: Part | None = None,
) -> Statement | None:
    """Make the statement of an account at the end of `as_of`; None: nothing is known of the account.

    Args:
        connection: one that sees one moment.
        account: its id.
        as_of: a company day.
        first_on: the first day of the lines; what was before is the opening balance. None: all.
        part: of the lines and open items; None: all of them. Balances and counts are of all in any case.
    """
    name = _name(connection, account)
    if name is None:
        return None
    scope = (None, account)
    sums = currency_sums(connection, account=account, as_of=as_of, first_on=first_on)
    lines = _by_currency(
        _lines(connection, scope, as_of, first_on)
        if part is None
        else _newest_lines(connection, scope, as_of, first_on, part=part, sums=sums)
    )
    open_items = _by_currency(_open_items(connection, scope, as_of, part))
    conditional = _by_currency(
        (each.currency, each) for each in conditional_payments(connection, account=account, as_of=as_of)
    )
    by_age = {row.currency: row for row in aged_rows(connection, as_of=as_of, scope=(None, account))}
    currencies = sorted({*sums, *by_age, *conditional})
    return Statement(
        account=account,
        name=name,
        first_on=first_on,
        as_of=as_of,
        bucket_names=bucket_names(EDGES),
        currencies=tuple(
            CurrencyStatement(
                currency=currency,
                opening_minor=of.opening_minor,
                lines=tuple(lines[currency]),
                closing_minor=of.closing_minor,
                open_items=tuple(open_items[currency]),
                line_count=of.line_count,
                open_count=by_age[currency].open_count if currency in by_age else 0,
                conditional=tuple(conditional[currency]),
                aged=by_age.get(currency),
            )
            for currency in currencies
            for of in [sums.get(currency, CurrencySums())]
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


def currency_sums(
    connection: Connection, *, account: str, as_of: datetime.date, first_on: datetime.date | None
) -> dict[str, CurrencySums]:
    """Add up an account's statement by currency, of those that have moved; arguments as for `statement`."""
    is_before = false() if first_on is None else movements.c.business_date < first_on
    is_line = and_(not_(is_before), movements.c.kind.not_in(_INNER))
    rows = connection.execute(
        select(
            movements.c.currency,
            counted(is_before, _effect()),
            total(_effect()),
            counted(is_line, 1),
            counted(is_before, 1),
            counted(movements.c.kind.not_in(_INNER), _effect()),
        )
        .where(movements.c.account == account, movements.c.business_date <= as_of)
        .group_by(movements.c.currency)
    )
    return {
        currency: CurrencySums(
            opening_minor=opening, closing_minor=closing, line_count=lines, moved_minor=moved
        )
        for currency, opening, closing, lines, before, moved in rows
        if lines or before
    }


def balances_of(connection: Connection, named: Sequence[str], *, as_of: datetime.date) -> dict[str, int]:
    """Add up the balances of accounts at the end of a day, by currency."""
    rows = connection.execute(
        select(movements.c.currency, total(_effect()))
        .where(movements.c.account.in_(named), movements.c.business_date <= as_of)
        .group_by(movements.c.currency)
    )
    return {row[0]: row[1] for row in rows}


def moved_lines(
    connection: Connection,
    *,
    account: str,
    currency: str,
    as_of: datetime.date,
    first_on: datetime.date | None,
    skip: int,
) -> Iterator[StatementLine]:
    """Walk the lines of one currency, the oldest first, without the first ``skip`` of them: no more is read than is taken."""
    said = _balanced(*_said((None, account), as_of), movements.c.currency == currency)
    shown = select(said).order_by(said.c.business_date, said.c.record_offset).offset(skip)
    if first_on is not None:
        shown = shown.where(said.c.business_date >= first_on)
    for row in connection.execute(shown.execution_options(yield_per=_ROWS_AT_ONCE)):
        yield _line(row, int(row.balance))


def _lines(
    connection: Connection, scope: Scope, as_of: datetime.date, first_on: datetime.date | None
) -> Iterable[tuple[str, StatementLine]]:
    said = _balanced(*_said(scope, as_of))
    shown = select(said).order_by(said.c.business_date, said.c.record_offset)
    if first_on is not None:
        shown = shown.where(said.c.business_date >= first_on)
    for row in connection.execute(shown):
        yield row.currency, _line(row, int(row.balance))


def _newest_lines(
    connection: Connection,
    scope: Scope,
    as_of: datetime.date,
    first_on: datetime.date | None,
    *,
    part: Part,
    sums: Mapping[str, CurrencySums],
) -> Iterator[tuple[str, StatementLine]]:
    """Give a part of the lines, the oldest first: counted back from the newest, whose balance is that of all lines."""
    within = [] if first_on is None else [movements.c.business_date >= first_on]
    for currency, of in sums.items():
        backwards = (
            select(*_told())
            .where(*_said(scope, as_of), movements.c.currency == currency, *within)
            .order_by(movements.c.business_date.desc(), movements.c.record_offset.desc())
        )
        balance_minor = of.moved_minor
        if part.skip:
            newer = backwards.limit(part.skip).subquery("newer")
            balance_minor -= connection.execute(select(total(newer.c.amount))).scalar_one()
        found = []
        for row in connection.execute(backwards.offset(part.skip).limit(part.most)):
            found.append((currency, _line(row, balance_minor)))
            balance_minor -= row.amount
        yield from reversed(found)


def _balanced(*conditions: ColumnElement[bool]) -> Any:
    """Select the lines that the conditions leave, each with the balance after it."""
    return select(*_told(), _balance_over_time().label("balance")).where(*conditions).subquery("said")


def _told() -> list[ColumnElement[Any]]:
    """Give the columns of a line, but its balance."""
    return [
        movements.c.currency,
        movements.c.business_date,
        movements.c.kind,
        case((movements.c.item != "", movements.c.item), else_=movements.c.credit).label("document"),
        movements.c.due_on,
        _effect().label("amount"),
        movements.c.record_offset,
    ]


def _said(scope: Scope, as_of: datetime.date) -> list[ColumnElement[bool]]:
    """Give the conditions on what moved the balance until the end of a day."""
    return [
        movements.c.account == scope[1],
        movements.c.business_date <= as_of,
        movements.c.kind.not_in(_INNER),
    ]


def _line(row: Row[Any], balance_minor: int) -> StatementLine:
    return StatementLine(
        date=row.business_date,
        kind=row.kind,
        document=row.document,
        due_on=row.due_on,
        amount_minor=row.amount,
        balance_minor=balance_minor,
    )


def _balance_over_time() -> Any:
    """Sum the effects up to and with each movement, per currency, in the order of days and of the log."""
    return func.sum(_effect()).over(
        partition_by=movements.c.currency, order_by=(movements.c.business_date, movements.c.record_offset)
    )


def _open_items(
    connection: Connection,
    scope: Scope,
    as_of: datetime.date,
    part: Part | None,
) -> Iterable[tuple[str, OpenItem]]:
    """Give the open items, or a part of them."""
    every = open_items_as_of(as_of, scope=scope)
    place = func.row_number().over(partition_by=every.c.currency, order_by=(every.c.due_on, every.c.item))
    found = select(every, place.label("place")).subquery("found")
    same = and_(items.c.account == found.c.account, items.c.item == found.c.item)
    rows = connection.execute(
        select(found, items.c.issued_on, items.c.reference, items.c.amount_minor)
        .select_from(found.outerjoin(items, same))
        .order_by(found.c.due_on, found.c.item)
        .where(*([] if part is None else [found.c.place > part.skip, found.c.place <= part.skip + part.most]))
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

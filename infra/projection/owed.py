"""What accounts owe, as sums beside their items: kept in the transaction that writes items, so that no page adds up a million.

What an item was before a batch is taken off, what it is afterwards is put on. What is late depends on the day, too:
when a company's day moves, items that have become due since are put on (decision 0017). It refuses to guess: a
sum is of what the table of items has, no more and no less.
"""

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from msgspec import json
from sqlalchemy import (
    Connection,
    Date,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite

from infra.database import tables
from infra.database.bulk import Values, write

__all__ = ["ItemsBefore", "items_before", "keep_owed", "move_days"]

_items: Final = tables.items
_owed: Final = tables.owed
_DAYS: Final = tables.owed_days
_PLACES: Final = {each.name: place for place, each in enumerate(_items.columns)}
_ACCOUNT, _ITEM, _COMPANY = (_PLACES[name] for name in ("account", "item", "company"))
_CURRENCY, _OPEN, _DUE = (_PLACES[name] for name in ("currency", "open_minor", "due_on"))
_BEFORE: Final = {
    "sqlite": text(
        "SELECT i.account, i.currency, i.company, CAST(i.due_on AS TEXT), i.open_minor FROM json_each(:keys) AS k"
        " JOIN items AS i ON i.account = json_extract(k.value, '$[0]') AND i.item = json_extract(k.value, '$[1]')"
        " WHERE i.open_minor > 0"
    ),
    "postgresql": text(
        "SELECT i.account, i.currency, i.company, CAST(i.due_on AS TEXT), i.open_minor"
        " FROM json_array_elements(CAST(:keys AS json)) AS k"
        " JOIN items AS i ON i.account = k ->> 0 AND i.item = k ->> 1 WHERE i.open_minor > 0"
    ),
}
Days = dict[str, datetime.date]


class ItemsBefore(NamedTuple):
    """What the items of a batch were: (account, currency, company, ISO due date, open minor units) of those open."""

    rows: Sequence[Any]


class _Sum(NamedTuple):
    """A change of one line of ``owed``."""

    open_count: int = 0
    open_minor: int = 0
    late_count: int = 0
    late_minor: int = 0


def items_before(connection: Connection, *, keys: Collection[Values]) -> ItemsBefore:
    """Look at items (account, item) before they are written or deleted."""
    if not keys:
        return ItemsBefore(())
    document = json.encode(list(keys)).decode()
    return ItemsBefore(connection.execute(_BEFORE[connection.dialect.name], {"keys": document}).all())


def keep_owed(connection: Connection, *, before: ItemsBefore, rows: Sequence[Values]) -> None:
    """Bring the sums to what items are now; ``rows`` are those that were written since `items_before`."""
    now = [
        (row[_ACCOUNT], row[_CURRENCY], row[_COMPANY], row[_DUE].isoformat(), row[_OPEN])
        for row in rows
        if row[_OPEN] > 0
    ]
    if not now and not before.rows:
        return
    days = _days(connection, companies={each[2] for each in (*before.rows, *now)})
    limits = {company: day.isoformat() for company, day in days.items()}
    changes: defaultdict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    oldest: dict[tuple[str, str, str], str] = {}
    for sign, some in ((-1, before.rows), (1, now)):
        for account, currency, company, due_on, minor in some:
            place = (account, currency, company)
            change = changes[place]
            change[0] += sign
            change[1] += sign * minor
            if due_on < limits[company]:
                change[2] += sign
                change[3] += sign * minor
            if due_on < oldest.get(place, "9999-12-31"):
                oldest[place] = due_on
    # A line is looked at again even when its sums are as before: its oldest item may be another.
    _add(connection, [(*place[:2], place[2], *change, datetime.date.fromisoformat(oldest[place]))
                      for place, change in changes.items()])  # fmt: skip


def move_days(connection: Connection) -> None:
    """Bring the companies' days to the clock's, and what is late with them; for when clocks or zones were written, and for a start."""
    known = {row.company: row.day for row in connection.execute(select(_DAYS))}
    moved = {company: day for company, day in _clock_days(connection, known).items() if day != known[company]}
    for company, day in moved.items():
        first, last = sorted((known[company], day))
        sign = 1 if day > known[company] else -1
        became = (
            select(
                _items.c.account,
                _items.c.currency,
                _items.c.company,
                literal(0),
                literal(0),
                sign * func.count(),
                sign * func.sum(_items.c.open_minor),
                func.min(_items.c.due_on),
            )
            .where(_items.c.company == company, text("open_minor > 0"))
            .where(_items.c.due_on >= first, _items.c.due_on < last)
            .group_by(_items.c.account, _items.c.currency, _items.c.company)
        )
        _add(connection, [(*row[:5], int(row[5]), int(row[6]), row[7]) for row in connection.execute(became)])
    write(connection, table=_DAYS, rows=list(moved.items()), known="replaced")


def _days(connection: Connection, *, companies: Collection[str]) -> Days:
    """Give the day of each company; those that have none get the clock's, with nothing late yet."""
    known: Days = {row.company: row.day for row in connection.execute(select(_DAYS))}
    missing = set(companies) - known.keys()
    if missing:
        new = _clock_days(connection, missing)
        write(connection, table=_DAYS, rows=sorted(new.items()), known="left")
        known |= new
    return known


def _clock_days(connection: Connection, companies: Iterable[str]) -> Days:
    """Give each company's day of the newest tick that all partitions have, as the worklist does."""
    at = connection.execute(select(func.min(tables.clocks.c["at"]))).scalar_one()
    zones = {row.company: row.time_zone for row in connection.execute(select(tables.companies))}
    if at is None:
        return dict.fromkeys(companies, datetime.date.min)
    return {each: at.astimezone(ZoneInfo(zones.get(each, "UTC"))).date() for each in companies}


def _add(connection: Connection, rows: list[Values]) -> None:
    """Add changes to lines, new ones included; the oldest due date is read from the items as they are."""
    if not rows:
        return
    names = [each.name for each in _owed.columns]
    if connection.dialect.name == "postgresql":
        document = json.encode([dict(zip(names, row, strict=True)) for row in rows])
        connection.execute(_ADD_DOCUMENT, {"rows": document.decode()})
    else:
        plain = [(*row[:-1], row[-1].isoformat()) for row in rows]
        connection.exec_driver_sql(_ADD_ONE, plain)


def _added(excluded: Any) -> dict[str, Any]:
    sums = {name: _owed.c[name] + excluded[name] for name in _Sum._fields}
    oldest = literal_column(
        "(SELECT i.due_on FROM items AS i WHERE i.account = excluded.account AND i.currency = excluded.currency"
        " AND i.open_minor > 0 ORDER BY i.due_on LIMIT 1)",
        type_=Date(),
    )
    return {**sums, "oldest_due_on": oldest}


def _add_one() -> str:
    statement = sqlite.insert(_owed).values({each.name: None for each in _owed.columns})
    whole = statement.on_conflict_do_update(
        index_elements=["account", "currency"], set_=_added(statement.excluded)
    )
    return str(whole.compile(dialect=sqlite.dialect(paramstyle="qmark")))


def _add_document() -> Any:
    names = [each.name for each in _owed.columns]
    document = cast(bindparam("rows", type_=Text()), postgresql.JSON)
    rows = func.json_populate_recordset(literal_column("NULL::owed"), document).table_valued(*names)
    statement = postgresql.insert(_owed).from_select(
        names, select(*(column(name) for name in names)).select_from(rows)
    )
    return statement.on_conflict_do_update(
        index_elements=["account", "currency"], set_=_added(statement.excluded)
    )


_ADD_ONE: Final = _add_one()
_ADD_DOCUMENT: Final = _add_document()

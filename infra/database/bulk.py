"""Writing many rows at once, by key: inserted when new, replaced (or left) when known.

Each database gets the form that it is fastest at: SQLite one prepared statement run per row
(no network in between), PostgreSQL one statement over one JSON document.
"""

from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any, Final, Literal

from msgspec import json
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Executable,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Dialect

from infra.database.fit_text import ALREADY_FIT

__all__ = ["Known", "Values", "remove", "write"]

# A row's values in the order of its table's columns.
Values = tuple[Any, ...]
Known = Literal["replaced", "left"]
_FIT: Final = {ALREADY_FIT: True}


def write(connection: Connection, *, table: Table, rows: Sequence[Values], known: Known) -> None:
    """Insert rows; those whose key is there already are ``replaced`` or ``left`` as they are.

    Args:
        connection: within a transaction.
        table: whose columns give the order of the values.
        rows: with no key twice (PostgreSQL refuses to write a row twice in one statement), their texts fit already
            (`infra.database.fit_text`).
        known: what happens to a row whose key is there.
    """
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        names = [column.name for column in table.columns]
        document = json.encode([dict(zip(names, row, strict=True)) for row in rows])
        connection.execute(
            _insert_document(table, known), {"rows": document.decode()}, execution_options=_FIT
        )
        return
    columns = list(zip(*rows, strict=True))
    # Past SQLAlchemy's handling of parameters, which costs more per row than SQLite does.
    for place, process in _processors(table, connection.dialect):
        columns[place] = tuple(map(process, columns[place]))
    connection.exec_driver_sql(
        _insert_one(table, known), list(zip(*columns, strict=True)), execution_options=_FIT
    )


def remove(connection: Connection, *, columns: Sequence[Column[Any]], keys: Collection[Values]) -> None:
    """Delete the rows of a table whose ``columns`` have these values."""
    if keys:
        connection.execute(
            _delete(tuple(columns)),
            [{f"k_{place}": value for place, value in enumerate(key)} for key in keys],
        )


@cache
def _insert_one(table: Table, known: Known) -> str:
    statement = sqlite_insert(table).values({column.name: bindparam(column.name) for column in table.columns})
    if known == "left":
        statement = statement.on_conflict_do_nothing()
    else:
        statement = statement.on_conflict_do_update(
            index_elements=list(table.primary_key), set_=_replacement(table, statement.excluded)
        )
    return str(statement.compile(dialect=sqlite.dialect(paramstyle="qmark")))


@cache
def _processors(table: Table, dialect: Dialect) -> list[tuple[int, Callable[[Any], Any]]]:
    """Give the columns (by place) whose values SQLite keeps in another form, and how to make it."""
    found = ((place, column.type.dialect_impl(dialect)) for place, column in enumerate(table.columns))
    processes = ((place, kept.bind_processor(dialect)) for place, kept in found)
    return [(place, process) for place, process in processes if process is not None]


@cache
def _insert_document(table: Table, known: Known) -> Executable:
    names = [column.name for column in table.columns]
    # PostgreSQL reads each member as the type of the column of that name.
    row_type: ColumnElement[Any] = literal_column(f"NULL::{table.name}")
    rows = func.json_populate_recordset(row_type, cast(bindparam("rows", type_=Text()), JSON)).table_valued(
        *names
    )
    statement = postgresql_insert(table).from_select(names, select(*(rows.c[name] for name in names)))
    if known == "left":
        return statement.on_conflict_do_nothing()
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key), set_=_replacement(table, statement.excluded)
    )


@cache
def _delete(columns: tuple[Column[Any], ...]) -> Executable:
    statement = delete(columns[0].table)
    for place, column in enumerate(columns):
        statement = statement.where(column == bindparam(f"k_{place}"))
    return statement


def _replacement(table: Table, excluded: Any) -> dict[str, Any]:
    return {column.name: excluded[column.name] for column in table.columns if not column.primary_key}

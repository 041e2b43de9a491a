"""The columns that tables of the read model are made of: each kind of value has one type."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, Text
from sqlalchemy import text as condition

from infra.database.types import UtcDateTime, key_text

__all__ = [
    "big",
    "count",
    "day",
    "day_or_none",
    "flag",
    "instant",
    "instant_or_none",
    "key",
    "minor",
    "name",
    "part",
    "text",
]


def key(name: str) -> Column[Any]:
    """Make a part of the primary key."""
    return Column(name, key_text(), primary_key=True)


def text(name: str) -> Column[Any]:
    """Make a column of text."""
    return Column(name, Text, nullable=False)


def name(name: str) -> Column[Any]:
    """Make a column of a name that is looked up."""
    return Column(name, key_text(), nullable=False)


def minor(name: str) -> Column[Any]:
    """Make a column of money in minor units."""
    return Column(name, BigInteger, nullable=False)


def big(name: str) -> Column[Any]:
    """Make a column of a count that may pass 32 bits."""
    return Column(name, BigInteger, nullable=False)


def count(name: str) -> Column[Any]:
    """Make a column of a count."""
    return Column(name, Integer, nullable=False)


def flag(name: str) -> Column[Any]:
    """Make a column that is true or false."""
    return Column(name, Boolean, nullable=False)


def day(name: str) -> Column[Any]:
    """Make a column of company days."""
    return Column(name, Date, nullable=False)


def day_or_none(name: str) -> Column[Any]:
    """Make a column of company days, where there is one."""
    return Column(name, Date, nullable=True)


def instant(name: str) -> Column[Any]:
    """Make a column of instants in UTC."""
    return Column(name, UtcDateTime, nullable=False)


def instant_or_none(name: str) -> Column[Any]:
    """Make a column of instants in UTC, where there is one."""
    return Column(name, UtcDateTime, nullable=True)


def part(name: str, *columns: str, of: str) -> Index:
    """Index the rows for which a condition holds: what is done with costs nothing."""
    return Index(name, *columns, sqlite_where=condition(of), postgresql_where=condition(of))

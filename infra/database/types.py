"""Column types that mean the same on SQLite and on PostgreSQL.

It owns how instants and keys are stored; it refuses instants without a zone.
"""

import datetime

from sqlalchemy import DateTime, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

__all__ = ["UtcDateTime", "key_text"]


class UtcDateTime(TypeDecorator[datetime.datetime]):
    """An instant: always aware, always UTC. SQLite loses zones, so it is given none to lose."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime.datetime]:
        """Give PostgreSQL ``timestamptz`` and SQLite a plain timestamp."""
        return dialect.type_descriptor(DateTime(timezone=dialect.name != "sqlite"))

    def process_bind_param(
        self, value: datetime.datetime | None, dialect: Dialect
    ) -> datetime.datetime | None:
        """Turn an aware instant into what the database keeps; raise `ValueError` for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone: only aware instants are stored")
        utc = value.astimezone(datetime.UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(
        self,
        value: datetime.datetime | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> datetime.datetime | None:
        """Give an aware instant in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=datetime.UTC) if value.tzinfo is None else value.astimezone(datetime.UTC)


def key_text() -> TypeEngine[str]:
    """Make the type of text that is compared and ordered by its bytes, in both databases."""
    return Text().with_variant(Text(collation="C"), "postgresql")

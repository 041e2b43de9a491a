"""The tables behind the worklist's pages: batches that people asked for, and filters that they keep.

The projector's rebuild does not know them.
"""

from typing import Final

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text

from infra.database.tables import metadata
from infra.database.types import UtcDateTime, key_text

__all__ = ["batch_lines", "batches", "saved_filters"]

# `asked_json`: what was asked for all of them. `fault`: why carrying it out stopped; '' it did not.
batches: Final = Table(
    "batches",
    metadata,
    Column("batch", key_text(), primary_key=True),
    Column("user", key_text(), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("asked_json", Text, nullable=False),
    Column("fault", Text, nullable=False),
    Index("ix_batches_user", "user", "made_at"),
    Index("ix_batches_made_at", "made_at"),
)

# One row per account, in the order that they were chosen in. `first_command` and `last_command` are ids,
# the same where there is one, '' where there is none: `skipped` says why. `commands_json` are the commands.
batch_lines: Final = Table(
    "batch_lines",
    metadata,
    Column("batch", key_text(), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("account", key_text(), nullable=False),
    Column("name", Text, nullable=False),
    Column("skipped", Text, nullable=False),
    Column("first_command", key_text(), nullable=False),
    Column("last_command", key_text(), nullable=False),
    Column("commands_json", Text, nullable=False),
    Column("is_asked", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

# `query` is a page's query string; nobody sees another one's.
saved_filters: Final = Table(
    "saved_filters",
    metadata,
    Column("user", key_text(), primary_key=True),
    Column("page", key_text(), primary_key=True),
    Column("name", key_text(), primary_key=True),
    Column("query", Text, nullable=False),
    sqlite_with_rowid=False,
)

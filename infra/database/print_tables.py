"""The tables of print runs. They are the only record of what was given to print, so nothing may ever empty them;
the projector's rebuild does not know them.
"""

from typing import Final

from sqlalchemy import Column, Index, Integer, Table, Text, text

from infra.database.tables import metadata
from infra.database.types import UtcDateTime, key_text

__all__ = ["print_letters", "print_runs"]

# Letters that are printed together. A letter belongs to one run for ever: its reminder is the key.
#
#   open ──► closing ──► closed
#
# `closing` takes no more letters and is being written out; `manifest_sha256` and `place` are of what
# was written, and there from the moment on that a printer may take it: nothing is left out of it any more. There is one open run a company at most. `detail` says why a closing run waits.
print_runs: Final = Table(
    "print_runs",
    metadata,
    Column("run", key_text(), primary_key=True),
    Column("company", key_text(), nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", key_text(), nullable=False),
    Column("letters", Integer, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("sheets", Integer, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("closing_at", UtcDateTime, nullable=True),
    Column("closed_at", UtcDateTime, nullable=True),
    Column("place", Text, nullable=False, server_default=""),
    Column("manifest_sha256", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    Index("uq_print_runs_number", "company", "number", unique=True),
    Index(
        "uq_print_runs_open",
        "company",
        unique=True,
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
    Index("ix_print_runs_state", "state"),
    sqlite_with_rowid=False,
)

# `spool` is where the letter waits for its run to be closed; `enclosures_json` lists the documents that come
# into the envelope behind it, each with its own spool, pages and sheets. `left_out` says why a letter was not printed with
# its run, whose counts are without it; a person then has it printed with another one, or gives it up (`settled_at`).
print_letters: Final = Table(
    "print_letters",
    metadata,
    Column("reminder", key_text(), primary_key=True),
    Column("run", key_text(), nullable=False),
    Column("position", Integer, nullable=False),
    Column("company", key_text(), nullable=False),
    Column("account", key_text(), nullable=False),
    Column("customer", key_text(), nullable=False),
    Column("spool", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("sheets", Integer, nullable=False),
    Column("paper", Text, nullable=False),
    Column("enclosures_json", Text, nullable=False, server_default="[]"),
    Column("added_at", UtcDateTime, nullable=False),
    Column("left_out", Text, nullable=False, server_default=""),
    Column("settled_at", UtcDateTime, nullable=True),
    Index(
        "ix_print_letters_left_out",
        "reminder",
        sqlite_where=text("left_out <> '' AND settled_at IS NULL"),
        postgresql_where=text("left_out <> '' AND settled_at IS NULL"),
    ),
    Index("uq_print_letters_run", "run", "position", unique=True),
    Index("ix_print_letters_account", "account"),
    sqlite_with_rowid=False,
)

"""The tables that the console keeps for itself: who may use it, who is using it, and what each has done.

The projector's rebuild does not know them.
"""

from typing import Final

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text, false

from infra.database.tables import metadata
from infra.database.types import UtcDateTime, key_text

__all__ = ["audit", "claims", "login_failures", "sessions", "users"]

# `companies`: ids, one a line; '' is all of them. `password_hash` is argon2's own text; `must_change`: somebody
# else made the password, which is good for nothing but choosing another.
users: Final = Table(
    "users",
    metadata,
    Column("user", key_text(), primary_key=True),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("companies", Text, nullable=False),
    Column("is_disabled", Boolean, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("must_change", Boolean, nullable=False, server_default=false()),
)

# `session` is a digest of what the browser has: who reads this table cannot use it.
sessions: Final = Table(
    "sessions",
    metadata,
    Column("session", key_text(), primary_key=True),
    Column("user", key_text(), nullable=False),
    Column("csrf", Text, nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Index("ix_sessions_user", "user"),
)

# `name` is a user or an address; failures are forgotten when one succeeds, or when time has passed.
login_failures: Final = Table(
    "login_failures",
    metadata,
    Column("name", key_text(), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
)

# One row per thing done: a command (by its id), or an act of the console itself. `said_json`: what it set, by field;
# '' where its detail says all, or where it is as old as `infra.database.trimming` has it.
audit: Final = Table(
    "audit",
    metadata,
    Column("entry", key_text(), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("user", key_text(), nullable=False),
    Column("act", Text, nullable=False),
    Column("account", key_text(), nullable=False),
    Column("detail", Text, nullable=False),
    Column("said_json", Text, nullable=False, server_default=""),
    Index("ix_audit_at", "at"),
    Index("ix_audit_user", "user", "at"),
    Index("ix_audit_account", "account", "at"),
)

# One row per thing that two people may change at once: `infra.database.claims`.
claims: Final = Table(
    "claims",
    metadata,
    Column("name", key_text(), primary_key=True),
    Column("revision", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("entry", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

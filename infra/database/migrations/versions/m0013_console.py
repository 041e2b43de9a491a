"""The console: what was asked of the ledger, who may use it, who is using it, and what each has done."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create requests, which a rebuild of the read model fills, and the console's own tables."""
    key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    instant = sa.DateTime(timezone=True)

    def columns(kind: Any, *names: str) -> list[sa.Column[Any]]:
        return [sa.Column(name, kind, nullable=False) for name in names]

    op.create_table(
        "requests",
        *columns(key_text, "account", "request", "company"),
        *columns(sa.Text(), "request_type", "occurred_at", "author", "request_json"),
        sa.PrimaryKeyConstraint("account", "request", name="pk_requests"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_requests_occurred_at", "requests", ["account", "occurred_at"])
    op.create_table(
        "users",
        *columns(key_text, "user"),
        *columns(sa.Text(), "role", "password_hash", "language", "companies"),
        *columns(sa.Boolean(), "is_disabled"),
        *columns(instant, "changed_at"),
        sa.PrimaryKeyConstraint("user", name="pk_users"),
    )
    op.create_table(
        "sessions",
        *columns(key_text, "session", "user"),
        *columns(sa.Text(), "csrf"),
        *columns(instant, "begun_at", "seen_at"),
        sa.PrimaryKeyConstraint("session", name="pk_sessions"),
    )
    op.create_index("ix_sessions_user", "sessions", ["user"])
    op.create_table(
        "login_failures",
        *columns(key_text, "name"),
        *columns(sa.Integer(), "failures"),
        *columns(instant, "last_at"),
        sa.PrimaryKeyConstraint("name", name="pk_login_failures"),
    )
    op.create_table(
        "audit",
        *columns(key_text, "entry"),
        *columns(instant, "at"),
        *columns(key_text, "user"),
        *columns(sa.Text(), "act"),
        *columns(key_text, "account"),
        *columns(sa.Text(), "detail"),
        sa.PrimaryKeyConstraint("entry", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_account", "audit", ["account", "at"])

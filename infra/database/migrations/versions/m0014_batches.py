"""The worklist's pages: batches that people asked for, filters that they keep, and what became of a command by its key."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Create batches, their lines and saved filters; index exceptions by what they are about."""
    key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    def columns(kind: Any, *names: str) -> list[sa.Column[Any]]:
        return [sa.Column(name, kind, nullable=False) for name in names]

    op.create_table(
        "batches",
        *columns(key_text, "batch", "user"),
        *columns(sa.DateTime(timezone=True), "made_at"),
        *columns(sa.Text(), "asked_json", "fault"),
        sa.PrimaryKeyConstraint("batch", name="pk_batches"),
    )
    op.create_index("ix_batches_user", "batches", ["user", "made_at"])
    op.create_index("ix_batches_made_at", "batches", ["made_at"])
    op.create_table(
        "batch_lines",
        *columns(key_text, "batch"),
        *columns(sa.Integer(), "position"),
        *columns(key_text, "account"),
        *columns(sa.Text(), "name", "skipped"),
        *columns(key_text, "first_command", "last_command"),
        *columns(sa.Text(), "commands_json"),
        *columns(sa.Boolean(), "is_asked"),
        sa.PrimaryKeyConstraint("batch", "position", name="pk_batch_lines"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "saved_filters",
        *columns(key_text, "user", "page", "name"),
        *columns(sa.Text(), "query"),
        sa.PrimaryKeyConstraint("user", "page", "name", name="pk_saved_filters"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_exceptions_key", "exceptions", ["key"])

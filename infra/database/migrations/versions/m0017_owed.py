"""What accounts owe, as sums beside their items; and indexes for what pages ask."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_OPEN = sa.text("open_minor > 0")
_INDEXES = (
    ("ix_accounts_company", "accounts", ["company", "account"]),
    ("ix_arrangements_status", "arrangements", ["status", "kind"]),
    ("ix_reminders_account", "reminders", ["account", "tick"]),
    ("ix_outcomes_status", "outcomes", ["status", "occurred_at"]),
    ("ix_decisions_kind", "decisions", ["kind", "account", "item"]),
    ("ix_exceptions_reason", "exceptions", ["reason"]),
    ("ix_send_jobs_occurred_at", "send_jobs", ["state", "occurred_at"]),
)


def upgrade() -> None:
    """Create the sums and fill them from the items that are there."""
    key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    def columns(kind: Any, *names: str) -> list[sa.Column[Any]]:
        return [sa.Column(name, kind, nullable=False) for name in names]

    op.create_table(
        "owed",
        *columns(key_text, "account", "currency", "company"),
        *columns(sa.BigInteger(), "open_count", "open_minor", "late_count", "late_minor"),
        sa.Column("oldest_due_on", sa.Date, nullable=True),
        sa.PrimaryKeyConstraint("account", "currency", name="pk_owed"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_owed_company", "owed", ["company"])
    op.create_table(
        "owed_days",
        *columns(key_text, "company"),
        *columns(sa.Date(), "day"),
        sa.PrimaryKeyConstraint("company", name="pk_owed_days"),
        sqlite_with_rowid=False,
    )
    _create_part("ix_items_open", "items", ["account", "due_on", "item", "currency", "open_minor"], of=_OPEN)
    _create_part("ix_items_due", "items", ["company", "due_on"], of=_OPEN)
    _create_part("ix_accounts_proposal", "accounts", ["account"], of=sa.text("proposal <> ''"))
    op.drop_index("ix_reminders_account", "reminders")
    for name, table, indexed in _INDEXES:
        op.create_index(name, table, indexed)
    # Nothing is late on the first of all days: a projector that starts moves them to the clock's.
    op.execute(
        "INSERT INTO owed SELECT account, currency, company, COUNT(*), CAST(SUM(open_minor) AS BIGINT), 0, 0,"
        " MIN(due_on) FROM items WHERE open_minor > 0 GROUP BY account, currency, company"
    )
    op.execute("INSERT INTO owed_days SELECT DISTINCT company, DATE '0001-01-01' FROM items" if _is_postgresql()
               else "INSERT INTO owed_days SELECT DISTINCT company, '0001-01-01' FROM items")  # fmt: skip


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _create_part(name: str, table: str, columns: list[str], *, of: Any) -> None:
    op.create_index(name, table, columns, sqlite_where=of, postgresql_where=of)

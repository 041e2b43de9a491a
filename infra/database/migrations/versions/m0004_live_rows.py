"""What an account's future depends on, as the ledger keeps it: one row per live row of state."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the live rows, and find accounts by their wake."""
    key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "live_rows",
        *(sa.Column(name, key_text, nullable=False) for name in ("owner", "kind", "name")),
        sa.Column("row_json", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("owner", "kind", "name", name="pk_live_rows"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_accounts_wake_at", "accounts", ["wake_at"])

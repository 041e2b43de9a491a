"""What was arranged with customers, and which accounts have all they owe held: one row per arrangement of an account."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the list of arrangements, and mark accounts whose items are all held."""
    key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    names = ("account", "arrangement", "company", "customer", "item")
    op.create_table(
        "arrangements",
        *(sa.Column(name, key_text, nullable=False) for name in names),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("kind", "status", "currency")),
        sa.Column("amount_minor", sa.BigInteger, nullable=True),
        sa.Column("received_minor", sa.BigInteger, nullable=False),
        sa.Column("made_on", sa.Date, nullable=False),
        *(sa.Column(name, sa.Date, nullable=True) for name in ("due_on", "until_on", "review_on")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("reason", "author")),
        sa.PrimaryKeyConstraint("account", "arrangement", name="pk_arrangements"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_arrangements_work", "arrangements", ["company", "kind", "status"])
    op.add_column("accounts", sa.Column("is_all_held", sa.Boolean, nullable=False, server_default=sa.false()))

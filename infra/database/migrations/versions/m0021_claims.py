"""Who changes what that stands elsewhere; the list of suppressed addresses is read from its newest entry on."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Create the table of claims, and the index of the list."""
    key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "claims",
        sa.Column("name", key_text, nullable=False),
        sa.Column("revision", sa.Text, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_claims"),
    )
    op.create_index("ix_suppressions_since", "suppressions", ["since", "channel", "address"])

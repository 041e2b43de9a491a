"""Deliveries in doubt keep their evidence: who held them, since when, for which provider, and what was said of them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns of an attempt's evidence, and the notes."""
    key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    for name in ("provider", "endpoint"):
        op.add_column("send_jobs", sa.Column(name, sa.Text, nullable=False, server_default=""))
    for name in ("held_since", "intended_at", "ask_at"):
        op.add_column("send_jobs", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "send_notes",
        *(sa.Column(name, key_text, nullable=False) for name in ("reminder", "channel")),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("author", "what", "detail")),
        sa.PrimaryKeyConstraint("reminder", "channel", "number", name="pk_send_notes"),
        sqlite_with_rowid=False,
    )

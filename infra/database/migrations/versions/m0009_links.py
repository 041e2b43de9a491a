"""Signed links: what their readers asked for, and which are good no more."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the outbox of answers, and the list of revoked links."""
    key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "link_answers",
        *(
            sa.Column(name, key_text, nullable=False)
            for name in ("command", "reminder", "channel", "account")
        ),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_json", sa.Text, nullable=False),
        sa.Column("published", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("command", name="pk_link_answers"),
    )
    op.create_index("ix_link_answers_link", "link_answers", ["reminder", "channel"])
    op.create_index("ix_link_answers_published", "link_answers", ["published", "given_at"])
    op.create_table(
        "link_revocations",
        *(sa.Column(name, key_text, nullable=False) for name in ("kind", "name")),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("author", "reason")),
        sa.PrimaryKeyConstraint("kind", "name", name="pk_link_revocations"),
    )

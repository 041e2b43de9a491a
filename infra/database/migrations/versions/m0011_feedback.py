"""What providers said afterwards, and the addresses that are not written to; deliveries found by the provider's id."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the words and the suppressions, and the index over the provider's names of deliveries."""
    key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "feedback_words",
        sa.Column("word", key_text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        *(
            sa.Column(name, key_text, nullable=False)
            for name in ("said", "channel", "reminder", "provider_id", "account")
        ),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("address", "error_type", "detail", "reply", "occurred_at")
        ),
        sa.Column("received_at", instant, nullable=False),
        sa.Column("state", key_text, nullable=False),
        sa.Column("claimed_until", instant, nullable=True),
        sa.PrimaryKeyConstraint("word", name="pk_feedback_words"),
    )
    op.create_index("ix_feedback_words_state", "feedback_words", ["state", "received_at"])
    op.create_index("ix_feedback_words_reminder", "feedback_words", ["reminder", "channel"])
    op.create_table(
        "suppressions",
        *(sa.Column(name, key_text, nullable=False) for name in ("channel", "address", "company")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("reason", "source")),
        sa.Column("since", instant, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("channel", "address", "company", name="pk_suppressions"),
    )
    op.create_index("ix_send_jobs_provider_id", "send_jobs", ["provider_id"])
    op.create_index("ix_send_jobs_recipient", "send_jobs", ["channel", "recipient"])

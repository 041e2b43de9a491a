"""The charts of what was sent and what went wrong: both by the time at which it happened."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Index outcomes by status and time, and deliveries by state and time."""
    op.create_index("ix_outcomes_status", "outcomes", ["status", "occurred_at"])
    op.create_index("ix_send_jobs_occurred_at", "send_jobs", ["state", "occurred_at"])

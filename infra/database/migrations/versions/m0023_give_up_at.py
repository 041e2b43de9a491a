"""When a delivery has waited for its provider for too long."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Add the instant; what waits already has its days from its next try on."""
    op.add_column("send_jobs", sa.Column("give_up_at", sa.DateTime(timezone=True), nullable=True))
    of = sa.text("give_up_at IS NOT NULL")
    op.create_index(
        "ix_send_jobs_give_up_at", "send_jobs", ["give_up_at"], sqlite_where=of, postgresql_where=of
    )

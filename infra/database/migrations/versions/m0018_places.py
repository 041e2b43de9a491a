"""What a delivery counts in the day's caps, so that it can be given back; and whose place it waits for."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add both to the jobs; what was counted before gives back its number, and no cost."""
    op.add_column("send_jobs", sa.Column("counted_micros", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("send_jobs", sa.Column("capped_on", sa.Date, nullable=True))

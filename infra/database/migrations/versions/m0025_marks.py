"""What the provider could tell a delivery by, where it keeps no key of ours."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Add the digest; of what is in doubt already nobody knows it."""
    op.add_column("send_jobs", sa.Column("mark", sa.Text, nullable=False, server_default=""))
    of = sa.text("mark <> ''")
    op.create_index("ix_send_jobs_mark", "send_jobs", ["mark"], sqlite_where=of, postgresql_where=of)

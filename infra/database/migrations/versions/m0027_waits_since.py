"""Since when a delivery waits: a changed bound holds for what waits already."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Add the instant; what waits already keeps the end that it has."""
    op.add_column("send_jobs", sa.Column("waits_since", sa.DateTime(timezone=True), nullable=True))

"""What each thing that was done set: the audit said who, when and which act."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Add the column; of what was done before nothing more is known than its detail."""
    op.add_column("audit", sa.Column("said_json", sa.Text(), nullable=False, server_default=""))

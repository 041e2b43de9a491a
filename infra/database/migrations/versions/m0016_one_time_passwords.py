"""Passwords that somebody else made, which are good for one login; and what one user did, by index."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the column and the index."""
    op.add_column("users", sa.Column("must_change", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("ix_audit_user", "audit", ["user", "at"])

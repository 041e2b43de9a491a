"""What a worklist and trust need of accounts and holds."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns; they are filled as rows are written, or at once by a rebuild."""
    for name, default in (("failed_channels", ""), ("proposal", ""), ("trust", "normal")):
        op.add_column("accounts", sa.Column(name, sa.Text, nullable=False, server_default=default))
    op.add_column(
        "accounts", sa.Column("trust_by_hand", sa.Boolean, nullable=False, server_default=sa.false())
    )
    for name in ("paid_items", "late_items", "late_days", "broken_promises"):
        op.add_column("accounts", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
    for name in ("last_note_on", "last_call_on"):
        op.add_column("accounts", sa.Column(name, sa.Date, nullable=True))
    op.add_column("holds", sa.Column("by_hand", sa.Boolean, nullable=False, server_default=sa.false()))

"""What a worklist and trust need of accounts and holds."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns; they are filled as rows are written, or at once by a rebuild."""
    with op.batch_alter_table("accounts") as accounts:
        for name in ("failed_channels", "proposal"):
            accounts.add_column(sa.Column(name, sa.Text, nullable=False, server_default=""))
        accounts.add_column(sa.Column("trust", sa.Text, nullable=False, server_default="normal"))
        accounts.add_column(sa.Column("trust_by_hand", sa.Boolean, nullable=False, server_default=sa.false()))
        for name in ("paid_items", "late_items", "late_days", "broken_promises"):
            accounts.add_column(sa.Column(name, sa.Integer, nullable=False, server_default="0"))
        accounts.add_column(sa.Column("last_note_on", sa.Date, nullable=True))
        accounts.add_column(sa.Column("last_call_on", sa.Date, nullable=True))
    with op.batch_alter_table("holds") as holds:
        holds.add_column(sa.Column("by_hand", sa.Boolean, nullable=False, server_default=sa.false()))

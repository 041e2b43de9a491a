"""Files that readers send with their answers travel by SQL: they were files of the machine that took them."""

import sqlalchemy as sa
from alembic import op

from infra.database.types import UtcDateTime, key_text

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Make the table; what is in a folder already is still looked for there."""
    op.create_table(
        "answer_files",
        sa.Column("sha256", key_text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_answer_files"),
    )
    op.create_index("ix_answer_files_sent_at", "answer_files", ["sent_at"])

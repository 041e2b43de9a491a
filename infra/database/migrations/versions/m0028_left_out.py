"""Letters that were left out of their run because they were damaged."""

import sqlalchemy as sa
from alembic import op

from infra.database.types import UtcDateTime

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Add why, and when a person has settled it; of what was printed already nothing was left out."""
    op.add_column("print_letters", sa.Column("left_out", sa.Text(), nullable=False, server_default=""))
    op.add_column("print_letters", sa.Column("settled_at", UtcDateTime(), nullable=True))
    of = sa.text("left_out <> '' AND settled_at IS NULL")
    op.create_index(
        "ix_print_letters_left_out", "print_letters", ["reminder"], sqlite_where=of, postgresql_where=of
    )

"""Letters with enclosures: the documents that come into the envelope behind a letter of a print run."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add the list; letters that are there have none."""
    op.add_column(
        "print_letters", sa.Column("enclosures_json", sa.Text(), nullable=False, server_default="[]")
    )

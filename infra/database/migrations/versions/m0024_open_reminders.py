"""An index of the accounts that have a reminder on its way: deliveries without a word are found by it."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Create it over what is there."""
    is_open = sa.text("open_reminder <> ''")
    op.create_index(
        "ix_accounts_open_reminder",
        "accounts",
        ["open_reminder"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )

"""An index of the open documents that have begun on a version of a plan: what a migration looks for."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Create it over what is there."""
    is_begun = sa.text("status = 'open' AND plan_version > 0")
    op.create_index(
        "ix_items_begun",
        "items",
        ["company", "plan", "plan_version", "account", "item"],
        sqlite_where=is_begun,
        postgresql_where=is_begun,
    )

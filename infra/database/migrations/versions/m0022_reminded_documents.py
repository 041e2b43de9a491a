"""An index of the documents that reminders have had: a delivery is looked for by its document."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Create it over what is there."""
    op.create_index("ix_reminder_items_item", "reminder_items", ["item"])

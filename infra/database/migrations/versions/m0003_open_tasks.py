"""What people have to do, as the ledger knows it: one row per open task of an account."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the list of open tasks."""
    key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "open_tasks",
        *(sa.Column(name, key_text, nullable=False) for name in ("account", "task", "company", "customer")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("task_type", "summary", "responsible")),
        sa.Column("opened_on", sa.Date, nullable=False),
        sa.Column("due_on", sa.Date, nullable=False),
        sa.Column("blocking", sa.Boolean, nullable=False),
        sa.Column("items_json", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("account", "task", name="pk_open_tasks"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_open_tasks_work", "open_tasks", ["company", "due_on"])

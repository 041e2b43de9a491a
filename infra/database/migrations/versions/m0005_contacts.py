"""The register of contacts, and customers found by tax id: one person may owe several companies (R24)."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the register, and the index by tax id."""
    key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "contacts",
        *(sa.Column(name, key_text, nullable=False) for name in ("account", "contact")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("channel", "kind")),
        sa.Column("contacted_on", sa.Date, nullable=False),
        sa.Column("occurred_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("account", "contact", name="pk_contacts"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_contacts_contacted_on", "contacts", ["contacted_on"])
    op.create_index("ix_customers_tax_id", "customers", ["tax_id"])

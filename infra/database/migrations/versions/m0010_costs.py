"""What deliveries cost, how much goes out on a day, and how fast: on the jobs, and two small tables beside them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Keep the cost on the jobs; create the days that caps count, and the buckets of rates."""
    op.add_column("send_jobs", sa.Column("cost_currency", sa.Text, nullable=False, server_default=""))
    op.add_column("send_jobs", sa.Column("cost_micros", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("send_jobs", sa.Column("cost_parts", sa.Integer, nullable=False, server_default="0"))
    op.add_column("send_jobs", sa.Column("counted_on", sa.Date, nullable=True))
    key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "rate_buckets",
        sa.Column("bucket", key_text, nullable=False),
        sa.Column("full_at_us", sa.BigInteger, nullable=False),
        sa.Column("granted", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("bucket", name="pk_rate_buckets"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "send_days",
        sa.Column("company", key_text, nullable=False),
        sa.Column("channel", key_text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("micros", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("company", "channel", "day", name="pk_send_days"),
        sqlite_with_rowid=False,
    )

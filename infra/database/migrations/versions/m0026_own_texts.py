"""Companies' own texts, where those see them who write messages on other machines."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Create them empty: what stands in folders stands there as before."""
    key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "own_texts",
        sa.Column("company", key_text, nullable=False),
        sa.Column("file", key_text, nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("company", "file", name="pk_own_texts"),
    )
    op.create_index("ix_own_texts_change", "own_texts", ["change"], unique=True)
    op.create_table(
        "text_places",
        sa.Column("place", key_text, nullable=False),
        sa.Column("company", key_text, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("place", "company", name="pk_text_places"),
    )

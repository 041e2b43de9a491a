"""Letters that are printed together: a row per run, and one per letter, which belongs to one run for ever."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the runs, of which a company has one open at most, and their letters."""
    key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "print_runs",
        *(sa.Column(name, key_text, nullable=False) for name in ("run", "company", "state")),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("number", "letters", "pages", "sheets")),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in ("closing_at", "closed_at")),
        *(
            sa.Column(name, sa.Text, nullable=False, server_default="")
            for name in ("place", "manifest_sha256", "detail")
        ),
        sa.PrimaryKeyConstraint("run", name="pk_print_runs"),
        sqlite_with_rowid=False,
    )
    is_open = sa.text("state = 'open'")
    op.create_index("uq_print_runs_number", "print_runs", ["company", "number"], unique=True)
    op.create_index(
        "uq_print_runs_open",
        "print_runs",
        ["company"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_index("ix_print_runs_state", "print_runs", ["state"])
    op.create_table(
        "print_letters",
        *(
            sa.Column(name, key_text, nullable=False)
            for name in ("reminder", "run", "company", "account", "customer")
        ),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("spool", "sha256", "paper")),
        *(
            sa.Column(name, sa.Integer, nullable=False)
            for name in ("position", "size_bytes", "pages", "sheets")
        ),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("reminder", name="pk_print_letters"),
        sqlite_with_rowid=False,
    )
    op.create_index("uq_print_letters_run", "print_letters", ["run", "position"], unique=True)
    op.create_index("ix_print_letters_account", "print_letters", ["account"])

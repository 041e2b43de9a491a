"""Reports by mail: whom they may go to, when they go by themselves, and what became of each mail."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Create recipients, schedules and mails of reports."""
    key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    instant = sa.DateTime(timezone=True)

    def columns(kind: Any, *names: str) -> list[sa.Column[Any]]:
        return [sa.Column(name, kind, nullable=False) for name in names]

    op.create_table(
        "report_recipients",
        *columns(key_text, "company", "pattern"),
        *columns(sa.Text(), "allowed_by"),
        *columns(instant, "allowed_at"),
        sa.PrimaryKeyConstraint("company", "pattern", name="pk_report_recipients"),
    )
    op.create_table(
        "report_schedules",
        *columns(key_text, "schedule", "user"),
        *columns(sa.Text(), "report", "filters_json", "form", "every"),
        *columns(sa.Integer(), "number", "hour"),
        *columns(sa.Text(), "recipients"),
        *columns(sa.Boolean(), "is_ended"),
        *columns(instant, "made_at"),
        sa.PrimaryKeyConstraint("schedule", name="pk_report_schedules"),
    )
    op.create_index("ix_report_schedules_user", "report_schedules", ["user", "made_at"])
    op.create_table(
        "report_mailings",
        *columns(key_text, "mailing", "recipient", "user"),
        *columns(sa.Text(), "report", "filters_json", "form", "on"),
        *columns(key_text, "schedule"),
        *columns(instant, "asked_at"),
        *columns(key_text, "state"),
        *columns(sa.Text(), "held_by"),
        *columns(instant, "changed_at"),
        *columns(sa.Integer(), "attempts"),
        *columns(instant, "retry_at"),
        *columns(sa.Text(), "detail", "provider_id"),
        sa.PrimaryKeyConstraint("mailing", "recipient", name="pk_report_mailings"),
    )
    op.create_index("ix_report_mailings_state", "report_mailings", ["state", "retry_at"])
    op.create_index("ix_report_mailings_user", "report_mailings", ["user", "asked_at"])
    op.create_index("ix_report_mailings_asked_at", "report_mailings", ["asked_at"])

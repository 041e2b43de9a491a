"""Sending: a job per (reminder, channel), and the tasks that reminders ask of people."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the send ledger and the task list."""
    _create_jobs()
    _create_tasks()


def _create_jobs() -> None:
    op.create_table(
        "send_jobs",
        _id("reminder"),
        _id("channel"),
        _id("account"),
        _id("company"),
        _count("partition"),
        _text("mode"),
        _instant("tick"),
        _instant("not_before"),
        sa.Column("decision_version", sa.BigInteger, nullable=False),
        _text("reminder_json"),
        _id("state"),
        _text("owner", server_default=""),
        _count("attempts", server_default="0"),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        _text("recipient", server_default=""),
        _text("subject", server_default=""),
        _text("provider_id", server_default=""),
        _text("error_type", server_default=""),
        _text("detail", server_default=""),
        _text("occurred_at", server_default=""),
        sa.Column("published", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("reminder", "channel", name="pk_send_jobs"),
    )
    op.create_index("ix_send_jobs_work", "send_jobs", ["channel", "state", "not_before"])
    op.create_index("ix_send_jobs_published", "send_jobs", ["published", "channel"])
    op.create_index("ix_send_jobs_account", "send_jobs", ["account"])


def _create_tasks() -> None:
    op.create_table(
        "tasks",
        _id("reminder"),
        _count("position"),
        _id("account"),
        _id("company"),
        _id("customer"),
        _text("step"),
        _text("task_type"),
        _text("summary"),
        _text("responsible"),
        sa.Column("due_on", sa.Date, nullable=False),
        _id("status"),
        sa.PrimaryKeyConstraint("reminder", "position", name="pk_tasks"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_tasks_work", "tasks", ["status", "due_on"])
    op.create_index("ix_tasks_account", "tasks", ["account"])


def _id(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False)


def _text(name: str, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False, **more)


def _count(name: str, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False, **more)


def _instant(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)

"""The tables that sending keeps for itself: jobs and tasks. They are the only record of what was
sent, so nothing may ever empty them; the projector's rebuild does not know them.
"""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, Table, Text

from infra.database.tables import metadata
from infra.database.types import UtcDateTime, key_text

__all__ = ["send_jobs", "tasks"]

# One job per (reminder, channel). `state`:
#
#   scheduled ──► sending ──► accepted | failed
#       │  ▲         │
#       │  └─────────┤ temporary failure, or found not to have been sent
#       │            └──────► unknown ──► accepted | failed | scheduled   (a person's word)
#       └──► superseded
#
# `owner` is the worker that holds it in `sending`. `published`: the outcome of an end state is in
# Kafka. `reminder_json` is the reminder as it was read, so that a job needs no second look at it.
send_jobs: Final = Table(
    "send_jobs",
    metadata,
    Column("reminder", key_text(), primary_key=True),
    Column("channel", key_text(), primary_key=True),
    Column("account", key_text(), nullable=False),
    Column("company", key_text(), nullable=False),
    Column("partition", Integer, nullable=False),
    Column("mode", Text, nullable=False),
    Column("tick", UtcDateTime, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("decision_version", BigInteger, nullable=False),
    Column("reminder_json", Text, nullable=False),
    Column("state", key_text(), nullable=False),
    Column("owner", Text, nullable=False, server_default=""),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("retry_at", UtcDateTime, nullable=True),
    Column("recipient", Text, nullable=False, server_default=""),
    Column("subject", Text, nullable=False, server_default=""),
    Column("provider_id", Text, nullable=False, server_default=""),
    Column("error_type", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    Column("occurred_at", Text, nullable=False, server_default=""),
    Column("published", Boolean, nullable=False),
    Index("ix_send_jobs_work", "channel", "state", "not_before"),
    Index("ix_send_jobs_published", "published", "channel"),
    Index("ix_send_jobs_account", "account"),
)

# What a person is to do (S2-09). Listed is done as far as the plan goes: a task does not block (R28).
tasks: Final = Table(
    "tasks",
    metadata,
    Column("reminder", key_text(), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("account", key_text(), nullable=False),
    Column("company", key_text(), nullable=False),
    Column("customer", key_text(), nullable=False),
    Column("step", Text, nullable=False),
    Column("task_type", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("responsible", Text, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("status", key_text(), nullable=False),
    Index("ix_tasks_work", "status", "due_on"),
    Index("ix_tasks_account", "account"),
    sqlite_with_rowid=False,
)

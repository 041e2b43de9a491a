"""The tables that sending keeps for itself: jobs and tasks. They are the only record of what was
sent, so nothing may ever empty them; the projector's rebuild does not know them.
"""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, Table, Text, text

from infra.database.tables import metadata
from infra.database.types import UtcDateTime, key_text

__all__ = ["rate_buckets", "send_days", "send_jobs", "send_notes", "tasks"]

# One job per (reminder, channel). `state`:
#
#   scheduled ──► claimed ──► sending ──► accepted | failed
#       │  ▲         │  │        │
#       │  └─────────┘  │        ├──► scheduled    temporary failure, or found not to have been sent
#       │               │        └──► unknown ──► accepted | failed | scheduled   (see `send_notes`)
#       └───────────────┴──► superseded
#
# `owner` is the worker that holds it in `claimed` (since `held_since`: surely not handed over yet) or
# `sending` (`intended_at`: from then on it may have been). Both instants are the wall clock's.
# `intended_at` stays, with `provider`, `endpoint` and `recipient`, as the evidence of the last attempt;
# `held_since` stays while that attempt may still go on: who has said how it ended is not at it any more.
# `ask_at`: when the provider is asked what became of an unknown one. `published`: the outcome of an
# end state is in Kafka. `reminder_json` is the reminder as it was read, so that a job needs no second
# look at it.
# `cost_*`: what the last attempt cost, in millionths of a currency ('': no price is known), and its
# segments or pages. `counted_on`: the company day whose caps it counts in, with `counted_micros`;
# `capped_on`: the company day whose caps it waits for. `waits_since` and `give_up_at`: since when it waits, and
# when that has been for too long, on the clock on the wall (see `send_waits`). `mark`: a digest of what the provider could tell the last attempt by
# (an SMS: number and text), where it keeps no key of ours.
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
    Column("provider", Text, nullable=False, server_default=""),
    Column("endpoint", Text, nullable=False, server_default=""),
    Column("held_since", UtcDateTime, nullable=True),
    Column("intended_at", UtcDateTime, nullable=True),
    Column("ask_at", UtcDateTime, nullable=True),
    Column("cost_currency", Text, nullable=False, server_default=""),
    Column("cost_micros", BigInteger, nullable=False, server_default="0"),
    Column("cost_parts", Integer, nullable=False, server_default="0"),
    Column("counted_on", Date, nullable=True),
    Column("counted_micros", BigInteger, nullable=False, server_default="0"),
    Column("capped_on", Date, nullable=True),
    Column("give_up_at", UtcDateTime, nullable=True),
    Column("mark", Text, nullable=False, server_default=""),
    Column("waits_since", UtcDateTime, nullable=True),
    Index("ix_send_jobs_work", "channel", "state", "not_before"),
    Index("ix_send_jobs_published", "published", "channel"),
    Index("ix_send_jobs_account", "account"),
    Index("ix_send_jobs_provider_id", "provider_id"),
    Index("ix_send_jobs_recipient", "channel", "recipient"),
    Index("ix_send_jobs_occurred_at", "state", "occurred_at"),
    Index("ix_send_jobs_mark", "mark", sqlite_where=text("mark <> ''"), postgresql_where=text("mark <> ''")),
    Index(
        "ix_send_jobs_give_up_at",
        "give_up_at",
        sqlite_where=text("give_up_at IS NOT NULL"),
        postgresql_where=text("give_up_at IS NOT NULL"),
    ),
)

# What was found out about a delivery in doubt, and who said what of it: one row per word, never
# changed. `what`: interrupted, no_answer, asked, not_asked, said, late_word. `at` is the wall clock's.
send_notes: Final = Table(
    "send_notes",
    metadata,
    Column("reminder", key_text(), primary_key=True),
    Column("channel", key_text(), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("author", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_with_rowid=False,
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

# How fast each provider may be written to by all workers together: `infra.database.rates`.
rate_buckets: Final = Table(
    "rate_buckets",
    metadata,
    Column("bucket", key_text(), primary_key=True),
    Column("full_at_us", BigInteger, nullable=False),
    Column("granted", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# How much went out on a company's day: `infra.database.send_days`.
send_days: Final = Table(
    "send_days",
    metadata,
    Column("company", key_text(), primary_key=True),
    Column("channel", key_text(), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("micros", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

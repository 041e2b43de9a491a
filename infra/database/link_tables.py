"""The tables that links keep for themselves: what was answered by them, and which are good no more. The
projector's rebuild does not know them.
"""

from typing import Final

from sqlalchemy import Boolean, Column, Index, Table, Text

from infra.database.tables import metadata
from infra.database.types import UtcDateTime, key_text

__all__ = ["link_answers", "link_revocations"]

# What readers asked for: an outbox. `event_json` is the command as it goes to Kafka, once and for all:
# the same answer given twice is the row that is there. `published`: Kafka has it.
link_answers: Final = Table(
    "link_answers",
    metadata,
    Column("command", key_text(), primary_key=True),
    Column("reminder", key_text(), nullable=False),
    Column("channel", key_text(), nullable=False),
    Column("account", key_text(), nullable=False),
    Column("given_at", UtcDateTime, nullable=False),
    Column("event_json", Text, nullable=False),
    Column("published", Boolean, nullable=False),
    Index("ix_link_answers_link", "reminder", "channel"),
    Index("ix_link_answers_published", "published", "given_at"),
)

# `kind` says what `name` is: a reminder (all its links), or an account (all links of reminders
# decided until then).
link_revocations: Final = Table(
    "link_revocations",
    metadata,
    Column("kind", key_text(), primary_key=True),
    Column("name", key_text(), primary_key=True),
    Column("revoked_at", UtcDateTime, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

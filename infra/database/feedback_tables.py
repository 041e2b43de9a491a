"""The tables of what comes back: words of providers, and the addresses that are not written to. As
the send ledger they are the only record of it, so nothing may ever empty them.
"""

from typing import Final

from sqlalchemy import Column, Index, Table, Text

from infra.database.tables import metadata
from infra.database.types import UtcDateTime, key_text

__all__ = ["feedback_words", "suppressions"]

# What a provider said once. `word` is the provider's own name of it, so that what is told ten times is
# one row. `state`:
#
#   waiting ──► said     an outcome or command is in Kafka
#      │ ├────► noted    nothing follows from it: a delay, a copy of what was said by another word
#      │ └────► dead     of no delivery of ours; a dead letter tells of it, a person may have it tried again
#
# `claimed_until`: a publisher has it in hand.
feedback_words: Final = Table(
    "feedback_words",
    metadata,
    Column("word", key_text(), primary_key=True),
    Column("source", Text, nullable=False),
    Column("said", key_text(), nullable=False),
    Column("channel", key_text(), nullable=False),
    Column("reminder", key_text(), nullable=False),
    Column("provider_id", key_text(), nullable=False),
    Column("account", key_text(), nullable=False),
    Column("address", Text, nullable=False),
    Column("error_type", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("reply", Text, nullable=False),
    Column("occurred_at", Text, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("state", key_text(), nullable=False),
    Column("claimed_until", UtcDateTime, nullable=True),
    Index("ix_feedback_words_state", "state", "received_at"),
    Index("ix_feedback_words_reminder", "reminder", "channel"),
)

# `company` '': of all companies. `address` as ``infra.database.suppressions`` writes it.
suppressions: Final = Table(
    "suppressions",
    metadata,
    Column("channel", key_text(), primary_key=True),
    Column("address", key_text(), primary_key=True),
    Column("company", key_text(), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("detail", Text, nullable=False),
    Index("ix_suppressions_since", "since", "channel", "address"),
)

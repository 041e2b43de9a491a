"""The table by which files that readers send with their answers get from the machine that takes them to the one that mails them.

The projector's rebuild does not know it.
"""

from typing import Final

from sqlalchemy import Column, Index, LargeBinary, Table

from infra.database.tables import metadata
from infra.database.types import UtcDateTime, key_text

__all__ = ["answer_files"]

# One row per content, whoever sent it; `sent_at`: when it was sent last.
answer_files: Final = Table(
    "answer_files",
    metadata,
    Column("sha256", key_text(), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("sent_at", UtcDateTime, nullable=False),
    Index("ix_answer_files_sent_at", "sent_at"),
)

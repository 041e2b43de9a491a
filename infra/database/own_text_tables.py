"""The tables by which companies' own texts get from the console to whoever writes messages, and by which those say what they see.

The projector's rebuild does not know them.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from infra.database.tables import metadata
from infra.database.types import UtcDateTime, key_text

__all__ = ["own_texts", "text_places"]

# One row per file that was saved or given back; `content`: none, where it was given back. `change` counts all of them
# up: who has brought one has brought those before it.
own_texts: Final = Table(
    "own_texts",
    metadata,
    Column("company", key_text(), primary_key=True),
    Column("file", key_text(), primary_key=True),
    Column("change", BigInteger, nullable=False),
    Column("content", LargeBinary),
    Index("ix_own_texts_change", "change", unique=True),
)

# What a place that writes messages (a folder of a machine) sees of each company: a digest; company '' is the place itself.
text_places: Final = Table(
    "text_places",
    metadata,
    Column("place", key_text(), primary_key=True),
    Column("company", key_text(), primary_key=True),
    Column("digest", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

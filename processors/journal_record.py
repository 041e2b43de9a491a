"""What the core needs of a consumed record of the journal, and what it reads from it."""

from collections.abc import Sequence
from itertools import islice
from typing import Protocol

from schemas.commands import COMPANY_COMMANDS
from schemas.journal import FoldedEvent, TickPassed, decode_entry

__all__ = ["Entry", "JournalRecord", "until_tick"]

# A decoded record: event, account ('' for what concerns a whole company), cause.
Entry = tuple[FoldedEvent, str, str]


class JournalRecord(Protocol):
    """What the fold needs of a consumed record; Kafka clients' records have it."""

    @property
    def offset(self) -> int:
        """Position in the partition."""

    @property
    def timestamp(self) -> int:
        """Log-append time, in milliseconds since the epoch."""

    @property
    def value(self) -> bytes:
        """An encoded ``JournalEntry``."""


def until_tick(records: Sequence[JournalRecord], *, start: int) -> tuple[list[Entry], TickPassed | None]:
    """Decode what comes before the first tick from ``start`` on, and the tick."""
    entries: list[Entry] = []
    for record in islice(records, start, None):
        entry = decode_entry(record.value)
        event = entry.event
        if isinstance(event, TickPassed):
            return entries, event
        # As ``account_id`` names it.
        account = "" if isinstance(event, COMPANY_COMMANDS) else f"{event.company}:{event.customer}"
        entries.append((event, account, entry.id))
    return entries, None

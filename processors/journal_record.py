"""What the core needs of a consumed record of the journal; Kafka clients' records have it."""

from typing import Protocol

__all__ = ["JournalRecord"]


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

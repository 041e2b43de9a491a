"""Records of a partition on a file of our own, so that a log that is gone through several times is read from Kafka once."""

import struct
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Final

from msgspec import Struct

from processors.journal_record import JournalRecord

__all__ = ["Spool", "SpooledRecord"]

_HEAD: Final = struct.Struct("<qqI")  # offset, timestamp in ms, length of the value


class SpooledRecord(Struct, frozen=True, gc=False):
    """A record as the fold wants it (``processors.journal_record``)."""

    offset: int
    timestamp: int
    value: bytes


class Spool:
    """Takes records once, gives them as often as asked; the file has no name and goes with its object.

    Args:
        folder: on whose disk it is kept; it needs as much room as the records take.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by ``close``

    def take(self, records: Iterable[JournalRecord]) -> Iterator[JournalRecord]:
        """Write down each record as it passes."""
        write = self._file.write
        for record in records:
            write(_HEAD.pack(record.offset, record.timestamp, len(record.value)))
            write(record.value)
            yield record

    def __iter__(self) -> Iterator[SpooledRecord]:
        """Walk the records from the first one on."""
        read = self._file.read
        self._file.seek(0)
        while head := read(_HEAD.size):
            offset, timestamp, length = _HEAD.unpack(head)
            yield SpooledRecord(offset, timestamp, read(length))

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

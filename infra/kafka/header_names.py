"""Header names that are not UTF-8: Kafka takes any bytes there, its clients for Python end at such a record.

Here it is read like any other, with a name that shows its bytes (``UnreadableName``). What is wrong with
it is for the reader of that topic to say, and the records behind it are not held up.
"""

from typing import Any, overload

from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch

from schemas.envelope import UnreadableName

__all__ = ["ReadsAnyName", "read_any_name"]


class ReadsAnyName:
    """To be mixed into a client's batch of records (message format 2), kafka-python's or aiokafka's."""

    _buffer: Any

    def _read_msg(self, *args: Any) -> Any:
        """Read the next record; the batch is where it was if that fails."""
        try:
            return super()._read_msg(*args)  # type: ignore[misc]  # the client's
        except UnicodeDecodeError:
            self._buffer = _Escaping(self._buffer)
            return super()._read_msg(*args)  # type: ignore[misc]


class _Escaping(bytes):
    """A buffer whose parts are text, whatever they are, to who takes them for text."""

    @overload  # type: ignore[override]
    def __getitem__(self, at: slice) -> bytes: ...
    @overload
    def __getitem__(self, at: int) -> int: ...
    def __getitem__(self, at: slice | int) -> bytes | int:
        found = super().__getitem__(at)
        return _Part(found) if isinstance(at, slice) else found


class _Part(bytes):
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        try:
            return super().decode(encoding, errors)
        except UnicodeDecodeError:
            return UnreadableName(super().decode(encoding, "backslashreplace"))


class _Batch(ReadsAnyName, DefaultRecordBatch):  # type: ignore[misc]  # kafka-python has no types
    """kafka-python's batch."""


def read_any_name() -> None:
    """Let all consumers of kafka-python in this process read such records."""
    memory_records.DefaultRecordBatch = _Batch

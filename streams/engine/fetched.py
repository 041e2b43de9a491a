"""What aiokafka has fetched of a partition, taken out by hundreds of records of a batch at a time.

aiokafka tells by the batch what is committed, but then passes each record through four calls of Python, which
is half of what a row costs that is read back. Here its own loop sees so many records of a batch as one.
"""

import struct
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

from infra.kafka.header_names import ReadsAnyName

__all__ = ["keep_bytes", "take"]


# A batch of a foreign producer may hold a million small records: never all of them at once.
_AT_ONCE: Final = 500
# Of a batch, in all formats: its first offset, and how long the rest is.
_LENGTH: Final = struct.Struct(">i")
_LENGTH_AT: Final = 8
_FRAMING: Final = 12


def keep_bytes() -> None:
    """Let aiokafka's consumers in this process keep what a broker gave, for what their compiled parts cannot read."""
    fetcher.MemoryRecords = _Given


def take(result: Any, *, records_max: int | None = None) -> list[Any]:
    """Take records out of a ``FetchResult``, until there are so many (None: all) or none is left.

    There may be some hundreds more. What belongs to aborted transactions and control records are left out, and
    the position moves over them, as aiokafka does it.

    Raises:
        KafkaError: what was fetched cannot be read (its checksum is wrong, its compression unknown); the position is
            where it was.
    """
    _give_many_at_once(result._partition_records)
    state = result._assignment.state_value(result._topic_partition)
    before = state._position
    records: list[Any] = []
    try:
        while result.has_more() and (records_max is None or len(records) < records_max):
            for some in result.getall(None if records_max is None else 1):
                records += some
    except Exception:
        state.consumed_to(before)  # what was read before it is given up, and is fetched again
        raise
    return records


def _give_many_at_once(fetched: Any) -> None:
    if fetched is not None and type(fetched._records) is not _Batches:
        fetched._records = _Batches(fetched._records, start=fetched.next_fetch_offset)
        fetched._consumer_record = _as_it_is


class _Given:
    """What a broker gave of a partition, as aiokafka's ``MemoryRecords``; the bytes are kept."""

    def __init__(self, given: bytes) -> None:
        records = MemoryRecords(given)
        self.has_next, self.size_in_bytes = records.has_next, records.size_in_bytes
        self._next_batch = records.next_batch
        self._given = given
        self._begin = self._end = 0

    def next_batch(self) -> Any:
        self._begin = self._end
        self._end += _FRAMING + _LENGTH.unpack_from(self._given, self._begin + _LENGTH_AT)[0]
        return self._next_batch()

    def last(self) -> Callable[[], bytes]:
        """Give what gives the bytes of the batch that came last."""
        begin, end = self._begin, self._end
        return lambda: self._given[begin:end]


class _AnyNameBatch(ReadsAnyName, _DefaultRecordBatchPy):  # type: ignore[misc]  # aiokafka has no types
    """aiokafka's batch in Python: its compiled one ends at a header whose name is not UTF-8."""


class _Batches:
    """Fetched batches, each of which gives records that are lists of its own."""

    def __init__(self, batches: Any, *, start: int) -> None:
        self._batches = batches
        self._start = start
        self.has_next = batches.has_next

    def next_batch(self) -> Any:
        batch = self._batches.next_batch()
        if batch.is_control_batch:
            return batch
        given = self._batches.last() if type(self._batches) is _Given else None
        return _Batch(batch, start=self._start, given=given)


class _Batch:
    """A batch with what is asked of one, whose records are lists of its own records."""

    def __init__(self, batch: Any, *, start: int, given: Callable[[], bytes] | None) -> None:
        self._batch = batch
        self._start = start
        self._given = given
        self.validate_crc = batch.validate_crc
        self.is_control_batch = False
        self.is_transactional = batch.is_transactional
        self.producer_id = batch.producer_id
        # Batches of the formats before transactions have none, and nobody asks them.
        self.base_offset = getattr(batch, "base_offset", -1)
        self.next_offset = batch.next_offset

    def __iter__(self) -> Iterator["_Records"]:
        next_offset = self._start
        try:
            # The first batch may begin before what was asked for.
            for some in _by_hundreds(self._batch, since=self._start if self.base_offset < self._start else 0):
                next_offset = some.offset + 1
                yield some
        except (UnicodeDecodeError, CorruptRecordException):
            if self._given is None or self.base_offset < 0:
                raise
            # If it is not for a header's name, it is raised again.
            yield from _by_hundreds(_AnyNameBatch(self._given()), since=next_offset)


def _by_hundreds(batch: Any, *, since: int) -> Iterator["_Records"]:
    records: Iterator[Any] = chain(batch)  # a batch itself can be begun only once
    if since:
        records = (record for record in records if record.offset >= since)
    at_end = False
    while not at_end:
        some = _Records(islice(records, _AT_ONCE))
        at_end = len(some) < _AT_ONCE  # who asks a batch again that has ended gets an error
        if some:
            yield some


class _Records(list[Any]):
    @property
    def offset(self) -> int:
        """The last one's: the position moves behind it."""
        offset: int = self[-1].offset
        return offset


def _as_it_is(_tp: TopicPartition, records: _Records) -> _Records:
    return records

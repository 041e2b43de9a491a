"""What aiokafka has fetched of a partition, taken out by hundreds of records of a batch at a time.

aiokafka tells by the batch what is committed, but then passes each record through four calls of Python, which
is half of what a row costs that is read back. Here its own loop sees so many records of a batch as one.
"""

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, Final

from aiokafka import TopicPartition

__all__ = ["take"]


# A batch of a foreign producer may hold a million small records: never all of them at once.
_AT_ONCE: Final = 500


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


class _Batches:
    """Fetched batches, each of which gives records that are lists of its own."""

    def __init__(self, batches: Any, *, start: int) -> None:
        self._batches = batches
        self._start = start
        self.has_next = batches.has_next

    def next_batch(self) -> Any:
        batch = self._batches.next_batch()
        return batch if batch.is_control_batch else _Batch(batch, start=self._start)


class _Batch:
    """A batch with what is asked of one, whose records are lists of its own records."""

    def __init__(self, batch: Any, *, start: int) -> None:
        self._batch = batch
        self._start = start
        self.validate_crc = batch.validate_crc
        self.is_control_batch = False
        self.is_transactional = batch.is_transactional
        self.producer_id = batch.producer_id
        # Batches of the formats before transactions have none, and nobody asks them.
        self.base_offset = getattr(batch, "base_offset", -1)
        self.next_offset = batch.next_offset

    def __iter__(self) -> Iterator["_Records"]:
        records: Iterator[Any] = chain(self._batch)  # a batch itself can be begun only once
        if self.base_offset < self._start:  # the first one may begin before what was asked for
            records = (record for record in records if record.offset >= self._start)
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

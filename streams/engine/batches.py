"""A step as record batches, encoded and measured before any transaction begins."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from streams.engine.chain import LINK_HEADERS, LINK_KEY, Link, encode_link
from streams.engine.faults import OutputTooLarge
from streams.engine.stage import NO_HEADERS, Headers, Output

__all__ = ["Batch", "Batches", "Filling"]

# A record that is smaller than this is below every limit, headers and framing included.
_SURELY_SMALL_BYTES = 100_000
_BATCH_OVERHEAD_BYTES = 256

_Record = tuple[bytes | None, bytes | None, Headers]


class Filling(BatchBuilder):  # type: ignore[misc]  # aiokafka has no types
    """aiokafka's batch, filled with many records at once: one call a record would cost as much as the record."""

    def __init__(self, bytes_max: int) -> None:
        super().__init__(bytes_max, 0, is_transactional=1)

    def fill(self, records: Sequence[_Record], *, start: int) -> int:
        """Append records from ``start`` on while they fit; give the place of the first that did not."""
        append = self._builder.append
        timestamp_ms = int(time.time() * 1000)
        offset, place = self._relative_offset, start
        for place in range(start, len(records)):
            key, value, headers = records[place]
            if append(offset, timestamp_ms, key, value, headers) is None:
                break
            offset += 1
        else:
            place = len(records)
        self._relative_offset: int = offset
        return place


class Batch(NamedTuple):
    """Records of one partition, as they go over the wire."""

    topic: str
    partition: int
    builder: Filling


class Batches:
    """The batches of one transaction.

    `limits` are the largest record per topic, in bytes; `new_builder` makes an empty
    batch. A record that does not fit a half-full batch begins the next; one that is larger
    than a whole batch has one of its own.
    """

    def __init__(self, *, limits: Mapping[str, int], new_builder: Callable[[], Filling]) -> None:
        self._limits = limits
        self._new_builder = new_builder
        self._open: dict[tuple[str, int], Filling] = {}
        self.done: list[Batch] = []

    def add_rows(self, topic: str, partition: int, *, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Append rows, in order."""
        self._add(topic, partition, [(key, value, NO_HEADERS) for key, value in rows])

    def add_outputs(self, outputs: Iterable[Output]) -> None:
        """Append outputs; the order within a partition is kept.

        Raises:
            OutputTooLarge: one is larger than its topic takes; nothing was sent.
        """
        sorted_out: dict[tuple[str, int], list[_Record]] = {}
        for topic, partition, key, value, headers in outputs:
            records = sorted_out.get((topic, partition))
            if records is None:
                records = sorted_out[topic, partition] = []
            records.append((key, value, headers))
        for (topic, partition), records in sorted_out.items():
            self._add(topic, partition, records)

    def add_link(self, link: Link, *, changelog: str, chain: str, partition: int) -> None:
        """Append a link to the changelog, after its rows, and to the chain."""
        value = encode_link(link)
        self._add(changelog, partition, [(LINK_KEY, value, LINK_HEADERS)])
        self._add(chain, partition, [(b"%d" % partition, value, LINK_HEADERS)])

    def _add(self, topic: str, partition: int, records: Sequence[_Record]) -> None:
        for key, value, headers in records:
            if value is not None and len(value) > _SURELY_SMALL_BYTES:
                self._check(topic, key, value, headers)
        builder = self._open.get((topic, partition))
        place = 0 if builder is None else builder.fill(records, start=0)
        while place < len(records):
            place = self._begin(topic, partition).fill(records, start=place)

    def _begin(self, topic: str, partition: int) -> Filling:
        builder = self._open[topic, partition] = self._new_builder()
        self.done.append(Batch(topic, partition, builder))
        return builder

    def _check(self, topic: str, key: bytes | None, value: bytes, headers: Headers) -> None:
        size = DefaultRecordBatchBuilder.estimate_size_in_bytes(key, value, headers)
        limit = self._limits[topic]
        if size + _BATCH_OVERHEAD_BYTES > limit:
            raise OutputTooLarge(
                f"{topic}: the record with key {key!r} has {size} bytes, the limit is {limit}"
            )

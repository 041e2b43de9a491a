"""A step as record batches, encoded and measured before any transaction begins."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from streams.engine.chain import LINK_HEADERS, LINK_KEY, Link, encode_link
from streams.engine.faults import OutputTooLarge
from streams.engine.stage import NO_HEADERS, Headers, Output, Row

__all__ = ["Batch", "Batches", "Filling"]

# A record that is smaller than this is below every limit, headers and framing included.
_SURELY_SMALL_BYTES = 100_000
_BATCH_OVERHEAD_BYTES = 256


class Filling(BatchBuilder):  # type: ignore[misc]  # aiokafka has no types
    """aiokafka's batch, filled with many records at once: one call a record would cost as much as the record."""

    def __init__(self, bytes_max: int) -> None:
        super().__init__(bytes_max, 0, is_transactional=1)

    def fill(self, records: Sequence[Output], *, start: int) -> int:
        """Append records from ``start`` on while they fit; give the place of the first that did not."""
        append = self._builder.append
        timestamp_ms = int(time.time() * 1000)
        first = offset = self._relative_offset
        for _, _, key, value, headers in islice(records, start, None) if start else records:
            if append(offset, timestamp_ms, key, value, headers) is None:
                break
            offset += 1
        self._relative_offset: int = offset
        return start + offset - first

    def fill_rows(self, rows: Sequence[Row], *, start: int) -> int:
        """Append rows, which have no headers: see ``fill``."""
        append = self._builder.append
        timestamp_ms = int(time.time() * 1000)
        first = offset = self._relative_offset
        for key, value in islice(rows, start, None) if start else rows:
            if append(offset, timestamp_ms, key, value, NO_HEADERS) is None:
                break
            offset += 1
        self._relative_offset = offset
        return start + offset - first


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

    def add_rows(self, topic: str, partition: int, *, rows: Sequence[Row]) -> None:
        """Append rows, in order.

        Raises:
            OutputTooLarge: see ``add_outputs``.
        """
        for key, value in rows:
            if value is not None and len(value) > _SURELY_SMALL_BYTES:
                self._check(topic, key, value, NO_HEADERS)
        builder = self._open.get((topic, partition))
        place = 0 if builder is None else builder.fill_rows(rows, start=0)
        while place < len(rows):
            place = self._begin(topic, partition).fill_rows(rows, start=place)

    def add_outputs(self, outputs: Iterable[Output]) -> None:
        """Append outputs; the order within a partition is kept.

        Raises:
            OutputTooLarge: one is larger than its topic takes; nothing was sent.
        """
        sorted_out: dict[tuple[str, int], list[Output]] = {}
        last: tuple[str, int] | None = None
        for output in outputs:
            topic, partition, key, value, headers = output
            if value is not None and len(value) > _SURELY_SMALL_BYTES:
                self._check(topic, key, value, headers)
            if (
                last is None or topic != last[0] or partition != last[1]
            ):  # most are movements, as the one before
                last = topic, partition
                records = sorted_out.setdefault(last, [])
            records.append(output)
        for (topic, partition), records in sorted_out.items():
            self._add(topic, partition, records)

    def add_link(self, link: Link, *, changelog: str, chain: str, partition: int) -> None:
        """Append a link to the changelog, after its rows, and to the chain."""
        value = encode_link(link)
        self._add(changelog, partition, [Output(changelog, partition, LINK_KEY, value, LINK_HEADERS)])
        self._add(chain, partition, [Output(chain, partition, b"%d" % partition, value, LINK_HEADERS)])

    def _add(self, topic: str, partition: int, records: Sequence[Output]) -> None:
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

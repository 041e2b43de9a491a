"""A step as record batches, encoded and measured before any transaction begins."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka.record.default_records import DefaultRecordBatchBuilder

from streams.engine.chain import LINK_HEADERS, LINK_KEY, Link, encode_link
from streams.engine.faults import OutputTooLarge
from streams.engine.stage import NO_HEADERS, Headers, Output

__all__ = ["Batch", "Batches"]

# A record that is smaller than this is below every limit, headers and framing included.
_SURELY_SMALL_BYTES = 100_000
_BATCH_OVERHEAD_BYTES = 256


class Batch(NamedTuple):
    """Records of one partition, as they go over the wire."""

    topic: str
    partition: int
    builder: Any


class Batches:
    """The batches of one transaction, filled record by record.

    `limits` are the largest record per topic, in bytes; `new_builder` makes an empty
    batch. A record that does not fit a half-full batch begins the next; one that is larger
    than a whole batch has one of its own.
    """

    def __init__(self, *, limits: Mapping[str, int], new_builder: Callable[[], Any]) -> None:
        self._limits = limits
        self._new_builder = new_builder
        self._open: dict[tuple[str, int], Any] = {}
        self.done: list[Batch] = []

    def add_rows(self, topic: str, partition: int, *, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Append rows, in order."""
        for key, value in rows:
            self._add(topic, partition, key, value, NO_HEADERS)

    def add_outputs(self, outputs: Sequence[Output]) -> None:
        """Append outputs; the order within a partition is kept.

        Raises:
            OutputTooLarge: one is larger than its topic takes; nothing was sent.
        """
        for topic, partition, key, value, headers in outputs:
            self._add(topic, partition, key, value, headers)

    def add_link(self, link: Link, *, changelog: str, chain: str, partition: int) -> None:
        """Append a link to the changelog, after its rows, and to the chain."""
        value = encode_link(link)
        self._add(changelog, partition, LINK_KEY, value, LINK_HEADERS)
        self._add(chain, partition, b"%d" % partition, value, LINK_HEADERS)

    def _add(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Headers
    ) -> None:
        if value is not None and len(value) > _SURELY_SMALL_BYTES:
            self._check(topic, key, value, headers)
        builder = self._open.get((topic, partition))
        if builder is None:
            builder = self._begin(topic, partition)
        if builder.append(timestamp=None, key=key, value=value, headers=headers) is None:
            self._begin(topic, partition).append(timestamp=None, key=key, value=value, headers=headers)

    def _begin(self, topic: str, partition: int) -> Any:
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

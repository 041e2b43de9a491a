"""Reading a changelog back: rows, and the links among them, to the high watermark.

Called right after the producer was initialised, so nobody else can write: the high
watermark stands still, and what is below it is committed or aborted for good. Reading to
the last stable offset instead could miss a transaction whose marker is being written.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.engine.chain import LINK_KEY, Hole, Link, decode_link, holes, is_internal
from streams.engine.faults import ChainBroken
from streams.engine.options import EngineOptions
from streams.engine.stage import Row

__all__ = ["LogBounds", "Reading", "StateReader"]

_log = logging.getLogger(__name__)
_FETCH_WAIT_MS = 20
_EMPTY_ANSWERS_AT_END = 3
_FULL_READS_MAX = 5

Restore = Callable[[list[Row]], None]


@dataclass(frozen=True, slots=True)
class LogBounds:
    """The first offset that a log holds, and the next that readers will see."""

    start: int
    end: int


@dataclass(slots=True)
class Reading:
    """What one read of a changelog showed; `next_offset` is where the next one goes on."""

    next_offset: int
    rows: int = 0
    links: list[Link] = field(default_factory=list)

    @property
    def newest(self) -> Link | None:
        """The last link, which is the position."""
        return self.links[-1] if self.links else None


class StateReader:
    """A reader of one partition's changelog and of its source's bounds; an async context."""

    def __init__(self, *, bootstrap_servers: Sequence[str], options: EngineOptions) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=list(bootstrap_servers),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=2 * options.fetch_bytes_max,
            fetch_max_wait_ms=_FETCH_WAIT_MS,
            request_timeout_ms=int(options.request_timeout_s * 1000),
        )

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def bounds(self, topic: str, partition: int) -> LogBounds:
        """Read where a log begins and ends."""
        tp = TopicPartition(topic, partition)
        start: int = (await self._consumer.beginning_offsets([tp]))[tp]
        end: int = (await self._consumer.end_offsets([tp]))[tp]
        return LogBounds(start, end)

    async def restore(self, topic: str, partition: int, *, begin: Callable[[], Restore]) -> Reading:
        """Read a whole changelog into a fresh state, the last one that `begin` made.

        The log may be compacted while it is read: a link that was seen may connect to one
        that was rewritten meanwhile. So a hole counts only when the next read shows it too.

        Args:
            topic: the changelog.
            partition: its partition.
            begin: makes an empty state, whose rows are then put back.

        Raises:
            ChainBroken: two links do not connect.
        """
        seen: set[Hole] = set()
        for _ in range(_FULL_READS_MAX):
            reading = await self.read(topic, partition, restore=begin())
            found = set(holes(reading.links))
            if not found:
                return reading
            if found & seen:
                break
            _log.warning(
                "%s-%d: holes %s, which compaction may explain; reading again", topic, partition, found
            )
            seen = found
        raise ChainBroken(f"{topic}-{partition}: links do not connect: {sorted(found)}")

    async def read(
        self, topic: str, partition: int, *, restore: Restore, from_offset: int | None = None
    ) -> Reading:
        """Read from `from_offset` (None: the log's start) to the high watermark."""
        tp = TopicPartition(topic, partition)
        self._consumer.assign([tp])
        if from_offset is None:
            await self._consumer.seek_to_beginning(tp)
        else:
            self._consumer.seek(tp, from_offset)
        reading = Reading(0)
        empty_answers = 0
        while True:
            records = (await self._consumer.getmany(tp, timeout_ms=4 * _FETCH_WAIT_MS)).get(tp, [])
            _put_back(records, restore=restore, reading=reading)
            reading.next_offset = await self._consumer.position(tp)
            empty_answers = 0 if records else empty_answers + 1
            if self._at_end(tp, reading.next_offset, empty_answers):
                return reading

    def _at_end(self, tp: TopicPartition, position: int, empty_answers: int) -> bool:
        high = self._consumer.highwater(tp)
        if high is None:
            return False
        if position >= high:
            return True
        # The cleaner may have taken the very last records: nothing between here and the end.
        stable = self._consumer.last_stable_offset(tp)
        return bool(stable >= high and empty_answers >= _EMPTY_ANSWERS_AT_END)


def _put_back(records: Sequence[Any], *, restore: Restore, reading: Reading) -> None:
    rows = [(record.key, record.value) for record in records if not is_internal(record.key)]
    reading.links += [decode_link(record.value) for record in records if record.key == LINK_KEY]
    reading.rows += len(rows)
    restore(rows)

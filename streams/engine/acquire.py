"""Reading a changelog back on Kafka: one fetch of rows and links at a time, and logs' bounds.

What is read and how far is decided in ``taking``. Committed records only: what is below the
high watermark is committed or aborted for good once the producer was initialised.
"""

import asyncio
from collections.abc import Sequence
from time import monotonic, time
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, READ_UNCOMMITTED, FetchResult

from streams.engine.actions import RowsRead
from streams.engine.chain import LINK_KEY, LogBounds, decode_link
from streams.engine.fetched import take
from streams.engine.options import EngineOptions

__all__ = ["StateReader", "now_ms", "rows_read", "state_consumer"]

_FETCH_WAIT_MS = 20
# It waits so long for the metadata of each topic that it has not asked about before.
_RETRY_BACKOFF_MS = 20


def now_ms() -> int:
    """Read the clock, in milliseconds since the epoch."""
    return int(time() * 1000)


class StateReader:
    """A reader of one partition's changelog and of its source's bounds."""

    def __init__(self, *, bootstrap_servers: Sequence[str], options: EngineOptions) -> None:
        self._consumer = state_consumer(bootstrap_servers=bootstrap_servers, options=options)
        self._position: int | None = None
        self._high = 0

    async def start(self) -> Self:
        """Connect."""
        await self._consumer.start()
        return self

    async def stop(self) -> None:
        """Close the connections."""
        await self._consumer.stop()

    async def bounds(self, topic: str, partition: int) -> LogBounds:
        """Read where a log begins and ends."""
        tp = TopicPartition(topic, partition)
        start: int = (await self._consumer.beginning_offsets([tp]))[tp]
        end: int = (await self._consumer.end_offsets([tp]))[tp]
        return LogBounds(start, end)

    async def read(self, topic: str, partition: int, *, position: int | None) -> RowsRead:
        """Fetch once from `position` on (None: the log's start); empty when nothing comes soon."""
        tp = TopicPartition(topic, partition)
        if tp not in self._consumer.assignment():
            # A leader that is new may show a high watermark that is too low in what it gives;
            # asked for it, it says "not yet" until it knows better.
            self._high = await self._high_watermark(tp)
            self._consumer.assign([tp])
            self._position = None
        if position is None:
            await self._consumer.seek_to_beginning(tp)
        elif position != self._position:
            self._consumer.seek(tp, position)
        records = await self._fetched(tp, wait_s=4 * _FETCH_WAIT_MS / 1000)
        self._position = await self._consumer.position(tp)
        found = rows_read(self._consumer, tp, records, position=self._position)
        shown: int | None = self._consumer.highwater(tp)
        self._high = max(self._high, shown or 0)
        return found if found.high >= self._high else found._replace(high=self._high)

    async def _fetched(self, tp: TopicPartition, *, wait_s: float) -> list[Any]:
        """Give all that was fetched, or what comes first within `wait_s`: as ``getmany``, but hundreds at a time."""
        fetcher = self._consumer._fetcher
        deadline = monotonic() + wait_s
        with fetcher._subscriptions.fetch_context():
            while True:
                records = _taken(fetcher, tp)
                wait_left_s = deadline - monotonic()
                if records or wait_left_s <= 0:
                    return records
                waiter = fetcher._create_fetch_waiter()
                done, _ = await asyncio.wait([waiter], timeout=wait_left_s)
                if done:
                    waiter.result()  # raises what cannot be recovered from
                else:
                    waiter.cancel()

    async def _high_watermark(self, tp: TopicPartition) -> int:
        """Ask for a log's end, as one who reads uncommitted records: others are told the last stable offset.

        That one trails behind: with a leader that is new right after it, the newest link would not be seen.
        To be asked before anything is assigned, or it would be fetched in the same way.
        """
        fetcher = self._consumer._fetcher
        fetcher._isolation_level = READ_UNCOMMITTED
        try:
            end: int = (await self._consumer.end_offsets([tp]))[tp]
        finally:
            fetcher._isolation_level = READ_COMMITTED
        return end


def _taken(fetcher: Any, tp: TopicPartition) -> list[Any]:
    """Take what was fetched out, so that more is asked for; raises what could not be fetched."""
    result = fetcher._records.pop(tp, None)
    if result is None:
        return []
    fetcher._notify(fetcher._wait_consume_future)
    if type(result) is not FetchResult:
        result.check_raise()
    return take(result)


def state_consumer(*, bootstrap_servers: Sequence[str], options: EngineOptions) -> AIOKafkaConsumer:
    """Make a consumer of changelogs: committed records, no group."""
    return AIOKafkaConsumer(
        bootstrap_servers=list(bootstrap_servers),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=2 * options.fetch_bytes_max,
        fetch_max_wait_ms=_FETCH_WAIT_MS,
        retry_backoff_ms=_RETRY_BACKOFF_MS,
        request_timeout_ms=int(options.request_timeout_s * 1000),
    )


def rows_read(
    consumer: AIOKafkaConsumer, tp: TopicPartition, records: Sequence[Any], *, position: int
) -> RowsRead:
    """Tell rows from links in what was fetched of one partition."""
    # Per record only this: a state of millions of rows is read back in seconds.
    rows = [(record.key, record.value) for record in records if record.key[:1] != b"\0"]
    links = []
    if len(rows) != len(records):
        links = [decode_link(record.value) for record in records if record.key == LINK_KEY]
    answered_ms: int | None = consumer.last_poll_timestamp(tp)
    high: int | None = consumer.highwater(tp)
    stable: int | None = consumer.last_stable_offset(tp)
    if high is None or stable is None:
        high, stable = position + 1, position  # nothing was answered yet: not at the end
    return RowsRead(rows, links, position, stable, high, now_ms(), answered_ms or 0)

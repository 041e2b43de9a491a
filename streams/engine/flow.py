"""What a partition delivers: runs of fetched records, from an explicit position, a few ahead.

A gate per partition, all on the consumer's thread::

    shut ──open(position)──► open, epoch n ──(runs_ahead_max runs out)──► full
      ▲                        │      ▲                                    │
      └────────shut────────────┘      └──────────────release───────────────┘

Every ``open`` seeks and begins a new epoch. A run carries its epoch, and the positions
before and after it, control records included: whoever folds it can tell a run of an older
epoch (drop it) from a run that never reached him (seek back).
"""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import ConsumerStoppedError, OffsetOutOfRangeError

from streams.engine.actions import Run
from streams.engine.faults import FactsLost
from streams.engine.fetched import take

__all__ = ["Flow", "Run"]


@dataclass(slots=True)
class _Gate:
    epoch: int
    is_open: bool = False
    ahead: int = 0


class Flow:
    """The gates of one consumer; every method runs on the consumer's own event loop."""

    def __init__(self, consumer: AIOKafkaConsumer, *, runs_ahead_max: int) -> None:
        self._consumer = consumer
        self._fetcher = consumer._fetcher
        self._runs_ahead_max = runs_ahead_max
        self._gates: dict[Hashable, _Gate] = {}

    async def open(self, topic: str, partition: int, *, position: int) -> int:
        """Deliver from `position` on; return the new epoch.

        Raises ``IllegalStateError`` when the partition is not assigned (any more).
        """
        tp = TopicPartition(topic, partition)
        gate = self._gates.setdefault(tp, _Gate(0))
        self._consumer.seek(tp, position)
        gate.epoch += 1
        gate.is_open, gate.ahead = True, 0
        self._wake()
        return gate.epoch

    @property
    def fetching(self) -> bool:
        """Whether the library's own loop, which asks the brokers, still runs; any thread may ask."""
        return not self._fetcher._fetch_task.done()

    def shut(self, topic: str, partition: int) -> None:
        """Deliver nothing more of a partition."""
        gate = self._gates.get(TopicPartition(topic, partition))
        if gate is not None:
            gate.is_open = False

    def release(self, run: Run) -> None:
        """Say that a run is done with: the next one may come."""
        gate = self._gates.get(TopicPartition(run.topic, run.partition))
        if gate is not None and gate.epoch == run.epoch:
            gate.ahead -= 1
            self._wake()

    async def committed(self, topic: str, partition: int) -> int | None:
        """Read the group's committed offset, None when there is none."""
        offset: int | None = await self._consumer.committed(TopicPartition(topic, partition))
        return offset

    def answered_ms(self, topic: str, partition: int) -> int | None:
        """When a fetch of a partition was last answered, with records or without; None: not yet. Any thread may ask."""
        subscription = self._fetcher._subscriptions.subscription
        assignment = None if subscription is None else subscription.assignment
        state = None if assignment is None else assignment.state_value(TopicPartition(topic, partition))
        answered_ms: int | None = None if state is None else state.timestamp
        return answered_ms

    @property
    def coordinated(self) -> bool:
        """Whether the group's coordinator is known, and answers; any thread may ask."""
        return self._consumer._coordinator.coordinator_id is not None

    async def rejoin(self) -> None:
        """Ask the group for a new assignment."""
        self._consumer._coordinator.request_rejoin()

    async def fetch(self, *, wait_s: float, records_max: int) -> list[Run]:
        """Give what is there, or what comes first within `wait_s`; empty after that.

        Raises:
            FactsLost: the source's log does not hold a position that was read from.
            ConsumerStoppedError: the consumer was closed.
        """
        deadline = monotonic() + wait_s
        with self._fetcher._subscriptions.fetch_context():
            while True:
                if self._consumer._closed or self._fetcher._closed:
                    raise ConsumerStoppedError
                runs = self._take(records_max)
                wait_left_s = deadline - monotonic()
                if runs or wait_left_s <= 0:
                    return runs
                waiter = self._fetcher._create_fetch_waiter()
                done, _ = await asyncio.wait([waiter], timeout=wait_left_s)
                if done:
                    waiter.result()  # raises what the coordinator cannot recover from
                else:
                    waiter.cancel()

    def _take(self, records_max: int) -> list[Run]:
        runs: list[Run] = []
        left = records_max
        for tp in list(self._fetcher._records):
            gate = self._gates.get(tp)
            if gate is None or not gate.is_open or gate.ahead >= self._runs_ahead_max:
                continue
            run = self._take_one(tp, gate.epoch, left)
            if run is not None:
                gate.ahead += 1
                runs.append(run)
                left -= len(run.records)
                if left <= 0:
                    break
        return runs

    def _take_one(self, tp: TopicPartition, epoch: int, records_max: int) -> Run | None:
        result = self._fetcher._records[tp]
        if type(result) is not FetchResult:
            self._fetched_all(tp)
            _raise_error(tp, result)
        if not result._assignment.active:
            return None  # the fetcher clears these itself, once it has the new assignment
        state = result._assignment.state_value(tp)
        before = state._position
        records = take(result, records_max=records_max)
        after = state._position
        if not result.has_more():
            self._fetched_all(tp)
        if before is None or before == after:
            return None
        return Run(tp.topic, tp.partition, records, before, after, epoch)

    def _fetched_all(self, tp: TopicPartition) -> None:
        del self._fetcher._records[tp]
        self._fetcher._notify(self._fetcher._wait_consume_future)

    def _wake(self) -> None:
        for waiter in list(self._fetcher._fetch_waiters):
            self._fetcher._notify(waiter)


def _raise_error(tp: TopicPartition, result: Any) -> None:
    try:
        result.check_raise()
    except OffsetOutOfRangeError as error:
        raise FactsLost(
            f"{tp.topic}-{tp.partition}: the log does not hold the position that was read from: {error}"
        ) from error

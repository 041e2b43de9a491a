"""One partition of one topic at a time, read on to wherever its committed end is now; links included."""

import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

from kafka import KafkaConsumer, TopicPartition

from console.logs import LogError
from infra.kafka.consumers import consumer
from infra.settings import Settings

__all__ = ["Logs", "PartitionLog", "await_true"]

_FETCHED_MAX = 10_000
_SILENCE_S_MAX = 30.0
_POLL_MS = 200
_LOOK_S = 0.1


class PartitionLog:
    """A place in a log; each ``to_end`` goes on from it."""

    def __init__(self, reader: KafkaConsumer, *, topic: str, partition: int) -> None:
        self._reader = reader
        self._place = TopicPartition(topic, partition)
        reader.assign([self._place])
        self.start: int = reader.beginning_offsets([self._place])[self._place]
        reader.seek(self._place, self.start)

    def to_end(self) -> Iterator[Any]:
        """Give the committed records up to the end that the log has when asked.

        Raises:
            LogError: nothing moved for 30 s.
        """
        reader, place = self._reader, self._place
        end = reader.end_offsets([place])[place]
        deadline = time.monotonic() + _SILENCE_S_MAX
        position = reader.position(place)
        while position < end:
            for records in reader.poll(timeout_ms=_POLL_MS).values():
                yield from records
            before, position = position, reader.position(place)
            if position > before:
                deadline = time.monotonic() + _SILENCE_S_MAX
            elif time.monotonic() > deadline:
                raise LogError(f"Reading {place} stopped for {_SILENCE_S_MAX:g} s at {position}, end {end}")

    def position_at(self, time_ms: int) -> int:
        """Give the first position whose record is of this time (ms since the epoch) or later; the end, if none."""
        found = self._reader.offsets_for_times({self._place: time_ms})[self._place]
        end: int = self._reader.end_offsets([self._place])[self._place]
        return end if found is None or found.offset < 0 else int(found.offset)


class Logs:
    """A context that keeps one connection per topic; of a topic one partition is open at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._readers: dict[str, KafkaConsumer] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for reader in self._readers.values():
            reader.close()

    def open(self, topic: str, *, partition: int) -> PartitionLog:
        """Open a partition of a topic (logical name) at its start; another one of that topic is closed by it."""
        if topic not in self._readers:
            # Checksums are checked by the broker and by the worker that folds; in Python they would be a
            # third of the time, and what is damaged does not decode, or is not what a replay gives.
            self._readers[topic] = consumer(
                bootstrap_servers=self._settings.brokers(),
                group=None,
                records_max=_FETCHED_MAX,
                check_crcs=False,
            )
        return PartitionLog(self._readers[topic], topic=self._settings.topic(topic), partition=partition)


def await_true(look: Callable[[], bool], *, patience_s: float) -> bool:
    """Look until it is so, every 0.1 s; False when it is not within the patience.

    Several partitions of one transaction become readable one after the other, some
    milliseconds apart: who reads two of them must look again before he speaks of damage.
    """
    deadline = time.monotonic() + patience_s
    while not look():
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_S)
    return True

"""Entries written to the journal in a thread, at a steady rate or as fast as it takes them.

Its producer is idempotent, so what brokers lose the answer to is not written twice; how
many records the journal must hold is what it counted.
"""

import asyncio
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tests.chaos.beside import Beside
from tests.chaos.business import Entry

__all__ = ["Load", "LoadFailed"]

_SLICE_S: Final = 0.02
_AT_ONCE: Final = 4_000  # entries in hand when there is no rate
_SLICES_AHEAD_MAX: Final = 20
_BATCH_BYTES: Final = 200_000
# Longer than any broker is away here: the journal must get what was made up for it.
_PATIENCE_MS: Final = 180_000


class LoadFailed(Exception):  # noqa: N818 - it says what happened
    """The journal did not take the entries: the proof cannot be made."""


class Load(Beside):
    """A context: begins to write on entering; leaving it early ends it.

    Args:
        entries: what to write.
        topic: the journal's physical name.
        bootstrap_servers: written to directly, past every proxy.
        rate: entries a second; None: as fast as it goes.
    """

    def __init__(
        self, entries: Iterator[Entry], *, topic: str, bootstrap_servers: str, rate: float | None
    ) -> None:
        super().__init__(name="load")
        self.sent = 0
        self._entries = entries
        self._topic = topic
        self._bootstrap_servers = bootstrap_servers
        self._rate = rate
        self._failure: BaseException | None = None

    @property
    def running(self) -> bool:
        """Whether there is more to come; raises ``LoadFailed`` when it ended badly."""
        if self._failure is not None:
            raise LoadFailed(repr(self._failure)) from self._failure
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            asyncio.run(self._write())
        except (KafkaError, OSError, TimeoutError) as error:
            self._failure = error

    async def _write(self) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap_servers.split(","),
            client_id="chaos-load",
            enable_idempotence=True,
            acks="all",
            max_batch_size=_BATCH_BYTES,
            request_timeout_ms=_PATIENCE_MS,
        )
        await producer.start()
        try:
            await self._write_all(producer)
        finally:
            await producer.stop()

    async def _write_all(self, producer: Any) -> None:
        started = time.monotonic()
        given = 0
        exhausted = False
        ahead: list[tuple[int, Any]] = []
        while not (exhausted or self._stop.is_set()):
            size = self._slice_size(given, time.monotonic() - started)
            slice_ = list(islice(self._entries, size))
            exhausted = len(slice_) < size
            given += len(slice_)
            ahead.append((len(slice_), asyncio.gather(*await self._send(producer, slice_))))
            while ahead and (len(ahead) > _SLICES_AHEAD_MAX or ahead[0][1].done()):
                await self._acknowledged(ahead.pop(0))
            if self._rate is not None:
                await asyncio.sleep(_SLICE_S)  # a rate is kept by the clock: there is no event to wait for
        for one in ahead:
            await self._acknowledged(one)

    async def _acknowledged(self, one: tuple[int, Any]) -> None:
        count, answers = one
        await answers
        self.sent += count

    def _slice_size(self, given: int, passed_s: float) -> int:
        if self._rate is None:
            return _AT_ONCE
        return max(0, int(self._rate * passed_s) - given)

    async def _send(self, producer: Any, entries: list[Entry]) -> list[Any]:
        builders: dict[int, Any] = {}
        futures = []
        for partition, key, value in entries:
            builder = builders.get(partition)
            if builder is None:
                builder = builders[partition] = producer.create_batch()
            if builder.append(timestamp=None, key=key, value=value) is None:
                futures.append(await producer.send_batch(builder, self._topic, partition=partition))
                builder = builders[partition] = producer.create_batch()
                builder.append(timestamp=None, key=key, value=value)
        for partition, builder in builders.items():
            futures.append(await producer.send_batch(builder, self._topic, partition=partition))
        return futures

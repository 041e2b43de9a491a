"""The wire between a worker and the brokers: a proxy on 127.0.0.1 that cuts connections and loses answers.

It knows of Kafka's framing only where a request's api key and a correlation id stand.
The answer to a commit (EndTxn) is taken from the wire after the broker gave it, and the
connection cut: the transaction is in the log, and its worker cannot know.

    worker ──► port ──► broker         drop: both sides cut, at any moment
    worker ◄─ ✂ answer ◄── broker      lose: the next EndTxn's answer, then both sides cut
"""

import asyncio
import random
import threading
from collections.abc import Coroutine, Iterator, Sequence
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

__all__ = ["END_TXN", "Frames", "Link", "Wire"]

END_TXN: Final = 26
_CHUNK_BYTES: Final = 256 * 1024
_REQUEST_HEAD: Final = 12  # size 4, api key 2, version 2, correlation id 4
_ANSWER_HEAD: Final = 8  # size 4, correlation id 4
_START_S_MAX: Final = 10.0


class Link(NamedTuple):
    """A port to listen at, and the port that is behind it."""

    port: int
    target: int


class Frames:
    """Finds the frames in one direction of a connection, whose first `head_bytes` are wanted."""

    def __init__(self, head_bytes: int) -> None:
        self._head_bytes = head_bytes
        self._head = bytearray()
        self._body_left = 0

    def feed(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        """Give (where in `chunk` the frame begins, its head) per head that ends in it.

        A frame that began in an earlier chunk begins at 0.
        """
        at = 0
        while at < len(chunk):
            if self._body_left:
                passed = min(self._body_left, len(chunk) - at)
                self._body_left -= passed
                at += passed
                continue
            begins = max(0, at - len(self._head))
            wanted = self._head_bytes - len(self._head)
            self._head += chunk[at : at + wanted]
            at += wanted
            if len(self._head) == self._head_bytes:
                head = bytes(self._head)
                self._head.clear()
                self._body_left = int.from_bytes(head[:4], "big") + 4 - self._head_bytes
                yield begins, head


class Wire:
    """One worker's way to the brokers; a context. `dropped` and `lost` count what was done.

    The first `refused` connections are cut as soon as they are made. While answers are to be
    lost, a share of `spared` of the commits passes all the same.
    """

    def __init__(
        self, links: Sequence[Link], *, chance: random.Random, refused: int = 0, spared: float = 0.0
    ) -> None:
        self.dropped = 0
        self.lost = 0
        self.spared = spared
        self._links = links
        self._chance = chance
        self._to_lose = 0
        self._to_refuse = refused
        self._open: list[_Connection] = []
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="wire", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(_START_S_MAX):
            raise TimeoutError("the proxy did not begin to listen")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def drop(self, *, at_least: int = 1) -> bool:
        """Cut one of the open connections; False when there are fewer than `at_least`."""
        return asyncio.run_coroutine_threadsafe(self._drop(at_least), self._loop).result()

    @property
    def to_lose(self) -> int:
        """How many answers are still to be lost, those of commits under way among them."""
        return self._to_lose + sum(one.losing for one in list(self._open))

    def lose(self, *, at_most: int) -> bool:
        """Lose the answer to the next commit; False when already `at_most` are to be lost."""
        return asyncio.run_coroutine_threadsafe(self._lose(at_most), self._loop).result()

    async def _drop(self, at_least: int) -> bool:
        if len(self._open) < at_least:
            return False
        self._chance.choice(self._open).cut()
        self.dropped += 1
        return True

    async def _lose(self, at_most: int) -> bool:
        if self._to_lose >= at_most:
            return False
        self._to_lose += 1
        return True

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        servers = [
            await asyncio.start_server(self._handler(link.target), "127.0.0.1", link.port)
            for link in self._links
        ]
        self._ready.set()
        await self._stop.wait()
        for server in servers:
            server.close()
        for one in list(self._open):
            one.cut()

    def _handler(self, target: int) -> Any:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if self._to_refuse:
                self._to_refuse -= 1
                self.dropped += 1
                writer.transport.abort()
                return
            try:
                back, forth = await asyncio.open_connection("127.0.0.1", target)
            except OSError:
                writer.transport.abort()  # nobody there: the client sees what it would see without us
                return
            connection = _Connection(self, reader, writer, back, forth)
            self._open.append(connection)
            try:
                await connection.carry()
            finally:
                self._open.remove(connection)

        return handle

    def takes_this_answer(self) -> bool:
        """Say whether the answer to a commit that passes now is to be lost."""
        if not self._to_lose or self._chance.random() < self.spared:
            return False
        self._to_lose -= 1
        return True


class _Connection:
    """A client's connection and ours behind it."""

    def __init__(
        self,
        wire: Wire,
        client: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
        broker: asyncio.StreamReader,
        to_broker: asyncio.StreamWriter,
    ) -> None:
        self._wire = wire
        self._client, self._to_client = client, to_client
        self._broker, self._to_broker = broker, to_broker
        self._losing: set[bytes] = set()

    @property
    def losing(self) -> int:
        """How many of its commits are under way whose answer will be lost."""
        return len(self._losing)

    def cut(self) -> None:
        """Cut both sides at once, with what is in the buffers."""
        self._to_client.transport.abort()
        self._to_broker.transport.abort()

    async def carry(self) -> None:
        """Carry bytes both ways until either side ends."""
        ways: list[Coroutine[Any, Any, None]] = [self._forth(), self._back()]
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.cut()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _forth(self) -> None:
        frames = Frames(_REQUEST_HEAD)
        while chunk := await _read(self._client):
            for _, head in frames.feed(chunk):
                if int.from_bytes(head[4:6], "big") == END_TXN and self._wire.takes_this_answer():
                    self._losing.add(head[8:12])
            if not await _write(self._to_broker, chunk):
                return

    async def _back(self) -> None:
        frames = Frames(_ANSWER_HEAD)
        while chunk := await _read(self._broker):
            for begins, head in frames.feed(chunk):
                if head[4:8] in self._losing:
                    self._wire.lost += 1
                    await _write(self._to_client, chunk[:begins])
                    return
            if not await _write(self._to_client, chunk):
                return


async def _read(reader: asyncio.StreamReader) -> bytes:
    """Read what is there; empty when the connection is over, in whichever way."""
    try:
        return await reader.read(_CHUNK_BYTES)
    except OSError:
        return b""


async def _write(writer: asyncio.StreamWriter, chunk: bytes) -> bool:
    """Write and wait until it is mostly gone; False when the connection is over."""
    try:
        writer.write(chunk)
        await writer.drain()
    except OSError:
        return False
    return True

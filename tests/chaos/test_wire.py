"""The proxy between worker and broker: it carries bytes unchanged, cuts, and takes one answer away."""

import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from infra.ports import free_port
from tests.chaos.mischief import Cutter
from tests.chaos.profile import Profile
from tests.chaos.wire import END_TXN, Frames, Link, Wire


@pytest.fixture
def echo() -> Iterator[int]:
    """Give the port of a server that answers each request with its correlation id and its body."""
    server = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_answer, args=(server,), daemon=True)
    thread.start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


def _answer(server: socket.socket) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection, connection.makefile("rb") as stream:
            while size := stream.read(4):
                request = stream.read(int.from_bytes(size, "big"))
                body = request[4:]
                connection.sendall(struct.pack(">i", len(body)) + body)


def _ask(client: socket.socket, *, api: int, correlation: int, body: bytes) -> bytes:
    """Send a request; give its answer, empty when the connection ended before its first byte."""
    request = struct.pack(">hhi", api, 0, correlation) + body
    client.sendall(struct.pack(">i", len(request)) + request)
    with client.makefile("rb") as stream:
        try:
            size = stream.read(4)
            return stream.read(int.from_bytes(size, "big"))
        except ConnectionResetError:
            return b""


def test_a_lost_answer_is_one_that_was_given(echo: int) -> None:
    """Requests pass as they are; the answer to the chosen commit does not, and the connection is over."""
    port = free_port()
    with Wire([Link(port, echo)], chance=random.Random(1)) as wire:  # noqa: S311
        client = socket.create_connection(("127.0.0.1", port))
        body = b"x" * 1_000_000
        assert struct.pack(">i", 7) + body == _ask(client, api=0, correlation=7, body=body)
        assert wire.lose(at_most=1)
        assert not wire.lose(at_most=1)
        assert struct.pack(">i", 8) + b"y" == _ask(client, api=1, correlation=8, body=b"y")
        assert b"" == _ask(client, api=END_TXN, correlation=9, body=b"commit")
        assert (1, 0) == (wire.lost, wire.dropped)
        client.close()


def test_a_dropped_connection_is_dropped(echo: int) -> None:
    """Both sides see the end; a new connection works."""
    port = free_port()
    with Wire([Link(port, echo)], chance=random.Random(1)) as wire:  # noqa: S311
        assert not wire.drop()
        client = socket.create_connection(("127.0.0.1", port))
        assert _ask(client, api=0, correlation=1, body=b"a")
        assert wire.drop()
        assert _has_ended(client)
        again = socket.create_connection(("127.0.0.1", port))
        assert _ask(again, api=0, correlation=2, body=b"b")
        client.close()
        again.close()


def test_a_cutter_goes_on_until_all_is_done(echo: int) -> None:
    """What met no commit or connection meets the next one: asked for two answers and a cut, all are done."""
    port = free_port()
    profile = Profile(kills=0, drops=1, lost_answers=2, events=1_000_000)
    with Wire([Link(port, echo)], chance=random.Random(1)) as wire:  # noqa: S311
        with Cutter([wire], profile=profile) as cutter:
            assert not cutter.finish()
            deadline = time.monotonic() + 90.0
            while not cutter.finish() and time.monotonic() < deadline:
                with socket.create_connection(("127.0.0.1", port)) as client, contextlib.suppress(OSError):
                    _ask(client, api=END_TXN, correlation=1, body=b"commit")
                    time.sleep(0.05)  # a connection that may be cut
        assert {"dropped connections": 1, "lost commit answers": 2} == cutter.done


def _has_ended(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 12, 13, 100])
def test_frames_are_found_in_any_chunks(size: int) -> None:
    """However the bytes come, every head is found once, at the place where its frame begins."""
    bodies = [b"", b"a", b"bc" * 20, b"d" * 3]
    frames = [struct.pack(">ihhi", 8 + len(body), 26, 0, at) + body for at, body in enumerate(bodies)]
    stream = b"".join(frames)
    found, starts = [], []
    reader = Frames(12)
    for at in range(0, len(stream), size):
        for begins, head in reader.feed(stream[at : at + size]):
            found.append(int.from_bytes(head[8:12], "big"))
            starts.append(at + begins)
    assert [0, 1, 2, 3] == found
    true_starts = [sum(map(len, frames[:at])) for at in range(4)]
    assert all(true <= said < true + 12 for true, said in zip(true_starts, starts, strict=True))

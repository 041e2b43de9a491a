"""An SMTP server, an SES and a print-and-post service that take everything and keep nothing: what a sending loop is measured against.

Each is a process of its own (``python -m benchmarks.mail_stand_ins smtp``), says its port in a line, and
ends with its standard input. A wait stands for the way to a real one: each answer is so much late.
"""

import argparse
import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, Final

__all__ = ["main", "serving"]

_STOP_S_MAX: Final = 10.0

_GREETING = b"220 stand-in\r\n"
_EXTENSIONS = b"250-stand-in\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250 8BITMIME\r\n"


class _Late(asyncio.Protocol):
    """Answers, each so much later than it could."""

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note to whom answers go."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def _answer(self, octets: bytes) -> None:
        assert self._transport is not None
        if not octets:
            return
        if self._wait_s:
            asyncio.get_running_loop().call_later(self._wait_s, self._transport.write, octets)
        else:
            self._transport.write(octets)


class _Smtp(_Late):
    """As much of RFC 5321 as a sender needs; commands that come at once are answered at once."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(wait_s)
        self._in_content = False
        self._taken = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        super().connection_made(transport)
        self._answer(_GREETING)

    def data_received(self, data: bytes) -> None:
        """Take commands and contents as they come."""
        self._received += data
        answers = b""
        while True:
            end = b"\r\n.\r\n" if self._in_content else b"\r\n"
            part, found, rest = self._received.partition(end)
            if not found:
                break
            self._received = rest
            if self._in_content:
                self._in_content = False
                self._taken += 1
                answers += b"250 2.0.0 taken as %d\r\n" % self._taken
            else:
                answers += self._answer_to(part[:4].upper())
        self._answer(answers)

    def _answer_to(self, command: bytes) -> bytes:
        if command == b"EHLO":
            return _EXTENSIONS
        if command == b"DATA":
            self._in_content = True
            return b"354 go ahead\r\n"
        return b"250 ok\r\n"


class _Ses(_Late):
    """Answers each request with a message id; connections are kept."""

    answer: ClassVar[bytes] = b'{"MessageId":"0100"}'

    def data_received(self, data: bytes) -> None:
        """Take requests as they come."""
        self._received += data
        head, found, rest = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = next(
            int(line.partition(b":")[2])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        if len(rest) >= length:
            self._received = rest[length:]
            self._answer(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (len(self.answer), self.answer)
            )


class _Post(_Ses):
    """Says the same price to who asks for it and to who hands a letter over."""

    answer = b'{"id":"L-1","status":"received","price":"0.85","currency":"EUR","sheets":1}'


_KINDS: dict[str, Callable[[float], asyncio.Protocol]] = {"smtp": _Smtp, "ses": _Ses, "post": _Post}


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=sorted(_KINDS))
    parser.add_argument("--wait-ms", type=float, default=0.0, help="how late each answer is")
    chosen = parser.parse_args(arguments)
    asyncio.run(_serve(_KINDS[chosen.kind], wait_s=chosen.wait_ms / 1000))


@contextlib.contextmanager
def serving(kind: str, *, wait_ms: int = 0) -> Iterator[int]:
    """Run a stand-in as a process of its own; give its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.mail_stand_ins", kind, f"--wait-ms={wait_ms}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(_STOP_S_MAX)


async def _serve(kind: Callable[[float], asyncio.Protocol], *, wait_s: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: kind(wait_s), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    main()

"""Servers of TLS, or of what is none, that break off where a test wants them to."""

import contextlib
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

__all__ = [
    "BREAKS_IN_A_HANDSHAKE",
    "Serve",
    "breaking_after",
    "listening",
    "presenting",
    "reset",
    "tunnelled",
]

Serve = Callable[[socket.socket], object]


@contextmanager
def listening(serve: Serve) -> Iterator[str]:
    """Give the address of a server; each connection is served so, and closed."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # closed: the test is over
            with connection, contextlib.suppress(OSError):  # who hangs up on us is what is tested
                serve(connection)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=60)


def presenting(certificate: Path) -> ssl.SSLContext:
    """Give what a server with this certificate shakes hands by."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def reset(connection: socket.socket) -> None:
    """Break off without a word: what closes it now is a reset."""
    connection.recv(65_536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def tunnelled(connection: socket.socket) -> None:
    """Let through as a proxy does, to where nobody speaks TLS."""
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    connection.recv(65_536)


def breaking_after(words: bytes, *, certificate: Path, heard: list[bytes]) -> Serve:
    """Shake hands, hear a request as far as these words, and then write what is no TLS, past its layer."""
    context = presenting(certificate)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as inside:
            said = b""
            while words not in said:
                said += inside.recv(65_536)
            heard.append(said)
            os.write(inside.fileno(), b"no record of TLS, past its layer\r\n" * 9)
            inside.recv(1)

    return serve


def _not_tls(connection: socket.socket) -> None:
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


BREAKS_IN_A_HANDSHAKE: Final[dict[str, Serve]] = {
    "it hangs up": lambda connection: connection.recv(65_536),
    "it breaks off": reset,
    "it speaks something else": lambda connection: connection.sendall(b"220 mail.example ESMTP\r\n"),
    "it has no TLS": _not_tls,
}

"""One document from the web, within limits of time, size, kind and place; nothing is kept here."""

import http.client
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any, Final, Literal
from urllib.parse import SplitResult, urljoin

from notifiers.enclosing.addresses import (
    AddressRefusedError,
    Resolver,
    checked_address,
    checked_url,
    resolved,
)
from notifiers.enclosing.settings import DocumentSettings

__all__ = ["DocumentKind", "FetchFailedError", "FetchRefusedError", "Fetcher"]

DocumentKind = Literal["pdf", "xml"]
_REDIRECTS_MAX: Final = 3
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
# What may pass: the server is busy, or is being mended.
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_OK: Final = 200
_PIECE: Final = 65_536
_MEDIA: Final[dict[DocumentKind, tuple[str, ...]]] = {
    "pdf": ("application/pdf", "application/x-pdf"),
    "xml": ("application/xml", "text/xml", "text/plain"),
}
_ANY_MEDIA: Final = ("", "application/octet-stream", "binary/octet-stream", "application/force-download")
_BOM: Final = b"\xef\xbb\xbf"


class FetchFailedError(Exception):
    """It is not to be had now, and may be later."""


class FetchRefusedError(Exception):
    """It is not to be had: from there, of that kind or size, or at all."""


class Fetcher:
    """Fetches documents over https.

    Args:
        settings: hosts and limits.
        resolve: gives a host's addresses.
        monotonic: seconds that only grow.
    """

    def __init__(
        self,
        settings: DocumentSettings,
        *,
        resolve: Resolver = resolved,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._hosts = settings.allowed_hosts()
        self._resolve = resolve
        self._monotonic = monotonic
        self._tls = _trusting(settings)

    def fetch(self, url: str, *, kind: DocumentKind) -> bytes:
        """Give a document's bytes.

        Raises:
            FetchFailedError: it may be had later.
            FetchRefusedError: it will not.
        """
        deadline_s = self._monotonic() + self._settings.timeout_s
        try:
            for _ in range(_REDIRECTS_MAX + 1):
                parts = checked_url(url, hosts=self._hosts)
                found = self._ask_trusting(parts, kind=kind, deadline_s=deadline_s)
                if isinstance(found, bytes):
                    return found
                url = urljoin(url, found)
        except AddressRefusedError as error:
            raise FetchRefusedError(str(error)) from error
        except ssl.SSLCertVerificationError as error:
            raise FetchRefusedError(
                f"its certificate is not to be trusted: {error.verify_message}"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise FetchFailedError(f"{type(error).__name__}: {error}"[:300]) from error
        except ValueError as error:  # a name that no resolver takes, a redirect to what is no address
            raise FetchRefusedError(f"it is no address: {error}"[:300]) from error
        raise FetchRefusedError(f"it leads elsewhere more than {_REDIRECTS_MAX} times")

    def _ask_trusting(self, parts: SplitResult, *, kind: DocumentKind, deadline_s: float) -> bytes | str:
        try:
            return self._ask(parts, kind=kind, deadline_s=deadline_s)
        except ssl.SSLCertVerificationError:
            # The file of those that are trusted may be another one by now: what that refuses, too, is refused.
            self._tls = _trusting(self._settings)
            return self._ask(parts, kind=kind, deadline_s=deadline_s)

    def _ask(self, parts: SplitResult, *, kind: DocumentKind, deadline_s: float) -> bytes | str:
        """Ask one address: give the document, or where it is instead."""
        host, port = (parts.hostname or "").rstrip("."), parts.port or http.client.HTTPS_PORT
        address = checked_address(host, port, private=self._settings.private, resolve=self._resolve)
        connection = _PinnedConnection(
            host, port, address=address, left_s=lambda: self._left_s(deadline_s), tls=self._tls
        )
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {"Accept-Encoding": "identity", "User-Agent": "cobranza", "Connection": "close"}
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            if response.status in _REDIRECTS:
                return response.getheader("Location") or ""
            _check_answer(response, kind=kind)
            content = self._read(response)
        finally:
            connection.close()
        _check_content(content, kind=kind)
        return content

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        most = self._settings.bytes_max
        if (response.length or 0) > most:
            raise FetchRefusedError(f"it is larger than {most:,} bytes")
        pieces, size = [], 0
        while piece := response.read1(_PIECE):
            size += len(piece)
            if size > most:
                raise FetchRefusedError(f"it is larger than {most:,} bytes")
            pieces.append(piece)
        if response.length:
            raise FetchFailedError(f"{response.length:,} bytes are missing at its end")
        return b"".join(pieces)

    def _left_s(self, deadline_s: float) -> float:
        left_s = deadline_s - self._monotonic()
        if left_s <= 0:
            raise FetchFailedError(f"it was not there within {self._settings.timeout_s:g} s")
        return left_s


def _trusting(settings: DocumentSettings) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=settings.ca_file or None)
    made.sslsocket_class = _TimedSocket
    return made


class _TimedSocket(ssl.SSLSocket):
    """Waits for each piece no longer than there is time for the whole: a server that drips is given up."""

    left_s: Callable[[], float]

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        """Receive, as ``http.client`` reads head and body.

        Raises:
            FetchFailedError: the time is over.
        """
        self.settimeout(self.left_s())
        return super().recv_into(buffer, nbytes, flags)


class _PinnedConnection(http.client.HTTPSConnection):
    """Connects to the address that was looked at; the certificate must be the host's all the same."""

    def __init__(
        self, host: str, port: int, *, address: str, left_s: Callable[[], float], tls: ssl.SSLContext
    ) -> None:
        super().__init__(host, port, context=tls)
        self._address = address
        self._tls = tls
        self._left_s = left_s

    def connect(self) -> None:
        """Open the socket, as ``http.client`` asks."""
        plain = socket.create_connection((self._address, self.port), self._left_s())
        wire = self._tls.wrap_socket(plain, server_hostname=self.host)
        assert isinstance(wire, _TimedSocket)  # noqa: S101 - the context makes these
        wire.left_s = self._left_s
        self.sock = wire


def _check_answer(response: http.client.HTTPResponse, *, kind: DocumentKind) -> None:
    if response.status in _PASSING:
        raise FetchFailedError(f"the server answers {response.status} {response.reason}"[:200])
    if response.status != _OK:
        raise FetchRefusedError(f"the server answers {response.status} {response.reason}"[:200])
    if response.getheader("Content-Encoding", "identity") != "identity":
        raise FetchRefusedError("it is compressed")
    media = response.getheader("Content-Type", "").partition(";")[0].strip().lower()
    if media not in _MEDIA[kind] + _ANY_MEDIA and not (kind == "xml" and media.endswith("+xml")):
        raise FetchRefusedError(f"it is {media!r} and no {kind.upper()}")


def _check_content(content: bytes, *, kind: DocumentKind) -> None:
    begins = content[:1024].removeprefix(_BOM).lstrip()
    if kind == "pdf" and b"%PDF-" not in content[:1024]:
        raise FetchRefusedError("what came is no PDF")
    if kind == "xml" and (
        not begins.startswith(b"<") or begins[:14].lower().startswith((b"<!doctype", b"<html"))
    ):
        raise FetchRefusedError("what came is no XML")

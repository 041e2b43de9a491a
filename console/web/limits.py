"""What every request has to keep to, and every answer carries: sizes, times, and headers that browsers obey.

Plain ASGI, so that a body is counted while it comes in. Nothing of a path is logged but its
route: what stands in it may be a signed link.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["CONSOLE_POLICY", "PAGE_POLICY", "BodyLimit", "RefusedRequestError", "SafeHeaders"]

_log = structlog.get_logger(__name__)

# No script, no frame, no other origin: a page behind a link is text and a form.
PAGE_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# Behind a login: our own scripts (charts, progress) and what they ask of us; nothing written into a page runs.
CONSOLE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; report-uri /csp-reports"
)
_HEADERS: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
_TRANSPORT: Final = "max-age=31536000"


class RefusedRequestError(Exception):
    """A request that is refused before anybody looks at what it says; ``status`` is HTTP's."""

    def __init__(self, status: int) -> None:
        super().__init__(f"refused with {status}")
        self.status = status


class BodyLimit:
    """Refuses bodies that are too large (413) or too slow (408).

    Args:
        app: what is behind it.
        bytes_max: the largest body of a path; the second argument: it is a form with files.
        receive_s_max: so long may a body take, all of it.
    """

    def __init__(self, app: ASGIApp, *, bytes_max: Callable[[str, bool], int], receive_s_max: float) -> None:
        self._app, self._bytes_max, self._receive_s_max = app, bytes_max, receive_s_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what comes in, and stop reading at the limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_multipart = headers.get("content-type", "").startswith("multipart/form-data")
        bytes_max = self._bytes_max(scope["path"], is_multipart)
        said = headers.get("content-length", "0")
        is_announced = not said.isdecimal() or int(said[:20]) > bytes_max
        deadline_s = time.monotonic() + self._receive_s_max
        received = 0
        is_whole = False

        async def counted() -> Message:
            nonlocal received, is_whole
            if is_whole:  # what still comes is the end of the connection, which may take its time
                return await receive()
            if is_announced:
                raise RefusedRequestError(413)
            try:
                async with asyncio.timeout(max(0.0, deadline_s - time.monotonic())):
                    message = await receive()
            except TimeoutError as error:
                raise RefusedRequestError(408) from error
            received += len(message.get("body", b""))
            if received > bytes_max:
                raise RefusedRequestError(413)
            is_whole = not message.get("more_body", False)
            return message

        await self._app(scope, counted, send)


class SafeHeaders:
    """Puts the headers on every answer that has not set its own, and counts and logs the request.

    Args:
        app: what is behind it.
        is_https: readers come by TLS: they are told to stay with it.
        counted: told the status of each answer.
        policy: what browsers may load and run (Content-Security-Policy).
        referrer: to whom browsers tell where a reader comes from; by ``no-referrer`` they do not say the
            origin of a form either (Fetch, "append a request Origin header").
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        is_https: bool,
        counted: Callable[[int], None],
        policy: str = PAGE_POLICY,
        referrer: str = "no-referrer",
    ) -> None:
        self._app, self._counted = app, counted
        self._headers = {**_HEADERS, "Content-Security-Policy": policy, "Referrer-Policy": referrer}
        if is_https:
            self._headers["Strict-Transport-Security"] = _TRANSPORT

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and its answer back with more headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = time.monotonic()
        status = 500

        async def decorated(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, decorated)
        finally:
            self._counted(status)
            route = getattr(scope.get("route"), "path", "-")
            _log.info(
                "web_request",
                method=scope["method"],
                route=route,
                status=status,
                ms=round(1000 * (time.monotonic() - began_s), 1),
            )

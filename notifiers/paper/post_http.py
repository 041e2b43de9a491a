"""A print-and-post service that speaks JSON over HTTPS, with user and key: PDF, address, options, reference.

::

    POST /quotes                {country, pages, sheets, paper, options}        200 {price, currency}
    POST /letters               {reference, recipient, pages, …, document}      201 {id, status, price, currency}
    GET  /letters?reference=R                                                   200 {letters: [] | [{id, …}]}

    400 413 415 422   this letter never: by error.code, address_*, document_* or anything else
    401 402 403       credentials, or no credit left: nothing goes until a person has mended it
    404 405 3xx       not the service that was meant: the same
    409               the reference is known: asked for what it has become
    408 425 429 503   not taken; later, for everybody, and not before ``Retry-After``
    other 5xx, no or no readable answer after the letter was handed over: nobody knows

It refuses addresses that are not https, but for this machine's own.
"""

import base64
import http.client
import ssl
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, cast, get_args
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Struct

from notifiers.channel import Cost, PermanentError, TemporaryError, UncertainError
from notifiers.paper.post import PostalLetter, Posted, PostStatus
from notifiers.retry_after import asked_wait_s
from schemas.outcomes import ErrorType

__all__ = ["HttpPost", "PostServer"]

_LOCAL: Final = ("127.0.0.1", "::1", "localhost")
_ANSWER_BYTES_MAX: Final = 1_000_000
_REFUSED: Final = (400, 413, 415, 422)
_LATER: Final = (408, 425, 429, 503)
_KNOWN_ALREADY: Final = 409
_MICROS: Final = 1_000_000


class PostServer(Struct, frozen=True, kw_only=True):
    """Where the service is; ``url`` is what stands before ``/letters``."""

    url: str
    user: str
    key: str
    timeout_s: float = 30.0


class _Answer(Struct, frozen=True, kw_only=True):
    status: int
    body: Mapping[str, Any]
    retry_after_s: float = 0.0


class _NotSentError(Exception):
    """The request did not leave: nobody can have taken it."""


class _NoAnswerError(Exception):
    """The request left, and what came back is no answer."""


class HttpPost:
    """The service as a `PostService`. Each request has a connection of its own, so that a dead one is not mistaken
    for a letter in doubt. Not thread-safe.

    Raises:
        ValueError: the URL is not https.
    """

    def __init__(self, server: PostServer) -> None:
        parts = urlsplit(server.url)
        if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in _LOCAL):
            raise ValueError(f"the print-and-post service must be reached by https, not {server.url!r}")
        self._server = server
        self._parts = parts
        # Read once, and when a certificate is refused: to read those that are trusted takes longer than to write a letter.
        self._trusted = _trust(parts.scheme)
        credentials = base64.b64encode(f"{server.user}:{server.key}".encode()).decode()
        self._headers = {
            "Authorization": f"Basic {credentials}",
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "cobranza",
        }

    @property
    def endpoint(self) -> str:
        """The host and what stands behind it."""
        return self._parts.netloc + self._parts.path

    @property
    def answers_within_s(self) -> float:
        """As long as we wait for an answer ourselves, and once more."""
        return 2 * self._server.timeout_s

    def quote(self, letter: PostalLetter) -> Cost:
        """Ask for the price."""
        answer = self._ask("POST", "/quotes", _described(letter))
        if answer.status in _REFUSED:
            raise PermanentError(error_type="provider_refused", detail=_said(answer))
        self._expect_success(answer)
        cost = _cost(answer.body, sheets=letter.sheets)
        if cost is None:
            raise TemporaryError("the service gives no price")
        return cost

    def submit(self, letter: PostalLetter) -> Posted:
        """Upload the letter."""
        body = _described(letter) | {
            "reference": letter.reference,
            "recipient": {"lines": letter.lines, "country": letter.country},
            "document": base64.b64encode(letter.pdf).decode(),
        }
        try:
            answer = self._request("POST", "/letters", body, reference=letter.reference)
        except _NotSentError as error:
            raise TemporaryError(self._at(error)) from error
        except _NoAnswerError as error:
            raise UncertainError(f"no answer after the letter was handed over: {error}") from error
        if answer.status == _KNOWN_ALREADY:
            return self._known(letter.reference, answer)
        if answer.status in _REFUSED:
            raise PermanentError(error_type=_error_type(answer), detail=_said(answer))
        if answer.status >= 500 and answer.status not in _LATER:
            raise UncertainError(_said(answer))
        self._expect_success(answer)
        posted = _posted(answer.body, sheets=letter.sheets)
        if posted is None:
            raise UncertainError(f"the service has answered {answer.status} without an id")
        return posted

    def status(self, reference: str) -> Posted | None:
        """Ask by reference."""
        answer = self._ask("GET", f"/letters?reference={quote(reference, safe='')}", None)
        self._expect_success(answer)
        letters = answer.body.get("letters")
        if not isinstance(letters, list):
            raise TemporaryError("the service gives no list of letters")
        if not letters:
            return None
        posted = _posted(letters[0], sheets=1) if isinstance(letters[0], dict) else None
        if posted is None:
            raise TemporaryError("the service knows the letter, but not what became of it")
        return posted

    def _known(self, reference: str, answer: _Answer) -> Posted:
        try:
            posted = self.status(reference)
        except TemporaryError as error:
            raise UncertainError(error.detail) from error
        if posted is None:
            raise UncertainError(_said(answer))
        return posted

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> _Answer:
        """Ask what has no consequence: no answer is as good as none asked."""
        try:
            return self._request(method, path, body)
        except (_NotSentError, _NoAnswerError) as error:
            raise TemporaryError(self._at(error)) from error

    def _request(
        self, method: str, path: str, body: Mapping[str, Any] | None, *, reference: str = ""
    ) -> _Answer:
        content = None if body is None else msgspec.json.encode(body)
        # The reference is the key under which the service knows that it is asked twice.
        headers = self._headers | ({"Idempotency-Key": reference} if reference else {})
        connection = self._connection()
        try:
            try:
                connection.connect()
            except ssl.SSLCertVerificationError as error:
                # For the next try: their file may be another one by now.
                self._trusted = _trust(self._parts.scheme)
                raise _NotSentError(str(error)) from error
            except OSError as error:
                raise _NotSentError(str(error)) from error
            try:
                connection.request(method, self._parts.path.rstrip("/") + path, body=content, headers=headers)
                response = connection.getresponse()
                said = response.read(_ANSWER_BYTES_MAX)
            except (OSError, http.client.HTTPException) as error:
                raise _NoAnswerError(f"{type(error).__name__}: {error}") from error
            wait_s = asked_wait_s(response.headers.items())
            return _Answer(status=response.status, body=_decoded(said), retry_after_s=wait_s)
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=self._server.timeout_s)
        return http.client.HTTPSConnection(host, port, timeout=self._server.timeout_s, context=self._trusted)

    def _expect_success(self, answer: _Answer) -> None:
        if not 200 <= answer.status < 300:
            raise TemporaryError(self._at(_said(answer)), retry_after_s=answer.retry_after_s)

    def _at(self, what: object) -> str:
        return f"{self._parts.hostname}: {what}"


def _trust(scheme: str) -> ssl.SSLContext | None:
    """Read the certificates that are trusted; None: there is no TLS."""
    return ssl.create_default_context() if scheme == "https" else None


def _described(letter: PostalLetter) -> dict[str, Any]:
    options = letter.options
    return {
        "country": letter.country,
        "pages": letter.pages,
        "sheets": letter.sheets,
        "paper": letter.paper,
        "options": {"duplex": options.duplex, "colour": options.colour, "speed": options.speed},
    }


def _decoded(said: bytes) -> Mapping[str, Any]:
    """Read an answer; what is not an object of JSON says nothing."""
    try:
        body = msgspec.json.decode(said)
    except msgspec.DecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _posted(body: Mapping[str, Any], *, sheets: int) -> Posted | None:
    name = body.get("id")
    if not isinstance(name, str) or not name:
        return None
    status = body.get("status")
    known = cast("PostStatus", status) if status in get_args(PostStatus) else "received"
    return Posted(provider_id=name, status=known, cost=_cost(body, sheets=body.get("sheets", sheets)))


def _cost(body: Mapping[str, Any], *, sheets: int) -> Cost | None:
    try:
        micros = int(Decimal(str(body.get("price"))) * _MICROS)
    except (InvalidOperation, ValueError, OverflowError):
        return None
    currency = body.get("currency")
    return Cost(currency=currency, micros=micros, parts=sheets) if isinstance(currency, str) else None


def _error_type(answer: _Answer) -> ErrorType:
    error = answer.body.get("error")
    code = str(error.get("code", "")) if isinstance(error, dict) else ""
    if code.startswith("address"):
        return "address_refused"
    return "content_refused" if code.startswith("document") else "provider_refused"


def _said(answer: _Answer) -> str:
    error = answer.body.get("error")
    words = (
        [str(error[key]) for key in ("code", "message") if key in error] if isinstance(error, dict) else []
    )
    return ": ".join([str(answer.status), *words])[:500]

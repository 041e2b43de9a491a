"""Getting a certificate, or confirming a subscription, over HTTP: little, soon, and without being sent elsewhere."""

import http.client
import urllib.error
import urllib.request
from typing import IO, Final

from notifiers.feedback.refusals import UnavailableError

__all__ = ["fetch"]

_BYTES_MAX: Final = 64 * 1024


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Who was checked is who is asked: an answer that sends us on is no answer."""

    def redirect_request(  # noqa: PLR0917 - the base class's signature
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> None:
        """Follow nothing."""


def fetch(url: str, *, timeout_s: float) -> bytes:
    """Give what lies at an address whose host the caller has checked.

    Raises:
        UnavailableError: it does not answer in time, or with something else than 200 and a little.
    """
    opener = urllib.request.build_opener(_NoRedirects)
    try:
        with opener.open(url, timeout=timeout_s) as answer:
            content: bytes = answer.read(_BYTES_MAX + 1)
    except (OSError, urllib.error.URLError, http.client.HTTPException, ValueError) as error:
        raise UnavailableError(f"{url.partition('?')[0]} does not answer: {error}") from error
    if len(content) > _BYTES_MAX:
        raise UnavailableError(f"{url.partition('?')[0]} answers with too much")
    return content

"""What a reader sees when something does not work: a page in his language that says what to do, and nothing else."""

import functools
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from console.web.limits import RefusedRequestError
from console.web.outside.reading import ClosedLinkError
from console.web.outside.words import accepted_language, words_of
from console.web.outside.writing import page
from notifiers.channel import TemporaryError

__all__ = ["add_faults"]

_UNKNOWN: Final = 400


def add_faults(app: FastAPI, *, root: str) -> None:
    """Let an application answer errors with pages; ``root`` is the path that readers see it below."""
    _page = functools.partial(_written, root=root)

    async def closed(request: Request, error: Exception) -> HTMLResponse:
        if not isinstance(error, ClosedLinkError):
            raise error
        return _page(request, error.status, language=error.language)

    async def refused(request: Request, error: Exception) -> HTMLResponse:
        status = error.status if isinstance(error, RefusedRequestError) else _UNKNOWN
        # What was refused halfway is still being sent: the connection cannot go on.
        return _page(request, status, headers={"Connection": "close"})

    async def http(request: Request, error: Exception) -> HTMLResponse:
        status = error.status_code if isinstance(error, HTTPException) else _UNKNOWN
        return _page(request, status)

    async def invalid(request: Request, error: Exception) -> HTMLResponse:  # noqa: ARG001 - Starlette's signature
        return _page(request, _UNKNOWN)

    async def unavailable(request: Request, error: Exception) -> HTMLResponse:  # noqa: ARG001 - Starlette's signature
        return _page(request, 503)

    async def broken(request: Request, error: Exception) -> HTMLResponse:  # noqa: ARG001 - it is raised again, and logged, by Starlette
        return _page(request, 500)

    app.add_exception_handler(ClosedLinkError, closed)
    app.add_exception_handler(RefusedRequestError, refused)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(TemporaryError, unavailable)
    app.add_exception_handler(Exception, broken)


def _written(
    request: Request, status: int, *, root: str, language: str = "", headers: dict[str, str] | None = None
) -> HTMLResponse:
    words = words_of(language or accepted_language(request.headers.get("accept-language", "")))
    text = words.faults.get(str(status), words.faults[str(_UNKNOWN)])
    answer = page("fault.html", words=words, root=root, status=status, text=text)
    answer.headers.update(headers or {})
    return answer

"""The application of ``cobranza console``: every page behind a login, on an address of its own."""

from collections.abc import Callable
from importlib import resources
from typing import Final
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from console.publishing import PublishError
from console.web.inside import complaints, login
from console.web.inside.access import (
    COOKIE,
    Denied,
    LoginNeededError,
    PasswordNeededError,
    Person,
    Refusal,
    came_from,
    person_of,
)
from console.web.inside.asking import WrongRequestError
from console.web.inside.pages import batches, customers, processing, reminders, review, settings, today
from console.web.inside.pages.reports import keeping, mailing, reading
from console.web.inside.parts import InsideParts
from console.web.inside.returning import form_again
from console.web.inside.showing import page
from console.web.limits import CONSOLE_POLICY, BodyLimit, RefusedRequestError, SafeHeaders
from console.web.outside.words import accepted_language
from console.web.routing import Routes

__all__ = ["PAGES", "STATIC_FILES", "inside_app", "make_routes"]

# One router per area; docs/console.md has the rules that their routes keep.
PAGES: Final = (
    today.router,
    processing.router,
    batches.router,
    customers.router,
    review.router,
    reminders.router,
    mailing.router,
    keeping.router,
    reading.router,
    settings.router,
)
# What is served as it is: a file that is not named here is not reachable.
STATIC_FILES: Final = {
    "console.css": "text/css",
    "icon.svg": "image/svg+xml",
    "charts.js": "text/javascript",
    "vendor/htmx-2.0.11.min.js": "text/javascript",
    "vendor/echarts-6.1.0.common.min.js": "text/javascript",
}
_STATUS: Final[dict[type[Exception], int]] = {
    Denied: 403,
    Refusal: 403,
    WrongRequestError: 422,
    RequestValidationError: 400,
    PublishError: 503,
    Exception: 500,
}


def inside_app(
    parts: InsideParts,
    *,
    counted: Callable[[int], None] = lambda _: None,
    reported: Callable[[], None] = lambda: None,
) -> ASGIApp:
    """Make the application; ``counted`` is told the status of each answer, ``reported`` of each breach of the policy."""
    app = make_routes(parts, reported=reported)
    console = parts.console
    app.add_middleware(
        BodyLimit, bytes_max=lambda *_: console.body_bytes_max, receive_s_max=console.receive_s_max
    )
    return SafeHeaders(
        app, is_https=console.is_https, counted=counted, policy=CONSOLE_POLICY, referrer="same-origin"
    )


def make_routes(parts: InsideParts, *, reported: Callable[[], None] = lambda: None) -> FastAPI:
    """Make the routes alone: a test walks them with every role."""
    app = FastAPI(title="Cobranza", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.parts = parts
    routes = Routes()
    for area in (login.router(parts), complaints.router(reported), *(each(parts) for each in PAGES)):
        routes.take(area)
    for name, media_type in STATIC_FILES.items():
        routes.add_api_route(f"/static/{name}", _static(name, media_type), response_model=None)
    app.router.routes.extend(routes.routes)
    _add_faults(app, parts)
    return app


def _static(name: str, media_type: str) -> Callable[[], Response]:
    content = resources.files("console.web.inside").joinpath("static", name).read_bytes()

    def give() -> Response:
        return Response(content, media_type=media_type, headers={"Cache-Control": "public, max-age=3600"})

    return give


def _add_faults(app: FastAPI, parts: InsideParts) -> None:
    async def to_login(request: Request, error: Exception) -> Response:  # noqa: ARG001 - Starlette's signature
        path = request.url.path if request.method == "GET" else "/"
        return RedirectResponse(f"/login?then={quote(path)}", status_code=303)

    async def fault(request: Request, error: Exception) -> HTMLResponse:
        return await _form_or_fault(request, parts, error)

    async def to_password(request: Request, error: Exception) -> Response:  # noqa: ARG001 - Starlette's signature
        return RedirectResponse("/me", status_code=303)

    app.add_exception_handler(LoginNeededError, to_login)
    app.add_exception_handler(PasswordNeededError, to_password)
    app.add_exception_handler(RefusedRequestError, fault)
    app.add_exception_handler(HTTPException, fault)
    for kind in _STATUS:
        app.add_exception_handler(kind, fault)


async def _form_or_fault(request: Request, parts: InsideParts, error: Exception) -> HTMLResponse:
    """Give the form back as it was filled in where that is what is wrong, else a page that says what is."""
    person = await run_in_threadpool(_person, request, parts)
    if person is not None and isinstance(error, RequestValidationError | WrongRequestError | PublishError):
        try:
            again = await form_again(
                request, person, error, status=503 if isinstance(error, PublishError) else 422
            )
        except Refusal as refusal:
            error, again = refusal, None
        if again is not None:
            return again
    return _fault_page(request, person, error)


def _person(request: Request, parts: InsideParts) -> Person | None:
    try:
        return person_of(parts, request.cookies.get(COOKIE))
    except LoginNeededError:
        return None


def _fault_page(request: Request, person: Person | None, error: Exception) -> HTMLResponse:
    if isinstance(error, HTTPException):
        status = error.status_code
    elif isinstance(error, RefusedRequestError):
        status = error.status
    else:
        status = next(number for kind, number in _STATUS.items() if isinstance(error, kind))
    return page(
        "fault.html",
        person=person,
        language=accepted_language(request.headers.get("accept-language", "")),
        status=status,
        number=status,
        problems=error.problems if isinstance(error, WrongRequestError) else [],
        typed=[],
        back=came_from(request),
    )

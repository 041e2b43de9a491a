"""The page to log in by, the way out, and the language that a user reads."""

from typing import Annotated, Literal

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from console.web.inside.access import (
    COOKIE,
    Person,
    WaitError,
    came_from,
    log_in,
    needs,
    require_own_form,
    require_same_origin,
    within,
)
from console.web.inside.auditing import note, note_own
from console.web.inside.parts import InsideParts
from console.web.inside.showing import LANGUAGES, page
from console.web.outside.words import accepted_language
from console.web.routing import Routes

__all__ = ["router"]

_WORD_MAX = 1_024  # argon2 would work on as much as it is given


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()

    @routes.get("/login", response_model=None)
    def show(request: Request, then: str = "/", language: str = "") -> HTMLResponse:
        return _login_page(request, then=then, language=language)

    @routes.post("/login", response_model=None)
    async def take(
        request: Request,
        user: Annotated[str, Form(max_length=128)],
        password: Annotated[str, Form(max_length=_WORD_MAX)],
        then: Annotated[str, Form(max_length=2_000)] = "/",
    ) -> Response:
        require_same_origin(request)
        address = request.client.host if request.client is not None else ""
        try:
            token = await run_in_threadpool(log_in, parts, user=user, password=password, address=address)
        except WaitError as error:
            return _login_page(request, then=then, status=429, wait=error.minutes)
        if token is None:
            return _login_page(request, then=then, status=401, is_wrong=True)
        answer = RedirectResponse(within(then), status_code=303)
        answer.set_cookie(
            COOKIE,
            token,
            max_age=parts.console.session_hours * 3_600,
            httponly=True,
            samesite="lax",
            secure=parts.console.is_https,
            path="/",
        )
        return answer

    @routes.post("/logout", response_model=None)
    def leave(
        request: Request,
        person: Annotated[Person, Depends(needs("viewer"))],
        csrf: Annotated[str, Form(max_length=128)],
    ) -> Response:
        require_own_form(request, person, csrf=csrf)
        parts.people.end(person.session)
        note(parts, person, entry=f"logout/{person.session[:16]}/{parts.clock().isoformat()}", act="logout")
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(COOKIE, path="/")
        return answer

    @routes.post("/language", response_model=None)
    def speak(
        request: Request,
        person: Annotated[Person, Depends(needs("viewer"))],
        csrf: Annotated[str, Form(max_length=128)],
        language: Annotated[Literal["en", "es", "pt"], Form()],
    ) -> Response:
        require_own_form(request, person, csrf=csrf)
        parts.people.speak(person.user, language=language)
        note_own(parts, person, act="console.language", name=language)
        return RedirectResponse(came_from(request), status_code=303)

    return routes


def _login_page(
    request: Request,
    *,
    then: str,
    status: int = 200,
    is_wrong: bool = False,
    wait: int = 0,
    language: str = "",
) -> HTMLResponse:
    known = (
        language if language in LANGUAGES else accepted_language(request.headers.get("accept-language", ""))
    )
    return page("login.html", language=known, status=status, then=within(then), is_wrong=is_wrong, wait=wait)

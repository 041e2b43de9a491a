"""The pages that need no login: the one to log in by, and the way out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from console.web.inside.access import (
    COOKIE,
    Person,
    WaitError,
    log_in,
    needs,
    require_own_form,
    require_same_origin,
)
from console.web.inside.parts import InsideParts
from console.web.inside.showing import page
from console.web.outside.words import accepted_language
from infra.database.people import AuditEntry

__all__ = ["router"]

_WORD_MAX = 1_024  # argon2 would work on as much as it is given


def router(parts: InsideParts) -> APIRouter:
    """Make the routes."""
    routes = APIRouter()

    @routes.get("/login", response_model=None)
    def show(request: Request, then: str = "/") -> HTMLResponse:
        return _login_page(request, then=then)

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
        answer = RedirectResponse(_within(then), status_code=303)
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
        now = parts.clock()
        entry = f"logout/{person.session[:16]}/{now.isoformat()}"
        parts.people.note(AuditEntry(entry=entry, at=now, user=person.user, act="logout"))
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(COOKIE, path="/")
        return answer

    return routes


def _login_page(
    request: Request, *, then: str, status: int = 200, is_wrong: bool = False, wait: int = 0
) -> HTMLResponse:
    language = accepted_language(request.headers.get("accept-language", ""))
    return page(
        "login.html", language=language, status=status, then=_within(then), is_wrong=is_wrong, wait=wait
    )


def _within(then: str) -> str:
    """Give a path of ours: nobody is sent elsewhere by a link to the login."""
    is_ours = then.startswith("/") and not then.startswith(("//", "/\\")) and then.isprintable()
    return then if is_ours else "/"

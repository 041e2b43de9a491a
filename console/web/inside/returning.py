"""A form with something wrong comes back as it was filled in, on the page where it stands, with the fault at its field.

One way for all forms: what a route refuses (a field) or intake would (a command) is told on the form's own page, which
its own route makes once more. Where that page is not known, what was typed is shown beside what is wrong.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl, unquote, urlencode

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.types import Message, Scope

from console.publishing import PublishError
from console.web.inside.access import Person, came_from, require_own_form, within
from console.web.inside.asking import WrongRequestError
from console.web.inside.form_faults import FORM_WORDS, refused_fields, said_problems
from console.web.inside.refilling import FORM_PAGE, FormFault, Typed, refilled
from console.web.inside.showing import page, words_of
from console.web.plain import without_control

__all__ = ["form_again"]

_HIDDEN_HEADERS: Final = (b"content-length", b"content-type", b"transfer-encoding", b"origin")
_SECRET: Final = ("password", "chosen", "again", FORM_PAGE, *FORM_WORDS)


async def form_again(
    request: Request, person: Person, error: Exception, *, status: int
) -> HTMLResponse | None:
    """Answer with the form as it was filled in; None: what is wrong is not a form of ours.

    Raises:
        Refusal: the form was not made for this session.
    """
    if request.method != "POST":
        return None
    sent = (await request.form()).multi_items()
    fields = [(name, without_control(value)) for name, value in sent if isinstance(value, str)]
    faults = _faults(error, person=person, names=[name for name, _ in fields])
    if not faults:
        return None
    require_own_form(request, person, csrf=dict(fields).get("csrf", ""))
    typed = Typed(action=request.url.path, fields=tuple(fields))
    path = _page_of(request, typed)
    text = await _page_again(request, path) if path else ""
    words = words_of(person.language)
    made = (
        refilled(text, typed=typed, faults=faults, heading=words["page"]["wrong"], page=path)
        if text
        else None
    )
    if made is not None:
        return HTMLResponse(made, status_code=status, headers={"Content-Language": words["language"]})
    return page(
        "fault.html",
        person=person,
        status=status,
        number=status,
        problems=[each.text for each in faults],
        typed=[each for each in fields if each[0] not in _SECRET and each[1]],
        back=path,
    )


def _faults(error: Exception, *, person: Person, names: Sequence[str]) -> list[FormFault]:
    words = words_of(person.language)
    if isinstance(error, RequestValidationError):
        return refused_fields(error, words=words)
    if isinstance(error, WrongRequestError):
        if error.fields:
            pairs = zip(error.fields, error.problems, strict=True)
            return [FormFault(field=name, text=text) for name, text in pairs]
        return said_problems(error.problems, names=names, words=words)
    if isinstance(error, PublishError):
        return [FormFault(field="", text=f"{words['faults']['503']} {words['faults']['503_then']}")]
    return []


def _page_of(request: Request, typed: Typed) -> str:
    """Give the address of the page that a form stands on: it says so itself where it came back before."""
    said = next(iter(typed.of(FORM_PAGE)), "")
    path = within(said) if said else came_from(request)
    bare, _, query = path.partition("?")
    # What was asked for before has nothing to do with this form, and would be waited for.
    kept = [each for each in parse_qsl(query, keep_blank_values=True) if each[0] != "asked"]
    return f"{bare}?{urlencode(kept)}" if kept else bare


async def _page_again(request: Request, path: str) -> str:
    """Have the page made by its own route, for the same person; '' where it is none."""
    status, content, is_text = 0, bytearray(), False

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, is_text
        if message["type"] == "http.response.start":
            status = message["status"]
            is_text = any(
                name == b"content-type" and value.startswith(b"text/html")
                for name, value in message["headers"]
            )
        elif message["type"] == "http.response.body":
            content.extend(message.get("body", b""))

    await request.app(_asked(request.scope, path), receive, send)
    return content.decode() if status == 200 and is_text else ""


def _asked(scope: Scope, path: str) -> Scope:
    """Give the request that a browser would make for a page, with the same cookies."""
    bare, _, query = path.partition("?")
    kept = ("type", "asgi", "http_version", "scheme", "root_path", "client", "server", "state")
    return {name: scope[name] for name in kept if name in scope} | {
        "method": "GET",
        "path": unquote(bare),
        "raw_path": bare.encode(),
        "query_string": query.encode(),
        "headers": [each for each in scope["headers"] if each[0] not in _HIDDEN_HEADERS],
    }

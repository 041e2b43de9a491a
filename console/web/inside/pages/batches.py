"""How far a batch is: what was asked of how many, and what became of each: asked, written, refused with why.

The page asks again by itself where scripts run, and has a link that does it where they do not.
Only who asked for a batch sees it, and of it what the role and the companies of today let him see and ask.
"""

import datetime
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from fastapi import Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from msgspec.structs import replace
from starlette.background import BackgroundTask

from console.batching import Asked
from console.web.inside.access import Denied, Person, require_own_form
from console.web.inside.auditing import note_own
from console.web.inside.given import Collector
from console.web.inside.ordering import ROLE_OF_VERB, carry_out
from console.web.inside.parts import InsideParts
from console.web.inside.refusals import refusal_text
from console.web.inside.showing import page, words_of
from console.web.routing import Routes
from infra.database.batches import FATES, Batch, BatchBook, Fate, LineFate

__all__ = ["router"]

_LINES_MAX = 100
_NEWEST = 30
# The projector may write a command and then that it was refused: so long a batch is looked at once more.
_SETTLES = datetime.timedelta(seconds=3)
_MARKS = {"refused": "bad", "skipped": "warn", "waiting": "", "asked": "mark", "written": "good"}


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()
    book = BatchBook(parts.engine)

    def own(person: Person, batch: str) -> Batch:
        found = book.batch(batch)
        if found is None or found.user != person.user:
            raise HTTPException(404)
        return found

    def values(batch: Batch, person: Person) -> dict[str, Any]:
        told = _progress(batch, counts=book.counts(batch.batch), now=parts.clock())
        return told | {"may_go_on": _may_go_on(batch, person)}

    @routes.get("/batches", response_model=None)
    def newest(*, person: Collector) -> HTMLResponse:
        found = book.newest(person.user, limit=_NEWEST)
        asked = {each.batch: msgspec.json.decode(each.asked_json, type=Asked) for each in found}
        return page("batches.html", person=person, batches=found, asked=asked)

    @routes.get("/batches/{batch}", response_model=None)
    def show(
        *,
        person: Collector,
        batch: str,
        fate: Annotated[str, Query(max_length=10)] = "",
        skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> HTMLResponse:
        found = own(person, batch)
        wanted = fate if fate in FATES else ""
        words = words_of(person.language)
        return page(
            "batch.html",
            person=person,
            asked=msgspec.json.decode(found.asked_json, type=Asked),
            lines=[
                _seen_by(person, each)
                for each in book.lines(batch, fate=wanted, skip=skip, lines_max=_LINES_MAX)
            ],
            fates=FATES,
            fate=wanted,
            skip=skip,
            step=_LINES_MAX,
            said=lambda detail: refusal_text(detail, words=words),
            **values(found, person),
        )

    @routes.get("/batches/{batch}/progress", response_model=None)
    def progress(*, person: Collector, batch: str) -> HTMLResponse:
        return page("progress.html", person=person, is_part=True, **values(own(person, batch), person))

    @routes.post("/batches/{batch}/go-on", response_model=None)
    def go_on(
        *,
        request: Request,
        person: Collector,
        batch: str,
        csrf: Annotated[str, Form(max_length=128)],
    ) -> RedirectResponse:
        require_own_form(request, person, csrf=csrf)
        if not _may_go_on(own(person, batch), person):
            raise Denied
        note_own(parts, person, act="console.batch.go_on", name=batch)
        task = BackgroundTask(carry_out, parts, batch, person=person)
        return RedirectResponse(f"/batches/{batch}", status_code=303, background=task)

    return routes


def _may_go_on(batch: Batch, person: Person) -> bool:
    """Say whether the person's role of today may ask for what the batch asks."""
    return person.may(ROLE_OF_VERB[msgspec.json.decode(batch.asked_json, type=Asked).verb])


def _seen_by(person: Person, line: LineFate) -> LineFate:
    """Give a line without whom it is about where that is no company of the person's (any more)."""
    return line if person.sees(line.account.partition(":")[0]) else replace(line, account="", name="")


def _progress(batch: Batch, *, counts: Mapping[Fate, int], now: datetime.datetime) -> dict[str, Any]:
    """Give what the pages of a batch say of how far it is."""
    total, open_ = sum(counts.values()), counts["waiting"] + counts["asked"]
    is_over = not open_ and now - batch.made_at > _SETTLES
    return {
        "batch": batch,
        "counts": counts,
        "total": total,
        "done": total - open_,
        "is_over": is_over or bool(batch.fault),
        "marks": _MARKS,
    }

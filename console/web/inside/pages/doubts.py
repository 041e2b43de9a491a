"""Deliveries of which nobody knows whether they went out: the evidence of each, and a person's word that ends the doubt (R19).

It is the word of ``cobranza deliveries resolve``: of two words the first one counts, and the channel's notifier publishes it.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from console.web.inside.access import Person, needs, require_own_form
from console.web.inside.asking import WrongRequestError, said_by
from console.web.inside.auditing import note
from console.web.inside.parts import InsideParts
from console.web.inside.showing import page, words_of
from infra.database.engine import reading
from infra.database.queries.sending import delivery_line, unknown_deliveries
from infra.database.send_doubts import Doubts, Note, notes_of
from infra.database.send_ledger import SendLedger
from notifiers.outcomes import occurred_at
from notifiers.settings import SendSettings
from schemas.fields import Channel

__all__ = ["router"]

_LINES_MAX = 25
_Word = Annotated[str, Form(max_length=128)]


def router(parts: InsideParts) -> APIRouter:
    """Make the routes."""
    routes = APIRouter()

    @routes.get("/doubts", response_model=None)
    def doubts(
        *,
        person: Annotated[Person, Depends(needs("collector"))],
        skip: Annotated[int, Query(ge=0, le=100_000)] = 0,
        ended: Annotated[str, Query(max_length=5)] = "",
    ) -> HTMLResponse:
        with reading(parts.engine) as connection:
            found = unknown_deliveries(
                connection, companies=person.companies, skip=skip, lines_max=_LINES_MAX + 1
            )
            lines = [
                (each, notes_of(connection, reminder=each.reminder, channel=each.channel))
                for each in found[:_LINES_MAX]
            ]
        return page(
            "doubts.html",
            person=person,
            lines=lines,
            has_more=len(found) > _LINES_MAX,
            skip=skip,
            step=_LINES_MAX,
            ended=ended == "true",
        )

    @routes.post("/doubts/end", response_model=None)
    def end(
        *,
        request: Request,
        person: Annotated[Person, Depends(needs("approver"))],
        csrf: _Word,
        nonce: _Word,
        reminder: Annotated[str, Form(max_length=300)],
        channel: Annotated[Channel, Form()],
        said: Annotated[Literal["accepted", "failed", "resend"], Form()],
        because: Annotated[str, Form(max_length=2_000)] = "",
    ) -> RedirectResponse:
        require_own_form(request, person, csrf=csrf)
        with reading(parts.engine) as connection:
            line = delivery_line(connection, reminder=reminder, channel=channel)
        if line is None or not person.sees(line.account.partition(":")[0]):
            raise HTTPException(404)
        words = words_of(person.language)["doubts"]
        if not because.strip():
            raise WrongRequestError([words["no_reason"]])
        entry = said_by(person, given=nonce)
        detail = f"{reminder} {channel} {said}: {because}"
        note(parts, person, entry=entry, act="delivery.resolve", account=line.account, detail=detail)
        if not _resolve(parts, person, reminder=reminder, channel=channel, said=said, because=because):
            with reading(parts.engine) as connection:
                words_before = notes_of(connection, reminder=reminder, channel=channel)
            if not any(each.author == person.user and each.detail == because for each in words_before):
                raise WrongRequestError([words["ended_before"]])
        return RedirectResponse("/doubts?ended=true", status_code=303)

    return routes


def _resolve(
    parts: InsideParts,
    person: Person,
    *,
    reminder: str,
    channel: Channel,
    said: Literal["accepted", "failed", "resend"],
    because: str,
) -> bool:
    """End the doubt; False: it has ended before."""
    ledger = SendLedger(
        parts.engine, channel=channel, owner="", reader_age_s_max=SendSettings().reader_age_s_max
    )
    job = ledger.job(reminder)
    if job is None:
        return False
    now = parts.clock()
    return Doubts(parts.engine, channel=job.channel).resolve(
        reminder,
        said=said,
        occurred_at=occurred_at(job, now=now),
        note=Note(at=now, author=person.user, what="said", detail=because),
    )

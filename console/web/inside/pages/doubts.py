"""Deliveries of which nobody knows whether they went out: the evidence of each, and what ends the doubt (R19): a
person's word, or the provider's, who is asked.

They are the words of ``cobranza deliveries resolve`` and ``ask``: the first one counts, and the channel's notifier publishes it.
"""

from typing import Annotated, Final, Literal

from fastapi import Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from console.web.inside.access import Person, require_own_form
from console.web.inside.asking import WrongRequestError, said_by
from console.web.inside.auditing import note
from console.web.inside.given import Approver, Collector, Word
from console.web.inside.parts import InsideParts
from console.web.inside.showing import page, words_of
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.queries.bank_state import customer_names
from infra.database.queries.sending import delivery_line, unknown_deliveries
from infra.database.send_doubts import Doubts, Note, notes_of
from infra.database.send_ledger import SendLedger
from infra.database.send_values import Job
from infra.errors import OperatorError
from notifiers.assembly import open_arbiter
from notifiers.outcomes import occurred_at
from notifiers.settings import SendSettings, read_settings
from schemas.fields import Channel

__all__ = ["ANSWERS", "router"]

_LINES_MAX = 25
_Reminder = Annotated[str, Form(max_length=300)]
# What came of asking a provider; `ended`: there was nothing to ask any more.
ANSWERS: Final = ("accepted", "resend", "cannot_say", "asked_later", "ended")


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()
    _add_list(routes, parts)
    _add_asking(routes, parts)
    _add_ending(routes, parts)
    return routes


def _add_list(routes: Routes, parts: InsideParts) -> None:
    @routes.get("/doubts", response_model=None)
    def doubts(
        *,
        person: Collector,
        skip: Annotated[int, Query(ge=0, le=100_000)] = 0,
        ended: Annotated[str, Query(max_length=5)] = "",
        answer: Annotated[str, Query(max_length=16)] = "",
    ) -> HTMLResponse:
        with reading(parts.engine) as connection:
            found = unknown_deliveries(
                connection, companies=person.companies, skip=skip, lines_max=_LINES_MAX + 1
            )
            lines = [
                (each, notes_of(connection, reminder=each.reminder, channel=each.channel))
                for each in found[:_LINES_MAX]
            ]
            names = customer_names(connection, [each.account for each, _ in lines])
        return page(
            "doubts.html",
            person=person,
            lines=lines,
            names=names,
            has_more=len(found) > _LINES_MAX,
            skip=skip,
            step=_LINES_MAX,
            ended=ended == "true",
            answer=answer if answer in ANSWERS else "",
        )


def _add_asking(routes: Routes, parts: InsideParts) -> None:
    @routes.post("/doubts/ask", response_model=None)
    def ask_provider(
        *,
        request: Request,
        person: Collector,
        csrf: Word,
        nonce: Word,
        reminder: _Reminder,
        channel: Annotated[Channel, Form()],
    ) -> RedirectResponse:
        """Have the provider asked now; as by itself, what it surely has not got is sent again while it is fresh."""
        require_own_form(request, person, csrf=csrf)
        account = _account(parts, person, reminder=reminder, channel=channel)
        entry = said_by(person, given=nonce)
        note(parts, person, entry=entry, act="delivery.ask", account=account, detail=f"{reminder} {channel}")
        try:
            answer = _provider_says(parts, reminder=reminder, channel=channel)
        except OperatorError as error:
            text = words_of(person.language)["doubts"]["not_to_be_asked"].format(detail=error)
            raise WrongRequestError([text], fields=[""]) from error
        return RedirectResponse(f"/doubts?answer={answer}", status_code=303)


def _add_ending(routes: Routes, parts: InsideParts) -> None:
    @routes.post("/doubts/end", response_model=None)
    def end(
        *,
        request: Request,
        person: Approver,
        csrf: Word,
        nonce: Word,
        reminder: _Reminder,
        channel: Annotated[Channel, Form()],
        said: Annotated[Literal["accepted", "failed", "resend"], Form()],
        because: Annotated[str, Form(max_length=2_000)] = "",
    ) -> RedirectResponse:
        require_own_form(request, person, csrf=csrf)
        account = _account(parts, person, reminder=reminder, channel=channel)
        words = words_of(person.language)["doubts"]
        if not because.strip():
            raise WrongRequestError([words["no_reason"]], fields=["because"])
        entry = said_by(person, given=nonce)
        detail = f"{reminder} {channel} {said}: {because}"
        note(parts, person, entry=entry, act="delivery.resolve", account=account, detail=detail)
        if not _resolve(parts, person, reminder=reminder, channel=channel, said=said, because=because):
            with reading(parts.engine) as connection:
                words_before = notes_of(connection, reminder=reminder, channel=channel)
            if not any(each.author == person.user and each.detail == because for each in words_before):
                raise WrongRequestError([words["ended_before"]], fields=[""])
        return RedirectResponse("/doubts?ended=true", status_code=303)


def _account(parts: InsideParts, person: Person, *, reminder: str, channel: Channel) -> str:
    """Give whose delivery it is.

    Raises:
        HTTPException: 404: there is none, or it is not for this person to know.
    """
    with reading(parts.engine) as connection:
        line = delivery_line(connection, reminder=reminder, channel=channel)
    if line is None or not person.sees(line.account.partition(":")[0]):
        raise HTTPException(404)
    return line.account


def _job(parts: InsideParts, *, reminder: str, channel: Channel) -> Job | None:
    age_s_max = read_settings(SendSettings).reader_age_s_max
    return SendLedger(parts.engine, channel=channel, owner="", reader_age_s_max=age_s_max).job(reminder)


def _provider_says(parts: InsideParts, *, reminder: str, channel: Channel) -> str:
    """Ask the provider; give one of ANSWERS."""
    job = _job(parts, reminder=reminder, channel=channel)
    if job is None or job.state != "unknown":
        return "ended"
    send = read_settings(SendSettings)
    arbiter = open_arbiter(channel, settings=parts.settings, send=send, engine=parts.engine)
    return arbiter.ask_about(job).replace(" ", "_")


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
    job = _job(parts, reminder=reminder, channel=channel)
    if job is None:
        return False
    now = parts.clock()
    return Doubts(parts.engine, channel=job.channel).resolve(
        reminder,
        said=said,
        occurred_at=occurred_at(job, now=now),
        note=Note(at=now, author=person.user, what="said", detail=because),
    )

"""What would this customer get: the message that waits for a person, else the next one if nothing comes in; as it will be (S0-04, S1-10).

Nothing is sent and no command is given. Who is written to stands in it: it is for those who write.
"""

import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response
from msgspec.structs import replace
from sqlalchemy import Connection, select

from console.previewing import foreseen_message
from console.web.inside.access import Person, require_own_form
from console.web.inside.drawing import MAIL_POLICY, Drawer, Drawn, changed_by, mail_page
from console.web.inside.given import Approver, Collector
from console.web.inside.parts import InsideParts
from console.web.inside.showing import page
from infra.database.engine import reading
from infra.database.queries.live import live_rows_of
from infra.database.queries.proposals import said_of, waiting
from infra.database.tables import accounts, clocks
from processors.forecast import forecast
from schemas.facts import ReminderDecided
from schemas.fields import Channel

__all__ = ["router"]

_AHEAD = datetime.timedelta(days=90)
_Form = Literal["page", "html", "pdf"]


def router(parts: InsideParts) -> APIRouter:
    """Make the routes."""
    routes = APIRouter()
    drawer = Drawer(parts)

    @routes.get("/messages/{account}", response_model=None)
    def show(
        *,
        person: Collector,
        account: str,
        form: Annotated[_Form, Query()] = "page",
        channel: Annotated[Channel, Query()] = "email",
    ) -> Response:
        on, content = _content(parts, person, account)
        drawn = [] if content is None else drawer.drawn(content)
        return _answer(drawn, person=person, form=form, channel=channel, account=account, on=on)

    @routes.post("/messages/{account}", response_model=None)
    def try_out(
        *,
        request: Request,
        person: Approver,
        account: str,
        csrf: Annotated[str, Form(max_length=128)],
        text: Annotated[str, Form(max_length=8_000)] = "",
        template: Annotated[str, Form(max_length=64)] = "",
        channels: Annotated[list[Channel] | None, Form()] = None,
        form: Annotated[_Form, Form()] = "page",
        channel: Annotated[Channel, Form()] = "email",
    ) -> Response:
        require_own_form(request, person, csrf=csrf)
        on, content = _content(parts, person, account)
        if content is None:
            return _answer([], person=person, form="page", channel=channel, account=account, on=on)
        tried = replace(content, text=text.strip() or content.text, template=template or content.template)
        drawn = drawer.drawn(tried, channels=[each for each in channels or () if each != "task"])
        typed = {"text": text, "template": template, "channels": channels or []}
        return _answer(drawn, person=person, form=form, channel=channel, account=account, on=on, typed=typed)

    return routes


def _answer(
    drawn: list[Drawn],
    *,
    person: Person,
    form: _Form,
    channel: Channel,
    account: str,
    on: datetime.date | None,
    typed: dict[str, Any] | None = None,
) -> Response:
    if form == "page":
        return page("message.html", person=person, drawn=drawn, account=account, on=on, typed=typed)
    found = next((each.message for each in drawn if each.channel == channel), None)
    if found is None:
        raise HTTPException(404)
    if form == "pdf" and found.pdf:
        return Response(found.pdf, media_type="application/pdf", headers={"Content-Disposition": "inline"})
    if form == "html" and found.html:
        return HTMLResponse(mail_page(found), headers={"Content-Security-Policy": MAIL_POLICY})
    raise HTTPException(404)


def _content(
    parts: InsideParts, person: Person, account: str
) -> tuple[datetime.date | None, ReminderDecided | None]:
    """Give what waits (no day), or what comes next and its day; None: nothing is foreseen.

    Raises:
        HTTPException: 404: there is no such account, or it is not for this person to know.
    """
    with reading(parts.engine) as connection:
        known = connection.execute(select(accounts).where(accounts.c["account"] == account)).one_or_none()
        if known is None or not person.sees(known.company):
            raise HTTPException(404)
        proposed = next(waiting(connection, account=account), None)
        if proposed is not None:
            said = said_of(connection, reminders=[(account, proposed.reminder)])
            return None, changed_by(proposed.content, said.get(proposed.reminder))
        return _next(connection, known)


def _next(connection: Connection, known: Any) -> tuple[datetime.date | None, ReminderDecided | None]:
    clock = connection.execute(select(clocks).where(clocks.c["partition"] == known.partition)).one_or_none()
    if clock is None:
        return None, None
    rows = live_rows_of(connection, owners=[known.account, known.company])
    both = {**rows.get(known.company, {}), **rows.get(known.account, {})}
    until = clock.at.date() + _AHEAD
    found = foreseen_message(
        forecast(known.account, rows=both.items(), after=clock.at, until=until, mode=clock.mode)
    )
    return (None, None) if found is None else found

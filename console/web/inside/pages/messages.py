"""What would this customer get: the message that waits for a person, else the next one if nothing comes in; as it will be (S0-04, S1-10).

Nothing is sent and no command is given. Who is written to stands in it: it is for those who write.
"""

import datetime
from typing import Annotated, Any, Literal

from fastapi import Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, select

from console.previewing import foreseen_message
from console.web.inside.access import Person, require_own_form
from console.web.inside.drawing import MAIL_POLICY, Drawer, Drawn, changed_by, mail_page
from console.web.inside.given import Approver, Collector
from console.web.inside.parts import InsideParts
from console.web.inside.showing import page
from console.web.routing import Routes
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
_ATTACH = {"yes": True, "no": False}


class _Meant(Struct, frozen=True, kw_only=True):
    """What is looked at: ``on`` is its day, if it waits for nobody; ``channels`` and ``not_before`` are what people have said."""

    content: ReminderDecided
    on: datetime.date | None = None
    channels: tuple[Channel, ...] = ()
    not_before: datetime.date | None = None


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()
    drawer = Drawer(parts)

    @routes.get("/messages/{account}", response_model=None)
    def show(
        *,
        person: Collector,
        account: str,
        form: Annotated[_Form, Query()] = "page",
        channel: Annotated[Channel, Query()] = "email",
    ) -> Response:
        meant = _meant(parts, person, account)
        drawn = [] if meant is None else drawer.drawn(meant.content, channels=meant.channels)
        return _answer(drawn, person=person, form=form, channel=channel, account=account, meant=meant)

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
        attach: Annotated[Literal["", "yes", "no"], Form()] = "",
        next_on: Annotated[str, Form(max_length=10)] = "",
        form: Annotated[_Form, Form()] = "page",
        channel: Annotated[Channel, Form()] = "email",
    ) -> Response:
        require_own_form(request, person, csrf=csrf)
        meant = _meant(parts, person, account)
        if meant is None:
            return _answer([], person=person, form="page", channel=channel, account=account, meant=None)
        content = meant.content
        tried = replace(
            content,
            text=text.strip() or content.text,
            template=template.strip() or content.template,
            attach_invoices=_ATTACH.get(attach, content.attach_invoices),
        )
        meant = replace(meant, not_before=_day(next_on) or meant.not_before)
        chosen = [each for each in channels or () if each != "task"]
        drawn = drawer.drawn(tried, channels=chosen or meant.channels)
        typed = {"text": text, "template": template, "channels": channels or [], "attach": attach}
        typed["next_on"] = next_on
        return _answer(
            drawn, person=person, form=form, channel=channel, account=account, meant=meant, typed=typed
        )

    return routes


def _answer(
    drawn: list[Drawn],
    *,
    person: Person,
    form: _Form,
    channel: Channel,
    account: str,
    meant: _Meant | None,
    typed: dict[str, Any] | None = None,
) -> Response:
    if form == "page":
        return page("message.html", person=person, drawn=drawn, account=account, meant=meant, typed=typed)
    found = next((each.message for each in drawn if each.channel == channel), None)
    if found is None:
        raise HTTPException(404)
    if form == "pdf" and found.pdf:
        return Response(found.pdf, media_type="application/pdf", headers={"Content-Disposition": "inline"})
    if form == "html" and found.html:
        return HTMLResponse(mail_page(found), headers={"Content-Security-Policy": MAIL_POLICY})
    raise HTTPException(404)


def _day(text: str) -> datetime.date | None:
    """Read a day; what is none is told when the form is saved, not while it is tried out."""
    try:
        return datetime.date.fromisoformat(text.strip())
    except ValueError:
        return None


def _meant(parts: InsideParts, person: Person, account: str) -> _Meant | None:
    """Give what waits, as people have changed it, or what comes next and its day; None: nothing is foreseen.

    Raises:
        HTTPException: 404: there is no such account, or it is not for this person to know.
    """
    with reading(parts.engine) as connection:
        known = connection.execute(select(accounts).where(accounts.c["account"] == account)).one_or_none()
        if known is None or not person.sees(known.company):
            raise HTTPException(404)
        proposed = next(waiting(connection, account=account), None)
        if proposed is not None:
            said = said_of(connection, reminders=[(account, proposed.reminder)]).get(proposed.reminder)
            return _Meant(
                content=changed_by(proposed.content, said),
                channels=(said.channels if said else None) or (),
                not_before=said.next_on if said else None,
            )
        return _next(connection, known)


def _next(connection: Connection, known: Any) -> _Meant | None:
    clock = connection.execute(select(clocks).where(clocks.c["partition"] == known.partition)).one_or_none()
    if clock is None:
        return None
    rows = live_rows_of(connection, owners=[known.account, known.company])
    both = {**rows.get(known.company, {}), **rows.get(known.account, {})}
    until = clock.at.date() + _AHEAD
    found = foreseen_message(
        forecast(known.account, rows=both.items(), after=clock.at, until=until, mode=clock.mode)
    )
    return None if found is None else _Meant(on=found[0], content=found[1])

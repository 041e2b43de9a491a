"""What is written down about a customer as a whole: log, next date, mode, trust, responsible, enrolment
(S0-11 … S0-14, S0-26, S1-11, S2-14, S2-15, S2-20, S2-22).
"""

import datetime
from typing import Annotated, Literal

from fastapi import Depends, Form
from fastapi.responses import Response

from console.web.inside.given import Stripped
from console.web.inside.pages.customer.opening import CustomerForm, Word, asked_for, form_of
from console.web.inside.parts import InsideParts
from console.web.routing import Routes
from schemas.commands import (
    AddNote,
    EnrolCustomer,
    OptIn,
    OptOut,
    ReleaseQuarantine,
    SetMode,
    SetNextDate,
    SetResponsible,
    SetTrust,
)

__all__ = ["router"]

_Channel = Annotated[Literal["email", "sms", "letter"], Form()]


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes(prefix="/customers/{account:path}")
    _add_log(routes, parts)
    _add_settings(routes, parts)
    _add_channels(routes, parts)
    return routes


def _add_log(routes: Routes, parts: InsideParts) -> None:
    own = Annotated[CustomerForm, Depends(form_of(parts))]

    @routes.post("/notes", response_model=None)
    def add_note(
        *,
        form: own,
        text: Annotated[str, Stripped, Form(min_length=1, max_length=8_000)],
        kind: Annotated[Literal["note", "call_attempt", "conversation"], Form()] = "note",
        responsible: Word = "",
    ) -> Response:
        note = AddNote(**form.common, kind=kind, text=text, responsible=responsible)
        return asked_for(parts, form, note)

    @routes.post("/next-date", response_model=None)
    def set_next_date(*, form: own, on: Annotated[datetime.date, Form()]) -> Response:
        return asked_for(parts, form, SetNextDate(**form.common, next_on=on))


def _add_settings(routes: Routes, parts: InsideParts) -> None:
    own = Annotated[CustomerForm, Depends(form_of(parts))]
    approvers = Annotated[CustomerForm, Depends(form_of(parts, role="approver"))]

    @routes.post("/mode", response_model=None)
    def set_mode(*, form: own, mode: Annotated[Literal["automatic", "manual"], Form()]) -> Response:
        return asked_for(parts, form, SetMode(**form.common, mode=mode))

    @routes.post("/trust", response_model=None)
    def set_trust(
        *, form: own, trust: Annotated[Literal["good", "normal", "bad", "derived"], Form()]
    ) -> Response:
        return asked_for(parts, form, SetTrust(**form.common, trust=trust))

    @routes.post("/responsible", response_model=None)
    def set_responsible(*, form: own, responsible: Annotated[str, Form(max_length=128)] = "") -> Response:
        return asked_for(parts, form, SetResponsible(**form.common, responsible=responsible.strip()))

    @routes.post("/enrolment", response_model=None)
    def enrol(*, form: own, enrolled: Annotated[bool, Form()]) -> Response:
        return asked_for(parts, form, EnrolCustomer(**form.common, enrolled=enrolled))

    @routes.post("/quarantine/release", response_model=None)
    def release_quarantine(*, form: approvers) -> Response:
        return asked_for(parts, form, ReleaseQuarantine(**form.common))


def _add_channels(routes: Routes, parts: InsideParts) -> None:
    own = Annotated[CustomerForm, Depends(form_of(parts))]

    @routes.post("/opt-outs", response_model=None)
    def opt_out(
        *, form: own, channel: _Channel, reason: Annotated[str, Form(max_length=2_000)] = ""
    ) -> Response:
        return asked_for(parts, form, OptOut(**form.common, channel=channel, reason=reason))

    @routes.post("/opt-ins", response_model=None)
    def opt_in(*, form: own, channel: _Channel) -> Response:
        return asked_for(parts, form, OptIn(**form.common, channel=channel))

"""The review queue: what waits for a person to approve, change or drop (R19, S0-05, S0-06, S0-20, S2-16, S2-17).

Who approves what another has changed meanwhile is told so: the command names the revision that was seen.
"""

import datetime
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response

from console.web.inside.access import Person, needs, require_own_form
from console.web.inside.asking import ask, await_written, nonce, told
from console.web.inside.parts import InsideParts
from console.web.inside.showing import page
from infra.database.engine import reading
from infra.database.queries.proposals import waiting
from schemas.commands import AccountCommand
from schemas.facts import ReminderProposed
from schemas.fields import Channel
from schemas.reminder_commands import ApproveReminder, DropReminder, EditReminder

__all__ = ["router"]

_SHOWN_MAX = 100
_Word = Annotated[str, Form(max_length=128)]
_Reason = Annotated[str, Form(max_length=2_000)]


class ProposalForm(NamedTuple):
    """Who asks, about which proposal, and what each command about its account has."""

    person: Person
    proposal: ReminderProposed
    common: Mapping[str, Any]


def router(parts: InsideParts) -> APIRouter:
    """Make the routes."""
    routes = APIRouter()
    _add_queue(routes, parts)
    _add_forms(routes, parts)
    return routes


def _add_queue(routes: APIRouter, parts: InsideParts) -> None:
    @routes.get("/review", response_model=None)
    async def review(
        *,
        person: Annotated[Person, Depends(needs("viewer"))],
        company: Annotated[str, Query(max_length=64)] = "",
        asked: str = "",
        account: Annotated[str, Query(max_length=200)] = "",
    ) -> HTMLResponse:
        written = await await_written(parts, account=account, request=asked)
        with reading(parts.engine) as connection:
            every = [
                each for each in waiting(connection, company=company) if person.sees(each.content.company)
            ]
        return page(
            "review.html",
            person=person,
            proposals=every[:_SHOWN_MAX],
            count=len(every),
            asked=written,
            nonce=nonce,
        )


def _add_forms(routes: APIRouter, parts: InsideParts) -> None:
    def own_form(
        *,
        request: Request,
        person: Annotated[Person, Depends(needs("approver"))],
        reminder: str,
        csrf: _Word,
        nonce: _Word,
    ) -> ProposalForm:
        """Give what every form about a proposal has.

        Raises:
            HTTPException: 404: it does not wait any more, or is not for this person to know.
        """
        require_own_form(request, person, csrf=csrf)
        with reading(parts.engine) as connection:
            found = next(waiting(connection, reminder=reminder), None)
        if found is None or not person.sees(found.content.company):
            raise HTTPException(404)
        return ProposalForm(person, found, told(parts, person, account=found.account, given=nonce))

    own = Annotated[ProposalForm, Depends(own_form)]

    def asked_for(form: ProposalForm, command: AccountCommand) -> Response:
        account = form.proposal.account
        return ask(parts, form.person, command, account=account, back_to="/review", more={"account": account})

    @routes.post("/review/{reminder}/approve", response_model=None)
    def approve(*, form: own, revision: Annotated[int, Form(ge=1)], now_because: _Reason = "") -> Response:
        return asked_for(
            form,
            ApproveReminder(
                **form.common,
                reminder=form.proposal.reminder,
                revision=revision,
                now_because=now_because,
            ),
        )

    @routes.post("/review/{reminder}/drop", response_model=None)
    def drop(*, form: own, reason: _Reason = "") -> Response:
        return asked_for(form, DropReminder(**form.common, reminder=form.proposal.reminder, reason=reason))

    @routes.post("/review/{reminder}/edit", response_model=None)
    def edit(
        *,
        form: own,
        text: Annotated[str, Form(max_length=8_000)] = "",
        channels: Annotated[list[Channel] | None, Form()] = None,
        next_on: Annotated[datetime.date | None, Form()] = None,
    ) -> Response:
        return asked_for(
            form,
            EditReminder(
                **form.common,
                reminder=form.proposal.reminder,
                text=text or None,
                channels=tuple(channels) if channels else None,
                next_on=next_on,
            ),
        )

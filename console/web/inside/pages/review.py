"""The review queue: what waits for a person to approve, change or drop (R19, S0-05, S0-06, S0-20, S2-16, S2-17).

What was said there is taken back by one button while no provider has the message. Who was reminded a few days ago
goes inside the gap with a confirmation and a reason (R5, S0-16). Who approves what another has changed meanwhile is told so: the command names the revision and
the number of changes that were seen.
"""

import datetime
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import Depends, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response
from msgspec import structs
from sqlalchemy import Connection

from console.requests import reminder_is_known
from console.web.inside.access import Person, require_own_form
from console.web.inside.asking import WrongRequestError, ask, await_written, told
from console.web.inside.drawing import changed_by
from console.web.inside.given import Approver, Reader, Word
from console.web.inside.ordering import order_of
from console.web.inside.pages import messages
from console.web.inside.pages.customer.opening import require_seen
from console.web.inside.parts import InsideParts
from console.web.inside.showing import page, words_of
from console.web.inside.template_choice import TemplateChoice
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.queries.moment import business_now
from infra.database.queries.proposals import said_of, waiting, waiting_count, waiting_page
from infra.database.queries.said_lately import SaidLately, said_lately
from infra.database.queries.statements import statements
from infra.database.queries.worklist_page import work_choices
from schemas.commands import AccountCommand
from schemas.facts import ReminderProposed
from schemas.fields import Channel
from schemas.reminder_commands import ApproveReminder, DropReminder, EditReminder, UndoneWhat, UndoReminder

__all__ = ["router"]

_SHOWN_MAX = 20
_LATELY = datetime.timedelta(days=7)
_Reason = Annotated[str, Form(max_length=2_000)]


class ProposalForm(NamedTuple):
    """Who asks, about which proposal, what each command about it has: also what was seen; and where to come back to."""

    person: Person
    proposal: ReminderProposed
    common: Mapping[str, Any]
    place: Mapping[str, str]


def _place(
    company: Annotated[str, Form(max_length=64)] = "", after: Annotated[str, Form(max_length=200)] = ""
) -> Mapping[str, str]:
    """Give the filter and the page on which a button was pressed: who works through a queue stays where they are."""
    return {name: value for name, value in (("company", company), ("after", after)) if value}


_Place = Annotated[Mapping[str, str], Depends(_place)]


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()
    texts = TemplateChoice(parts)
    _add_queue(routes, parts, texts)
    _add_forms(routes, parts, texts)
    _add_undo(routes, parts)
    routes.take(messages.router(parts))
    return routes


def _add_queue(routes: Routes, parts: InsideParts, texts: TemplateChoice) -> None:
    @routes.get("/review", response_model=None)
    async def review(
        *,
        person: Reader,
        company: Annotated[str, Query(max_length=64)] = "",
        after: Annotated[str, Query(max_length=200)] = "",
        asked: str = "",
        account: Annotated[str, Query(max_length=200)] = "",
    ) -> HTMLResponse:
        written = await await_written(parts, account=account, request=asked)
        of = person.companies
        with reading(parts.engine) as connection:
            found = waiting_page(
                connection, company=company, companies=of, after=after, lines_max=_SHOWN_MAX + 1
            )
            shown = found[:_SHOWN_MAX]
            standing = statements(connection, named=[each.account for each in shown])
            lately = [] if after else _lately(parts, person, connection, company=company)
            said = said_of(connection, reminders=[(each.account, each.reminder) for each in shown])
            return page(
                "review.html",
                person=person,
                changed={each.reminder: changed_by(each.content, said.get(each.reminder)) for each in shown},
                templates=_offered(texts, person, shown),
                standing={each.account: each for each in standing},
                lately=lately,
                proposals=shown,
                said=said,
                count=waiting_count(connection, company=company, companies=of),
                company=company,
                choices=work_choices(connection, seen=of),
                next_after=shown[-1].account if len(found) > _SHOWN_MAX else "",
                after=after,
                asked=written,
                zip=zip,
            )


def _offered(
    texts: TemplateChoice, person: Person, shown: Sequence[ReminderProposed]
) -> dict[tuple[str, str], list[str]]:
    """Give the templates by company and language, for those who may choose one."""
    if not person.may("approver"):
        return {}
    contents = {(each.content.company, each.content.language): each.content for each in shown}
    return {key: texts.of([content]) for key, content in contents.items()}


def _lately(parts: InsideParts, person: Person, connection: Connection, *, company: str) -> list[SaidLately]:
    """Give what may be taken back; it is for those who may say it."""
    if not person.may("approver") or (company and not person.sees(company)):
        return []
    seen = (company,) if company else person.companies
    # What was said has business time, which a played clock keeps.
    since = business_now(connection, wall=parts.clock()) - _LATELY
    return said_lately(connection, companies=seen, since=since, lines_max=_SHOWN_MAX)


def _add_forms(routes: Routes, parts: InsideParts, texts: TemplateChoice) -> None:
    def own_form(
        *,
        request: Request,
        person: Approver,
        reminder: str,
        csrf: Word,
        nonce: Word,
        place: _Place,
        revision: Annotated[int, Form(ge=1)],
        edits: Annotated[int, Form(ge=0)] = 0,
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
        common = told(parts, person, account=found.account, given=nonce)
        seen = {"reminder": found.reminder, "revision": revision, "edits": edits}
        return ProposalForm(person, found, {**common, **seen}, place)

    own = Annotated[ProposalForm, Depends(own_form)]

    def asked_for(form: ProposalForm, command: AccountCommand) -> Response:
        account = form.proposal.account
        more = {"account": account, **form.place}
        return ask(parts, form.person, command, account=account, back_to="/review", more=more)

    @routes.post("/review/{reminder}/approve", response_model=None)
    def approve(
        *, form: own, now_because: _Reason = "", confirmed: Annotated[bool, Form()] = False
    ) -> Response:
        _require_both(parts, form, because=now_because, is_confirmed=confirmed)
        return asked_for(form, ApproveReminder(**form.common, now_because=now_because))

    @routes.post("/review/{reminder}/drop", response_model=None)
    def drop(*, form: own, reason: _Reason = "") -> Response:
        return asked_for(form, DropReminder(**form.common, reason=reason))

    @routes.post("/review/{reminder}/edit", response_model=None)
    def edit(
        *,
        form: own,
        text: Annotated[str, Form(max_length=8_000)] = "",
        template: Annotated[str, Form(max_length=64)] = "",
        channels: Annotated[list[Channel] | None, Form()] = None,
        attach: Annotated[Literal["", "yes", "no"], Form()] = "",
        next_on: Annotated[str, Form(max_length=10)] = "",
    ) -> Response:
        typed = {"text": text, "template": template, "attach": attach, "next_on": next_on}
        templates = texts.of([form.proposal.content])
        order = order_of("edit", typed, channels or (), author=form.person.user, templates=templates)
        if isinstance(order, list):
            words = words_of(form.person.language)["wrong_orders"]
            fields = [each.field for each in order]
            raise WrongRequestError([words[each.word] for each in order], fields=fields)
        changes = structs.asdict(order.asked.changes)
        return asked_for(form, EditReminder(**form.common, **changes))


def _require_both(parts: InsideParts, form: ProposalForm, *, because: str, is_confirmed: bool) -> None:
    """See that what goes inside the gap has a confirmation and a reason (R5, S0-16); with neither it waits until the gap ends.

    Raises:
        WrongRequestError: one of both is missing.
    """
    if bool(because.strip()) == is_confirmed:
        return
    with reading(parts.engine) as connection:
        found = statements(connection, named=[form.proposal.account])
    if not any(each.too_soon_until is not None for each in found):
        return
    missing = ("confirmed", "not_confirmed") if because.strip() else ("now_because", "no_reason")
    words = words_of(form.person.language)["wrong_orders"]
    raise WrongRequestError([words[missing[1]]], fields=[missing[0]])


def _add_undo(routes: Routes, parts: InsideParts) -> None:
    @routes.post("/review/{reminder}/undo", response_model=None)
    def undo(
        *,
        request: Request,
        person: Approver,
        reminder: str,
        csrf: Word,
        nonce: Word,
        place: _Place,
        account: Annotated[str, Form(max_length=200)],
        what: Annotated[UndoneWhat, Form()],
        edits: Annotated[int, Form(ge=0)] = 0,
        reason: _Reason = "",
    ) -> Response:
        require_own_form(request, person, csrf=csrf)
        require_seen(parts, person, account)
        with reading(parts.engine) as connection:
            if not reminder_is_known(connection, account=account, reminder=reminder):
                raise HTTPException(404)
        common = told(parts, person, account=account, given=nonce)
        command = UndoReminder(**common, reminder=reminder, what=what, edits=edits, reason=reason)
        more = {"account": account, **place}
        return ask(parts, person, command, account=account, back_to="/review", more=more)

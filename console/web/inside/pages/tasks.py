"""Tasks: what people have to do, the longest due first; who did it says so, and a plan that waited goes on (R28)."""

from typing import Annotated, Literal

from fastapi import Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response

from console.web.inside.access import require_own_form
from console.web.inside.asking import ask, await_written, said_by, told
from console.web.inside.given import Collector, Reader
from console.web.inside.pages.customer.opening import require_seen
from console.web.inside.parts import InsideParts
from console.web.inside.showing import page
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.queries.customer_sheet import contact_names
from infra.database.queries.moment import business_now
from infra.database.queries.tasks import task_is_open, task_lines
from infra.database.queries.worklist_page import work_choices
from schemas.commands import CompleteTask

__all__ = ["router"]

_LINES_MAX = 50
_Word = Annotated[str, Form(max_length=256)]


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()

    @routes.get("/tasks", response_model=None)
    async def tasks(
        *,
        person: Reader,
        responsible: Annotated[str, Query(max_length=128)] = "",
        skip: Annotated[int, Query(ge=0, le=100_000)] = 0,
        asked: str = "",
        account: Annotated[str, Query(max_length=200)] = "",
    ) -> HTMLResponse:
        written = await await_written(parts, account=account, request=asked)
        with reading(parts.engine) as connection:
            lines = task_lines(
                connection,
                companies=person.companies,
                responsible=responsible,
                skip=skip,
                lines_max=_LINES_MAX + 1,
            )
            choices = work_choices(connection, seen=person.companies)
            today = business_now(connection, wall=parts.clock()).date()
            accounts = () if person.may("collector") else {each.account for each in lines}
            names = contact_names(connection, accounts=accounts)
        return page(
            "tasks.html",
            person=person,
            lines=lines[:_LINES_MAX],
            names=names,
            has_more=len(lines) > _LINES_MAX,
            responsible=responsible,
            choices=choices,
            today=today,
            skip=skip,
            step=_LINES_MAX,
            asked=written,
            zip=zip,
        )

    @routes.post("/tasks/end", response_model=None)
    def end(
        *,
        request: Request,
        person: Collector,
        csrf: _Word,
        nonce: _Word,
        account: Annotated[str, Form(max_length=200)],
        task: Annotated[str, Form(min_length=1, max_length=256)],
        outcome: Annotated[Literal["done", "skipped"], Form()] = "done",
        text: Annotated[str, Form(max_length=8_000)] = "",
    ) -> Response:
        require_own_form(request, person, csrf=csrf)
        require_seen(parts, person, account)
        if parts.people.entry(said_by(person, given=nonce)) is None:  # else it is a second click
            with reading(parts.engine) as connection:
                if not task_is_open(connection, account=account, task=task):
                    raise HTTPException(404)
        common = told(parts, person, account=account, given=nonce)
        command = CompleteTask(**common, task=task, outcome=outcome, text=text)
        return ask(parts, person, command, account=account, back_to="/tasks", more={"account": account})

    return routes

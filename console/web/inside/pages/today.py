"""Today: who has to be looked at, ranked (R37), and the filters over it, which each person may keep
(S0-19, S0-21, S1-07, S1-08, S1-13, S2-11).
"""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Annotated

from fastapi import Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from console.web.inside.access import Person, require_own_form
from console.web.inside.asking import WrongRequestError
from console.web.inside.auditing import kept_values, note_own
from console.web.inside.details import detail_text
from console.web.inside.given import Reader, Stripped
from console.web.inside.masking import masked_text
from console.web.inside.parts import InsideParts
from console.web.inside.selecting import FILTER_NAMES, AskedFilter, filter_of, filter_query
from console.web.inside.showing import page, words_of
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.queries.customer_sheet import contact_names
from infra.database.queries.worklist import WHYS, WorkLine
from infra.database.queries.worklist_page import work_choices, worklist_page
from infra.database.saved_filters import FilterBook, SavedFilter

__all__ = ["router"]

_LINES_MAX = 50
_PAGE = "today"
_Name = Annotated[str, Stripped, Form(min_length=1, max_length=80)]


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()
    kept = FilterBook(parts.engine)

    @routes.get("/", response_model=None)
    def today(
        *,
        person: Reader,
        asked: Annotated[AskedFilter, Depends()],
        skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> HTMLResponse:
        wanted = filter_of(asked.given, person=person)
        with reading(parts.engine) as connection:
            found = worklist_page(connection, asked=wanted, skip=skip, lines_max=_LINES_MAX)
            choices = work_choices(connection, seen=person.companies)
            accounts = () if person.may("collector") else [each.account for each in found.lines]
            names = contact_names(connection, accounts=accounts)

        query = filter_query(asked.given)
        return page(
            "today.html",
            person=person,
            found=found,
            chosen=wanted,
            given={name: asked.given[name] for name in FILTER_NAMES if asked.given[name]},
            choices=choices,
            whys=WHYS,
            saved=kept.of(person.user, page=_PAGE),
            query=query,
            skip=skip,
            step=_LINES_MAX,
            details=partial(_details, person=person, names=names),
            zip=zip,
        )

    @routes.post("/filters", response_model=None)
    def keep(
        *,
        request: Request,
        person: Reader,
        csrf: Annotated[str, Form(max_length=128)],
        name: _Name,
        query: Annotated[str, Form(max_length=2_000)] = "",
    ) -> RedirectResponse:
        require_own_form(request, person, csrf=csrf)
        if not kept.keep(person.user, page=_PAGE, saved=SavedFilter(name=name, query=query)):
            raise WrongRequestError([words_of(person.language)["filters"]["too_many"]], fields=["name"])
        note_own(parts, person, act="filter kept", name=name, said_json=kept_values({"filters": query}))
        return RedirectResponse(f"/?{query}", status_code=303)

    @routes.post("/filters/delete", response_model=None)
    def forget(
        *,
        request: Request,
        person: Reader,
        csrf: Annotated[str, Form(max_length=128)],
        name: Annotated[
            str, Form(max_length=80)
        ],  # as it is kept, also from a time when blanks alone were a name
        query: Annotated[str, Form(max_length=2_000)] = "",
    ) -> RedirectResponse:
        require_own_form(request, person, csrf=csrf)
        kept.forget(person.user, page=_PAGE, name=name)
        note_own(parts, person, act="filter deleted", name=name)
        return RedirectResponse(f"/?{query}", status_code=303)

    return routes


def _details(line: WorkLine, *, person: Person, names: Mapping[str, Collection[str]]) -> list[str]:
    """Say what is to be said beside the reasons; to viewers without what leads to a person: tasks are as people wrote them."""
    words = words_of(person.language)
    may_read = person.may("collector")

    def prose(text: str) -> str:
        return text if may_read else masked_text(text, names=names.get(line.account, ()))

    return [text for each in line.details if (text := detail_text(each, words=words, prose=prose))]

"""Settings of a report that a user keeps under a name: columns and filters, each user his own (S1-17)."""

from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import Form, Request
from fastapi.responses import RedirectResponse, Response

from console.web.inside.access import Person, require_own_form
from console.web.inside.asking import WrongRequestError
from console.web.inside.auditing import kept_values, note_own
from console.web.inside.given import Reader, Stripped, Word
from console.web.inside.pages.reports.asked import as_query, filters_of_query, report_named
from console.web.inside.parts import InsideParts
from console.web.inside.showing import words_of
from console.web.routing import Routes
from infra.database.saved_filters import SAVED_MAX, FilterBook, SavedFilter

__all__ = ["kept_of", "router"]

_Query = Annotated[str, Form(max_length=4_000)]


def kept_of(parts: InsideParts, person: Person, report: str) -> list[tuple[str, str]]:
    """Give a user's settings of a report: name and address."""
    found = FilterBook(parts.engine).of(person.user, page=f"reports/{report}")
    return [(each.name, f"/reports/{report}?{each.query}") for each in found]


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()

    @routes.post("/reports/{report}/kept", response_model=None)
    def keep(
        *,
        request: Request,
        person: Reader,
        report: str,
        csrf: Word,
        name: Annotated[str, Stripped, Form(min_length=1, max_length=80)],
        query: _Query = "",
    ) -> Response:
        """Keep columns and filters; the day is not kept: it is the one on which they are used."""
        require_own_form(request, person, csrf=csrf)
        report_named(report)
        filters, _ = filters_of_query(query)
        kept = urlencode(as_query(filters))
        saved = SavedFilter(name=name, query=kept)
        if not FilterBook(parts.engine).keep(person.user, page=f"reports/{report}", saved=saved):
            text = words_of(person.language)["reports"]["too_many_kept"].format(count=SAVED_MAX)
            raise WrongRequestError([text], fields=["name"])
        said = kept_values({"report": report, "filters": kept})
        note_own(parts, person, act="filter kept", name=name, said_json=said)
        return RedirectResponse(f"/reports/{quote(report)}?{kept}", status_code=303)

    @routes.post("/reports/{report}/kept/forget", response_model=None)
    def forget(*, request: Request, person: Reader, report: str, csrf: Word, name: Word) -> Response:
        require_own_form(request, person, csrf=csrf)
        report_named(report)
        FilterBook(parts.engine).forget(person.user, page=f"reports/{report}", name=name)
        said = kept_values({"report": report})
        note_own(parts, person, act="filter deleted", name=name, said_json=said)
        return RedirectResponse(f"/reports/{quote(report)}", status_code=303)

    return routes

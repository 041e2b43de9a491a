"""What a customer's page has no room for: payments and credits, log and reminders, page by page, the newest first (S1-12, S2-19)."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import Query
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from console.web.inside.pages.customer.opening import Reader, path_of, people_of, sheet_of
from console.web.inside.parts import InsideParts
from console.web.inside.showing import moments, page, words_of
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.queries.customer_sheet import CREDITS_MAX, credits_of
from infra.database.queries.moment import company_zone
from infra.database.queries.reminder_filter import Filter
from infra.database.queries.reminders import reminder_lines
from infra.database.queries.requests import requests_of

__all__ = ["LINES", "router"]

Part = Literal["credits", "log", "sent"]
# The word of each part's heading.
_TITLES: Final[dict[Part, str]] = {"credits": "credits", "log": "log", "sent": "sent"}
LINES: Final[dict[Part, int]] = {"credits": CREDITS_MAX, "log": 100, "sent": 50}  # of a page


def router(parts: InsideParts) -> Routes:
    """Make the route."""
    routes = Routes()

    @routes.get("/customers/{account:path}/older", response_model=None)
    def older(
        *,
        person: Reader,
        account: str,
        part: Annotated[Part, Query()] = "log",
        number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
    ) -> HTMLResponse:
        sheet = sheet_of(parts, person, account)
        size = LINES[part]
        with reading(parts.engine) as connection:
            zone = company_zone(connection, sheet.company)
            # One more than is shown: there is a further page.
            found = _found(connection, account, part=part, skip=(number - 1) * size, limit=size + 1)
        has_more = len(found) > size
        # Reminders come in the order of time: the one too many is the oldest of them.
        shown = found[1:] if has_more and part == "sent" else found[:size]
        here, words = path_of(account), words_of(person.language)["customer"]
        return page(
            "customer/older.html",
            person=person,
            sheet=sheet,
            here=here,
            part=part,
            number=number,
            has_more=has_more,
            titles=_TITLES,
            pages=[(f"{here}/older?part={name}", words[title]) for name, title in _TITLES.items()],
            names=() if person.may("collector") else people_of(parts, account),
            credits=shown if part == "credits" else [],
            log=shown if part == "log" else [],
            sent=shown if part == "sent" else [],
            **moments(zone, language=person.language),
        )

    return routes


def _found(connection: Connection, account: str, *, part: Part, skip: int, limit: int) -> Sequence[Any]:
    match part:
        case "credits":
            return credits_of(connection, account=account, limit=limit, skip=skip)
        case "log":
            return requests_of(connection, account=account, limit=limit, skip=skip)
        case "sent":
            return reminder_lines(connection, asked=Filter(account=account), lines_max=limit, skip=skip)

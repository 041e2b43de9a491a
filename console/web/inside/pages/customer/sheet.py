"""The customer page: what is owed and since when, what was said and agreed, and what can be done about it
(S0-09 … S0-12, S1-11, S1-12, S2-12 … S2-15, S2-20, S2-22, S3-09).
"""

from typing import Annotated, Final

from fastapi import Query
from fastapi.responses import HTMLResponse

from console.web.inside.asking import await_written, nonce
from console.web.inside.pages.customer.older import LINES
from console.web.inside.pages.customer.opening import Reader, path_of, people_of, sheet_of
from console.web.inside.parts import InsideParts
from console.web.inside.showing import moments, page
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.queries.customer_sheet import open_items, overdue_of
from infra.database.queries.moment import company_day, company_zone
from infra.database.queries.reminder_filter import Filter
from infra.database.queries.reminders import reminder_lines
from infra.database.queries.requests import requests_of

__all__ = ["router"]

_ITEMS: Final = 100


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()

    @routes.get("/customers/{account:path}", response_model=None)
    async def show(
        *,
        person: Reader,
        account: str,
        asked: str = "",
        number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
    ) -> HTMLResponse:
        written = await await_written(parts, account=account, request=asked)
        sheet = sheet_of(parts, person, account)
        with reading(parts.engine) as connection:
            zone = company_zone(connection, sheet.company)
            today = company_day(connection, sheet.company, wall=parts.clock())
            documents = open_items(connection, account=account, offset=(number - 1) * _ITEMS, limit=_ITEMS)
            overdue = overdue_of(connection, account=account, today=today)
            log = requests_of(connection, account=account, limit=LINES["log"] + 1)
            sent = reminder_lines(connection, asked=Filter(account=account), lines_max=LINES["sent"] + 1)
        return page(
            "customer/page.html",
            person=person,
            sheet=sheet,
            here=path_of(account),
            path_of=path_of,
            today=today,
            documents=documents,
            overdue=overdue,
            number=number,
            last=max(1, -(-documents.count // _ITEMS)),
            log=log[: LINES["log"]],
            has_more_log=len(log) > LINES["log"],
            names=() if person.may("collector") else people_of(parts, account),
            sent=sent[-LINES["sent"] :],
            has_more_sent=len(sent) > LINES["sent"],
            asked=written,
            currencies=[(each[0], each[0]) for each in sheet.balances],
            **moments(zone, language=person.language),
            nonce=nonce,
        )

    return routes

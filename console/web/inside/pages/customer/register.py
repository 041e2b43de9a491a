"""The customers as a register: found by name, id or tax id, a page at a time (S4-19, S1-07)."""

from typing import Annotated, Final

from fastapi import Query
from fastapi.responses import HTMLResponse
from msgspec.structs import replace

from console.web.inside.masking import masked
from console.web.inside.pages.customer.opening import Reader
from console.web.inside.parts import InsideParts
from console.web.inside.showing import page
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.queries.customer_register import Search, company_names, customer_count, customer_page
from infra.database.queries.moment import business_now

__all__ = ["router"]

_LINES: Final = 50


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()

    @routes.get("/customers", response_model=None)
    def every(
        *,
        person: Reader,
        q: Annotated[str, Query(max_length=100)] = "",
        company: Annotated[str, Query(max_length=64)] = "",
        show: Annotated[str, Query(max_length=20)] = "",
        number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
    ) -> HTMLResponse:
        search = Search(
            text=q.strip(),
            # Who does not see tax ids does not find out about them by guessing either.
            by_tax_id=person.may("collector"),
            company=company,
            companies=person.companies,
            owing=show == "owing",
            quarantined=show == "quarantined",
        )
        with reading(parts.engine) as connection:
            count = customer_count(connection, search=search)
            last = max(1, -(-count // _LINES))
            at = min(number, last)
            today = business_now(connection, wall=parts.clock()).date()
            lines = customer_page(
                connection, search=search, today=today, offset=(at - 1) * _LINES, limit=_LINES
            )
            companies = company_names(connection, companies=person.companies)
        if not person.may("collector"):
            lines = [replace(each, tax_id=masked(each.tax_id)) for each in lines]
        return page(
            "customer/register.html",
            person=person,
            lines=lines,
            count=count,
            number=at,
            last=last,
            search=search,
            show=show,
            companies=companies,
        )

    return routes

"""The settings' first page: the companies, and what there is to set for each."""

from typing import Annotated

from fastapi import Query
from fastapi.responses import HTMLResponse, RedirectResponse

from console.web.inside.company_asking import own_creditors, require_company, settings_path
from console.web.inside.given import Reader
from console.web.inside.parts import InsideParts
from console.web.inside.showing import page
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.queries.creditors import plan_versions

__all__ = ["router"]


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()

    @routes.get("/settings", response_model=None)
    def every(
        *, person: Reader, company: Annotated[str, Query(max_length=64)] = ""
    ) -> HTMLResponse | RedirectResponse:
        if company:
            return RedirectResponse(settings_path(company, "profile"), status_code=303)
        with reading(parts.engine) as connection:
            found = own_creditors(connection, person)
        return page("settings/companies.html", person=person, companies=found)

    @routes.get("/settings/{company}", response_model=None)
    def one(*, person: Reader, company: str) -> HTMLResponse:
        with reading(parts.engine) as connection:
            row = require_company(connection, person, company)
            versions = plan_versions(connection, company)
        return page(
            "settings/company.html",
            person=person,
            company=company,
            profile=row.profile,
            plans=sorted({each.plan for each in versions}),
        )

    return routes

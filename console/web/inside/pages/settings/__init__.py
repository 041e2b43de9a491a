"""Settings: companies with their profiles, texts, plans and banks; users and the audit."""

from console.web.inside.pages.settings import (
    audit,
    banks,
    companies,
    enrolment,
    logo,
    plans,
    profile,
    ready,
    texts,
    users,
    what_if,
)
from console.web.inside.parts import InsideParts
from console.web.routing import Routes

__all__ = ["router"]

_AREAS = (
    companies.router,
    profile.router,
    plans.router,
    logo.router,
    texts.router,
    banks.router,
    what_if.router,
    ready.router,
    enrolment.router,
    users.router,
    audit.router,
)


def router(parts: InsideParts) -> Routes:
    """Make the routes of all areas."""
    routes = Routes()
    for area in _AREAS:
        routes.take(area(parts))
    return routes

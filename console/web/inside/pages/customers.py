"""The customers: the register, and the pages of each of them. The longest paths are looked at first."""

from console.web.inside.pages.customer import (
    acts,
    agreements,
    documents,
    exclusions,
    messages,
    older,
    receipts,
    register,
    sheet,
    statement,
    why,
)
from console.web.inside.parts import InsideParts
from console.web.routing import Routes

__all__ = ["router"]


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()
    for each in (
        register,
        acts,
        agreements,
        exclusions,
        documents,
        messages,
        older,
        receipts,
        statement,
        why,
        sheet,
    ):
        routes.take(each.router(parts))
    return routes

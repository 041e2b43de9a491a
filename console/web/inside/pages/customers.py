"""The customers: the register, and the pages of each of them. The longest paths are looked at first."""

from fastapi import APIRouter

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

__all__ = ["router"]


def router(parts: InsideParts) -> APIRouter:
    """Make the routes."""
    routes = APIRouter()
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
        routes.include_router(each.router(parts))
    return routes

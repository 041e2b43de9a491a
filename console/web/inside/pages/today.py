"""Today: who has to be looked at, ranked (R37), and the filters over it (S0-19, S0-21, S1-07, S1-08, S1-13, S2-11)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse
from msgspec import Struct

from console.web.inside.access import Person, needs
from console.web.inside.parts import InsideParts
from console.web.inside.showing import page
from infra.database.engine import reading
from infra.database.queries.worklist import WHYS, WorkLine, worklist

__all__ = ["router"]

_LINES_MAX = 200


class Filters(Struct, frozen=True, kw_only=True):
    """What of the worklist is shown; everything off shows all of it."""

    company: str = ""
    why: str = ""
    days: int = 0
    responsible: str = ""
    trust: str = ""
    not_called: bool = False

    def admits(self, line: WorkLine) -> bool:
        """Say whether a line is shown."""
        return (
            self.company in ("", line.company)
            and (not self.why or self.why in line.whys)
            and line.days >= self.days
            and self.responsible in ("", line.responsible)
            and self.trust in ("", line.trust)
            and not (self.not_called and line.is_called())
        )


def router(parts: InsideParts) -> APIRouter:
    """Make the routes."""
    routes = APIRouter()

    @routes.get("/", response_model=None)
    def today(
        *,
        person: Annotated[Person, Depends(needs("viewer"))],
        company: Annotated[str, Query(max_length=64)] = "",
        why: Annotated[str, Query(max_length=40)] = "",
        days: Annotated[int, Query(ge=0, le=10_000)] = 0,
        responsible: Annotated[str, Query(max_length=128)] = "",
        trust: Annotated[str, Query(max_length=10)] = "",
        not_called: Annotated[bool, Query()] = False,
    ) -> HTMLResponse:
        chosen = Filters(
            company=company,
            why=why,
            days=days,
            responsible=responsible,
            trust=trust,
            not_called=not_called,
        )
        with reading(parts.engine) as connection:
            everything = [line for line in worklist(connection) if person.sees(line.company)]
        lines = [line for line in everything if chosen.admits(line)]
        return page(
            "today.html",
            person=person,
            lines=lines[:_LINES_MAX],
            count=len(lines),
            chosen=chosen,
            whys=WHYS,
            companies=sorted({line.company for line in everything}),
            responsibles=sorted({line.responsible for line in everything if line.responsible}),
        )

    return routes

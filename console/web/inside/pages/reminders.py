"""What was sent, what is to be sent, and what went wrong: per day and as a list (S4-20, S4-21, S4-22)."""

import datetime
from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse
from msgspec import Struct

from console.web.inside.access import Person, needs
from console.web.inside.parts import InsideParts
from console.web.inside.showing import page
from infra.database.engine import reading
from infra.database.queries.moment import business_now
from infra.database.queries.reminder_filter import STATUSES, Filter
from infra.database.queries.reminders import Summary, reminder_lines, reminder_summary

__all__ = ["router"]

_LINES_MAX = 200
_DAYS = 30


class Bar(Struct, frozen=True, kw_only=True):
    """A day of the chart: how many were sent and how many failed, and heights of 100 at most."""

    on: datetime.date
    sent: int
    failed: int
    sent_height: float
    failed_height: float


def router(parts: InsideParts) -> APIRouter:
    """Make the routes."""
    routes = APIRouter()

    @routes.get("/reminders", response_model=None)
    def reminders(
        *,
        person: Annotated[Person, Depends(needs("viewer"))],
        company: Annotated[str, Query(max_length=64)] = "",
        status: Annotated[str, Query(max_length=20)] = "",
        channel: Annotated[str, Query(max_length=10)] = "",
    ) -> HTMLResponse:
        with reading(parts.engine) as connection:
            last_on = business_now(connection, wall=parts.clock()).date()
            first_on = last_on - datetime.timedelta(days=_DAYS - 1)
            asked = Filter(
                first_on=first_on, last_on=last_on, company=company, status=status, channel=channel
            )
            lines = [
                each
                for each in reminder_lines(connection, asked=asked, lines_max=_LINES_MAX)
                if person.sees(each.account.partition(":")[0])
            ]
            # The chart is of one company, or of all where all may be seen.
            may_count = person.sees(company) if company else not person.companies
            counts = reminder_summary(connection, asked=asked, by="day") if may_count else []
        return page(
            "reminders.html",
            person=person,
            lines=lines,
            bars=list(bars_of(counts, first_on=first_on, days=_DAYS)) if counts else [],
            chosen=asked,
            statuses=STATUSES,
        )

    return routes


def bars_of(counts: Iterable[Summary], *, first_on: datetime.date, days: int) -> Iterable[Bar]:
    """Give a bar per day, days without anything included; the highest one is 100."""
    sent: dict[str, int] = {}
    failed: dict[str, int] = {}
    for each in counts:
        target = {"sent": sent, "failed": failed}.get(each.status)
        if target is not None:
            target[each.value] = target.get(each.value, 0) + each.reminder_count
    highest = max((sent.get(day, 0) + failed.get(day, 0) for day in {*sent, *failed}), default=0) or 1
    for number in range(days):
        on = first_on + datetime.timedelta(days=number)
        name = on.isoformat()
        yield Bar(
            on=on,
            sent=sent.get(name, 0),
            failed=failed.get(name, 0),
            sent_height=100 * sent.get(name, 0) / highest,
            failed_height=100 * failed.get(name, 0) / highest,
        )

"""What was sent, what is to be sent, and what went wrong: per day and as a list (S4-20, S4-21, S4-22); and what of it
can still be called back (R19).
"""

import datetime
from collections import Counter
from typing import Annotated

from fastapi import Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from console.requests import RequestError, account_of
from console.web.inside.access import Person, require_own_form
from console.web.inside.asking import ask, await_written, told
from console.web.inside.charting import Bars, bars_option
from console.web.inside.given import Approver, Reader, is_askable
from console.web.inside.pages import doubts, letters, suppressions, tasks
from console.web.inside.parts import InsideParts
from console.web.inside.showing import page, said, words_of
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.queries.delivery_page import OUTCOMES, DeliveryFilter, delivery_page
from infra.database.queries.moment import business_now
from infra.database.queries.scheduled import scheduled
from infra.database.queries.sending_chart import ChartAsked, due_by_day, errors_by_day, sent_by_day
from infra.database.queries.worklist_page import work_choices
from schemas.commands import CancelReminder

__all__ = ["router"]

_LINES_MAX = 50
_BACK, _AHEAD = datetime.timedelta(days=29), datetime.timedelta(days=14)
_FORESEEN_MAX = 100  # customers: of more, those whose turn comes are counted instead
_MARKS = {
    "pending": "",
    "superseded": "",
    "unknown": "warn",
    "accepted": "good",
    "delivered": "good",
    "bounced": "bad",
    "returned": "bad",
    "failed": "bad",
    "complained": "bad",
}


def router(parts: InsideParts) -> Routes:
    """Make the routes, with those of doubts, letters that are not printed, tasks and addresses that are not written to."""
    routes = Routes()
    _add_list(routes, parts)
    _add_call_back(routes, parts)
    routes.take(doubts.router(parts))
    routes.take(letters.router(parts))
    routes.take(tasks.router(parts))
    routes.take(suppressions.router(parts))
    return routes


def _add_list(routes: Routes, parts: InsideParts) -> None:
    @routes.get("/reminders", response_model=None)
    async def reminders(
        *,
        person: Reader,
        company: Annotated[str, Query(max_length=64)] = "",
        level: Annotated[str, Query(max_length=64)] = "",
        channel: Annotated[str, Query(max_length=10)] = "",
        outcome: Annotated[str, Query(max_length=12)] = "",
        document: Annotated[str, Query(max_length=128)] = "",
        first_on: Annotated[str, Query(max_length=10)] = "",
        last_on: Annotated[str, Query(max_length=10)] = "",
        skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        asked: str = "",
        account: Annotated[str, Query(max_length=200)] = "",
    ) -> HTMLResponse:
        written = await await_written(parts, account=account, request=asked)
        chosen = DeliveryFilter(
            companies=person.companies,
            company=company,
            level=level,
            channel=channel,
            outcome=outcome,
            document=document.strip(),
            first_on=_day(first_on),
            last_on=_day(last_on),
        )
        with reading(parts.engine) as connection:
            lines = delivery_page(connection, asked=chosen, skip=skip, lines_max=_LINES_MAX)
            choices = work_choices(connection, seen=person.companies)
            today = business_now(connection, wall=parts.clock()).date()
            of = _seen(person, company)
            charts = [] if of is None or skip else _charts(connection, person, of=of, today=today)
        query = {
            "company": company,
            "level": level,
            "channel": channel,
            "outcome": outcome,
            "document": document,
            "first_on": first_on,
            "last_on": last_on,
        }
        return page(
            "reminders.html",
            person=person,
            lines=lines,
            charts=charts,
            chosen=chosen,
            choices=choices,
            outcomes=("pending", *OUTCOMES),
            given={name: value for name, value in query.items() if value},
            skip=skip,
            step=_LINES_MAX,
            marks=_MARKS,
            asked=written,
            zip=zip,
        )


def _day(text: str) -> datetime.date | None:
    try:
        found = datetime.date.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found is not None and is_askable(found) else None


def _seen(person: Person, company: str) -> tuple[str, ...] | None:
    """Give the companies that charts are of: the one that is asked for, else all that may be seen; None: it may not be."""
    if company:
        return (company,) if person.sees(company) else None
    return person.companies


def _charts(
    connection: Connection, person: Person, *, of: tuple[str, ...], today: datetime.date
) -> list[tuple[str, Bars, object]]:
    words = words_of(person.language)
    told = words["reminders"]
    back = ChartAsked(companies=of, first_on=today - _BACK, last_on=today)
    sent = Counter(
        {
            (day, said(words, "channels", channel)): count
            for (day, channel), count in sent_by_day(connection, asked=back).items()
        }
    )
    note = _add_scheduled(connection, sent, of=of, today=today, words=told)
    days = _days(today - _BACK, today + _AHEAD)
    errors: Counter[tuple[datetime.date, str]] = Counter()
    for (day, error), count in errors_by_day(connection, asked=back).items():
        errors[day, said(words, "reasons", error)] += count
    made = [
        Bars(name="sent", title=told["sent_per_day"], note=note, days=days, counts=sent),
        Bars(name="errors", title=told["errors_per_day"], days=_days(today - _BACK, today), counts=errors),
    ]
    return [(each.name, each, bars_option(each, language=words["language"])) for each in made if each.counts]


def _add_scheduled(
    connection: Connection,
    counts: Counter[tuple[datetime.date, str]],
    *,
    of: tuple[str, ...],
    today: datetime.date,
    words: dict[str, str],
) -> str:
    """Add what comes next; give what is to be said of it: each customer is foreseen only where they are few."""
    ahead = ChartAsked(companies=of, first_on=today, last_on=today + _AHEAD)
    due = due_by_day(connection, asked=ahead, among=_FORESEEN_MAX)
    if due is not None:
        for day, count in due.items():
            counts[day, words["turn"]] += count
        return words["turn_note"]
    for company in of or ("",):
        for each in scheduled(connection, last_on=ahead.last_on, company=company):
            if ahead.has(each.day):
                counts[each.day, words["scheduled"]] += 1
    return ""


def _days(first: datetime.date, last: datetime.date) -> list[datetime.date]:
    return [first + datetime.timedelta(days=number) for number in range((last - first).days + 1)]


def _add_call_back(routes: Routes, parts: InsideParts) -> None:
    @routes.post("/reminders/{reminder}/call-back", response_model=None)
    def call_back(
        *,
        request: Request,
        person: Approver,
        reminder: str,
        csrf: Annotated[str, Form(max_length=128)],
        nonce: Annotated[str, Form(max_length=128)],
        reason: Annotated[str, Form(max_length=2_000)] = "",
    ) -> Response:
        require_own_form(request, person, csrf=csrf)
        try:
            with reading(parts.engine) as connection:
                account = account_of(connection, reminder=reminder)
        except RequestError as error:
            raise HTTPException(404) from error
        if not person.sees(account.partition(":")[0]):
            raise HTTPException(404)
        common = told(parts, person, account=account, given=nonce)
        command = CancelReminder(**common, reminder=reminder, reason=reason)
        return ask(parts, person, command, account=account, back_to="/reminders", more={"account": account})

"""Who is followed up: customers that are selected, and the first run in daily portions, seen before it is set
(S4-01, S4-03, S4-04, R36).
"""

import datetime
from collections.abc import Sequence
from typing import Annotated, Final
from urllib.parse import quote, urlencode

from fastapi import Depends, HTTPException, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from msgspec import Struct

from console.going_live import go_live_command, portions
from console.web.inside.asking import Asked, WrongRequestError, said_by, until_written
from console.web.inside.auditing import content_of, kept_fields
from console.web.inside.company_asking import (
    ask_company,
    company_told,
    require_company,
    settings_path,
)
from console.web.inside.given import AskedDay, Collector
from console.web.inside.pages.settings.forms import Given, company_form
from console.web.inside.parts import InsideParts
from console.web.inside.showing import page, words_of
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.people import AuditEntry
from infra.database.queries.creditors import company_row
from infra.database.queries.debtors import Debtor, debtors
from infra.database.queries.enrolment import enrolments, known_accounts
from infra.database.queries.moment import company_day
from infra.database.queries.requests import has_request
from schemas.codec import type_of
from schemas.commands import EnrolCustomer, GoLiveDay
from schemas.fields import split_account_id

__all__ = ["router"]

_PAGE: Final = 100
_PER_DAY_MAX: Final = 100_000


class Portion(Struct, frozen=True, kw_only=True):
    """A day of the first run: how many accounts, and from which debts to which."""

    on: datetime.date
    accounts: int
    oldest_on: datetime.date
    due_on: datetime.date
    customer: str


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()
    _add_list(routes, parts)
    _add_forms(routes, parts)
    return routes


def _add_list(routes: Routes, parts: InsideParts) -> None:
    @routes.get("/settings/{company}/enrolment", response_model=None)
    async def show(
        *,
        person: Collector,
        company: str,
        search: Annotated[str, Query(max_length=100)] = "",
        after: Annotated[str, Query(max_length=200)] = "",
        per_day: Annotated[int | None, Query(ge=1, le=_PER_DAY_MAX)] = None,
        first_on: AskedDay = None,
        about: Annotated[str, Query(max_length=200)] = "",
        asked: Annotated[str, Query(max_length=128)] = "",
    ) -> HTMLResponse:
        written = await _await(parts, company=company, account=about, request=asked)
        with reading(parts.engine) as connection:
            row = require_company(connection, person, company)
            found = enrolments(connection, company, search=search, after=after, limit=_PAGE + 1)
            today = company_day(connection, company, wall=parts.clock())
        start = first_on or today + datetime.timedelta(days=1)
        planned = [] if per_day is None else _portions(parts, company, per_day=per_day, first_on=start)
        more = {"search": search, "after": found[_PAGE - 1].account} if len(found) > _PAGE else None
        return page(
            "settings/enrolment.html",
            person=person,
            company=company,
            profile=row.profile,
            go_live=row.go_live.days if row.go_live is not None else (),
            customers=found[:_PAGE],
            search=search,
            after=f"{settings_path(company, 'enrolment')}?{urlencode(more)}" if more else "",
            per_day=per_day,
            first_on=start,
            portions=planned,
            today=today,
            asked=written,
        )


def _add_forms(routes: Routes, parts: InsideParts) -> None:
    @routes.post("/settings/{company}/enrolment", response_model=None)
    def enrol(*, form: Annotated[Given, Depends(company_form("collector"))]) -> Response:
        person, company, given = form.about
        here = settings_path(company, "enrolment")
        chosen = [each for each in form.fields.getlist("account") if isinstance(each, str)][:_PAGE]
        with reading(parts.engine) as connection:
            accounts = known_accounts(
                connection, [each for each in chosen if split_account_id(each)[0] == company]
            )
        if chosen and not accounts:
            raise HTTPException(404)
        if not accounts:
            return RedirectResponse(here, status_code=303)
        told, is_enrolled = company_told(parts, form.about), form.text("enrolled") != "false"
        commands = [
            EnrolCustomer(
                **{**told, "command": f"{said_by(person, given=given)}/{number}"},
                customer=split_account_id(account)[1],
                enrolled=is_enrolled,
            )
            for number, account in enumerate(accounts)
        ]
        parts.people.note_all(
            [
                AuditEntry(
                    entry=each.command,
                    at=parts.clock(),
                    user=person.user,
                    act=type_of(each),
                    account=account,
                    said_json=kept_fields([each]),
                    content=content_of([each]),
                )
                for each, account in zip(commands, accounts, strict=True)
            ]
        )
        parts.publish(commands)
        query = {"search": form.text("search"), "asked": commands[-1].command, "about": accounts[-1]}
        return RedirectResponse(f"{here}?{urlencode(query, quote_via=quote)}", status_code=303)

    @routes.post("/settings/{company}/enrolment/portions", response_model=None)
    def go_live(*, form: Annotated[Given, Depends(company_form("administrator"))]) -> Response:
        person, company, _ = form.about
        with reading(parts.engine) as connection:
            row = require_company(connection, person, company)
        per_day, first_on = form.text("per_day"), form.text("first_on")
        told_wrong = words_of(person.language)["form_faults"]
        try:
            on = datetime.date.fromisoformat(first_on)
        except ValueError:
            raise WrongRequestError([told_wrong["no_date"]], fields=["first_on"]) from None
        if not per_day.isdecimal() or not 1 <= int(per_day) <= _PER_DAY_MAX:
            raise WrongRequestError([told_wrong["no_number"]], fields=["per_day"])
        told = company_told(parts, form.about, after=row.go_live)
        event = go_live_command(
            _days(parts, company, per_day=int(per_day), first_on=on)[1],
            company=company,
            at=datetime.datetime.fromisoformat(told["occurred_at"]),
            author=person.user,
        )
        detail = f"{per_day} · {on} · {len(event.days)}"
        return ask_company(
            parts, form.about, event, back_to=settings_path(company, "enrolment"), detail=detail
        )


async def _await(parts: InsideParts, *, company: str, account: str, request: str) -> Asked | None:
    """Wait until the last customer's command, or the company's, is there."""

    def is_written() -> bool:
        with reading(parts.engine) as connection:
            if account:
                return has_request(connection, account=account, request=request)
            row = company_row(connection, company)
        return row is not None and request in row.commands

    return await until_written(parts, is_written=is_written, request=request)


def _days(
    parts: InsideParts, company: str, *, per_day: int, first_on: datetime.date
) -> tuple[list[Debtor], Sequence[GoLiveDay]]:
    """Cut the first run of a company into days; it reads every debtor that is overdue."""
    with reading(parts.engine) as connection:
        today = company_day(connection, company, wall=parts.clock())
        row = company_row(connection, company)
        found = [each for each in debtors(connection, company) if each.oldest_due_on < today]
    country = "" if row is None or row.profile is None else row.profile.country
    return found, portions(found, per_day=per_day, first_on=first_on, country=country)


def _portions(parts: InsideParts, company: str, *, per_day: int, first_on: datetime.date) -> list[Portion]:
    found, days = _days(parts, company, per_day=per_day, first_on=first_on)
    return [
        Portion(
            on=each.on,
            accounts=len(found[index * per_day :][:per_day]),
            oldest_on=found[index * per_day].oldest_due_on,
            due_on=each.due_on,
            customer=each.customer,
        )
        for index, each in enumerate(days)
    ]

"""The customer page: what is owed and since when, what was said and agreed, and what can be done about it
(S0-09 … S0-12, S1-11, S1-12, S2-12 … S2-15, S2-20, S2-22, S3-09).
"""

import datetime
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, Response
from msgspec.structs import replace

from console.web.inside.access import Person, needs, require_own_form
from console.web.inside.asking import ask, await_written, nonce, told
from console.web.inside.masking import masked, masked_contact
from console.web.inside.parts import InsideParts
from console.web.inside.showing import page
from infra.database.engine import reading
from infra.database.queries.customer_sheet import CustomerSheet, customer_sheet
from infra.database.queries.moment import company_day
from infra.database.queries.reminder_filter import Filter
from infra.database.queries.reminders import reminder_lines
from infra.database.queries.requests import requests_of
from schemas.commands import AccountCommand, AddNote, ExcludeItem, IncludeItem, SetMode, SetNextDate
from schemas.fields import split_account_id

__all__ = ["router"]

_ITEMS_MAX, _LOG_MAX, _REMINDERS_MAX = 500, 100, 50
_Word = Annotated[str, Form(max_length=128)]
_Reader = Annotated[Person, Depends(needs("viewer"))]
_Collector = Annotated[Person, Depends(needs("collector"))]


class CustomerForm(NamedTuple):
    """Who asks, about whom, and what each command about an account has."""

    person: Person
    account: str
    common: Mapping[str, Any]


def router(parts: InsideParts) -> APIRouter:
    """Make the routes."""
    routes = APIRouter()

    @routes.get("/customers/{account}", response_model=None)
    async def show(*, person: _Reader, account: str, asked: str = "") -> HTMLResponse:
        written = await await_written(parts, account=account, request=asked)
        sheet = _sheet(parts, person, account)
        with reading(parts.engine) as connection:
            today = company_day(connection, sheet.company, wall=parts.clock())
            log = requests_of(connection, account=account, limit=_LOG_MAX)
            sent = reminder_lines(connection, asked=Filter(account=account), lines_max=_REMINDERS_MAX)
        return page(
            "customer.html",
            person=person,
            sheet=sheet,
            today=today,
            log=log,
            sent=sent,
            asked=written,
            nonce=nonce,
        )

    def own_form(
        *, request: Request, person: _Collector, account: str, csrf: _Word, nonce: _Word
    ) -> CustomerForm:
        """Give what every form about a customer has, when it is one of ours and the customer is his to see."""
        require_own_form(request, person, csrf=csrf)
        _sheet(parts, person, account)
        return CustomerForm(person, account, told(parts, person, account=account, given=nonce))

    own = Annotated[CustomerForm, Depends(own_form)]

    def asked_for(form: CustomerForm, command: AccountCommand) -> Response:
        return ask(
            parts,
            form.person,
            command,
            account=form.account,
            back_to=f"/customers/{quote(form.account, safe='')}",
        )

    @routes.post("/customers/{account}/notes", response_model=None)
    def add_note(
        *,
        form: own,
        text: Annotated[str, Form(min_length=1, max_length=8_000)],
        kind: Annotated[Literal["note", "call_attempt", "conversation"], Form()] = "note",
        responsible: _Word = "",
    ) -> Response:
        return asked_for(form, AddNote(**form.common, kind=kind, text=text, responsible=responsible))

    @routes.post("/customers/{account}/next-date", response_model=None)
    def set_next_date(*, form: own, on: Annotated[datetime.date, Form()]) -> Response:
        return asked_for(form, SetNextDate(**form.common, next_on=on))

    @routes.post("/customers/{account}/mode", response_model=None)
    def set_mode(*, form: own, mode: Annotated[Literal["automatic", "manual"], Form()]) -> Response:
        return asked_for(form, SetMode(**form.common, mode=mode))

    @routes.post("/customers/{account}/exclusions", response_model=None)
    def exclude(
        *, form: own, item: _Word, reason: Annotated[str, Form(min_length=1, max_length=2_000)]
    ) -> Response:
        return asked_for(form, ExcludeItem(**form.common, document=item, reason=reason))

    @routes.post("/customers/{account}/inclusions", response_model=None)
    def include(*, form: own, item: _Word) -> Response:
        return asked_for(form, IncludeItem(**form.common, document=item))

    return routes


def _sheet(parts: InsideParts, person: Person, account: str) -> CustomerSheet:
    """Give what is known of an account that the person may see.

    Raises:
        HTTPException: 404: there is none, or it is not for this person to know.
    """
    with reading(parts.engine) as connection:
        sheet = customer_sheet(connection, account=account, items_max=_ITEMS_MAX)
    if sheet is None or not person.sees(split_account_id(account)[0]):
        raise HTTPException(404)
    if not person.may("collector"):
        contacts = tuple(masked_contact(each) for each in sheet.contacts)
        return replace(sheet, tax_id=masked(sheet.tax_id), contacts=contacts)
    return sheet

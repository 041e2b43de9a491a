"""Reconciliation: how far each bank account is, whether reminders wait for it, and credits that nobody has matched
(R21, S0-01, S2-21, S3-02).

A credit that is matched here becomes a payment of the customer's, named after the bank's line, unless billing
has booked it, or it is no customer's; then the line alone is settled.
"""

import datetime
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import HTMLResponse, Response
from msgspec import Struct
from msgspec.structs import replace

from console.web.inside.access import Person, needs
from console.web.inside.asking import Asked, until_written
from console.web.inside.company_asking import ask_company, company_told, require_company, settings_path
from console.web.inside.masking import masked
from console.web.inside.pages.settings.forms import Given, company_form
from console.web.inside.parts import InsideParts
from console.web.inside.showing import page
from infra.database.engine import reading
from infra.database.queries.bank_state import (
    Payer,
    bank_line,
    banks_of,
    likely_payers,
    payers_like,
    unmatched_lines,
)
from infra.database.queries.customer_sheet import SheetItem, customer_sheet, open_items
from infra.database.queries.moment import company_day
from processors.calendar import business_day, zone_of
from processors.money import MoneyError, to_minor, to_text
from schemas.bank import BankLineMatched, BankLineUnmatched
from schemas.bank_rows import BankLineRow, BankRow
from schemas.commands import ConfigureCompany, OverrideBankGate
from schemas.events import PaymentLine, PaymentReceived
from schemas.fields import account_id

__all__ = ["payment_of", "router"]

_LINES_MAX: Final = 100
_PAYERS_MAX: Final = 20
_ITEMS_MAX: Final = 200
_NAME_MAX: Final = 128  # of a document's id
_CollectorForm = Annotated[Given, Depends(company_form("collector"))]


class BankAccount(Struct, frozen=True, kw_only=True):
    """A bank account: reconciled through which day, whether reminders need it, and whether they wait for it."""

    name: str
    through: datetime.date | None
    is_required: bool
    is_stale: bool


class _Payer(Struct, frozen=True, kw_only=True):
    """A customer whom a credit may be from: his open documents, the first due first."""

    account: str
    name: str
    items: tuple[SheetItem, ...]


def router(parts: InsideParts) -> APIRouter:
    """Make the routes."""
    routes = APIRouter()
    _add_state(routes, parts)
    _add_matching(routes, parts)
    return routes


def _add_state(routes: APIRouter, parts: InsideParts) -> None:
    @routes.get("/settings/{company}/banks", response_model=None)
    async def state(
        *,
        person: Annotated[Person, Depends(needs("viewer"))],
        company: str,
        line: Annotated[str, Query(max_length=128)] = "",
        customer: Annotated[str, Query(max_length=128)] = "",
        search: Annotated[str, Query(max_length=100)] = "",
        after: Annotated[str, Query(max_length=128)] = "",
        asked: Annotated[str, Query(max_length=128)] = "",
    ) -> HTMLResponse:
        written = await _await_banks(parts, company=company, request=asked)
        return _page(
            parts,
            person,
            company=company,
            line=line,
            customer=customer,
            search=search,
            after=after,
            asked=written,
        )

    @routes.post("/settings/{company}/banks/override", response_model=None)
    def override(*, form: Annotated[Given, Depends(company_form("approver"))]) -> Response:
        company = form.about.company
        reason = form.text("reason").strip()
        with reading(parts.engine) as connection:
            require_company(connection, form.about.person, company)
            today = company_day(connection, company, wall=parts.clock())
        if not reason:
            return _page(parts, form.about.person, company=company, fault="reason", status=422)
        event = OverrideBankGate(**company_told(parts, form.about), on=today, reason=reason[:2000])
        return ask_company(
            parts, form.about, event, back_to=settings_path(company, "banks"), detail=f"{today}: {reason}"
        )


def _add_matching(routes: APIRouter, parts: InsideParts) -> None:
    @routes.post("/settings/{company}/banks/match", response_model=None)
    def match(*, form: _CollectorForm) -> Response:
        person, company, _ = form.about
        row = _line(parts, person, company=company, line=form.text("line"))
        said = row.line
        if said is None or row.matched:
            return _page(parts, person, company=company, fault="matched", status=409)
        told = company_told(parts, form.about)
        done = BankLineMatched(
            company=company, occurred_at=told["occurred_at"], bank_account=said.bank_account, line=said.line
        )
        here = settings_path(company, "banks")
        if form.text("what") == "settled":
            return ask_company(
                parts, form.about, done, back_to=here, detail=f"{said.line}: {form.text('reason')[:500]}"
            )
        customer = form.text("customer")
        sheet = _sheet(parts, account_id(company, customer)) if customer else None
        fault = "customer" if sheet is None else ""
        try:
            lines = _named(form, said=said, sheet=sheet) if sheet is not None else ()
        except _WrongAmountError as error:
            fault = str(error)
        if fault:
            return _page(
                parts,
                person,
                company=company,
                line=said.line,
                customer=customer,
                fault=fault,
                given=form.texts(),
                status=422,
            )
        payment = payment_of(said, customer=customer, lines=lines)
        detail = f"{said.line} → {customer}: {', '.join(each.document for each in lines)}"
        return ask_company(parts, form.about, done, before=[payment], back_to=here, detail=detail)


class _WrongAmountError(ValueError):
    """An amount is none, or all of them are more than the credit; its text is a key of the words."""


def payment_of(said: BankLineUnmatched, *, customer: str, lines: Sequence[PaymentLine]) -> PaymentReceived:
    """Make the payment of a bank's line: its id follows from the line's, so that it can be booked once only."""
    name = f"bank/{said.line}"
    return PaymentReceived(
        company=said.company,
        customer=customer,
        occurred_at=said.occurred_at,
        payment=name if len(name) <= _NAME_MAX else said.line,
        currency=said.currency,
        amount=said.amount,
        lines=tuple(lines),
    )


def _named(form: Given, *, said: BankLineUnmatched, sheet: _Payer) -> tuple[PaymentLine, ...]:
    """Read which documents are paid, and how much of each where it was said.

    Raises:
        _WrongAmountError: an amount is none, or they are more than came in.
    """
    known = {each.item for each in sheet.items if each.currency == said.currency}
    chosen = [each for each in form.fields.getlist("document") if isinstance(each, str) and each in known]
    lines, sum_minor = [], 0
    for document in chosen:
        text = form.text(f"amount:{document}").strip()
        if text:
            sum_minor += _minor(text, currency=said.currency)
        lines.append(PaymentLine(document=document, amount=_plain(text) or None))
    if sum_minor > to_minor(said.amount, currency=said.currency):
        raise _WrongAmountError("sum")
    return tuple(lines)


def _plain(text: str) -> str:
    return text.replace(",", ".") if text.count(",") == 1 and "." not in text else text


def _minor(text: str, *, currency: str) -> int:
    try:
        found = to_minor(_plain(text), currency=currency)
    except MoneyError as error:
        raise _WrongAmountError("amount") from error
    if found <= 0:
        raise _WrongAmountError("amount")
    return found


async def _await_banks(parts: InsideParts, *, company: str, request: str) -> Asked | None:
    """Wait until a line is matched, or the override of a day is there."""

    def is_written() -> bool:
        with reading(parts.engine) as connection:
            found = bank_line(connection, company, request)
            if found is not None:
                return found.matched
            try:
                return (
                    banks_of(connection, company).override(datetime.date.fromisoformat(request)) is not None
                )
            except ValueError:
                return False

    return await until_written(parts, is_written=is_written, request=request)


def _line(parts: InsideParts, person: Person, *, company: str, line: str) -> BankLineRow:
    with reading(parts.engine) as connection:
        require_company(connection, person, company)
        row = bank_line(connection, company, line)
    if row is None:
        raise HTTPException(404)
    return row


def _sheet(parts: InsideParts, account: str) -> _Payer | None:
    with reading(parts.engine) as connection:
        sheet = customer_sheet(connection, account=account)
        if sheet is None:
            return None
        owed = open_items(connection, account=account, offset=0, limit=_ITEMS_MAX)
    return _Payer(account=account, name=sheet.name, items=owed.items)


def _page(
    parts: InsideParts,
    person: Person,
    *,
    company: str,
    line: str = "",
    customer: str = "",
    search: str = "",
    after: str = "",
    fault: str = "",
    given: dict[str, str] | None = None,
    asked: Asked | None = None,
    status: int = 200,
) -> HTMLResponse:
    chosen = _line(parts, person, company=company, line=line) if line and person.may("collector") else None
    with reading(parts.engine) as connection:
        profile = require_company(connection, person, company).profile
        today = company_day(connection, company, wall=parts.clock())
        banks = banks_of(connection, company)
        rows = unmatched_lines(connection, company, after=after, limit=_LINES_MAX + 1)
        payers: list[Payer] = []
        if chosen is not None:
            payers = (
                payers_like(connection, company, search, limit=_PAYERS_MAX)
                if search
                else likely_payers(connection, chosen, limit=_PAYERS_MAX)
            )
    sheet = _sheet(parts, account_id(company, customer)) if chosen is not None and customer else None
    stale = banks.stale(profile, day=today) if profile is not None else {}
    lines = [each.line for each in rows[:_LINES_MAX] if each.line is not None]
    return page(
        "settings/banks.html",
        person=person,
        company=company,
        accounts=list(_accounts(banks.accounts, profile=profile, stale=stale)),
        is_waiting=bool(stale) and banks.override(today) is None,
        is_off=profile is None or not profile.bank_accounts,
        override=banks.override(today),
        today=today,
        untils={each.id: each.until for each in rows},
        received={each.id: each.received_on for each in rows},
        lines=lines if person.may("collector") else [_without_person(each) for each in lines],
        next_after=lines[-1].line if len(rows) > _LINES_MAX else "",
        chosen=chosen,
        payers=payers,
        sheet=sheet,
        search=search,
        fault=fault,
        given=given or {},
        amount=_decimal,
        minor=lambda each: to_minor(each.amount, currency=each.currency),
        proposed=_proposed(sheet, chosen),
        asked=asked,
        status=status,
    )


def _accounts(
    known: dict[str, BankRow], *, profile: ConfigureCompany | None, stale: dict[str, datetime.date | None]
) -> list[BankAccount]:
    required = () if profile is None else profile.bank_accounts
    zone = zone_of("UTC" if profile is None else profile.time_zone)
    found = []
    for name in dict.fromkeys((*required, *sorted(known))):
        through = known[name].through if name in known else None
        found.append(
            BankAccount(
                name=name,
                through=None if through is None else business_day(through, zone),
                is_required=name in required,
                is_stale=name in stale,
            )
        )
    return found


def _without_person(line: BankLineUnmatched) -> BankLineUnmatched:
    return replace(
        line,
        payer_name=masked(line.payer_name),
        payer_tax_id=masked(line.payer_tax_id),
        text=masked(line.text),
    )


def _decimal(minor: int, currency: str) -> str:
    return to_text(minor, currency=currency)


def _proposed(sheet: _Payer | None, chosen: BankLineRow | None) -> set[str]:
    """Tick what the credit most likely pays: documents that it names, else the one whose open amount it is."""
    if sheet is None or chosen is None or chosen.line is None:
        return set()
    said = chosen.line
    own = [each for each in sheet.items if each.currency == said.currency]
    named = {each.item for each in own if each.item in said.documents or each.item in said.text.split()}
    if named:
        return named
    amount_minor = to_minor(said.amount, currency=said.currency)
    return {each.item for each in own if each.open_minor == amount_minor and len(own) > 0}

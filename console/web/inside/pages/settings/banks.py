"""Reconciliation: how far each bank account is, whether reminders wait for it, and credits that nobody has matched
(R21, S0-01, S2-21, S3-02).

A credit that is matched here becomes a payment, named after the bank's line, of the customer who paid; it may pay
documents of others, too. Has billing booked it, or is it no customer's, the line alone is settled.
"""

import datetime
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from fastapi import Depends, HTTPException, Query
from fastapi.responses import HTMLResponse, Response
from msgspec import Struct
from msgspec.structs import replace

from console.web.amounts import typed_text
from console.web.inside.access import Person
from console.web.inside.asking import Asked, WrongRequestError, until_written
from console.web.inside.company_asking import ask_company, company_told, require_company, settings_path
from console.web.inside.given import Reader
from console.web.inside.masking import masked
from console.web.inside.pages.settings.bank_shares import (
    PayerSheet,
    Shares,
    WrongShareError,
    payment_of,
    shares_of,
)
from console.web.inside.pages.settings.forms import Given, company_form
from console.web.inside.parts import InsideParts
from console.web.inside.showing import page, words_of
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.queries.bank_state import (
    Payer,
    bank_line,
    banks_of,
    customer_names,
    likely_payers,
    payers_like,
    unmatched_lines,
)
from infra.database.queries.customer_sheet import open_items
from infra.database.queries.moment import company_day
from processors.calendar import business_day, zone_of
from processors.money import to_minor, to_text
from schemas.bank import BankLineMatched, BankLineUnmatched
from schemas.bank_rows import BankLineRow, BankRow
from schemas.commands import ConfigureCompany, OverrideBankGate
from schemas.fields import account_id

__all__ = ["router"]

_LINES_MAX: Final = 100
_PAYERS_MAX: Final = 20
_ITEMS_MAX: Final = 200
_REASON_MAX: Final = 500
_SHARED_MAX: Final = 5  # customers of one credit
_CollectorForm = Annotated[Given, Depends(company_form("collector"))]


class BankAccount(Struct, frozen=True, kw_only=True):
    """A bank account: reconciled through which day, whether reminders need it, and whether they wait for it."""

    name: str
    through: datetime.date | None
    is_required: bool
    is_stale: bool


class _Reckoned(Struct, frozen=True, kw_only=True):
    """A form that was added up and not booked: what came of it, and what was typed."""

    shares: Shares
    ticked: frozenset[tuple[str, str]]
    given: dict[str, str]


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()
    _add_state(routes, parts)
    _add_matching(routes, parts)
    return routes


def _add_state(routes: Routes, parts: InsideParts) -> None:
    @routes.get("/settings/{company}/banks", response_model=None)
    async def state(
        *,
        person: Reader,
        company: str,
        line: Annotated[str, Query(max_length=128)] = "",
        customer: Annotated[list[str] | None, Query(max_length=_SHARED_MAX)] = None,
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
            customers=customer or (),
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
            raise _wrong(form.about.person, field="reason", word="reason")
        event = OverrideBankGate(**company_told(parts, form.about), on=today, reason=reason)
        return ask_company(
            parts, form.about, event, back_to=settings_path(company, "banks"), detail=f"{today}: {reason}"
        )


def _add_matching(routes: Routes, parts: InsideParts) -> None:
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
            reason = form.text("reason")
            if len(reason) > _REASON_MAX:
                raise _wrong(person, field="reason", word="too_long")
            return ask_company(parts, form.about, done, back_to=here, detail=f"{said.line}: {reason}")
        sheets = _sheets(parts, company, _texts(form, "customer"))
        if not sheets:
            raise _wrong(person, field="", word="customer")
        try:
            shares = shares_of(form, said=said, payers=sheets)
        except WrongShareError as error:
            raise _wrong(person, field=error.field, word=error.word, values=error.values) from error
        if form.text("what") == "reckon":
            ticked = frozenset(
                (each.account, name) for each in sheets for name in _texts(form, f"document{each.mark}")
            )
            reckoned = _Reckoned(shares=shares, ticked=ticked, given=form.texts())
            customers = [each.customer for each in sheets]
            return _page(
                parts, person, company=company, line=said.line, customers=customers, reckoned=reckoned
            )
        payment = payment_of(said, customer=sheets[0].customer, lines=shares.lines)
        return ask_company(
            parts, form.about, done, before=[payment], back_to=here, detail=_detail(said, shares)
        )


def _detail(said: BankLineUnmatched, shares: Shares) -> str:
    """Say for the audit whose a credit was found to be."""
    whose = (f"{each.account.partition(':')[2]}: {', '.join(each.documents)}" for each in shares.shares)
    return f"{said.line} → {'; '.join(whose)}"


def _wrong(
    person: Person, *, field: str, word: str, values: Mapping[str, str] | None = None
) -> WrongRequestError:
    words = words_of(person.language)
    told = {**words["form_faults"], **words["bank_faults"]}
    return WrongRequestError([told[word].format(**(values or {"most": str(_REASON_MAX)}))], fields=[field])


def _texts(form: Given, name: str) -> list[str]:
    return [each for each in form.fields.getlist(name) if isinstance(each, str)]


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


def _sheets(parts: InsideParts, company: str, customers: Sequence[str]) -> list[PayerSheet]:
    """Give the customers who were chosen with what they owe, who paid first; who is not known is left out."""
    accounts = [account_id(company, each) for each in dict.fromkeys(customers) if each][:_SHARED_MAX]
    with reading(parts.engine) as connection:
        names = customer_names(connection, accounts)
        owed = {
            each: open_items(connection, account=each, offset=0, limit=_ITEMS_MAX)
            for each in accounts
            if each in names
        }
    return [
        PayerSheet(
            account=each,
            name=names[each],
            items=found.items,
            mark="" if each == accounts[0] else f"@{each.partition(':')[2]}",
            count=found.count,
        )
        for each, found in owed.items()
    ]


def _page(
    parts: InsideParts,
    person: Person,
    *,
    company: str,
    line: str = "",
    customers: Sequence[str] = (),
    search: str = "",
    after: str = "",
    fault: str = "",
    reckoned: _Reckoned | None = None,
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
    sheets = _sheets(parts, company, customers) if chosen is not None else []
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
        sheets=sheets,
        is_full=len(sheets) >= _SHARED_MAX,
        search=search,
        fault=fault,
        shares=None if reckoned is None else reckoned.shares,
        given={} if reckoned is None else reckoned.given,
        typed=lambda minor, of: typed_text(to_text(minor, currency=of), language=person.language),
        minor=lambda each: to_minor(each.amount, currency=each.currency),
        ticked=_proposed(sheets, chosen) if reckoned is None else reckoned.ticked,
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


def _proposed(sheets: Sequence[PayerSheet], chosen: BankLineRow | None) -> frozenset[tuple[str, str]]:
    """Tick what the credit most likely pays: documents that it names, else the one whose open amount it is."""
    if chosen is None or chosen.line is None:
        return frozenset()
    said = chosen.line
    own = [
        (sheet.account, each) for sheet in sheets for each in sheet.items if each.currency == said.currency
    ]
    words = {*said.documents, *(word.strip(",;") for word in said.text.split())}
    named = frozenset((account, each.item) for account, each in own if each.item in words)
    amount_minor = to_minor(said.amount, currency=said.currency)
    return named or frozenset(
        (account, each.item) for account, each in own if each.open_minor == amount_minor
    )

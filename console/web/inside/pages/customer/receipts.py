"""Receipts entered by hand, and what became of a cheque afterwards (S1-18 … S1-21).

What is published is what a billing system would: ``billing.payment.received.v1`` and
``billing.payment.state_changed.v1``, from the source ``cobranza/console``. A receipt without a number
is named after the user and the form that it was typed in, so that a second click is the same payment.
"""

import datetime
from typing import Annotated, Final, Literal

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, Response

from console.web.inside.access import Person
from console.web.inside.asking import WrongRequestError, enter, said_by
from console.web.inside.pages.customer.opening import (
    Collector,
    CustomerForm,
    Word,
    form_of,
    path_of,
    require_payment,
    sheet_of,
)
from console.web.inside.pages.customer.receipt_form import AMOUNT_FOR, MEANS, STATES, Receipt, payment_of
from console.web.inside.parts import InsideParts
from console.web.inside.showing import Words, page, words_of
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.queries.customer_sheet import ItemPage, SheetItem, open_items
from infra.database.queries.document_story import payment_said
from infra.database.queries.moment import company_day
from processors.identity import same_content
from schemas.events import PaymentReceived, PaymentStateChanged
from schemas.fields import split_account_id

__all__ = ["router"]

_ITEMS_MAX: Final = 300


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes(prefix="/customers/{account:path}")
    _add_receipt(routes, parts)
    _add_states(routes, parts)
    return routes


def _add_receipt(routes: Routes, parts: InsideParts) -> None:
    async def typed(request: Request) -> Receipt:
        return _receipt(
            dict(await request.form()), [str(each) for each in (await request.form()).getlist("document")]
        )

    @routes.get("/receipts/new", response_model=None)
    def new(*, person: Collector, account: str) -> HTMLResponse:
        with reading(parts.engine) as connection:
            today = company_day(connection, split_account_id(account)[0], wall=parts.clock())
        return _form_page(parts, person, account, Receipt(on=today.isoformat()))

    @routes.post("/receipts", response_model=None)
    def take(
        *,
        form: Annotated[CustomerForm, Depends(form_of(parts))],
        nonce: Word,
        receipt: Annotated[Receipt, Depends(typed)],
    ) -> Response:
        company, customer = split_account_id(form.account)
        words = words_of(form.person.language)
        documents, today = _open(parts, form.account)
        further = _further(parts, form.account, receipt.further.strip())
        made = payment_of(
            receipt,
            company=company,
            customer=customer,
            payment=f"RC-{said_by(form.person, given=nonce).rpartition('/')[2][:12]}",
            open_items=(*documents.items, *further),
            today=today,
            language=form.person.language,
            words={**words["form_faults"], **words["receipts"]},
        )
        if isinstance(made, list):
            raise WrongRequestError([text for _, text in made], fields=[name for name, _ in made])
        _require_unused(parts, made, account=form.account, is_typed=bool(receipt.number.strip()), words=words)
        credit = f"payment/{made.payment}"
        return enter(
            parts,
            form.person,
            made,
            entry=said_by(form.person, given=nonce),
            account=form.account,
            back_to=f"{path_of(form.account)}/credit",
            more={"credit": credit, "entered": made.state},
        )


def _require_unused(
    parts: InsideParts, made: PaymentReceived, *, account: str, is_typed: bool, words: Words
) -> None:
    """See that no other payment has the number: the ledger would leave the second one out. The same again is a second click.

    Raises:
        WrongRequestError: there is one, with other content.
    """
    with reading(parts.engine) as connection:
        known = payment_said(connection, account=account, payment=made.payment)
    if known is None or same_content(known, made):
        return
    if is_typed:
        raise WrongRequestError([words["receipts"]["known"]], fields=["number"])
    raise WrongRequestError([words["refusals"]["said_otherwise"]], fields=[""])


def _add_states(routes: Routes, parts: InsideParts) -> None:
    @routes.post("/receipts/state", response_model=None)
    def change(
        *,
        form: Annotated[CustomerForm, Depends(form_of(parts))],
        nonce: Word,
        payment: Word,
        state: Annotated[Literal["deposited", "cleared", "returned"], Form()],
        on: Annotated[datetime.date, Form()],
        reason: Annotated[str, Form(max_length=2_000)] = "",
    ) -> Response:
        company, customer = split_account_id(form.account)
        require_payment(parts, form, payment)
        with reading(parts.engine) as connection:
            today = company_day(connection, company, wall=parts.clock())
        if on > today:
            raise WrongRequestError([words_of(form.person.language)["receipts"]["future"]], fields=["on"])
        entry = said_by(form.person, given=nonce)
        changed = PaymentStateChanged(
            company=company,
            customer=customer,
            occurred_at=on.isoformat(),
            payment=payment,
            state=state,
            reason=reason,
            change=entry,
        )
        return enter(
            parts,
            form.person,
            changed,
            entry=entry,
            account=form.account,
            back_to=f"{path_of(form.account)}/credit",
            more={"credit": f"payment/{payment}", "entered": state},
        )


def _receipt(said: dict[str, object], documents: list[str]) -> Receipt:
    text = {name: str(value)[:300] for name, value in said.items()}
    plain = ("number", "on", "total", "currency", "means", "state", "payable_on", "further", "further_amount")
    return Receipt(
        **{name: text[name] for name in plain if name in text},
        documents=tuple(documents),
        amounts={
            name.removeprefix(AMOUNT_FOR): value
            for name, value in text.items()
            if name.startswith(AMOUNT_FOR) and value
        },
    )


def _open(parts: InsideParts, account: str) -> tuple[ItemPage, datetime.date]:
    with reading(parts.engine) as connection:
        found = open_items(connection, account=account, offset=0, limit=_ITEMS_MAX)
        return found, company_day(connection, split_account_id(account)[0], wall=parts.clock())


def _further(parts: InsideParts, account: str, name: str) -> tuple[SheetItem, ...]:
    """Give the open document that was named by its number; none: there is none."""
    if not name:
        return ()
    with reading(parts.engine) as connection:
        return open_items(connection, account=account, offset=0, limit=1, item=name).items


def _form_page(parts: InsideParts, person: Person, account: str, receipt: Receipt) -> HTMLResponse:
    sheet = sheet_of(parts, person, account)
    documents, today = _open(parts, account)
    currencies = sorted({each[0] for each in sheet.balances} | {each.currency for each in documents.items})
    return page(
        "customer/receipt.html",
        person=person,
        sheet=sheet,
        here=path_of(account),
        documents=documents.items,
        count=documents.count,
        today=today,
        currencies=currencies,
        receipt=receipt,
        means=MEANS,
        states=STATES,
        amount_for=AMOUNT_FOR,
    )

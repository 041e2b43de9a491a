"""What every page and form about one customer begins with: may this person see him, and is the form one of ours.

Nothing of another company's customer is told: he is not there (404), as one who does not exist.
"""

import datetime
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote

from fastapi import Depends, Form, HTTPException, Request
from fastapi.responses import Response
from msgspec.structs import replace
from pydantic import BeforeValidator

from console.web.amounts import AmountError, read_amount
from console.web.inside.access import Person, needs, require_own_form
from console.web.inside.asking import WrongRequestError, ask, told
from console.web.inside.form_faults import amount_fault
from console.web.inside.given import Collector, Reader, Stripped, Word
from console.web.inside.masking import masked, masked_contact
from console.web.inside.parts import InsideParts
from console.web.inside.showing import words_of
from infra.database.engine import reading
from infra.database.people import Role
from infra.database.queries.customer_sheet import CustomerSheet, customer_sheet
from infra.database.queries.customer_standing import (
    ArrangementKind,
    currency_of_arrangement,
    customer_is_known,
    document_is_known,
)
from infra.database.queries.document_story import credit_story
from infra.database.queries.requests import has_request
from schemas.commands import AccountCommand
from schemas.fields import split_account_id

__all__ = [
    "Collector",
    "CustomerForm",
    "OptionalDay",
    "OptionalText",
    "Reader",
    "Reason",
    "Word",
    "amount_typed",
    "asked_for",
    "form_of",
    "path_of",
    "people_of",
    "require_arrangement",
    "require_document",
    "require_payment",
    "require_seen",
    "sheet_of",
]

Reason = Annotated[str, Stripped, Form(min_length=1, max_length=2_000)]
# A form sends what was left empty as an empty text.
OptionalDay = Annotated[datetime.date | None, BeforeValidator(lambda said: said or None), Form()]
OptionalText = Annotated[str | None, BeforeValidator(lambda said: said.strip() or None), Form(max_length=30)]


class CustomerForm(NamedTuple):
    """Who asks, about whom, and what each command about an account has."""

    person: Person
    account: str
    common: Mapping[str, Any]


def path_of(account: str) -> str:
    """Give the path of a customer's page."""
    return f"/customers/{quote(account, safe='')}"


def amount_typed(form: CustomerForm, text: str | None, *, currency: str | None) -> str | None:
    """Read an amount as its writer's language has it; None: none was typed.

    Raises:
        WrongRequestError: it is no amount of the currency (None: of any).
    """
    if text is None:
        return None
    language = form.person.language
    try:
        return read_amount(text, currency=currency, language=language)
    except AmountError as error:
        told = amount_fault(error, words=words_of(language)["form_faults"])
        raise WrongRequestError([told], fields=["amount"]) from error


def require_seen(parts: InsideParts, person: Person, account: str) -> None:
    """See that an account is known, and that the person may see it.

    Raises:
        HTTPException: 404: there is none, or it is not for this person to know.
    """
    if not person.sees(split_account_id(account)[0]):
        raise HTTPException(404)
    with reading(parts.engine) as connection:
        is_known = customer_is_known(connection, account=account)
    if not is_known:
        raise HTTPException(404)


def require_document(parts: InsideParts, form: CustomerForm, document: str) -> None:
    """See that the customer has a document: what is asked of another number would wait for it, and be shown as done.

    Raises:
        WrongRequestError: he has none of that number.
    """
    with reading(parts.engine) as connection:
        is_known = document_is_known(connection, account=form.account, document=document)
    if not is_known:
        words = words_of(form.person.language)["form_faults"]
        raise WrongRequestError([words["no_document"].format(document=document)], fields=["item"])


def require_arrangement(parts: InsideParts, form: CustomerForm, kind: ArrangementKind, name: str) -> str:
    """See that something was agreed with the customer under this name, be it over by now or not; give its currency ('': none).

    Raises:
        HTTPException: 404: nothing was.
    """
    with reading(parts.engine) as connection:
        currency = currency_of_arrangement(connection, account=form.account, kind=kind, name=name)
        # One that is decided may be forgotten; the request that made it is not.
        if currency is None and not has_request(connection, account=form.account, request=name):
            raise HTTPException(404)
    return currency or ""


def require_payment(parts: InsideParts, form: CustomerForm, payment: str) -> None:
    """See that the customer has a payment.

    Raises:
        HTTPException: 404: he has none of that number.
    """
    with reading(parts.engine) as connection:
        if credit_story(connection, account=form.account, credit=f"payment/{payment}") is None:
            raise HTTPException(404)


def sheet_of(parts: InsideParts, person: Person, account: str) -> CustomerSheet:
    """Give what is known of an account that the person may see; viewers see people masked.

    Raises:
        HTTPException: 404: there is none, or it is not for this person to know.
    """
    if not person.sees(split_account_id(account)[0]):
        raise HTTPException(404)
    with reading(parts.engine) as connection:
        sheet = customer_sheet(connection, account=account)
    if sheet is None:
        raise HTTPException(404)
    if not person.may("collector"):
        contacts = tuple(masked_contact(each) for each in sheet.contacts)
        return replace(sheet, tax_id=masked(sheet.tax_id), contacts=contacts)
    return sheet


def people_of(parts: InsideParts, account: str) -> tuple[str, ...]:
    """Give the names of a customer's contacts: what viewers do not read in what others wrote."""
    with reading(parts.engine) as connection:
        sheet = customer_sheet(connection, account=account)
    return () if sheet is None else tuple(each.name for each in sheet.contacts)


def form_of(parts: InsideParts, *, role: Role = "collector") -> Callable[..., CustomerForm]:
    """Give the dependency of a form about a customer: it is one of ours, and the customer is his to see."""

    def own_form(
        *,
        request: Request,
        person: Annotated[Person, Depends(needs(role))],
        account: str,
        csrf: Word,
        nonce: Word,
    ) -> CustomerForm:
        require_own_form(request, person, csrf=csrf)
        require_seen(parts, person, account)
        return CustomerForm(person, account, told(parts, person, account=account, given=nonce))

    return own_form


def asked_for(
    parts: InsideParts, form: CustomerForm, command: AccountCommand, *, back_to: str = "", **more: str
) -> Response:
    """Ask for a command, and lead back to the customer's page, or to another one of his (``back_to`` follows it)."""
    path = path_of(form.account) + back_to
    return ask(parts, form.person, command, account=form.account, back_to=path, more=more)

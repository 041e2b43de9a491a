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

from console.web.inside.access import Person, needs, require_own_form
from console.web.inside.asking import WrongRequestError, ask, told
from console.web.inside.given import Collector, Reader, Word
from console.web.inside.masking import masked, masked_contact
from console.web.inside.pages.customer.receipt_form import plain_amount
from console.web.inside.parts import InsideParts
from console.web.inside.showing import words_of
from infra.database.engine import reading
from infra.database.people import Role
from infra.database.queries.customer_sheet import CustomerSheet, customer_sheet
from infra.database.queries.customer_standing import customer_is_known, document_is_known
from schemas.commands import AccountCommand
from schemas.fields import split_account_id

__all__ = [
    "Collector",
    "CustomerForm",
    "OptionalAmount",
    "OptionalDay",
    "Reader",
    "Reason",
    "Word",
    "asked_for",
    "form_of",
    "path_of",
    "people_of",
    "require_document",
    "require_seen",
    "sheet_of",
]

Reason = Annotated[str, Form(min_length=1, max_length=2_000)]
# A form sends what was left empty as an empty text.
OptionalDay = Annotated[datetime.date | None, BeforeValidator(lambda said: said or None), Form()]
OptionalAmount = Annotated[
    str | None, BeforeValidator(lambda said: plain_amount(said) or None), Form(max_length=20)
]


class CustomerForm(NamedTuple):
    """Who asks, about whom, and what each command about an account has."""

    person: Person
    account: str
    common: Mapping[str, Any]


def path_of(account: str) -> str:
    """Give the path of a customer's page."""
    return f"/customers/{quote(account, safe='')}"


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

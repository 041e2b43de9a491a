"""A company's logo: looked at, checked as a picture before it stands, kept as a file of the company's texts (S4-18).

Which file is shown the company's profile says; nothing of that is changed here.
"""

import hashlib
from pathlib import Path
from typing import Annotated, Final

from fastapi import Depends
from fastapi.responses import RedirectResponse, Response
from msgspec import Struct

from console.own_texts import OwnTexts
from console.web.inside.asking import WrongRequestError, said_by
from console.web.inside.auditing import note
from console.web.inside.company_asking import require_company, settings_path
from console.web.inside.pages.settings.forms import Given, company_form
from console.web.inside.parts import InsideParts
from console.web.inside.showing import words_of
from console.web.inside.text_faults import text_fault_text
from console.web.routing import Routes
from infra.database.engine import reading
from infra.errors import OperatorError
from notifiers.assembly import TEMPLATES, open_texts
from notifiers.writing.logo import LOGO_BYTES_MAX, LogoError, checked_logo, logo_of
from processors.company import Company

__all__ = ["LOGOS", "LogoLine", "logo_line", "own_texts_of", "router"]

SAVED: Final = "console.texts.logo"
LOGOS: Final = ("logo.png", "logo.jpg", "logo.gif")
_NAME_MAX: Final = 80
_AdministratorForm = Annotated[Given, Depends(company_form("administrator"))]


class LogoLine(Struct, frozen=True, kw_only=True):
    """What the profile names, '' nothing; and what is wrong with it."""

    named: str
    problem: str


def logo_line(company: Company | None, *, folder: Path) -> LogoLine:
    """Look at a company's logo; ``folder`` is its own texts'."""
    named = "" if company is None else company.profile.logo
    try:
        logo_of(named, folder=folder)
    except LogoError as error:
        return LogoLine(named=named, problem=str(error))
    return LogoLine(named=named, problem="")


def own_texts_of(parts: InsideParts) -> OwnTexts:
    """Give what reads and writes companies' own texts."""
    shared = open_texts(parts.settings, engine=parts.engine)
    return OwnTexts(parts.settings.data_dir / TEMPLATES, shared=shared)


def router(parts: InsideParts) -> Routes:
    """Make the route."""
    routes = Routes()
    texts = own_texts_of(parts)

    @routes.post("/settings/{company}/logo", response_model=None)
    def keep(*, form: _AdministratorForm) -> Response:
        """Keep a picture as ``logo.png``, ``.jpg`` or ``.gif``, by what is in it."""
        person, company, given = form.about
        words = words_of(person.language)["texts"]
        with reading(parts.engine) as connection:
            require_company(connection, person, company)
        chosen, content = form.file("logo", bytes_max=LOGO_BYTES_MAX)
        if not chosen:
            raise WrongRequestError([words["logo_missing"]], fields=[""])
        try:
            name = f"logo.{checked_logo(content, name=chosen[:_NAME_MAX]).extension}"
        except LogoError as error:
            said = text_fault_text(str(error), words=words_of(person.language))
            raise WrongRequestError([said], fields=[""]) from error
        note(
            parts,
            person,
            entry=said_by(person, given=given),
            act=SAVED,
            account=company,
            detail=name,
            content=hashlib.blake2s(content).hexdigest(),
        )
        try:
            texts.keep_picture(company, name, content)
        except OperatorError as error:
            text = words["not_written"].format(detail=error)
            raise WrongRequestError([text], fields=[""]) from error
        return RedirectResponse(f"{settings_path(company, 'texts')}?done={name}", status_code=303)

    return routes

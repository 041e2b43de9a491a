"""A company's profile: seen and changed field by field (S4-01 … S4-12, S4-17, S4-18).

Who saves over what another has changed meanwhile is told so, with both; saving again is on purpose.
"""

import datetime
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from console.web.inside.access import Person
from console.web.inside.asking import Asked, nonce, said_by
from console.web.inside.company_asking import ask_company, await_company, company_told, settings_path
from console.web.inside.given import Administrator
from console.web.inside.pages.settings.forms import Given, company_form
from console.web.inside.pages.settings.profile_fields import (
    SECTIONS,
    FieldFault,
    as_text,
    changed_fields,
    field,
    read_profile,
)
from console.web.inside.parts import InsideParts
from console.web.inside.showing import page
from console.web.routing import Routes
from infra.database.claims import Claim, claim, claim_of
from infra.database.engine import reading
from infra.database.people import AuditEntry
from infra.database.queries.creditors import company_row, plan_versions
from processors.validation import problems
from schemas.codec import type_of
from schemas.commands import ConfigureCompany

__all__ = ["router"]

_ACT = type_of(ConfigureCompany)
_ON_ITS_WAY = datetime.timedelta(seconds=30)  # so long another's change may not be in the read model yet


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()

    @routes.get("/settings/{company}/profile", response_model=None)
    async def show(*, person: Administrator, company: str, asked: str = "") -> HTMLResponse:
        written = await await_company(parts, company=company, request=asked)
        known = _profile(parts, person, company)
        return _page(
            parts, person, known=known, given=as_text(known, language=person.language), asked=written
        )

    @routes.post("/settings/{company}/profile", response_model=None)
    def save(*, form: Annotated[Given, Depends(company_form("administrator"))]) -> Response:
        person, company, _ = form.about
        known = _profile(parts, person, company)
        here = settings_path(company, "profile")
        if known.command == said_by(person, given=form.about.nonce):  # pressed twice
            return RedirectResponse(f"{here}?{urlencode({'asked': known.command})}", status_code=303)
        read = read_profile(
            form.texts(),
            known=known,
            common=company_told(parts, form.about, after=known),
            language=person.language,
        )
        meanwhile = _meanwhile(parts, known, given=form)
        if read.profile is None or meanwhile is not None:
            status = 422 if read.profile is None else 409
            return _page(
                parts,
                person,
                known=known,
                given=read.given,
                faults=read.faults,
                meanwhile=meanwhile,
                status=status,
            )
        other = _first_comer(parts, known, given=form)
        if other is not None:
            return _page(parts, person, known=known, given=read.given, meanwhile=other, status=409)
        changed = changed_fields(known, read.profile)
        return ask_company(
            parts, form.about, read.profile, back_to=here, detail=", ".join(changed), stood=known
        )

    return routes


def _profile(parts: InsideParts, person: Person, company: str) -> ConfigureCompany:
    """Give the profile that stands; a company that was never configured has none of its values yet.

    Raises:
        HTTPException: 404: no company is named so, or it is not for this person to know.
    """
    with reading(parts.engine) as connection:
        row = company_row(connection, company) if person.sees(company) else None
    if row is not None and row.profile is not None:
        return row.profile
    fresh = ConfigureCompany(
        company=company,
        occurred_at="1970-01-01",
        command="none",
        name="",
        time_zone="UTC",
        currency="USD",
    )
    if not person.sees(company) or len(company) > 64 or list(problems(fresh)):
        raise HTTPException(404)
    return fresh


def _meanwhile(parts: InsideParts, known: ConfigureCompany, *, given: Given) -> AuditEntry | None:
    """Give who changed the profile since the form was made: what stands is another, or one is on its way."""
    revision, own = given.text("revision"), given.about
    if revision and revision != known.command:
        return AuditEntry(entry="", at=parts.clock(), user=known.author, act=_ACT, detail=known.occurred_at)
    newest = next(iter(parts.people.entries(account=own.company, act=_ACT, limit=1)), None)
    is_recent = newest is not None and parts.clock() - newest.at < _ON_ITS_WAY
    if newest is None or not is_recent or newest.user == own.person.user or newest.entry == known.command:
        return None
    return newest


def _first_comer(parts: InsideParts, known: ConfigureCompany, *, given: Given) -> AuditEntry | None:
    """Claim the change; give who has claimed it in this very moment, from the same profile as this form."""
    person, company, nonce_ = given.about
    name = f"profile/{company}"
    wanted = Claim(
        name=name,
        revision=known.command,
        user=person.user,
        entry=said_by(person, given=nonce_),
        at=parts.clock(),
    )
    if claim(parts.engine, wanted):
        return None
    held = claim_of(parts.engine, name)
    user, at = ("", parts.clock()) if held is None else (held.user, held.at)
    return AuditEntry(entry="", at=at, user=user, act=_ACT)


def _page(
    parts: InsideParts,
    person: Person,
    *,
    known: ConfigureCompany,
    given: Mapping[str, str],
    faults: tuple[FieldFault, ...] = (),
    meanwhile: AuditEntry | None = None,
    asked: Asked | None = None,
    status: int = 200,
) -> HTMLResponse:
    with reading(parts.engine) as connection:
        plans = sorted({each.plan for each in plan_versions(connection, known.company)})
    stands = as_text(known, language=person.language)
    return page(
        "settings/profile.html",
        person=person,
        company=known.company,
        known=known,
        given=given,
        faults={each.field: each for each in faults},
        differing=[name for name in stands if stands[name] != given[name]] if meanwhile else [],
        stands=stands,
        meanwhile=meanwhile,
        sections={name: [field(each) for each in names] for name, names in SECTIONS.items()},
        plans=plans,
        asked=asked,
        nonce=nonce,
        status=status,
    )

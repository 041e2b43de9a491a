"""Plans of a company: their versions, levels as a table beside the text, checked at the line, published once
confirmed, and what becomes of items that have begun (S0-22, S0-23, S2-03 … S2-10, S3-05, R17).
"""

import datetime
import difflib
from collections.abc import Iterator, Sequence
from typing import Annotated, Final, NamedTuple
from urllib.parse import urlencode

from fastapi import Depends, HTTPException, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from msgspec.structs import replace

from console.plan_files import (
    PLANS,
    PlanBackError,
    PlanFileError,
    PlanProblem,
    copy_warnings,
    find_plan,
    migrate_plan_command,
    plan_in,
    plan_text,
    previewed,
    publish_plan_command,
    template_warnings,
)
from console.web.inside.access import Person
from console.web.inside.asking import Asked, WrongRequestError, nonce
from console.web.inside.company_asking import (
    ask_company,
    await_company,
    company_told,
    require_company,
    settings_path,
)
from console.web.inside.given import Administrator, Reader
from console.web.inside.pages.settings.forms import Given, company_form
from console.web.inside.parts import InsideParts
from console.web.inside.plan_faults import plan_fault_text
from console.web.inside.showing import page, words_of
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.queries.creditors import PlanVersion, plan_versions, published_plan
from infra.database.queries.moment import company_day
from processors.plan import plan_warnings
from schemas.plans import Plan

__all__ = ["router"]

_MOVES_MAX: Final = 200
_AdministratorForm = Annotated[Given, Depends(company_form("administrator"))]


class Draft(NamedTuple):
    """A text that somebody writes: the plan in it, or what is wrong, line by line; ``lines`` are the text's own."""

    text: str
    plan: Plan | None
    problems: Sequence[PlanProblem]
    lines: Sequence[str]


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()
    _add_views(routes, parts)
    _add_editing(routes, parts)
    _add_migrations(routes, parts)
    return routes


def _add_views(routes: Routes, parts: InsideParts) -> None:
    @routes.get("/settings/{company}/plans", response_model=None)
    def every(
        *,
        person: Reader,
        company: str,
        plan: Annotated[str, Query(max_length=64)] = "",
        shipped: Annotated[str, Query(max_length=64)] = "",
    ) -> Response:
        if plan:
            target = f"{settings_path(company, 'plans', plan)}?{urlencode({'shipped': shipped})}"
            return RedirectResponse(target, status_code=303)
        with reading(parts.engine) as connection:
            row = require_company(connection, person, company)
            versions = plan_versions(connection, company)
        by_plan: dict[str, list[PlanVersion]] = {}
        for each in versions:
            by_plan.setdefault(each.plan, []).append(each)
        return page(
            "settings/plans.html",
            person=person,
            company=company,
            profile=row.profile,
            plans=by_plan,
            shipped=sorted(each.stem for each in PLANS.glob("*.yaml")),
        )

    @routes.get("/settings/{company}/plans/{plan}", response_model=None)
    async def one(
        *,
        person: Reader,
        company: str,
        plan: str,
        version: Annotated[int | None, Query(ge=1)] = None,
        shipped: Annotated[str, Query(max_length=64)] = "",
        asked: str = "",
    ) -> HTMLResponse:
        written = await await_company(parts, company=company, request=asked)
        live, versions = _live(parts, person, company=company, plan=plan)
        shown = live
        if version is not None:
            with reading(parts.engine) as connection:
                shown = published_plan(connection, company=company, plan=plan, version=version)
        elif live is None and shipped:
            shown = _begun(shipped, plan=plan)
        if shown is None:
            raise HTTPException(404)
        text = plan_text(_next(shown, versions=versions) if person.may("administrator") else shown)
        return _page(
            parts, person, company=company, plan=plan, draft=_draft(text), shown=shown, asked=written
        )


def _begun(shipped: str, *, plan: str) -> Plan | None:
    """Give a plan that ships, under a new name: what a company's own begins with."""
    if not (PLANS / f"{shipped}.yaml").is_file() or "/" in shipped:
        return None
    return replace(find_plan(shipped), id=plan, version=1)


def _add_editing(routes: Routes, parts: InsideParts) -> None:
    @routes.post("/settings/{company}/plans/{plan}/check", response_model=None)
    def check(*, form: _AdministratorForm, plan: str) -> HTMLResponse:
        person, company, _ = form.about
        draft = _named(_draft(form.text("text")), plan=plan)
        _, versions = _live(parts, person, company=company, plan=plan)
        if draft.plan is not None:
            draft = _unpublished(draft, versions=versions)
        return _page(parts, person, company=company, plan=plan, draft=draft, shown=None, is_checked=True)

    @routes.post("/settings/{company}/plans/{plan}/publish", response_model=None)
    def publish(*, form: _AdministratorForm, plan: str) -> Response:
        person, company, _ = form.about
        draft = _named(_draft(form.text("text")), plan=plan)
        live, versions = _live(parts, person, company=company, plan=plan)
        if draft.plan is not None and draft.plan != live:
            draft = _unpublished(draft, versions=versions)
        if draft.plan is None:
            return _page(parts, person, company=company, plan=plan, draft=draft, shown=None, is_checked=True)
        told = company_told(parts, form.about)
        event = publish_plan_command(
            draft.plan, company=company, occurred_at=told["occurred_at"], author=person.user
        )
        detail = f"{plan} {draft.plan.version}"
        return ask_company(
            parts, form.about, event, back_to=settings_path(company, "plans", plan), detail=detail
        )


def _add_migrations(routes: Routes, parts: InsideParts) -> None:
    @routes.get("/settings/{company}/plans/{plan}/migration", response_model=None)
    async def preview(
        *,
        person: Administrator,
        company: str,
        plan: str,
        to_version: Annotated[int | None, Query(ge=1)] = None,
        asked: str = "",
    ) -> HTMLResponse:
        written = await await_company(parts, company=company, request=asked)
        live, versions = _live(parts, person, company=company, plan=plan)
        if live is None:
            raise HTTPException(404)
        wanted = to_version or live.version
        event = migrate_plan_command(
            plan, to_version=wanted, company=company, occurred_at="1970-01-01", author=""
        )
        found, is_back = [], False
        with reading(parts.engine) as connection:
            try:
                found = previewed(connection, event=event, limit=_MOVES_MAX + 1)
            except PlanBackError:
                is_back = True
            except PlanFileError:
                raise HTTPException(404) from None
        return page(
            "settings/migration.html",
            person=person,
            company=company,
            plan=plan,
            to_version=wanted,
            versions=versions,
            moves=found[:_MOVES_MAX],
            has_more=len(found) > _MOVES_MAX,
            is_back=is_back,
            next_version=max(each.version for each in versions) + 1,
            asked=written,
            nonce=nonce,
        )

    @routes.post("/settings/{company}/plans/{plan}/migration", response_model=None)
    def migrate(*, form: _AdministratorForm, plan: str) -> Response:
        person, company, _ = form.about
        _, versions = _live(parts, person, company=company, plan=plan)
        wanted = form.text("to_version")
        if wanted not in {str(each.version) for each in versions}:
            raise HTTPException(404)
        event = migrate_plan_command(
            plan,
            to_version=int(wanted),
            company=company,
            occurred_at=company_told(parts, form.about)["occurred_at"],
            author=person.user,
        )
        with reading(parts.engine) as connection:
            try:
                previewed(connection, event=event, limit=1)
            except PlanBackError as error:
                raise WrongRequestError([str(error)]) from error
        here = settings_path(company, "plans", plan, "migration")
        return ask_company(parts, form.about, event, back_to=here, more={"to_version": wanted})


def _live(
    parts: InsideParts, person: Person, *, company: str, plan: str
) -> tuple[Plan | None, list[PlanVersion]]:
    with reading(parts.engine) as connection:
        require_company(connection, person, company)
        found = published_plan(connection, company=company, plan=plan)
        versions = [each for each in plan_versions(connection, company) if each.plan == plan]
    return found, versions


def _draft(text: str) -> Draft:
    text = text.replace("\r\n", "\n")
    found = plan_in(text)
    lines = text.split("\n")
    return Draft(text, found, (), lines) if isinstance(found, Plan) else Draft(text, None, found, lines)


def _named(draft: Draft, *, plan: str) -> Draft:
    """A page is of one plan: a text that names another would be published elsewhere than it was looked at."""
    if draft.plan is None or draft.plan.id == plan:
        return draft
    wrong = PlanProblem(line=_line_of(draft, "id"), path="$.id", detail=f"this page is of plan {plan!r}")
    return Draft(draft.text, None, [wrong], draft.lines)


def _unpublished(draft: Draft, *, versions: Sequence[PlanVersion]) -> Draft:
    """A version that is published stands as it is, and one below it would be nobody's."""
    newest = max((each.version for each in versions), default=0)
    if draft.plan is None or draft.plan.version > newest:
        return draft
    detail = f"version {newest} is published already: the next is {newest + 1}"
    wrong = PlanProblem(line=_line_of(draft, "version"), path="$.version", detail=detail)
    return Draft(draft.text, None, [wrong], draft.lines)


def _line_of(draft: Draft, key: str) -> int:
    found = (number for number, line in enumerate(draft.lines, start=1) if line.startswith(f"{key}:"))
    return next(found, 1)


def _next(plan: Plan, *, versions: Sequence[PlanVersion]) -> Plan:
    """Give a plan as the next version would begin."""
    return replace(plan, version=max((each.version for each in versions), default=0) + 1)


def differences(before: Plan, after: Plan) -> Iterator[tuple[str, str]]:
    """Walk the lines in which two versions differ, with what stands around them: ('+' | '-' | ' ' | '@', line)."""
    old, new = plan_text(before).splitlines(), plan_text(after).splitlines()
    for line in difflib.unified_diff(old, new, lineterm="", n=2):
        if not line.startswith(("---", "+++")):
            yield line[0], "" if line[0] == "@" else line[1:]


def _page(
    parts: InsideParts,
    person: Person,
    *,
    company: str,
    plan: str,
    draft: Draft,
    shown: Plan | None,
    is_checked: bool = False,
    asked: Asked | None = None,
) -> HTMLResponse:
    live, versions = _live(parts, person, company=company, plan=plan)
    read = draft.plan
    table = shown or read or live
    warned = read if is_checked else shown
    with reading(parts.engine) as connection:
        profile = require_company(connection, person, company).profile
        today = company_day(connection, company, wall=parts.clock())
        copies = [] if warned is None else copy_warnings(connection, warned, company=company)
    min_days = 3 if profile is None else profile.min_days_between_contacts
    return page(
        "settings/plan.html",
        person=person,
        company=company,
        plan=plan,
        live=live,
        versions=versions,
        table=table,
        draft=draft,
        is_checked=is_checked,
        is_live=table == live,
        differences=list(differences(live, read)) if is_checked and live and read else [],
        warnings=[]
        if warned is None
        else [
            *plan_warnings(warned, min_days_between_contacts=min_days),
            *template_warnings(warned),
            *copies,
        ],
        asked=asked,
        said=lambda detail: plan_fault_text(detail, words=words_of(person.language)),
        first_on=today - datetime.timedelta(days=90),
        last_on=today,
        nonce=nonce,
        status=422 if is_checked and read is None else 200,
    )

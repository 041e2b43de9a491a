"""What if: another plan or law over the real history, before anybody publishes it (U-1); a chart, sums, differences."""

import datetime
import hashlib
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import Depends, HTTPException, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from console.plan_files import plan_in
from console.simulating import SimulationAsked
from console.web.inside.access import Person
from console.web.inside.asking import WrongRequestError, said_by
from console.web.inside.auditing import note
from console.web.inside.company_asking import require_company, settings_path
from console.web.inside.given import Approver
from console.web.inside.pages.settings.forms import Given, company_form
from console.web.inside.parts import InsideParts
from console.web.inside.showing import page, words_of
from console.web.inside.simulations import BusyError, Simulation, Simulations
from console.web.routing import Routes
from console.what_if import DaySum
from infra.database.engine import reading
from infra.database.queries.creditors import plan_versions, published_plan
from infra.database.queries.moment import company_day
from notifiers.writing.figures import short_day_text
from processors.law.shipped import shipped_profiles
from schemas.plans import Plan

__all__ = ["router"]

_DAYS: Final = 90
_DAYS_MAX: Final = 3_660
_Form = Annotated[Given, Depends(company_form("approver"))]


_LINES_MAX: Final = 100
# Where a fault is told: at these fields.
_AT: Final = {"nothing": ("plan",), "law": ("profile",), "days": ("first_on", "last_on")}


def router(parts: InsideParts) -> Routes:
    """Make the routes."""
    routes = Routes()
    simulations = Simulations(
        parts.settings.data_dir / "what-if", settings=parts.settings, clock=parts.clock, launch=parts.launch
    )

    _add_view(routes, parts, simulations)
    _add_forms(routes, parts, simulations)
    return routes


def _add_view(routes: Routes, parts: InsideParts, simulations: Simulations) -> None:
    @routes.get("/settings/{company}/what-if", response_model=None)
    def show(
        *,
        person: Approver,
        company: str,
        run: Annotated[str, Query(max_length=64)] = "",
        number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
    ) -> HTMLResponse:
        return _page(parts, person, simulations, company=company, run=run, number=number)


def _add_forms(routes: Routes, parts: InsideParts, simulations: Simulations) -> None:
    @routes.post("/settings/{company}/what-if", response_model=None)
    def start(*, form: _Form) -> Response:
        person, company, given = form.about
        with reading(parts.engine) as connection:
            require_company(connection, person, company)
        asked, fault = _asked(parts, form)
        if asked is None and not form.text("text"):
            told = words_of(person.language)["what_if_faults"]
            raise WrongRequestError([told[fault]] * len(_AT[fault]), fields=_AT[fault])
        if asked is None:  # a text comes from the page of its plan, where nothing is as it was any more
            return _page(parts, person, simulations, company=company, fault=fault, given=form, status=422)
        note(
            parts,
            person,
            entry=said_by(person, given=given),
            act="console.what_if.start",
            account=company,
            detail=_said(asked),
        )
        try:
            simulations.start(asked)
        except BusyError:
            return _page(parts, person, simulations, company=company, fault="busy", given=form, status=409)
        return RedirectResponse(
            f"{settings_path(company, 'what-if')}?run={asked.simulation}", status_code=303
        )

    @routes.post("/settings/{company}/what-if/stop", response_model=None)
    def stop(*, form: _Form) -> Response:
        person, company, given = form.about
        run = form.text("run")
        found = simulations.simulation(run)
        if found is None or found.asked.company != company:
            raise HTTPException(404)
        entry, said = said_by(person, given=given), _said(found.asked)
        note(parts, person, entry=entry, act="console.what_if.stop", account=company, detail=said)
        simulations.stop(run)
        return RedirectResponse(f"{settings_path(company, 'what-if')}?run={run}", status_code=303)


def _said(asked: SimulationAsked) -> str:
    plan = "" if asked.plan is None else f"{asked.plan.id} {asked.plan.version}"
    return " · ".join(each for each in (plan, asked.profile, f"{asked.first_on} – {asked.last_on}") if each)


def _asked(parts: InsideParts, form: Given) -> tuple[SimulationAsked | None, str]:
    """Read what is to be tried; else a key of the words for what is wrong."""
    person, company, given = form.about
    plan, profile = _plan(parts, form), form.text("profile")
    if plan is None and not profile:
        return None, "nothing"
    if profile and profile not in shipped_profiles():
        return None, "law"
    try:
        first_on = datetime.date.fromisoformat(form.text("first_on"))
        last_on = datetime.date.fromisoformat(form.text("last_on"))
    except ValueError:
        return None, "days"
    if not 0 <= (last_on - first_on).days <= _DAYS_MAX:
        return None, "days"
    name = hashlib.sha256(f"{company}/{said_by(person, given=given)}".encode()).hexdigest()[:24]
    asked = SimulationAsked(
        simulation=name,
        user=person.user,
        company=company,
        started_at=parts.clock(),
        first_on=first_on,
        last_on=last_on,
        plan=plan,
        profile=profile,
    )
    return asked, ""


def _plan(parts: InsideParts, form: Given) -> Plan | None:
    """Give the plan of a text, or a published version ('id/version')."""
    if form.text("text"):
        found = plan_in(form.text("text"))
        return found if isinstance(found, Plan) else None
    name, _, version = form.text("plan").rpartition("/")
    if not name or not version.isdecimal():
        return None
    with reading(parts.engine) as connection:
        return published_plan(connection, company=form.about.company, plan=name, version=int(version))


def _page(
    parts: InsideParts,
    person: Person,
    simulations: Simulations,
    *,
    company: str,
    run: str = "",
    number: int = 1,
    fault: str = "",
    given: Given | None = None,
    status: int = 200,
) -> HTMLResponse:
    with reading(parts.engine) as connection:
        require_company(connection, person, company)
        versions = plan_versions(connection, company)
        today = company_day(connection, company, wall=parts.clock())
    runs = simulations.of_company(company)
    shown = simulations.simulation(run) if run in {each.asked.simulation for each in runs} else None
    count = 0 if shown is None else shown.lines_kept
    texts = given.texts() if given is not None else {}
    return page(
        "settings/what_if.html",
        person=person,
        company=company,
        runs=runs,
        shown=shown,
        lines=simulations.lines(run, skip=(number - 1) * _LINES_MAX, most=_LINES_MAX) if count else [],
        number=number,
        last=-(-count // _LINES_MAX),
        option=_option(shown, person=person),
        versions=versions,
        laws=sorted(shipped_profiles()),
        first_on=texts.get("first_on") or (today - datetime.timedelta(days=_DAYS)).isoformat(),
        last_on=texts.get("last_on") or today.isoformat(),
        chosen_plan=texts.get("plan", ""),
        chosen_law=texts.get("profile", ""),
        text=texts.get("text", ""),
        fault=fault,
        status=status,
    )


def _option(shown: Simulation | None, *, person: Person) -> dict[str, Any] | None:
    """Give what ECharts draws: contacts a week, under both sets of rules."""
    if shown is None or shown.report is None or not shown.report.days:
        return None
    words = words_of(person.language)
    weeks = weeks_of(shown.report.days)
    names = [words["what_if"]["now"], words["what_if"]["other"]]
    return {
        "legend": {"data": names, "bottom": 0},
        "grid": {"left": 8, "right": 8, "top": 24, "bottom": 36, "containLabel": True},
        "tooltip": {"trigger": "axis"},
        "xAxis": {
            "type": "category",
            "data": [short_day_text(week.on, language=words["language"]) for week in weeks],
        },
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [
            {"name": names[0], "type": "bar", "data": [week.now for week in weeks]},
            {"name": names[1], "type": "bar", "data": [week.other for week in weeks]},
        ],
    }


def weeks_of(days: Sequence[DaySum]) -> list[DaySum]:
    """Sum up days by the Monday of their week, weeks without anything included."""
    sums: dict[datetime.date, tuple[int, int]] = {}
    for each in days:
        monday = each.on - datetime.timedelta(days=each.on.weekday())
        now, other = sums.get(monday, (0, 0))
        sums[monday] = (now + each.now, other + each.other)
    first, last = min(sums), max(sums)
    mondays = [first + datetime.timedelta(days=7 * number) for number in range((last - first).days // 7 + 1)]
    return [
        DaySum(on=monday, now=sums.get(monday, (0, 0))[0], other=sums.get(monday, (0, 0))[1])
        for monday in mondays
    ]

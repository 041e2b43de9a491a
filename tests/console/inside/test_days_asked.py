"""Days that pages are asked about: those of no year that anything happened in end no page."""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlalchemy import Engine

from console.web.inside.reporting.catalogue import REPORTS
from tests.console.inside.desk import Desk

STORY = """# one who owes
customer email ana@c1.test
2026-01-02  invoice INV-1 2000.00 due 2026-02-02
"""
_NAMES = {"account:path": "acme:C1", "company": "acme"}


def _all_of(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _all_of(each)


def _days_asked(route: APIRoute) -> list[str]:
    return [
        each.alias
        for of in _all_of(route.dependant)
        for each in of.query_params
        if datetime.date in (each.field_info.annotation, *get_args(each.field_info.annotation))
    ]


def test_a_day_of_no_year_ends_no_page(sqlite_engine: Engine, tmp_path: Path) -> None:
    """The first and the last day that there are, in every field of every page that asks for one: told, and no error."""
    desk = Desk(sqlite_engine, tmp_path, STORY).at_work("ana", role="administrator")
    asked: dict[str, list[str]] = {
        route.path: _days_asked(route)
        for route in desk.routes()
        if "GET" in (route.methods or ()) and _days_asked(route)
    }
    asked["/reminders"] = ["first_on", "last_on"]
    assert {"/audit", "/reports/{report}", "/customers/{account:path}/statement"} <= set(asked)
    for path, names in asked.items():
        for report in REPORTS if "{report}" in path else ("",):
            place = path
            for name, value in (_NAMES | {"report": report}).items():
                place = place.replace(f"{{{name}}}", value)
            for day in ("0001-01-01", "9999-12-31"):
                for name in names:
                    answer = desk.browser.get(place, params={name: day, "per_day": "10", "days": "3660"})
                    assert answer.status_code in (200, 400), (place, name, day)

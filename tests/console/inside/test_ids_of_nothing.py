"""Ids of nothing, and of another company: every route that something is sent to refuses them, and nothing is asked for."""

from pathlib import Path
from typing import Final

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import Engine

from tests.console.inside.desk import Desk
from tests.console.inside.every_form import CHANGES_NOTHING, FILLED, STORY

# What each route is about beside what its path names; '' where the form of another one is never his own.
_ABOUT: Final = {
    "/disputes": "item",
    "/disputes/rule": "dispute",
    "/exclusions": "item",
    "/inclusions": "item",
    "/payment-exclusions": "payment",
    "/payment-inclusions": "payment",
    "/payment-plans": "item",
    "/payment-plans/cancel": "payment_plan",
    "/promises/withdraw": "promise",
    "/receipts/state": "payment",
}
_NOTHING: Final = "there-is-none"
# Of oneself, or of nobody: these name nothing that could be another's, or end what is not there without a trace.
_OWN: Final = {
    "POST /filters": "a name that one gives oneself",
    "POST /filters/delete": "one's own by name: what is not there is gone already",
    "POST /language": "one's own",
    "POST /logout": "one's own",
    "POST /me": "one's own",
    "POST /reports/mail/again": "of those that one manages: nothing happens to others",
    "POST /reports/mail/recipients": "an address that nobody has yet",
    "POST /suppressions": "an address that nobody has yet",
    "POST /users": "a name that nobody has yet",
    "POST /settings/{company}/profile": "a company that nobody has yet begins with its profile",
    "POST /messages/{account}": "shows a page, which says that nothing waits there",
}


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with an administrator at it, who sees one company only."""
    desk = Desk(sqlite_engine, tmp_path, STORY)
    desk.now = desk.now.replace(month=2, day=5)
    return desk.at_work("ana", role="administrator", companies=("acme",))


def _paths(route: APIRoute) -> list[str]:
    """Give a route's path for what there is not, and for what is another company's."""
    known = {"account": "acme:C1", "company": "acme", "report": "aged", "plan": "default", "kind": "first"}
    nothing = {"account": ("acme:nobody", "other:C1", "acme", ":"), "company": ("other", "acme%20")}
    made = []
    for wrong in route.param_convertors:
        for each in nothing.get(wrong, (_NOTHING,)):
            path = route.path
            for name in route.param_convertors:
                value = each if name == wrong else known.get(name, _NOTHING)
                path = path.replace(f"{{{name}:path}}", value).replace(f"{{{name}}}", value)
            made.append(path)
    return made


def _refused(desk: Desk, path: str, form: dict[str, str]) -> None:
    before = len(desk.people.entries(limit=1_000))
    answer = desk.browser.post(path, data=form)
    assert answer.status_code in (403, 404, 409, 422), (path, form, answer.status_code)
    assert [] == desk.asked, (path, form)
    assert before == len(desk.people.entries(limit=1_000)), (path, form)


def test_what_there_is_not_is_refused_by_every_route(desk: Desk) -> None:
    """The table: by path and by field, of nothing and of another company; no command, and no line in the audit."""
    csrf = desk.browser.get("/").text.partition('name="csrf" value="')[2].partition('"')[0]
    tried = set(_OWN)
    for route in desk.routes():
        name = f"POST {route.path}"
        if name in _OWN or (name not in FILLED and name not in CHANGES_NOTHING):
            continue
        filled = {"csrf": csrf, "nonce": name, **FILLED.get(name, {"text": "x", "form": "page"})}
        for path in _paths(route):
            tried.add(name)
            _refused(desk, path, filled)
        suffix = route.path.removeprefix("/customers/{account:path}")
        if suffix in _ABOUT:
            _refused(desk, f"/customers/acme:C1{suffix}", filled | {_ABOUT[suffix]: _NOTHING})
        for field, values in _fields(name).items():
            tried.add(name)
            for value in values:
                _refused(
                    desk,
                    route.path.replace("{company}", "acme").replace("{reminder}", _NOTHING),
                    filled | {field: value},
                )
    assert set(FILLED) | set(CHANGES_NOTHING) == tried


def _fields(name: str) -> dict[str, tuple[str, ...]]:
    """Name the fields of a form that say what it is about, with what there is not."""
    if name.startswith("POST /process/"):
        return {"accounts": ("acme:nobody", "other:C1")}
    if name == "POST /settings/{company}/enrolment":
        return {"account": ("acme:nobody", "other:C1")}
    named: dict[str, dict[str, tuple[str, ...]]] = {
        "POST /tasks/end": {
            "account": ("acme:nobody", "other:C1", "acme", ""),
            "task": (_NOTHING, "reminder/r/0", "reminder/r/99999999999999999999"),
        },
        "POST /doubts/ask": {"reminder": (_NOTHING,)},
        "POST /doubts/end": {"reminder": (_NOTHING,)},
        "POST /letters/again": {"reminder": (_NOTHING,)},
        "POST /letters/give-up": {"reminder": (_NOTHING,)},
        "POST /review/{reminder}/undo": {"account": ("acme:nobody", "other:C1")},
        "POST /reports/mail/end": {"schedule": (_NOTHING,)},
        "POST /suppressions/remove": {"address": ("nobody@c9.test",)},
        "POST /settings/{company}/banks/match": {"line": (_NOTHING,)},
        "POST /settings/{company}/what-if/stop": {"run": (_NOTHING, "r1")},
        "POST /users/change": {"user": (_NOTHING,)},
        "POST /users/password": {"user": (_NOTHING,)},
    }
    return named.get(name, {})

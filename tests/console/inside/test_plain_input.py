"""What no text may hold, blanks where something is to be said, days that have not come: told at the field, and never an error page."""

import html
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import Engine

from console.web.inside.app import STATIC_FILES
from schemas.commands import AddNote
from schemas.events import PaymentStateChanged
from tests.console.inside.desk import Desk
from tests.console.inside.every_form import CHANGES_NOTHING, FILLED

STORY = """# one who owes, and gave a cheque
@C1 customer email ana@c1.test name "Almacén Ana"
plan default
    first      0 email
    second   +90 email
2026-01-02  @C1 invoice INV-1 2000.00 due 2026-02-02
2026-01-12  @C1 conditional P-2 20.00 cheque received payable 2026-04-01 for INV-1
    expect @C1 conditional P-2 received INV-1
2026-02-03  tick
    expect @C1 reminder first INV-1 by email
"""
OF = "/customers/acme:C1"
_NAMES = {"account": "acme:C1", "company": "acme", "report": "aged", "batch": "b", "plan": "default"}
_NAMES |= {"kind": "first", "name": "es", "reminder": "r"}


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with an administrator at it, on either database."""
    desk = Desk(engine, tmp_path, STORY)
    desk.now = desk.now.replace(month=2, day=3)
    return desk.at_work("ana", role="administrator", language="es")


def _path(route: APIRoute, **named: str) -> str:
    names = _NAMES | named
    path: str = route.path
    for each in route.param_convertors:
        path = path.replace(f"{{{each}:path}}", names[each]).replace(f"{{{each}}}", names[each])
    return path


def _csrf(desk: Desk) -> str:
    page: str = desk.browser.get("/").text
    return page.partition('name="csrf" value="')[2].partition('"')[0]


def test_no_form_takes_control_characters(desk: Desk) -> None:
    """Every route that something is sent to, every field of it: refused in words, nothing is done; PostgreSQL has no U+0000."""
    csrf, sign = _csrf(desk), "\0"
    before = len(desk.people.entries(limit=1_000))
    for route in desk.routes():
        name = f"POST {route.path}"
        if name not in FILLED and name not in CHANGES_NOTHING:
            continue
        filled = {"csrf": csrf, "nonce": "n", **FILLED.get(name, {"text": "x", "form": "page"})}
        for field in set(filled) - {"csrf"}:
            form = filled | {field: f"{filled[field]}{sign}x"}
            answer = desk.browser.post(_path(route), data=form)
            assert answer.status_code in (400, 422), (name, field, answer.status_code)
            assert sign not in answer.text, (name, field)
    assert [] == desk.asked
    assert before == len(desk.people.entries(limit=1_000))


def test_no_address_has_control_characters(desk: Desk) -> None:
    """Every page, every part of its path and every field of its query, and one that nobody asked for: no page of errors."""
    for route in desk.routes():
        if "GET" not in (route.methods or ()) or route.path in {f"/static/{each}" for each in STATIC_FILES}:
            continue
        for part in route.param_convertors:
            answer = desk.browser.get(_path(route, **{part: f"{_NAMES[part]}%00"}))
            assert 404 == answer.status_code, (route.path, part)
        for field in {"x", "asked", "account", *(each.alias for each in route.dependant.query_params)}:
            answer = desk.browser.get(f"{_path(route)}?{field}=%00")
            assert 400 == answer.status_code, (route.path, field)


def test_a_note_with_a_control_character_comes_back_with_why(desk: Desk) -> None:
    """S0-11: pasted from elsewhere; what was typed is there again, without it; lines and tabs are text."""
    for sign in ("\0", "\x0b", "\x1b", "\x7f"):
        answer = desk.submit(OF, "/notes", text=f"llamé{sign} y pagará")
        text = html.unescape(answer.text)
        assert (422, True) == (answer.status_code, "llamé y pagará</textarea>" in text)
        assert "Hay caracteres que no se pueden imprimir" in text
    assert 303 == desk.submit(OF, "/notes", text="llamé\r\n\ty pagará").status_code
    (note,) = desk.asked
    assert isinstance(note, AddNote)


def test_nothing_has_become_of_a_cheque_on_a_day_that_has_not_come(desk: Desk) -> None:
    """S1-21: as with a receipt itself: the day is in the future; today is right."""
    page = f"{OF}/credit?credit=payment/P-2"
    answer = desk.submit(page, "/receipts/state", state="cleared", on="2026-02-04")
    assert (422, True) == (answer.status_code, "La fecha está en el futuro" in answer.text)
    assert 'value="2026-02-04"' in answer.text
    assert [] == desk.asked
    assert 303 == desk.submit(page, "/receipts/state", state="cleared", on="2026-02-03").status_code
    assert [PaymentStateChanged] == [type(each) for each in desk.asked]


@pytest.mark.parametrize(
    ("page", "action", "fields", "field"),
    [
        (OF, "/notes", {}, "text"),
        (OF, "/holds", {"kind": "blocked"}, "reason"),
        (OF, "/disputes", {"item": "INV-1"}, "reason"),
        (f"{OF}/document?document=INV-1", "/exclusions", {}, "reason"),
        (f"{OF}/credit?credit=payment/P-2", "/payment-exclusions", {}, "reason"),
        ("/suppressions", "/suppressions", {"channel": "email", "address": "x@c9.test"}, "reason"),
        ("/?days=1", "/filters", {}, "name"),
        ("/reports/aged?company=acme", "/kept", {}, "name"),
    ],
)
def test_blanks_are_no_reason(desk: Desk, page: str, action: str, fields: dict[str, str], field: str) -> None:
    """What has to be filled in is not filled in by spaces; the audit has nothing of it."""
    if action == "/payment-exclusions":  # a cheque is taken out once it is money
        desk.submit(page, "/receipts/state", state="cleared", on="2026-02-03")
        desk.asked.clear()
    before = len(desk.people.entries(limit=99))
    answer = desk.submit(page, action, **fields, **{field: " \t\u00a0"})
    assert 422 == answer.status_code
    assert "Hay que llenarlo." in answer.text
    assert [] == desk.asked
    assert before == len(desk.people.entries(limit=99))

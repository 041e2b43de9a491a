"""Going live on a screen: who is followed up, and the first run in daily portions (S4-01, R36)."""

import datetime
import re
from pathlib import Path

import pytest
from sqlalchemy import Engine

from schemas.commands import EnrolCustomer, GoLive
from tests.console.inside.desk import Desk

STORY = """# three who owe since long
company country CL
plan default
    first  0 email
    second +400 email
customer @C1 name "Ana" email ana@c1.test
customer @C2 name "Berta" email berta@c2.test
customer @C3 name "Carla" email carla@c3.test
2025-05-02  invoice INV-2 100.00 due 2025-06-02 @C2
2025-06-02  invoice INV-1 100.00 due 2025-07-02 @C1
2025-07-02  invoice INV-3 100.00 due 2025-08-02 @C3
"""
PAGE = "/settings/acme/enrolment"


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with an administrator at it."""
    return Desk(sqlite_engine, tmp_path, STORY).at_work("bea", role="administrator")


def test_customers_are_selected_many_at_once(desk: Desk) -> None:
    """S4-01: each has a command and an audit entry of its own; a search keeps its place."""
    text = desk.browser.get(PAGE).text
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', _form(text, PAGE)))
    fields = hidden | {"account": ["acme:C1", "acme:C3", "beta:C9", "acme:nobody"], "enrolled": "true"}
    answer = desk.browser.post(PAGE, data=fields)
    assert [("C1", True), ("C3", True)] == [
        (each.customer, each.enrolled) for each in desk.asked if isinstance(each, EnrolCustomer)
    ]
    assert ["acme:C1", "acme:C3"] == sorted(each.account for each in desk.people.entries(limit=9))
    shown = desk.browser.get(answer.headers["location"]).text
    assert "Done." in shown
    assert 2 == shown.count(">selected</span>")
    desk.browser.post(PAGE, data=fields)
    assert 2 == len({each.command for each in desk.asked if isinstance(each, EnrolCustomer)})


def test_customers_are_found_by_name(desk: Desk) -> None:
    """A search over id, name and tax id."""
    text = desk.browser.get(f"{PAGE}?search=bert").text
    assert ["acme:C2"] == re.findall(r'name="account" value="([^"]+)"', text)


def test_the_first_run_is_seen_in_portions_before_it_is_set(desk: Desk) -> None:
    """R36: oldest debts first, on business days; looking sets nothing, and a collector may look only."""
    page = f"{PAGE}?per_day=2&first_on=2026-03-06"
    text = desk.browser.get(page).text
    assert ["Mar 6, 2026", "Mar 9, 2026"] == re.findall(r'<th scope="row">(Mar [^<]+)</th>', text)
    assert [] == desk.asked
    answer = desk.submit(page, "/portions")
    (event,) = desk.asked
    assert isinstance(event, GoLive)
    assert [
        (datetime.date(2026, 3, 6), datetime.date(2025, 7, 2), "C1"),
        (datetime.date(2026, 3, 9), datetime.date(2025, 8, 2), "C3"),
    ] == [(each.on, each.due_on, each.customer) for each in event.days]
    shown = desk.browser.get(answer.headers["location"]).text
    assert "Done." in shown
    assert "Set now: 2 days" in shown
    desk.at_work("ana")
    assert "/portions" not in desk.browser.get(page).text


def _form(text: str, path: str) -> str:
    forms: list[str] = re.findall(rf'<form method="post" action="{path}"[^>]*>(.*?)</form>', text, re.DOTALL)
    return forms[0]

"""What people wrote names people: viewers read neither their addresses nor their names, in tasks and in histories."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine

from console.web.inside.reporting.catalogue import REPORTS
from infra.database.people import ROLES, Role
from schemas.events import Contact, CustomerUpserted
from tests.console.inside.desk import Desk
from tests.console.inside.who_may import WHO_MAY

STORY = """# a task that names the customer's contact
customer email ana@c1.test
plan default
    first 0 blocking task "Call Graciela Fuentes before noon, 11 4555 6677, or gra@home.test"
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-02-03  tick
    expect withheld INV-1 first because awaiting_task
    expect task step/default/1/0
"""

PHONE, TAX_ID = "+54 9 11 4555 6688", "30-71234567-1"
# What leads to a person: as it was written down, and as the master data have it.
PLANTED = ("graciela", "fuentes", "4555", "gra@home.test", "ana@c1.test", "71234567")


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with such a customer, and a collector at it."""
    desk = Desk(sqlite_engine, tmp_path, STORY).at_work("cora")
    said: dict[str, Any] = {"company": "acme", "customer": "C1", "occurred_at": "2026-02-04"}
    people = (Contact(name="Graciela Fuentes", email="ana@c1.test", phone=PHONE),)
    known = CustomerUpserted(**said, name="Almacén Ana", contacts=people, tax_id=TAX_ID)
    desk.parts.publish([known])
    return desk


@pytest.mark.parametrize("role", ROLES)
def test_a_contact_is_named_to_those_only_who_may_write_to_her(desk: Desk, role: Role) -> None:
    """A task, the reason of an exclusion, a document's history and the customer's agreements, for each role."""
    document = "/customers/acme:C1/document?document=INV-1"
    assert 303 == desk.submit(document, "/exclusions", reason="Graciela asked for it").status_code
    desk.at_work("who", role=role)
    for path, kept in (
        ("/tasks", "Call"),
        (document, "asked for it"),
        ("/customers/acme:C1", "asked for it"),
    ):
        text = html.unescape(desk.browser.get(path).text)
        assert kept in text
        assert (role == "viewer") != ("Graciela" in text), path
        assert (role == "viewer") == ("G•••" in text), path


def _every_page() -> Iterator[str]:
    """Give each address that a viewer may open, filled in, reports also as the files that they are given as."""
    names = {"account": "acme:C1", "company": "acme", "plan": "default", "kind": "first", "name": "es"}
    queries = {"/document": "?document=INV-1", "/older": "?part=log"}
    for said in WHO_MAY["viewer"]:
        method, _, pattern = said.partition(" ")
        # There is no credit; a plan is the company's own, whoever it names.
        if method != "GET" or pattern.endswith(("/credit", "/plans/{plan}")):
            continue
        path = re.sub(r"{(\w+)(?::path)?}", lambda found: names.get(found[1], found[0]), pattern)
        path += next((query for end, query in queries.items() if path.endswith(end)), "")
        if "{report}" in path:
            yield from (path.replace("{report}", report) for report in REPORTS)
        else:
            yield path
    yield from ("/reports/activity?form=csv", "/reports/activity?account=acme%3AC1")


def test_no_page_tells_a_viewer_who_people_are(desk: Desk) -> None:
    """A name, a number, a mail and a tax id in the master data, a task, a note and a reason: on no page of a viewer's."""
    text = "Graciela Fuentes said: 11 4555 6677 or gra@home.test, she is 30-71234567-1"
    page = "/customers/acme:C1"
    assert 303 == desk.submit(page, "/notes", text=text, kind="note").status_code
    excluded = desk.submit(f"{page}/document?document=INV-1", "/exclusions", reason=text)
    assert 303 == excluded.status_code
    pages = list(_every_page())
    seen = {path: desk.browser.get(path) for path in pages}
    for path in ("/", "/reports/activity", "/reports/activity?form=csv", "/tasks"):
        assert "Graciela" in html.unescape(seen[path].text), path
    desk.at_work("vic", role="viewer")
    for path in pages:
        answer = desk.browser.get(path)
        assert 200 == answer.status_code, path
        shown = html.unescape(answer.text).lower()
        assert [] == [each for each in PLANTED if each in shown], path
    assert "before noon" in desk.browser.get("/").text


@pytest.mark.parametrize("role", ROLES)
def test_viewers_do_not_find_a_customer_by_guessing_a_tax_id(desk: Desk, role: Role) -> None:
    """Part of it finds him for those who may read it; his name does for all."""
    desk.at_work("who", role=role)
    for asked, finds in (("71234567", role != "viewer"), ("Almac", True)):
        text = desk.browser.get(f"/customers?q={quote(asked)}").text
        assert finds == ("acme%3AC1" in text), asked

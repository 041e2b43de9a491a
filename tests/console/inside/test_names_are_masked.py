"""What people wrote names people: viewers read neither their addresses nor their names, in tasks and in histories."""

import html
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from infra.database.people import ROLES, Role
from schemas.events import Contact, CustomerUpserted
from tests.console.inside.desk import Desk

STORY = """# a task that names the customer's contact
customer email ana@c1.test
plan default
    first 0 blocking task "Call Graciela Fuentes before noon"
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-02-03  tick
    expect withheld INV-1 first because awaiting_task
    expect task step/default/1/0
"""


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with such a customer, and a collector at it."""
    desk = Desk(sqlite_engine, tmp_path, STORY).at_work("cora")
    said: dict[str, Any] = {"company": "acme", "customer": "C1", "occurred_at": "2026-02-04"}
    people = (Contact(name="Graciela Fuentes", email="ana@c1.test"),)
    desk.parts.publish([CustomerUpserted(**said, name="Almacén Ana", contacts=people)])
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

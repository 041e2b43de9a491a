"""What every page of the console has: its place in the navigation, the user's language, faults that say what to do."""

import hashlib
import re
from importlib import resources
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from console.web.inside.app import STATIC_FILES, inside_app
from console.web.inside.navigation import AREAS
from console.web.inside.showing import words_of
from infra.database.people import ROLES, Role
from tests.console.inside.desk import Desk
from tests.console.inside.test_access import STORY, role_needed

ROOT = Path(__file__).resolve().parents[3]
INSIDE = resources.files("console.web.inside")
TEMPLATES = sorted(path for path in Path(str(INSIDE)).joinpath("templates").rglob("*.html"))
ALONE = {"login.html", "fault.html", "me.html"}  # of no area: before one is anywhere, astray, and one's own


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with one customer and nobody at it."""
    return Desk(sqlite_engine, tmp_path, STORY)


def test_each_page_says_where_it_belongs() -> None:
    """Who is deep inside sees in which area."""
    areas = words_of("en")["page"].keys()
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        if '{% extends "page.html" %}' in text and path.name not in ALONE:
            named = re.search(r'{% set area = "(\w+)" %}', text)
            assert named is not None, path.name
            assert named[1] in areas, f"{path.name}: {named[1]} is no area"


def test_nothing_is_styled_or_scripted_within_a_page() -> None:
    """The policy would not let it in; a browser's test would find it late."""
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|\son\w+=\"|javascript:", text), path.name
        inline = re.findall(r"<script(?![^>]*(?:src=|application/json))", text)
        assert [] == inline, path.name


@pytest.mark.parametrize("role", ROLES)
def test_the_navigation_leads_to_pages_that_open(desk: Desk, role: Role) -> None:
    """A role sees the areas that it may open, and each of them is there."""
    desk.at_work("ana", role=role)
    text = desk.browser.get("/").text
    shown = re.findall(r'<a href="([^"]+)"', re.findall(r"<nav.*?</nav>", text, re.DOTALL)[0])
    paths = {each.path for each in AREAS}
    needed = {
        each.path: role_needed(each)
        for each in desk.routes()
        if "GET" in (each.methods or ()) and each.path in paths
    }
    assert [each.path for each in AREAS if ROLES.index(role) >= ROLES.index(needed[each.path])] == shown
    assert {200} == {desk.browser.get(path).status_code for path in shown}


def test_a_user_reads_the_language_that_he_chose(desk: Desk) -> None:
    """S-rows in three languages: switched where one is, still logged in, and kept for the next day."""
    desk.at_work("ana", language="en")
    answer = desk.browser.post(
        "/language",
        data={"csrf": _csrf(desk), "language": "es"},
        headers={"referer": "http://console.test/reminders?status=sent"},
    )
    assert (303, "/reminders?status=sent") == (answer.status_code, answer.headers["location"])
    assert '<html lang="es">' in desk.browser.get("/reminders").text
    desk.log_in("ana")
    assert '<html lang="es">' in desk.browser.get("/").text


@pytest.mark.parametrize("referer", ["https://evil.example/x", "", "http://console.test.evil.example/"])
def test_the_switch_leads_to_us_only(desk: Desk, referer: str) -> None:
    """Where the browser does not say, or somebody else's page: to the start."""
    desk.at_work("ana")
    form = {"csrf": _csrf(desk), "language": "pt"}
    answer = desk.browser.post("/language", data=form, headers={"referer": referer})
    assert "/" == answer.headers["location"]


def _csrf(desk: Desk) -> str:
    text: str = desk.browser.get("/").text
    return text.split('name="csrf" value="')[1].split('"', maxsplit=1)[0]


def test_the_login_is_in_the_browsers_language_or_the_one_chosen(desk: Desk) -> None:
    """Who cannot read the page cannot log in."""
    browser = desk.another_browser()
    assert "Usuario" in browser.get("/login", headers={"accept-language": "es-CL,es;q=0.9"}).text
    assert "Usuário" in browser.get("/login?language=pt", headers={"accept-language": "es"}).text


def test_browsers_say_where_a_form_stands(desk: Desk) -> None:
    """By no-referrer they would say ``Origin: null``, and every form of ours would be refused; found in Chromium."""
    assert "same-origin" == desk.browser.get("/login").headers["referrer-policy"]


def test_a_ledger_that_is_not_there_is_told_with_what_to_do(desk: Desk) -> None:
    """Nothing is half asked; the page says how the ledger is started, and has what was typed, to be sent again."""
    desk.at_work("ana")
    desk.reaches_kafka = False
    answer = desk.submit("/customers/acme:C1", "/notes", text="he will pay")
    assert 503 == answer.status_code
    assert "cobranza up" in answer.text
    assert "he will pay</textarea>" in answer.text


@pytest.mark.parametrize("language", ["en", "es", "pt"])
def test_every_fault_is_told_in_the_users_language(desk: Desk, language: str) -> None:
    """A page that is not there, one that one may not see, one that was asked for wrongly."""
    desk.at_work("ana", language=language)
    for path in ("/nothing", "/customers/other:C9", "/reports/aged?on=yesterday"):
        answer = desk.browser.get(path)
        assert answer.status_code in (400, 404)
        assert f'<html lang="{language}">' in answer.text


def test_breaches_of_the_policy_are_counted(desk: Desk) -> None:
    """Browsers report to an address of ours, which needs no login and says nothing; rubbish is not counted."""
    counted: list[int] = []
    app = inside_app(desk.parts, reported=lambda: counted.append(1))
    browser = TestClient(app, base_url="http://console.test")
    assert "report-uri /csp-reports" in browser.get("/login").headers["content-security-policy"]
    kind = {"content-type": "application/csp-report"}
    report = b'{"csp-report": {"effective-directive": "style-src-attr", "blocked-uri": "inline"}}'
    assert 204 == browser.post("/csp-reports", content=report, headers=kind).status_code
    assert 400 == browser.post("/csp-reports", content=b"rubbish", headers=kind).status_code
    assert [1] == counted


def test_vendored_scripts_are_as_their_makers_built_them() -> None:
    """Decision 0016 says which bytes; another version is another decision."""
    decided = (ROOT / "docs" / "decisions" / "0016-scripts-are-vendored.md").read_text(encoding="utf-8")
    expected = dict(re.findall(r"^\| `([\w.-]+\.js)`.*\| ([0-9a-f]{64}) \|$", decided, re.MULTILINE))
    vendored = {name.removeprefix("vendor/") for name in STATIC_FILES if name.startswith("vendor/")}
    found = {
        name: hashlib.sha256(INSIDE.joinpath("static", "vendor", name).read_bytes()).hexdigest()
        for name in vendored
    }
    assert expected == found

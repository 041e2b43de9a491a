"""What a credit controller does on a screen: look at the list, open a customer, write something down."""

import re
from pathlib import Path

import pytest
from sqlalchemy import Engine

from console.web.inside.showing import LANGUAGES, words_of
from schemas.commands import AddNote, ExcludeItem, SetNextDate
from schemas.reminder_commands import ApproveReminder, DropReminder, EditReminder
from tests.console.inside.desk import Desk

STORY = """# two who owe
@C1 customer email ana@c1.test name "Panadería <Uno>"
@C2 customer email ben@c2.test
plan default
    first      0 email
    second   +90 email
2026-01-02  @C1 invoice INV-1 100.00 due 2026-02-02
2026-01-02  @C2 invoice INV-2 300.00 due 2026-02-02
2026-02-03  tick
    expect @C1 reminder first INV-1 by email
    expect @C2 reminder first INV-2 by email
2026-03-02  tick
"""


MANUAL = """# one in manual mode
customer email ana@c1.test address "Calle 1"
plan default
    first      0 email
    second   +90 email
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-01-02  mode manual
2026-02-03  tick
    expect proposal first INV-1 by email because customer
"""


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with two customers, and a collector at it."""
    return Desk(sqlite_engine, tmp_path, STORY).at_work("ana")


def test_today_has_who_is_to_be_looked_at_the_most_money_first(desk: Desk) -> None:
    """S0-21, R37."""
    text = desk.browser.get("/").text
    assert ["acme%3AC2", "acme%3AC1"] == re.findall(r'href="/customers/([^"]+)"', text)
    assert ["acme%3AC2"] == re.findall(
        r'href="/customers/([^"]+)"', desk.browser.get("/?days=1&why=next_action").text
    )[:1]
    assert [] == re.findall(r'href="/customers/([^"]+)"', desk.browser.get("/?days=400").text)


def test_the_customer_page_shows_what_is_owed_and_what_was_sent(desk: Desk) -> None:
    """S2-12, S2-19: all open items, late dates marked; names of others are never read as markup."""
    text = desk.browser.get("/customers/acme:C1").text
    assert "Panadería &lt;Uno&gt;" in text
    assert "INV-1" in text
    assert 'class="overdue"' in text
    assert ">first reminder</a></th><td>mail</td><td>sent" in text


def test_a_note_is_written_down_once_however_often_the_button_is_pressed(desk: Desk) -> None:
    """S1-11, S1-12: kind, responsible, observations; a double click is one entry, and the page shows it."""
    page = "/customers/acme:C1"
    text = desk.browser.get(page).text
    hidden = dict(re.findall(r'<input type="hidden" name="(csrf|nonce)" value="([^"]*)">', text))
    fields = hidden | {"kind": "conversation", "responsible": "ben", "text": "pays <on> Friday"}
    answers = [desk.browser.post(f"{page}/notes", data=fields) for _ in range(2)]
    assert 1 == len({each.headers["location"] for each in answers})
    assert {"pays <on> Friday"} == {each.text for each in desk.asked if isinstance(each, AddNote)}
    shown = desk.browser.get(answers[0].headers["location"]).text
    assert 1 == shown.count("pays &lt;on&gt; Friday")
    assert "Done." in shown
    assert ["collections.note.add.v1"] == [each.act for each in desk.people.entries(limit=9)]


def test_the_next_date_and_an_exclusion_are_asked_for(desk: Desk) -> None:
    """S0-12, S2-13: by hand, with the reason, and the author is who is logged in."""
    desk.submit("/customers/acme:C1", "/next-date", on="2026-03-20")
    desk.submit("/customers/acme:C1", "/exclusions", item="INV-1", reason="wrong price")
    dated, excluded = desk.asked
    assert isinstance(dated, SetNextDate)
    assert isinstance(excluded, ExcludeItem)
    assert ("2026-03-20", "ana") == (dated.next_on.isoformat(), dated.author)
    assert ("INV-1", "wrong price") == (excluded.document, excluded.reason)
    assert "wrong price" in desk.browser.get("/customers/acme:C1").text


def test_when_the_ledger_cannot_be_reached_the_page_says_so(desk: Desk) -> None:
    """Nothing is lost silently: 503, and the audit has the attempt."""
    desk.reaches_kafka = False
    answer = desk.submit("/customers/acme:C1", "/notes", text="x")
    assert 503 == answer.status_code
    assert "cannot be reached" in answer.text


def test_a_page_that_is_behind_says_so(desk: Desk) -> None:
    """The page shows its own write, or that it is late."""
    desk.is_behind = True
    answer = desk.submit("/customers/acme:C1", "/notes", text="a note on its way")
    shown = desk.browser.get(answer.headers["location"]).text
    assert "does not show it yet" in shown


def test_what_waits_for_a_person_is_approved_as_it_was_seen(sqlite_engine: Engine, tmp_path: Path) -> None:
    """R19, S2-16: the queue; an approver approves the revision on the screen; a collector may only look."""
    desk = Desk(sqlite_engine, tmp_path, MANUAL).at_work("ana")
    assert "INV-1" in desk.browser.get("/review").text
    assert "/approve" not in desk.browser.get("/review").text
    desk.at_work("bea", role="approver")
    answer = desk.submit("/review", "/approve")
    assert 303 == answer.status_code
    (approved,) = desk.asked
    assert isinstance(approved, ApproveReminder)
    assert (1, "bea") == (approved.revision, approved.author)
    assert "Done." in desk.browser.get(answer.headers["location"]).text


def test_what_is_dropped_and_changed_has_its_reason_and_its_text(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    """S0-05, S0-20: the text of one customer's message; and none at all."""
    desk = Desk(sqlite_engine, tmp_path, MANUAL).at_work("bea", role="approver")
    desk.submit("/review", "/edit", text="Dear Ana, as we said.", channels="letter")
    desk.submit("/review", "/drop", reason="settled by phone")
    edited, dropped = desk.asked
    assert isinstance(edited, EditReminder)
    assert isinstance(dropped, DropReminder)
    assert ("Dear Ana, as we said.", ("letter",)) == (edited.text, edited.channels)
    assert "settled by phone" == dropped.reason


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_all_words(language: str) -> None:
    """The same keys in all languages, none of them empty."""
    assert _keys(words_of("en")) == _keys(words_of(language))


@pytest.mark.parametrize(("language", "title"), [("es", "Hoy"), ("pt", "Hoje"), ("en", "Today")])
def test_pages_speak_the_users_language(desk: Desk, language: str, title: str) -> None:
    """Spanish, English and Portuguese."""
    desk.at_work(f"user-{language}", language=language)
    assert f"<h1>{title}</h1>" in desk.browser.get("/").text


def _keys(words: object, path: str = "") -> set[str]:
    if isinstance(words, dict):
        return {each for name, value in words.items() for each in _keys(value, f"{path}/{name}")}
    assert words, path
    return {path}

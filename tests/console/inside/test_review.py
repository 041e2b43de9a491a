"""The review queue: read as it will go out, changed by one person at a time, let go or dropped (R19, S0-05, S2-16, S2-17)."""

import html
import re
from pathlib import Path

import pytest
from sqlalchemy import Engine

from schemas.reminder_commands import ApproveReminder, EditReminder
from tests.console.inside.desk import Desk

STORY = """# one in manual mode
customer email ana@c1.test address "Calle 1, Santiago" name "Almacén Ana"
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
    """Give a console with one proposal, and an approver at it."""
    return Desk(sqlite_engine, tmp_path, STORY).at_work("bea", role="approver")


def test_the_second_of_two_who_change_a_proposal_is_told(desk: Desk) -> None:
    """Both have the page open; the first change stands, and the second person reads that it was changed."""
    page = html.unescape(desk.browser.get("/review").text)
    form = re.search(r'action="(/review/[^"]+/edit)"[^>]*>(.*?)</form>', page, re.DOTALL)
    assert form
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[2]))
    desk.browser.post(form[1], data=hidden | {"text": "Dear Ana, as agreed."})
    second = desk.browser.post(form[1], data=hidden | {"text": "Pay at once.", "nonce": "another"})
    shown = desk.browser.get(second.headers["location"]).text
    assert "since you looked at it" in shown
    assert "Dear Ana, as agreed." in shown
    assert "Pay at once." not in shown
    edits = [(each.text, each.revision, each.edits) for each in desk.asked if isinstance(each, EditReminder)]
    assert [("Dear Ana, as agreed.", 1, 0), ("Pay at once.", 1, 0)] == edits


def test_nobody_lets_go_what_another_has_changed_meanwhile(desk: Desk) -> None:
    """An approval is of what was on the screen."""
    page = html.unescape(desk.browser.get("/review").text)
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    desk.submit("/review", "/edit", text="Dear Ana, as agreed.")
    target = re.findall(r'action="(/review/[^"]+/approve)"', page)[0]
    answer = desk.browser.post(target, data=hidden | {"nonce": "another"})
    assert "since you looked at it" in desk.browser.get(answer.headers["location"]).text
    answer = desk.submit("/review", "/approve")  # now he has seen it
    assert "Done." in desk.browser.get(answer.headers["location"]).text
    assert [0, 1] == [each.edits for each in desk.asked if isinstance(each, ApproveReminder)]


def test_the_message_is_shown_as_it_will_be(desk: Desk) -> None:
    """S0-04, S1-10: to whom, the subject, the text; the mail on a page of its own that runs and loads nothing."""
    text = html.unescape(desk.browser.get("/messages/acme:C1").text)
    assert "ana@c1.test" in text
    assert "INV-1" in text
    mail = desk.browser.get("/messages/acme:C1?form=html&channel=email")
    assert "INV-1" in mail.text
    policy = mail.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy


def test_a_change_is_tried_out_before_it_is_saved(desk: Desk) -> None:
    """Another text and another channel, looked at; nothing is asked for."""
    page = html.unescape(desk.browser.get("/review").text)
    csrf = re.findall(r'name="csrf" value="([^"]*)"', page)[0]
    tried = {"csrf": csrf, "text": "Dear Ana, as we said.", "channels": ["letter"]}
    text = html.unescape(desk.browser.post("/messages/acme:C1", data=tried).text)
    assert "Nothing is saved" in text
    assert "Calle 1" in text
    pdf = desk.browser.post("/messages/acme:C1", data=tried | {"form": "pdf", "channel": "letter"})
    assert b"%PDF" == pdf.content[:4]
    assert [] == desk.asked


def test_what_comes_next_is_shown_of_who_waits_for_nobody(desk: Desk) -> None:
    """If nothing comes in: the message and its day; of a customer of another company nothing."""
    desk.submit("/review", "/drop", reason="not now")
    text = html.unescape(desk.browser.get("/messages/acme:C1").text)
    assert "if nothing comes in" in text
    assert 404 == desk.browser.get("/messages/beta:C1").status_code
    desk.at_work("eve", role="approver", companies=("beta",))
    assert 404 == desk.browser.get("/messages/acme:C1").status_code


def test_a_wrong_change_is_said(desk: Desk) -> None:
    """A date that is none, a template with a path: 422, and nothing asked."""
    for fields in ({"next_on": "2026-02-31"}, {"template": "../x"}):
        assert 422 == desk.submit("/review", "/edit", **fields).status_code
    assert [] == desk.asked

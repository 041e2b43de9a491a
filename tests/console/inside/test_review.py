"""The review queue: read as it will go out, changed by one person at a time, let go or dropped (R19, S0-05, S2-16, S2-17)."""

import datetime
import html
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from console.web.inside.drawing import going_along
from console.web.inside.masking import masked_text
from infra.database.own_text_book import OwnTextBook
from infra.database.people import ROLES, Role
from notifiers.writing.library import PARTS
from notifiers.writing.samples import sample_reminder
from schemas.reminder_commands import ApproveReminder, DropReminder, EditReminder, SendNow, UndoReminder
from tests.console.inside.desk import Desk
from tests.console.inside.forms import forms_of
from tests.scenarios.script import Notifying

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


@pytest.mark.parametrize("button", ["/approve", "/drop", "/edit"])
def test_who_works_through_one_companys_queue_stays_in_it(desk: Desk, button: str) -> None:
    """The filter and the page stand again after each button; without that the next card is another company's."""
    answer = desk.submit("/review?company=acme&after=acme:B", button, reason="agreed", text="Dear Ana")
    place = parse_qs(urlsplit(answer.headers["location"]).query)
    assert (["acme"], ["acme:B"]) == (place["company"], place["after"])
    assert "Done." in desk.browser.get(answer.headers["location"]).text


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


# -- taken back (R19) ------------------------------------------------------------------


def tick(desk: Desk, *, hour: int) -> None:
    """Let the ledger's clock pass an hour of the proposal's day."""
    desk.pass_time(datetime.datetime(2026, 2, 3, hour, tzinfo=datetime.UTC))


def undone(desk: Desk) -> list[str]:
    """Give what people have taken back."""
    return [each.what for each in desk.asked if isinstance(each, UndoReminder)]


def test_an_approval_is_taken_back_before_it_goes(desk: Desk) -> None:
    """By one button at the proposal; it waits for a person again and nothing goes."""
    desk.submit("/review", "/approve")
    text = html.unescape(desk.browser.get("/review").text)
    assert "Approved by bea" in text
    assert "/approve" not in text
    answer = desk.submit("/review", "/undo")
    assert "Done." in desk.browser.get(answer.headers["location"]).text
    tick(desk, hour=12)
    text = html.unescape(desk.browser.get("/review").text)
    assert "Approved by" not in text
    assert "/approve" in text
    assert ["approval"] == undone(desk)
    assert "collections.reminder.undo.v1" in [each.act for each in desk.people.entries(limit=9)]


def test_changes_are_put_back_to_the_plan_by_one_button(desk: Desk) -> None:
    """Text, channel and template are the plan's again; who has not seen the changes is told, and changes nothing."""
    desk.submit("/review", "/edit", text="Dear Ana, as agreed.", template="second", channels="letter")
    tick(desk, hour=12)
    page = html.unescape(desk.browser.get("/review").text)
    assert "Dear Ana, as agreed." in page
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    target = re.findall(r'action="(/review/[^"]+/undo)"', page)[0]
    stale = hidden | {"account": "acme:C1", "what": "changes", "edits": "0", "nonce": "another"}
    told = desk.browser.get(desk.browser.post(target, data=stale).headers["location"]).text
    assert "since you looked at it" in told
    desk.submit("/review", "/undo")
    tick(desk, hour=13)
    text = html.unescape(desk.browser.get("/review").text)
    assert "Dear Ana" not in text
    assert "As the plan has it" not in text
    assert "mail" in text
    assert ["changes", "changes"] == undone(desk)


def test_what_was_dropped_is_put_back(desk: Desk) -> None:
    """It stands among what was decided lately, with who decided it; put back it is proposed anew, once."""
    desk.submit("/review", "/drop", reason="not now")
    text = html.unescape(desk.browser.get("/review").text)
    assert "Nothing waits for a person." in text
    assert "Decided lately" in text
    assert "bea ·" in text
    assert 1 == text.count('role="region" aria-label="Decided lately"')
    assert 'aria-labelledby="lately"' not in text  # who hears the page is not led to two places of one name
    desk.submit("/review", "/undo")
    tick(desk, hour=12)
    text = html.unescape(desk.browser.get("/review").text)
    assert "/approve" in text
    assert "Decided lately" not in text
    assert ["drop"] == undone(desk)


def test_what_goes_is_called_back_into_the_queue_while_no_provider_has_it(desk: Desk) -> None:
    """Approved and decided: taken back it is superseded, and waits for a person anew; what was accepted is past that."""
    desk.stage.answers[""] = Notifying(line=0, channel="", status=None)
    desk.submit("/review", "/approve")
    tick(desk, hour=12)
    assert "Take the approval back" in html.unescape(desk.browser.get("/review").text)
    desk.submit("/review", "/undo")
    desk.report("email", "superseded")
    tick(desk, hour=13)
    assert "/approve" in html.unescape(desk.browser.get("/review").text)
    desk.submit("/review", "/approve")
    tick(desk, hour=14)
    page = html.unescape(desk.browser.get("/review").text)
    form = re.search(r'action="(/review/[^"]+/undo)"[^>]*>(.*?)</form>', page, re.DOTALL)
    assert form
    desk.report("email", "accepted")
    assert "Decided lately" not in html.unescape(desk.browser.get("/review").text)
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[2]))
    told = desk.browser.get(desk.browser.post(form[1], data=hidden).headers["location"]).text
    assert "cannot be called back any more" in told


def test_what_a_person_changed_is_there_again_when_its_approval_is_undone(desk: Desk) -> None:
    """B-10: changed, approved, decided, called back: it waits with his text and channel, and whoever approves it now approves that."""
    desk.stage.answers[""] = Notifying(line=0, channel="", status=None)
    desk.submit("/review", "/edit", text="Dear Ana, as agreed.", channels="letter")
    desk.submit("/review", "/approve")
    tick(desk, hour=12)
    desk.submit("/review", "/undo")
    desk.report("letter", "superseded")
    tick(desk, hour=13)
    text = html.unescape(desk.browser.get("/review").text)
    assert "Dear Ana, as agreed." in text
    assert re.search(r'value="letter" checked', text)
    desk.submit("/review", "/approve")
    tick(desk, hour=14)
    approved = [each for each in desk.asked if isinstance(each, ApproveReminder)]
    assert 1 == approved[-1].edits


def test_what_others_systems_decided_lately_is_shown(desk: Desk) -> None:
    """A drop from the command line is no entry of the console's audit: the ledger's is shown with its author, and taken back here."""
    page = html.unescape(desk.browser.get("/review").text)
    (reminder,) = re.findall(r'action="/review/([^"]+)/drop"', page)
    said: dict[str, Any] = {"company": "acme", "customer": "C1", "reminder": unquote(reminder)}
    desk.parts.publish(
        [DropReminder(**said, command="cli-1", author="night shift", occurred_at="2026-03-01")]
    )
    text = html.unescape(desk.browser.get("/review").text)
    assert "Decided lately" in text
    assert "night shift · " in text
    desk.submit("/review", "/undo")
    tick(desk, hour=12)
    assert "/approve" in html.unescape(desk.browser.get("/review").text)


def _send_now(desk: Desk, *, author: str, at: str) -> None:
    """Ask as the worklist's form does: the customer is named, no reminder is."""
    command = SendNow(
        company="acme",
        customer="C1",
        command=f"now-{author}",
        author=author,
        occurred_at=f"2026-02-03T{at}:00+00:00",
    )
    desk.parts.publish([command])


def test_what_was_sent_at_once_stands_among_what_was_decided_lately(desk: Desk) -> None:
    """S0-06, B-10: "send now" lets go what waits: with who said it, and taken back while no provider has it."""
    desk.stage.answers[""] = Notifying(line=0, channel="", status=None)
    _send_now(desk, author="bea", at="11:30")
    tick(desk, hour=12)
    text = html.unescape(desk.browser.get("/review").text)
    assert "Decided lately" in text
    assert "asked to send now" in text
    assert "bea · " in text
    desk.submit("/review", "/undo")
    desk.report("email", "superseded")
    tick(desk, hour=13)
    assert "/approve" in html.unescape(desk.browser.get("/review").text)
    assert ["approval"] == undone(desk)


def test_who_only_hurried_what_another_has_approved_did_not_decide_it(desk: Desk) -> None:
    """Approved and decided by one; another says "send now" when nothing waits any more: the first one decided."""
    desk.stage.answers[""] = Notifying(line=0, channel="", status=None)
    desk.submit("/review", "/approve")
    tick(desk, hour=12)
    _send_now(desk, author="carl", at="12:30")
    text = html.unescape(desk.browser.get("/review").text)
    assert "bea · " in text
    assert "carl" not in text


def test_what_was_decided_is_dated_by_the_word_that_decided_it(desk: Desk) -> None:
    """Let go by a system that says a day and no time, then dropped: the drop is what stands, by whom and when."""
    page = html.unescape(desk.browser.get("/review").text)
    (reminder,) = re.findall(r'action="/review/([^"]+)/drop"', page)
    said: dict[str, Any] = {"company": "acme", "customer": "C1", "reminder": unquote(reminder)}
    day: dict[str, Any] = {"author": "night shift", "occurred_at": "2026-02-03"}
    desk.parts.publish([ApproveReminder(**said, **day, command="cli-1", revision=1)])
    drop: dict[str, Any] = {"author": "carl", "occurred_at": "2026-02-03T11:30:00+00:00", "reason": "not now"}
    desk.parts.publish([DropReminder(**said, **drop, command="cli-2")])
    text = html.unescape(desk.browser.get("/review").text)
    assert "carl · Feb 3, 2026" in text
    assert "11:30" in text
    assert "night shift" not in text


def test_who_approved_and_then_hurried_what_was_decided_already_is_told_by_his_approval(desk: Desk) -> None:
    """When it was decided is when he approved it: what he asked to send now was nothing of it any more."""
    desk.stage.answers[""] = Notifying(line=0, channel="", status=None)
    desk.submit("/review", "/approve")
    tick(desk, hour=12)
    _send_now(desk, author="bea", at="12:30")
    text = html.unescape(desk.browser.get("/review").text)
    assert "bea · " in text
    assert "asked to send now" not in text


def test_what_the_ledger_refused_was_not_decided(desk: Desk) -> None:
    """Who came too late with an approval is not shown as the one who decided."""
    page = html.unescape(desk.browser.get("/review").text)
    (reminder,) = re.findall(r'action="/review/([^"]+)/drop"', page)
    desk.submit("/review", "/drop", reason="not now")
    late: dict[str, Any] = {
        "company": "acme",
        "customer": "C1",
        "reminder": unquote(reminder),
        "command": "cli-2",
    }
    desk.parts.publish([ApproveReminder(**late, author="too late", occurred_at=desk.now.isoformat())])
    text = html.unescape(desk.browser.get("/review").text)
    assert "bea · " in text
    assert "too late" not in text


def test_others_companies_are_not_undone(desk: Desk) -> None:
    """Neither seen nor asked for: 404."""
    desk.submit("/review", "/drop", reason="not now")
    page = html.unescape(desk.browser.get("/review").text)
    target = re.findall(r'action="(/review/[^"]+/undo)"', page)[0]
    desk.at_work("eve", role="approver", companies=("beta",))
    page = html.unescape(desk.browser.get("/review").text)
    assert "Decided lately" not in page
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    asked = hidden | {"account": "acme:C1", "what": "drop", "nonce": "n"}
    assert 404 == desk.browser.post(target, data=asked).status_code


# -- reminded a few days ago (R5), and who may read what --------------------------------

SOON = STORY.replace("2026-02-03  tick", '2026-02-01  conversation "They asked for time"\n2026-02-03  tick')


@pytest.mark.parametrize(
    ("typed", "missing"),
    [
        ({"now_because": "They asked for it"}, "Confirm that"),
        ({"confirmed": "true"}, "Say why it goes"),
    ],
)
def test_who_was_reminded_a_few_days_ago_needs_a_confirmation_and_a_reason(
    sqlite_engine: Engine, tmp_path: Path, typed: dict[str, str], missing: str
) -> None:
    """S0-16, R5: the alert says when; with one of both the form comes back with what was typed."""
    desk = Desk(sqlite_engine, tmp_path, SOON).at_work("bea", role="approver")
    assert "reminded 2 days ago" in html.unescape(desk.browser.get("/review").text)
    answer = desk.submit("/review", "/approve", **typed)
    text = html.unescape(answer.text)
    assert 422 == answer.status_code
    assert missing in text
    assert typed.get("now_because", "") in text
    assert [] == desk.asked


def test_confirmed_and_reasoned_it_goes_and_with_neither_it_waits(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    """R5: the reason goes with the approval; an approval alone waits until the gap ends."""
    desk = Desk(sqlite_engine, tmp_path, SOON).at_work("bea", role="approver")
    desk.submit("/review", "/approve", now_because="They asked for it", confirmed="true")
    desk.submit("/review", "/undo")
    desk.submit("/review", "/approve")
    said = [each.now_because for each in desk.asked if isinstance(each, ApproveReminder)]
    assert ["They asked for it", ""] == said


@pytest.mark.parametrize("role", ROLES)
def test_what_people_wrote_is_masked_for_viewers(desk: Desk, role: Role) -> None:
    """PII: the text of a proposal and the customer's log speak of people, whom viewers are not to reach."""
    wrote = "Dear Ana, call me: +56 9 8765 4321, bea@acme.test, RUT 12.345.678-9"
    desk.submit("/review", "/edit", text=wrote)
    desk.at_work("who", role=role)
    text = html.unescape(desk.browser.get("/review").text)
    log = html.unescape(desk.browser.get("/customers/acme:C1").text)
    for each in ("8765 4321", "bea@acme.test", "12.345.678"):
        assert (role != "viewer") == (each in text)
        assert (role != "viewer") == (each in log)


def test_a_masked_text_tells_nobody_whom_to_call() -> None:
    """Names of contacts however they are written, mail addresses, numbers; documents with few digits and words stay."""
    text = "Dear Señora PÉREZ (ana@c1.test, +56 9 8765 4321): INV-1 of 2 March, 120 days."
    expected = "Dear Señora P•••Z (a•a@c1.test, +•••••••••••••1): INV-1 of 2 March, 120 days."
    assert expected == masked_text(text, names=["Ana Pérez"])


# -- which template (S2-17) ------------------------------------------------------------


def own_kind(desk: Desk, kind: str, language: str) -> None:
    """Save a kind of the company's own, as another machine's console does: by SQL."""
    files: dict[str, bytes | None] = {
        f"{kind}/{language}/{part}.txt": b"About your account" for part in PARTS
    }
    assert OwnTextBook(desk.engine).save("acme", files, seen=None)


def test_a_template_that_does_not_exist_is_refused_where_it_is_typed(desk: Desk) -> None:
    """S2-17: it was taken, approved, and failed only when it was sent; messages that are no reminders are none either."""
    for name in ("no-such", "payment_received"):
        answer = desk.submit("/review", "/edit", template=name)
        assert 422 == answer.status_code
        (form,) = (each for each in forms_of(answer.text) if each.action.endswith("/edit"))
        assert [name] == form.of("template").values
        assert "There is no such template" in html.unescape(answer.text)
    assert [] == desk.asked


def test_a_companys_own_kind_is_offered_and_taken(desk: Desk) -> None:
    """It came by SQL from another machine; only those are offered that the customer's language has."""
    own_kind(desk, "friendly", "en")
    own_kind(desk, "amistoso", "es")
    page = desk.browser.get("/review").text
    offered = re.findall(r'<option value="([^"]*)"', page)
    assert ["courtesy", "first", "friendly", "second", "third"] == offered
    assert 422 == desk.submit("/review", "/edit", template="amistoso").status_code
    assert 303 == desk.submit("/review", "/edit", template="friendly").status_code
    assert ["friendly"] == [each.template for each in desk.asked if isinstance(each, EditReminder)]


# -- what was saved is seen, and looked at (S2-16, S2-17, S4-14) ------------------------------------


def test_the_card_says_which_template_and_whether_documents_go_along(desk: Desk) -> None:
    """Before and after a change; the form has what is saved, also the day, so that it is not said anew by heart."""

    def facts() -> list[str]:
        section = desk.browser.get("/review").text.partition('<dl class="facts">')[2]
        return re.findall("<dd>(.*?)</dd>", section.partition("</dl>")[0])

    assert ["no", "First reminder"] == facts()
    desk.submit("/review", "/edit", template="second", attach="yes", next_on="2026-02-20")
    assert ["yes", "Second reminder"] == facts()
    page = desk.browser.get("/review").text
    (form,) = (each for each in forms_of(page) if each.action.endswith("/edit"))
    sent = form.sent()
    assert (["second"], ["yes"], ["2026-02-20"]) == (sent["template"], sent["attach"], sent["next_on"])
    assert "Changed by a person" in page


def test_attachments_alone_are_a_change_that_is_shown(desk: Desk) -> None:
    """It was saved, and the card looked as before."""
    desk.submit("/review", "/edit", attach="yes")
    assert "Changed by a person" in desk.browser.get("/review").text


def test_what_is_looked_at_has_the_channel_that_was_saved(desk: Desk) -> None:
    """S1-10: a letter instead of a mail, looked at before the ledger proposes it anew; its day is said, too."""
    desk.submit("/review", "/edit", channels="letter", next_on="2026-02-20")
    text = html.unescape(desk.browser.get("/messages/acme:C1").text)
    assert "Calle 1" in text
    assert "ana@c1.test" not in text
    assert "It goes out on Feb 20, 2026 at the earliest." in text
    assert b"%PDF" == desk.browser.get("/messages/acme:C1?form=pdf&channel=letter").content[:4]


def test_what_is_tried_out_has_its_attachments_and_its_day(desk: Desk) -> None:
    """The mail that is tried has them in each of its forms; nothing is asked for."""
    csrf = re.findall(r'name="csrf" value="([^"]*)"', desk.browser.get("/review").text)[0]
    tried = {"csrf": csrf, "attach": "yes", "next_on": "2026-02-20"}
    page = desk.browser.post("/messages/acme:C1", data=tried).text
    assert "at the earliest" in page
    assert {("yes", "2026-02-20")} == {
        (each.of("attach").values[0], each.of("next_on").values[0])
        for each in forms_of(page)
        if each.action.startswith("/messages/")
    }
    assert [] == desk.asked


def test_documents_that_would_go_along_are_named_and_not_fetched() -> None:
    """S2-08, S4-14 … S4-16: their numbers, with a mail; with a letter only where the company encloses them, with an SMS never."""
    content = sample_reminder(kind="first", language="en")
    items = tuple(replace(each, pdf_url="https://billing.test/1.pdf") for each in content.items[:1])
    content = replace(content, items=(*items, *content.items[1:]), attach_invoices=True)
    numbers = [each.item for each in content.items if each.pdf_url or each.xml_url]
    assert items[0].item in numbers
    assert numbers == going_along(content, "email")
    assert [] == going_along(content, "sms")
    assert [] == going_along(replace(content, letter_documents=False), "letter")
    assert numbers == going_along(replace(content, letter_documents=True), "letter")
    assert [] == going_along(replace(content, attach_invoices=False), "email")

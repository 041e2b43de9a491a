"""A credit controller's day in a real Chromium, on real Kafka, ledger and read model: the list, calls, reminders let go.

In three languages on SQLite, in Spanish on PostgreSQL. Screenshots are in the test's folder, and in
``COBRANZA_SCREENSHOTS`` where that is set.
"""

import datetime
import re

import pytest
from playwright.sync_api import expect

from console.web.inside.showing import words_of
from tests.system.desks import Desk

pytestmark = [pytest.mark.packages, pytest.mark.timeout(300)]
_DAY = datetime.timedelta(days=1)


def test_the_morning_begins_with_the_worklist(desk: Desk) -> None:
    """S0-19, S0-21, S0-26, S1-07, S1-08, S2-11, B-16: who broke a promise comes before who is late; by reason, by days overdue;
    a filter is kept for tomorrow.
    """
    words = desk.w["today"]
    desk.open("/")
    desk.is_titled(words["title"])
    rows = desk.page.locator("tbody tr")
    expect(rows.first).to_contain_text(desk.w["whys"]["broken_promise"])
    expect(rows.first.locator(".dot")).to_be_visible()
    desk.shot("today")
    desk.page.locator("select[name=why]").select_option("proposal")
    desk.press(words["show"])
    expect(desk.page).to_have_url(re.compile("why=proposal"))
    for row in rows.all():
        expect(row).to_contain_text(desk.w["whys"]["proposal"])
    desk.page.locator("main summary").filter(has_text=desk.w["filters"]["keep"]).click()
    desk.page.locator("#filter-name").fill("Pending 1")
    desk.press(desk.w["filters"]["keep_it"])
    expect(desk.page.locator(".chips")).to_contain_text("Pending 1")
    desk.press(f"{desk.w['filters']['delete']}: Pending 1")
    expect(desk.page.locator(".chips")).to_have_count(0)
    desk.open("/?days=20")
    expect(rows.first).to_be_visible()
    desk.open("/?days=5000")
    expect(desk.page.locator(".empty")).to_be_visible()


def test_a_call_is_logged_and_who_was_called_is_not_asked_again_too_soon(desk: Desk) -> None:
    """S0-11, S0-14, S0-16, S0-17, S1-11, S1-12, S1-13: "Ingresar registro" with kind, responsible, observations; it
    stays in the log, he is looked at again in 15 days, drops out of "sin llamar", and sending to him now needs a
    confirmation and a reason.
    """
    said = f"Pagará el viernes ({desk.language})"
    desk.open_customer("promised")
    desk.ask("/notes", kind="conversation", responsible="Ana", text=said)
    expect(desk.page.locator("section").filter(has=desk.page.locator("#log"))).to_contain_text(said)
    desk.open("/?not_called=true")
    desk.sees_not(desk.name("promised"))
    desk.open("/")
    expect(desk.row(desk.name("promised"))).to_contain_text(desk.day(desk.house.today + 15 * _DAY))
    desk.open(f"/process?verb=send-now&accounts={desk.account('promised')}")
    expect(desk.page.locator("#soon")).to_contain_text(desk.name("promised"))
    desk.press(desk.w["verbs"]["send-now"])
    expect(desk.page.locator(".problems")).to_contain_text(desk.w["wrong_orders"]["not_confirmed"])
    desk.page.locator("#because").fill("asked for it by phone")
    desk.page.locator("#confirmed").check()
    desk.press(desk.w["verbs"]["send-now"])
    expect(desk.page).to_have_url(re.compile("/batches/"))
    desk.sees(desk.name("promised"))


def test_one_reminder_is_looked_at_changed_and_let_go(desk: Desk) -> None:
    """S0-05, S0-06, S1-10, S2-05, S2-16, S2-17, S2-18, S4-13, R19: contact, subject, documents and total as they will be; another text, tried
    out before it is saved; approved.
    """
    words, text = desk.w["review"], f"Estimada Zoë ({desk.language}):"
    desk.open(f"/messages/{desk.account('manual')}")
    desk.sees("zoe@", desk.document("manual", 1), desk.money("1250.00"))
    desk.open("/review")
    desk.is_titled(words["title"])
    desk.shot("review")
    card = desk.page.locator("main section").filter(has_text=desk.name("manual"))
    card.locator("summary").click()
    card.locator("textarea[name=text]").fill(text)
    with desk.page.expect_popup() as tried:
        card.get_by_role("button", name=desk.w["process"]["preview"]).click()
    expect(tried.value.locator("main")).to_contain_text(text)
    tried.value.close()
    card.get_by_role("button", name=desk.w["customer"]["save"]).click()
    desk.done()
    expect(card.locator("blockquote")).to_contain_text(text)
    card.get_by_role("button", name=re.compile(words["approve"])).click()
    desk.done()


def test_many_are_processed_at_once_and_what_went_out_is_read_again(desk: Desk) -> None:
    """S0-07, S0-18, S0-20, S0-24, S1-09, S2-19, S2-23, S3-07: several of a filter, one of them with a text of its
    own; how far it is, what became of each, and the message as it went, its letter to be printed too.
    """
    text = f"A word of our own ({desk.language})"
    desk.open(f"/process?verb=edit&accounts={desk.account('edited')}")
    desk.page.locator("#text").fill(text)
    desk.press(desk.w["verbs"]["edit"])
    expect(desk.page.locator("#progress")).to_contain_text(desk.w["line_fates"]["written"])
    desk.open("/?why=proposal")
    for kind in ("waiting", "edited"):
        desk.row(desk.name(kind)).locator("input[type=checkbox]").check()
    desk.press(desk.w["process"]["chosen"])
    desk.follow(desk.w["verbs"]["approve"])
    desk.shot("process")
    desk.press(desk.w["verbs"]["approve"])
    expect(desk.page).to_have_url(re.compile("/batches/"))
    expect(desk.page.locator("#progress")).to_contain_text(desk.w["batch"]["done"].format(done=2, total=2))
    expect(desk.page.locator("#lines tbody .good")).to_have_count(2)
    desk.shot("batch")
    desk.open("/batches")
    desk.sees(desk.w["verbs"]["approve"])
    desk.house.pass_days()
    desk.open("/review")
    for kind in ("waiting", "edited"):
        desk.sees_not(desk.name(kind))
    desk.open_customer("edited")
    sent = desk.page.locator("section").filter(has=desk.page.locator("#sent"))
    sent.locator("tbody a").first.click()
    desk.sees(text)
    href = desk.page.locator("main a[href*='form=pdf']").first.get_attribute("href")
    desk.file(str(href), begins=b"%PDF")


def test_a_group_is_only_given_its_next_date(desk: Desk) -> None:
    """S0-12, S0-20, S2-20: nothing is sent, nothing before a day; a day that is none is said, and who is chosen stays so."""
    on = (desk.house.today + 20 * _DAY).isoformat()
    accounts = "&".join(f"accounts={desk.account(kind)}" for kind in ("paying", "agreed"))
    desk.open(f"/process?verb=next-date&{accounts}")
    desk.page.locator("#next_on").fill(on)
    desk.press(desk.w["verbs"]["next-date"])
    expect(desk.page.locator("#progress")).to_contain_text(desk.w["batch"]["done"].format(done=2, total=2))
    desk.open_customer("paying")
    expect(desk.page.locator("form[action$='/next-date'] [name=on]")).to_have_value(on)


def test_all_with_old_debt_are_meant_by_one_button(desk: Desk) -> None:
    """S0-24, S1-07, S1-22: older than ten days, all of them; whom it means is shown before anything is asked."""
    desk.open("/?days=10")
    desk.page.locator("button[name=whole]").click()
    desk.sees(desk.name("dunned"), desk.name("paying"))
    desk.follow(desk.w["verbs"]["send-now"])
    desk.sees(desk.w["verb_notes"]["send-now"])


def test_what_was_sent_is_counted_and_listed(desk: Desk) -> None:
    """S4-20, S4-22: a chart per day, and the list with customer, documents, channel and outcome, filtered."""
    desk.open("/reminders")
    expect(desk.page.locator("figure svg").first).to_be_visible()
    expect(desk.row(desk.name("dunned"))).to_be_visible()
    desk.shot("reminders")
    desk.page.locator("select[name=channel]").select_option("letter")
    desk.press(desk.w["today"]["show"])
    expect(desk.row(desk.document("dunned", 1))).to_contain_text(desk.w["channels"]["letter"])
    desk.open("/doubts")
    expect(desk.page.locator(".empty")).to_be_visible()


def test_a_task_is_done_and_leaves_the_list(desk: Desk) -> None:
    """S0-23, S2-09: the call that the second level asks for; what came of it stays in the log."""
    came = f"No contestan ({desk.language})"
    desk.open("/tasks")
    row = desk.row(desk.account("dunned"))
    row.locator("[name=text]").fill(came)
    row.get_by_role("button", name=re.compile(desk.w["tasks"]["done"])).click()
    desk.done()
    desk.sees_not(desk.account("dunned"))
    desk.open_customer("dunned")
    desk.sees(came)


def test_the_language_is_the_users(desk: Desk) -> None:
    """Switched at one's name, where one is; and back."""
    other = {"en": "es", "es": "pt", "pt": "en"}[desk.language]
    desk.open("/reminders")
    for wanted in (other, desk.language):
        desk.page.locator(".who").click()
        desk.page.locator(f"button[name=language][value={wanted}]").click()
        desk.is_titled(words_of(wanted)["reminders"]["title"])
        assert desk.page.url.endswith("/reminders")

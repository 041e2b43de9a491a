"""A credit controller's day in a real Chromium: on real Kafka, ledger and read model, in three languages, on both databases.

Screenshots are in the test's folder, and in ``COBRANZA_SCREENSHOTS`` where that is set.
"""

import datetime
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from console.web.inside.showing import words_of
from tests.system.console_house import LANGUAGES, NAMES, PASSWORD, TODAY, House

pytestmark = [pytest.mark.packages, pytest.mark.timeout(300)]
_WIDE: ViewportSize = {"width": 1280, "height": 800}


class _Desk:
    """A page of somebody who is logged in, and the words of the language that it is in."""

    def __init__(self, page: Page, language: str, folder: Path) -> None:
        self.page, self.language, self._folder = page, language, folder
        self.w: Any = words_of(language)

    def shot(self, name: str) -> None:
        for kept in filter(None, (str(self._folder), os.environ.get("COBRANZA_SCREENSHOTS", ""))):
            self.page.screenshot(path=Path(kept) / f"{name}-{self.language}.png")

    def done(self) -> None:
        """Wait until the page says that what was asked for is there."""
        expect(self.page.locator(".done[role=status]")).to_be_visible()


@pytest.fixture(params=LANGUAGES)
def desk(request: pytest.FixtureRequest, house: House, browser: Browser, tmp_path: Path) -> Iterator[_Desk]:
    """Sit down at a wide screen; what the browser complains of fails the test."""
    if house.settings.database.startswith("postgresql") and request.param != "es":
        pytest.skip("on PostgreSQL in one language: words do not come from there")
    context = house.arrive(browser, f"ana-{request.param}", viewport=_WIDE, locale=request.param)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield _Desk(page, request.param, tmp_path)
    context.close()
    assert [] == complaints
    assert house.planted == house.reports()  # what these pages are forbidden, none of them wants


def _customer(desk: _Desk, kind: str) -> str:
    return f"acme:{kind}-{desk.language}"


def _opened(desk: _Desk, action: str) -> Locator:
    """Give the form of an act, unfolded where it is folded."""
    form = desk.page.locator(f"form[action$='{action}']").first
    if not form.is_visible():
        form.locator("xpath=ancestor::details[1]/summary").click()
    return form


def test_the_morning_begins_with_the_worklist(desk: _Desk) -> None:
    """S0-21, S1-07, S1-08, B-16: who broke a promise comes before who is late; by days overdue, and who was not called."""
    desk.page.goto("/")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text(desk.w["today"]["title"])
    rows = desk.page.locator("tbody tr")
    expect(rows.first).to_contain_text(desk.w["whys"]["broken_promise"])
    desk.shot("today")
    desk.page.locator("select[name=why]").select_option("proposal")
    desk.page.get_by_role("button", name=desk.w["today"]["show"], exact=True).click()
    expect(desk.page).to_have_url(re.compile("why=proposal"))
    for row in desk.page.locator("tbody tr").all():
        expect(row).to_contain_text(desk.w["whys"]["proposal"])
    desk.page.goto("/?days=5000")
    expect(desk.page.locator(".empty")).to_be_visible()


def test_all_that_is_unpaid_is_seen_and_late_dates_are_red(desk: _Desk) -> None:
    """S2-12, S0-10: late and not yet due; the sum, the sent reminders, the contact."""
    account = _customer(desk, "dunned")
    desk.page.goto(f"/customers/{account}")
    expect(desk.page.get_by_role("heading", level=1)).to_contain_text(NAMES[desk.language][0])
    late = desk.page.locator(".overdue")
    assert late.count() >= 2
    assert "rgb(165, 22, 22)" == late.first.evaluate("each => getComputedStyle(each).color")
    for number in (1, 2, 3):
        expect(desk.page.get_by_text(f"dunned-{desk.language}-{number}", exact=True).first).to_be_visible()
    desk.shot("customer")


def test_what_was_sent_is_counted_and_listed(desk: _Desk) -> None:
    """S4-20, S4-22, S4-21: a chart, and the list with customer, channel and outcome."""
    desk.page.goto("/reminders")
    expect(desk.page.locator("figure").first).to_be_visible()
    expect(desk.page.locator("tbody tr").filter(has_text=NAMES[desk.language][0]).first).to_be_visible()
    desk.shot("reminders")


@pytest.mark.parametrize("form", ["csv", "xlsx", "pdf"])
def test_a_report_is_taken_away_as_a_file(desk: _Desk, form: str) -> None:
    """S0-03, S3-03, S3-04, S1-25: balances by age, as PDF, table of a spreadsheet, and text."""
    desk.page.goto("/reports/aged")
    expect(desk.page.get_by_role("heading", level=1)).to_contain_text(desk.w["reports"]["aged"])
    if form == "csv":
        desk.shot("report")
    answer = desk.page.request.get(f"/reports/aged?form={form}")
    assert 200 == answer.status
    begins = {"csv": b"", "xlsx": b"PK", "pdf": b"%PDF"}[form]
    assert answer.body().startswith(begins)
    assert len(answer.body()) > 200


def test_a_plan_is_seen_by_its_levels(desk: _Desk) -> None:
    """S0-22, S0-23, S2-03, S3-05: the levels of a plan, with days, channels and texts."""
    desk.page.goto("/settings/acme/plans/default")
    expect(desk.page.get_by_role("heading", level=1)).to_be_visible()
    assert 200 == desk.page.request.get("/settings/acme/plans/default").status
    desk.shot("plan")


def test_an_approver_takes_a_proposal_on(house: House, desk: _Desk) -> None:
    """S0-05, S0-20, S2-16, R19: what waits for a person is approved, and goes out."""
    desk.page.goto("/review")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text(desk.w["review"]["title"])
    desk.shot("review")
    name = NAMES[desk.language][1]
    card = desk.page.locator("section, tr").filter(has_text=name).first
    card.get_by_role("button", name=re.compile(desk.w["review"]["approve"])).first.click()
    desk.done()
    house.played.tick(TODAY + datetime.timedelta(days=1 + LANGUAGES.index(desk.language)))
    desk.page.goto("/review")
    expect(desk.page.locator("main")).not_to_contain_text(name)


def test_a_call_is_logged_with_kind_responsible_and_observations(desk: _Desk) -> None:
    """S1-11, S1-12, S1-13: "Ingresar registro"; it stays in the log, and who was called is not "not called" any more."""
    account = _customer(desk, "promised")
    desk.page.goto(f"/customers/{account}")
    form = desk.page.locator("form[action$='/notes']").first
    form.locator("[name=kind]").select_option("conversation")
    form.locator("[name=responsible]").fill("Ana")
    said = f"Pagará el viernes ({desk.language})"
    form.locator("[name=text]").fill(said)
    form.get_by_role("button").last.click()
    desk.done()
    expect(desk.page.get_by_text(said).first).to_be_visible()
    desk.page.goto("/?not_called=true")
    expect(desk.page.locator("main")).not_to_contain_text(NAMES[desk.language][2])


def test_a_document_is_left_out_and_taken_in_again(desk: _Desk) -> None:
    """S2-13: "Excluir de seguimientos", with a reason; and back."""
    account, item = _customer(desk, "paying"), f"paying-{desk.language}-3"
    desk.page.goto(f"/customers/{account}")
    left_out = desk.w["customer"]["exclude"]
    desk.page.get_by_label(f"{left_out} {item}").click()
    form = desk.page.locator("form[action$='/exclusions']").filter(has=desk.page.locator(f"[value='{item}']"))
    form.locator("[name=reason]").fill("disputed by phone")
    form.get_by_role("button").click()
    desk.done()
    back = desk.page.locator("form[action$='/inclusions']").filter(has=desk.page.locator(f"[value='{item}']"))
    back.get_by_role("button").click()
    desk.done()


def test_the_next_date_and_the_mode_are_set_by_hand(desk: _Desk) -> None:
    """S0-25, S2-14, S2-20: nothing before a day; from now on a person looks first."""
    desk.page.goto(f"/customers/{_customer(desk, 'paying')}")
    form = _opened(desk, "/next-date")
    form.locator("input[type=date]").fill((TODAY + datetime.timedelta(days=30)).isoformat())
    form.get_by_role("button").first.click()
    desk.done()
    form = _opened(desk, "/mode")
    form.locator("[name=mode]").select_option("manual")
    form.get_by_role("button").first.click()
    desk.done()


def test_many_are_processed_at_once(desk: _Desk) -> None:
    """S0-18, S0-24, S2-23: choose, say what to do, and see how far it is."""
    desk.page.goto("/")
    for name in NAMES[desk.language][2:3]:
        desk.page.locator("tbody tr").filter(has_text=name).locator("input[type=checkbox]").check()
    desk.page.get_by_role("button", name=desk.w["process"]["chosen"], exact=True).click()
    desk.page.get_by_role("link", name=desk.w["verbs"]["log"], exact=True).click()
    desk.page.locator("#text").fill("called all of them")
    desk.shot("process")
    desk.page.get_by_role("button", name=desk.w["verbs"]["log"], exact=True).click()
    expect(desk.page).to_have_url(re.compile("/batches/"))
    expect(desk.page.locator("main")).to_contain_text(NAMES[desk.language][2])
    desk.shot("batch")


def test_the_keyboard_is_enough(house: House, browser: Browser, desk: _Desk) -> None:
    """Logging in, past the navigation, and an entry in the log: no mouse."""
    context = browser.new_context(base_url=house.address, viewport=_WIDE, locale=desk.language)
    page = context.new_page()
    page.goto(f"/customers/{_customer(desk, 'dunned')}")
    expect(page.locator("#user")).to_be_focused()
    page.keyboard.type(f"ana-{desk.language}")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(NAMES[desk.language][0])
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches(\"form[action$='/notes'] [name=text]\")"):
            break
    page.keyboard.type("by keyboard")
    page.locator("form[action$='/notes'] button").last.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".done[role=status]")).to_be_visible()
    expect(page.get_by_text("by keyboard").first).to_be_visible()
    context.close()


def test_the_language_is_the_users(desk: _Desk) -> None:
    """Switched at one's name, where one is; and back."""
    other = {"en": "es", "es": "pt", "pt": "en"}[desk.language]
    desk.page.goto("/reminders")
    for wanted in (other, desk.language):
        desk.page.locator(".who").click()
        desk.page.locator(f"button[name=language][value={wanted}]").click()
        expect(desk.page.get_by_role("heading", level=1)).to_have_text(words_of(wanted)["reminders"]["title"])
        assert desk.page.url.endswith("/reminders")


def test_a_breach_of_the_policy_is_reported(house: House, browser: Browser) -> None:
    """The count that stays as it is above does count."""
    context = house.arrive(browser, "viewer")
    page = context.new_page()
    page.goto("/")
    house.planted += 1
    with page.expect_request("**/csp-reports"):
        page.evaluate("document.body.setAttribute('style', 'color: red')")
    context.close()
    assert house.planted == _soon(house, house.planted)


def _soon(house: House, wanted: int) -> int:
    """Give the count of reports; the browser does not wait until its report has arrived."""
    for _ in range(200):
        if house.reports() >= wanted:
            break
    return house.reports()

"""A working day without a mouse: Tab, Enter, Space and letters; nothing is clicked or put into focus by the test."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.system.console_house import PASSWORD
from tests.system.desks import WIDE, Desk

pytestmark = pytest.mark.packages
_TABS_MAX = 150


@pytest.fixture
def page(desk: Desk) -> Iterator[Page]:
    """Give a browser of somebody who is not logged in yet."""
    context = desk.browser.new_context(base_url=desk.house.address, viewport=WIDE, locale=desk.language)
    yield context.new_page()
    context.close()


def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is where it is wanted; on the way it must always be somewhere that is seen."""
    for _ in range(_TABS_MAX):
        page.keyboard.press("Tab")
        is_there, is_seen = page.evaluate(
            """wanted => {
                const now = document.activeElement, box = now.getBoundingClientRect();
                return [now.matches(wanted), box.width > 0 && box.height > 0];
            }""",
            selector,
        )
        assert is_seen, f"on the way to {selector} the focus is on what nobody sees"
        if is_there:
            return
    pytest.fail(f"{selector} is not reached by {_TABS_MAX} tabs")


def _enter(page: Page) -> None:
    """Press Enter, and wait until the next page is there."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def _walk(page: Page, *selectors: str) -> None:
    """Follow links, one after the other."""
    for each in selectors:
        _tab_to(page, each)
        _enter(page)


def _log_in(page: Page, user: str) -> None:
    page.goto("/")
    expect(page.locator("#user")).to_be_focused()
    page.keyboard.type(user)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    _enter(page)


def test_a_day_by_keyboard(desk: Desk, page: Page) -> None:
    """S0-11, S0-20: log in, past the navigation, into a customer, an entry in the log, saved; back, one of the list processed."""
    name, said = desk.name("promised"), "by keyboard"
    _log_in(page, f"ana-{desk.language}")
    expect(page.get_by_role("heading", level=1)).to_have_text(desk.w["today"]["title"])
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    _tab_to(page, f"a[href$='promised-{desk.language}']")
    _enter(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    _tab_to(page, "form[action$='/notes'] [name=kind]")
    page.keyboard.type(desk.w["notes"]["call_attempt"][:3])
    _tab_to(page, "form[action$='/notes'] [name=text]")
    page.keyboard.type(said)
    page.keyboard.press("Tab")
    _enter(page)
    expect(page.locator(".done[role=status]")).to_be_visible()
    log = page.locator("section").filter(has=page.locator("#log")).locator("li").first
    expect(log).to_contain_text(said)
    expect(log).to_contain_text(desk.w["notes"]["call_attempt"])
    _tab_to(page, "nav a[href='/']")
    _enter(page)
    _tab_to(page, f"input[value$='promised-{desk.language}']")
    page.keyboard.press("Space")
    _tab_to(page, ".bar button")
    _enter(page)
    _tab_to(page, ".tabs a[href*='verb=log']")
    _enter(page)
    _tab_to(page, "#text")
    page.keyboard.type("one by keyboard")
    _tab_to(page, "main form .row button")
    _enter(page)
    expect(page.locator("#progress")).to_contain_text(desk.w["batch"]["done"].format(done=1, total=1))


# Keys are the same in every language.
@pytest.mark.parametrize("desk", ["es"], indirect=True)
def test_what_a_chief_does_by_keyboard(desk: Desk, page: Page) -> None:
    """S0-06, S0-22, S1-18, S1-25: a reminder approved; a receipt whose total is wrong, mended where the focus is; a report taken away as a
    file; a plan with a fault, mended in the text where the focus is, and shown before it is published.
    """
    _log_in(page, f"ana-{desk.language}")
    _walk(page, "nav a[href='/review']", "form[action$='/approve'] button")
    expect(page.locator(".done[role=status]")).to_be_visible()
    customer = f"main a[href$='paying-{desk.language}']"
    _walk(page, "nav a[href='/customers']", customer, "main a[href$='/receipts/new']")
    _tab_to(page, "[name=total]")
    page.keyboard.type("0")
    _walk(page, "form[action$='/receipts'] button")
    expect(page.locator(".problems")).to_be_visible()
    expect(page.locator("[name=total]")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("1.00")
    _walk(page, "form[action$='/receipts'] button")
    expect(page.locator(".done[role=status]")).to_be_visible()
    _walk(page, "nav a[href='/reports']", "main a[href='/reports/aged']")
    _tab_to(page, "button[name=form][value=csv]")
    with page.expect_download() as taken:
        page.keyboard.press("Enter")
    assert desk.name("dunned") in taken.value.path().read_text(encoding="utf-8-sig")
    plans = f"main a[href='/settings/{desk.company}/plans']"
    _walk(page, "nav a[href='/settings']", f"main a[href='/settings/{desk.company}']", plans)
    _walk(page, "main a[href$='/plans/default']")
    _tab_to(page, "#plan-text")
    page.keyboard.press("Control+End")
    page.keyboard.type("nonsense: 1")
    _walk(page, "form[action$='/check'] button")
    expect(page.locator(".problems")).to_contain_text("nonsense")
    expect(page.locator("#plan-text")).to_be_focused()
    page.keyboard.press("Control+End")
    page.keyboard.press("Shift+Home")
    page.keyboard.press("Delete")
    _walk(page, "form[action$='/check'] button")
    expect(page.locator("form[action$='/publish'] button")).to_be_visible()

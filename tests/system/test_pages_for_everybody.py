"""Every page of the console for everybody: axe finds nothing, by day and by night, wide and narrow; nothing breaks the policy.

The pages are those that links lead to from the first one, one of each kind, and every page that there is a route for is
among them. Axe looks at each of them in each language: in one by night on a telephone, in another by day on a wide
screen. What other roles see is read without a browser: where it is made of other things, axe looks at that as well. Pages
that no link leads to are had as they come about: by forms that were filled in wrongly, by what is tried out, and by
addresses that are not there.
"""

import html
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Literal

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize

from console.web.inside.showing import words_of
from infra.database.people import ROLES, Role
from schemas.events import CustomerMerged
from tests.console.inside.forms import forms_of
from tests.console.inside.walking import Seen, pages_of, walk
from tests.system.by_keyboard import Keyboard
from tests.system.console_house import House
from tests.system.house_story import LANGUAGES, account_of

pytestmark = [
    pytest.mark.packages,
    pytest.mark.parametrize("house", ["sqlite"], indirect=True),
]
_Look = Literal["narrow, dark", "wide, light"]
_SIZES: Final[dict[_Look, ViewportSize]] = {
    "narrow, dark": {"width": 375, "height": 740},
    "wide, light": {"width": 1280, "height": 800},
}
_LOOKS: Final[tuple[_Look, _Look]] = ("narrow, dark", "wide, light")
_SCHEMES: Final[dict[_Look, Literal["dark", "light"]]] = {"narrow, dark": "dark", "wide, light": "light"}
# A chart is drawn anew when its screen has changed, a moment later.
_WIDTH = """async () => {
    const page = document.documentElement;
    for (let look = 0; look < 40 && page.scrollWidth > innerWidth; look += 1)
        await new Promise(on => setTimeout(on, 50));
    return page.scrollWidth;
}"""
_FINDS = """rules => axe.run({resultTypes: ['violations'], preload: false, rules}).then(found => found.violations)"""
_WITHOUT_COLOURS: Final[dict[str, Any]] = {"color-contrast": {"enabled": False}}


@dataclass
class _Looked:
    """What axe has looked at, over all people: what pages of each place were made of (``spoken``: in each language), and what
    it found.
    """

    elements: dict[str, set[str]] = field(default_factory=dict)
    spoken: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    script: str = Axe().axe_script

    def has_seen(self, page: Seen) -> bool:
        """Say whether a page would show axe nothing new: where something lacks that makes another thing empty, that is another thing."""
        return page.made_of <= self.elements.get(page.place, set())

    def has_read(self, page: Seen, *, language: str) -> bool:
        """Say whether a page would show axe nothing new in a language."""
        return page.made_of <= self.spoken.get((language, page.place), set())

    def look(self, opened: Page, page: Seen, look: _Look, *, who: str, language: str = "") -> None:
        """Open a page and look at it."""
        opened.goto(page.path)
        self._measure(opened, page.path)
        # Words have no colours of their own: a third language needs no third look at what both schemes have shown.
        is_known = len(self._languages(page)) > 1 and self.has_seen(page)
        self._find(opened, f"{who}: {page.path}", look, rules=_WITHOUT_COLOURS if is_known else {})
        self.elements.setdefault(page.place, set()).update(page.made_of)
        self.spoken.setdefault((language, page.place), set()).update(page.made_of)

    def _languages(self, page: Seen) -> list[str]:
        return [language for language, place in self.spoken if place == page.place]

    def look_both_ways(self, opened: Page, name: str) -> None:
        """Look at a page that is open in each way."""
        self._measure(opened, name)
        for look in _LOOKS:
            self._find(opened, name, look, rules={})

    def nothing_is_wrong(self, house: House) -> None:
        """Fail for what was found since the last time."""
        problems, self.problems = self.problems, []
        complaints, self.complaints = self.complaints, []
        assert [] == problems, "\n".join(problems)
        assert [] == complaints
        assert house.planted == house.reports()

    @contextmanager
    def opened(self, house: House, browser: Browser, user: str) -> Iterator[Page]:
        """Give a page of somebody; what the browser complains of is kept."""
        context = house.arrive(browser, user, viewport=_SIZES["wide, light"], reduced_motion="reduce")
        context.add_init_script(self.script)
        page = context.new_page()
        page.on("console", lambda said: self.complaints.append(f"{page.url}: {said.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        yield page
        context.close()

    def _find(self, opened: Page, name: str, look: _Look, *, rules: dict[str, Any]) -> None:
        _take(opened, look)
        found: list[dict[str, Any]] = opened.evaluate(_FINDS, rules)
        for each in found:
            targets = [node["target"] for node in each["nodes"][:3]]
            self.problems.append(f"{name} {look}: {each['id']} {targets}")

    def _measure(self, opened: Page, name: str) -> None:
        _take(opened, "narrow, dark")
        width, most = opened.evaluate(_WIDTH), _SIZES["narrow, dark"]["width"]
        if width > most:
            self.problems.append(f"{name}: {width} px wide on a telephone")


def _take(page: Page, look: _Look) -> None:
    """Sit down at a screen of another size, by day or by night."""
    page.set_viewport_size(_SIZES[look])
    page.emulate_media(color_scheme=_SCHEMES[look])


@pytest.fixture(scope="module")
def looked() -> _Looked:
    """Remember over all people what was looked at."""
    return _Looked()


@pytest.fixture(scope="module")
def walked(house: House) -> Callable[[str], list[Seen]]:
    """Give what walks the pages of somebody, once; in each company something is in doubt: where all goes well nothing is."""
    for language in LANGUAGES:
        house.leave_in_doubt(account_of("dunned", language=language), channel="letter")
        _merge(house, language=language)

    @cache
    def walking(user: str) -> list[Seen]:
        with house.asking(user) as client:
            return _walk(client, language=user.partition("-")[2] or "en")

    return walking


def _merge(house: House, *, language: str) -> None:
    """Let a customer be another one now, unless a journey has been there before."""
    company, _, gone = account_of("older", language=language).partition(":")
    stays = account_of("old", language=language).partition(":")[2]
    said = words_of(language)["customer"]["merged"]
    with house.asking(f"ana-{language}") as client:
        if said not in html.unescape(client.get(f"/customers/{company}:{gone}").text):
            day = house.today.isoformat()
            house.played.publish(CustomerMerged(company=company, customer=gone, occurred_at=day, into=stays))
        assert said in html.unescape(client.get(f"/customers/{company}:{gone}").text)


def _walk(client: httpx.Client, *, language: str) -> list[Seen]:
    """Walk the pages of somebody who has a batch of his own."""
    kinds = ("dunned", "paying", "older")
    account, paying, merged = (account_of(kind, language=language) for kind in kinds)
    asking = client.get(f"/process?verb=log&accounts={account}")
    # Who may not ask for anything has no batches.
    for form in (each for each in forms_of(asking.text) if each.action == "/process/log"):
        asked = client.post(form.action, data=form.sent() | {"text": ["looked at"]})
        assert 303 == asked.status_code, asked.text
    # Whose payments are there to be opened; what a page leads to only where there are more than a hundred; who is
    # another one now.
    also = (f"/customers/{paying}", f"/customers/{paying}/older?part=log", f"/customers/{merged}")
    return list(walk(client.get, also=also))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_for_everybody(
    house: House, browser: Browser, walked: Callable[[str], list[Seen]], looked: _Looked, language: str
) -> None:
    """Axe finds nothing on any page in any language, nothing is wider than a telephone, no link leads to a refusal, and no page
    wants what its policy forbids: no complaint of the browser, no error of a script, no report.
    """
    user = f"ana-{language}"
    pages = walked(user)
    assert pages_of("administrator") == {each.route for each in pages}
    look = _LOOKS[LANGUAGES.index(language) % 2]
    with looked.opened(house, browser, user) as page:
        for each in pages:
            if not looked.has_read(each, language=language):
                looked.look(page, each, look, who=user, language=language)
    assert {each.place for each in pages} == {place for spoken, place in looked.spoken if spoken == language}
    looked.nothing_is_wrong(house)


@pytest.mark.parametrize("role", ROLES)
def test_nobody_is_left_out(
    house: House, browser: Browser, walked: Callable[[str], list[Seen]], looked: _Looked, role: Role
) -> None:
    """The same for each role: its links lead to its pages and to no refusal; axe looks at what is made of other things."""
    pages = walked(role)
    assert pages_of(role) == {each.route for each in pages}
    others = [each for each in pages if not looked.has_seen(each)]
    if others:
        with looked.opened(house, browser, role) as page:
            for number, each in enumerate(others):
                if not looked.has_seen(each):
                    looked.look(page, each, _LOOKS[number % 2], who=role)
    looked.nothing_is_wrong(house)


def test_each_page_is_used_by_keyboard(
    house: House, browser: Browser, walked: Callable[[str], list[Seen]]
) -> None:
    """Tab reaches all that can be used, on each page and in each of its forms, shows where one is, and comes round again; what
    is pressed by Enter or Space acts.
    """
    user = "ana-es"  # keys are the same in every language
    keyboard = Keyboard()
    context = house.arrive(browser, user, viewport=_SIZES["wide, light"], reduced_motion="reduce")
    page = context.new_page()
    for each in walked(user):
        if not keyboard.has_been_at(each):
            keyboard.open(page, each)
    context.close()
    assert [] == keyboard.problems, "\n".join(keyboard.problems)
    assert {"click", "submit", "toggle"} == keyboard.done


# Forms that come back, or show what would be: (page, action, the button if it is not the last, what is typed).
_SENT: Final[tuple[tuple[str, str, str, dict[str, str]], ...]] = (
    ("/customers/acme:agreed-en", "/promises", "", {"due_on": ""}),
    ("/customers/acme:agreed-en", "/disputes", "", {"item": "none", "reason": "", "amount": "x"}),
    ("/customers/acme:agreed-en/receipts/new", "/receipts", "", {"total": "x"}),
    ("/process?verb=edit&accounts=acme:quiet-en", "/process/edit", "", {"text": ""}),
    ("/process?verb=edit&accounts=acme:quiet-en", "/process/edit", "[formaction]", {"text": "Own words"}),
    ("/process?verb=next-date&accounts=acme:quiet-en", "/process/next-date", "", {"next_on": ""}),
    ("/suppressions", "/suppressions", "", {"address": ""}),
    ("/reports/aged", "/kept", "", {"name": ""}),
    ("/users", "/users", "", {"user": ""}),
    ("/settings/acme/profile", "/profile", "", {"statement_day": "99", "country": "Atlantis"}),
    ("/settings/acme/what-if", "/what-if", "", {"first_on": ""}),
    ("/settings/acme/plans/default", "/check", "", {"text": "id: default\nsteps: soon\n"}),
    ("/settings/acme/plans/default", "/check", "", {}),
    ("/settings/acme/texts/first/en", "/texts/first/en", "[value=try]", {"": "{{ nobody.knows }} {% if"}),
    ("/settings/acme/texts/first/en", "/texts/first/en", "[value=try]", {"": "Own words"}),
)
_ASKED: Final = ("/nowhere", "/customers/acme:nobody", "/settings/acme/enrolment?per_day=3")
# As a page whose fields the browser does not look at, and whose answers stay in one window.
_SEND = """(form, [button, typed]) => {
    for (const [name, value] of Object.entries(typed))
        form.querySelector(name ? `[name="${name}"]` : 'textarea').value = value;
    form.noValidate = true;
    form.removeAttribute('target');
    form.querySelectorAll('button').forEach(each => each.removeAttribute('formtarget'));
    form.requestSubmit(button ? form.querySelector(button) : [...form.querySelectorAll('button')].at(-1));
}"""


def test_what_goes_wrong_or_is_tried_out_is_for_everybody(
    house: House, browser: Browser, looked: _Looked
) -> None:
    """Axe finds nothing on what is said of faults, on what is tried out, where nothing is, where one may not be, nor at the door; and
    where a form comes back, the focus is on what is to be mended.
    """
    with looked.opened(house, browser, "administrator") as page:
        for path, action, button, typed in _SENT:
            page.goto(path)
            with page.expect_navigation() as answered:
                form = page.locator(f"main form[action$='{action}'][method=post]").first
                form.evaluate(_SEND, [button, typed])
            status = answered.value.status
            assert status in (200, 422), f"{path} {action}: {status}"
            if status == 422:
                assert page.evaluate("document.activeElement.matches('main [autofocus]')"), f"{path} {action}"
            looked.look_both_ways(page, f"{path} {action} {button} {status}")
        for path in _ASKED:
            page.goto(path)
            looked.look_both_ways(page, path)
    with looked.opened(house, browser, "viewer") as page:
        answer = page.goto("/users")
        assert answer is not None
        assert 403 == answer.status
        looked.look_both_ways(page, "/users 403")
    # That a page is a refusal is told like an error.
    looked.complaints = [each for each in looked.complaints if "with a status of 4" not in each]
    _look_at_the_door(house, browser, looked)
    looked.nothing_is_wrong(house)


def _look_at_the_door(house: House, browser: Browser, looked: _Looked) -> None:
    context = browser.new_context(base_url=house.address, reduced_motion="reduce")
    context.add_init_script(looked.script)
    page = context.new_page()
    for language in LANGUAGES:
        page.goto(f"/login?language={language}")
        looked.look_both_ways(page, f"/login {language}")
    page.locator("#user").fill("nobody")
    page.locator("#password").fill("wrong")
    page.locator("main button").click()
    page.locator(".error").wait_for()
    looked.look_both_ways(page, "/login wrong")
    context.close()


def test_a_breach_of_the_policy_is_reported(house: House, browser: Browser) -> None:
    """The count that stays as it is everywhere else does count."""
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

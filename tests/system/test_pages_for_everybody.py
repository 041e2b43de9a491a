"""Every page of the console for everybody: axe finds nothing, by day and by night, wide and narrow; nothing breaks the policy.

The pages are found as a person of each role finds them: by following links from the first one, one page of each kind. Axe
looks at them by turns by night on a telephone and by day on a wide screen; at those that a viewer has both ways, and at what
is made of other things for another role once more. Pages that no link leads to are had as they come about: by forms that
were filled in wrongly, by what is tried out, and by addresses that are not there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize

from infra.database.people import Role
from tests.system.console_house import House
from tests.system.house_story import COMPANIES

pytestmark = [
    pytest.mark.packages,
    pytest.mark.parametrize("house", ["sqlite"], indirect=True),
]
_PAGES_MAX = 110
_COMPANIES: Final = {each.company for each in COMPANIES.values()}
_Look = Literal["narrow, dark", "wide, light"]
_SIZES: Final[dict[_Look, ViewportSize]] = {
    "narrow, dark": {"width": 375, "height": 740},
    "wide, light": {"width": 1280, "height": 800},
}
_LOOKS: Final[tuple[_Look, _Look]] = ("narrow, dark", "wide, light")
_OTHER: Final[dict[_Look, _Look]] = {"narrow, dark": "wide, light", "wide, light": "narrow, dark"}
_SCHEMES: Final[dict[_Look, Literal["dark", "light"]]] = {"narrow, dark": "dark", "wide, light": "light"}
# Of these a value is another kind of page; of other fields only that they are given.
_TELLING = ("verb", "tab", "form", "show", "kind", "by")
# What a page is made of, whatever its texts are: which elements, of which classes and roles, with or without content.
_MADE_OF = """() => [...new Set([...document.body.querySelectorAll('*')].map(each => [
    each.tagName, each.className, each.getAttribute('role'), each.getAttribute('type'), each.hasAttribute('aria-label'),
    each.childNodes.length > 0].join()))].sort().join(';')"""
# A chart is drawn anew when its screen has changed, a moment later.
_WIDTH = """async () => {
    const page = document.documentElement;
    for (let look = 0; look < 40 && page.scrollWidth > innerWidth; look += 1)
        await new Promise(on => setTimeout(on, 50));
    return page.scrollWidth;
}"""
_FINDS = "axe.run({resultTypes: ['violations']}).then(found => found.violations)"


def _kind(path: str) -> str:
    """Tell pages of one kind apart from others: names of companies, customers, documents are left out."""
    parts = urlsplit(path)
    names = [
        "*" if each in _COMPANIES else re.sub(r".*(\d|:|%3A).*", "*", each) for each in parts.path.split("/")
    ]
    asked = sorted(
        {f"{name}={value}" if name in _TELLING else name for name, value in parse_qsl(parts.query)}
    )
    return "/".join(names) + "?" + "&".join(asked)


def _is_file(path: str) -> bool:
    """Say whether a link leads to a file, or to a mail as it goes out: those are no pages of ours."""
    return bool(re.search(r"[?&](form=(?!page)|show=)", path))


def _walk(page: Page) -> Iterator[str]:
    """Open one page of each kind that can be reached by links, and see that each file is given."""
    seen, waiting = {_kind("/")}, ["/"]
    count = 0
    while waiting and count < _PAGES_MAX:
        path = waiting.pop(0)
        answer = page.context.request.get(path) if _is_file(path) else page.goto(path)
        assert answer is not None
        assert 200 == answer.status, f"{path}: {answer.status}"
        if _is_file(path):
            continue
        count += 1
        yield path
        links = page.eval_on_selector_all("a[href^='/']", "all => all.map(each => each.getAttribute('href'))")
        for found in (link.partition("#")[0] for link in links):
            if _kind(found) not in seen:
                seen.add(_kind(found))
                waiting.append(found)
    assert count < _PAGES_MAX, "there are more kinds of pages than are looked at"
    assert count > 10, "they were walked: a page without links would have passed"


@dataclass
class _Looked:
    """What axe has looked at, over all roles: how at each kind of page first, and what those were made of."""

    kinds: dict[str, _Look] = field(default_factory=dict)
    made_of: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    script: str = Axe().axe_script

    def look(self, page: Page, path: str, *, role: Role) -> None:
        """Look at a page that is open, unless a page of its kind that is made of the same things was looked at."""
        kind, made_of = _kind(path), page.evaluate(_MADE_OF)
        before = self.kinds.get(kind)
        if before is not None and made_of in self.made_of and role != "viewer":
            return
        self.made_of.add(made_of)
        look = _LOOKS[len(self.kinds) % 2] if before is None else _OTHER[before]
        self.kinds.setdefault(kind, look)
        self._measure(page, path)
        page.evaluate(self.script)
        self._find(page, path, look, role=role)

    def look_both_ways(self, page: Page, name: str) -> None:
        """Look at a page that is open in each way."""
        self._measure(page, name)
        page.evaluate(self.script)
        for look in _LOOKS:
            self._find(page, name, look, role="")

    def _find(self, page: Page, path: str, look: _Look, *, role: str) -> None:
        _take(page, look)
        found: list[dict[str, Any]] = page.evaluate(_FINDS)
        for each in found:
            targets = [node["target"] for node in each["nodes"][:3]]
            self.problems.append(f"{role}: {path} {look}: {each['id']} {targets}")

    def _measure(self, page: Page, path: str) -> None:
        _take(page, "narrow, dark")
        width, most = page.evaluate(_WIDTH), _SIZES["narrow, dark"]["width"]
        if width > most:
            self.problems.append(f"{path}: {width} px wide on a telephone")


def _take(page: Page, look: _Look) -> None:
    """Sit down at a screen of another size, by day or by night."""
    page.set_viewport_size(_SIZES[look])
    page.emulate_media(color_scheme=_SCHEMES[look])


@pytest.fixture(scope="module")
def looked() -> _Looked:
    """Remember over all roles what was looked at."""
    return _Looked()


@pytest.mark.parametrize("role", ["administrator", "approver", "collector", "viewer"])
def test_nobody_is_left_out(house: House, browser: Browser, looked: _Looked, role: Role) -> None:
    """Axe finds nothing on any page of any role, nothing is wider than a telephone, no link leads to a refusal, and no page wants
    what its policy forbids: no complaint of the browser, no error of a script, no report.
    """
    context = house.arrive(browser, role, viewport=_SIZES["wide, light"], reduced_motion="reduce")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(f"{page.url}: {said.text}"))
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    for path in _walk(page):
        looked.look(page, path, role=role)
    context.close()
    problems, looked.problems = looked.problems, []
    assert [] == problems, "\n".join(problems)
    assert [] == complaints
    assert house.planted == house.reports()


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
    context = house.arrive(browser, "administrator", viewport=_SIZES["wide, light"], reduced_motion="reduce")
    page = context.new_page()
    for path, action, button, typed in _SENT:
        page.goto(path)
        with page.expect_navigation() as answered:
            page.locator(f"main form[action$='{action}'][method=post]").first.evaluate(_SEND, [button, typed])
        status = answered.value.status
        assert status in (200, 422), f"{path} {action}: {status}"
        if status == 422:
            assert page.evaluate("document.activeElement.matches('main [autofocus]')"), f"{path} {action}"
        looked.look_both_ways(page, f"{path} {action} {button} {status}")
    for path in _ASKED:
        page.goto(path)
        looked.look_both_ways(page, path)
    context.close()
    context = house.arrive(browser, "viewer", reduced_motion="reduce")
    page = context.new_page()
    answer = page.goto("/users")
    assert answer is not None
    assert 403 == answer.status
    looked.look_both_ways(page, "/users 403")
    context.close()
    context = browser.new_context(base_url=house.address, reduced_motion="reduce")
    page = context.new_page()
    page.goto("/login?language=pt")
    looked.look_both_ways(page, "/login")
    page.locator("#user").fill("nobody")
    page.locator("#password").fill("wrong")
    page.locator("main button").click()
    page.locator(".error").wait_for()
    looked.look_both_ways(page, "/login wrong")
    context.close()
    problems, looked.problems = looked.problems, []
    assert [] == problems, "\n".join(problems)
    assert house.planted == house.reports()


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

"""Every page of the console for everybody: axe finds nothing, by day and by night, wide and narrow; nothing breaks the policy.

The pages are found as a person finds them: by following links from the first one, one page of each kind.
"""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from infra.database.people import ROLES, Role
from tests.system.console_house import House

pytestmark = [
    pytest.mark.packages,
    pytest.mark.timeout(300),
    pytest.mark.parametrize("house", ["sqlite"], indirect=True),
]
_WIDE: ViewportSize = {"width": 1280, "height": 800}
_NARROW: ViewportSize = {"width": 375, "height": 740}
_PAGES_MAX = 90
# Of these a value is another kind of page; of other fields only that they are given.
_TELLING = ("verb", "tab", "form", "kind", "by")


def _kind(path: str) -> str:
    """Tell pages of one kind apart from others: names of customers, documents, reminders are left out."""
    parts = urlsplit(path)
    names = [re.sub(r".*(\d|:|%3A).*", "*", each) for each in parts.path.split("/")]
    asked = sorted(
        {f"{name}={value}" if name in _TELLING else name for name, value in parse_qsl(parts.query)}
    )
    return "/".join(names) + "?" + "&".join(asked)


def _walk(context: BrowserContext, page: Page) -> Iterator[str]:
    """Open one page of each kind that can be reached by links; what is no page (a file) is passed over."""
    seen, waiting = {_kind("/")}, ["/"]
    count = 0
    while waiting and count < _PAGES_MAX:
        path = waiting.pop(0)
        answer = context.request.get(path)
        assert answer.status == 200, f"{path}: {answer.status}"
        is_mail = "form=html" in path  # a mail as it goes out: that is no page of ours
        if is_mail or not answer.headers["content-type"].startswith("text/html"):
            continue
        page.goto(path)
        count += 1
        yield path
        for link in page.eval_on_selector_all(
            "a[href^='/']", "all => all.map(each => each.getAttribute('href'))"
        ):
            found = link.partition("#")[0]
            if _kind(found) not in seen:
                seen.add(_kind(found))
                waiting.append(found)
    assert count < _PAGES_MAX, "there are more kinds of pages than are looked at"


def _problems(page: Page, path: str) -> list[str]:
    found = Axe().run(page)
    return [
        f"{path}: {each['id']} {[node['target'] for node in each['nodes'][:3]]}"
        for each in found.response["violations"]
    ]


@pytest.mark.parametrize("role", ["viewer", "administrator"])
def test_nobody_is_left_out(house: House, browser: Browser, role: Role) -> None:
    """Axe finds nothing on any page, be it only read or full of forms; on a telephone nothing is wider than it."""
    # Axe is a script of its own, which our policy would not let in: it is let in for the test.
    context = house.arrive(
        browser, role, bypass_csp=True, viewport=_NARROW, color_scheme="dark", reduced_motion="reduce"
    )
    page = context.new_page()
    problems = []
    for path in _walk(context, page):
        problems += _problems(page, f"{path} narrow, dark")
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > _NARROW["width"]:
            problems.append(f"{path}: {width} px wide on a telephone")
        if role == ROLES[-1]:
            page.set_viewport_size(_WIDE)
            page.emulate_media(color_scheme="light")
            problems += _problems(page, f"{path} wide, light")
            page.set_viewport_size(_NARROW)
            page.emulate_media(color_scheme="dark")
    context.close()
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("role", ["collector", "approver"])
def test_no_link_leads_to_a_refusal(house: House, browser: Browser, role: Role) -> None:
    """What a role may not open, it is not shown a link to; the two others are walked above."""
    context = house.arrive(browser, role, viewport=_NARROW)
    assert len(list(_walk(context, context.new_page()))) > 10
    context.close()


def test_no_page_wants_what_its_policy_forbids(house: House, browser: Browser) -> None:
    """Opened as they are, scripts and all: no complaint of the browser, no report, no error of a script."""
    context = house.arrive(browser, ROLES[-1], viewport=_WIDE)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(f"{page.url}: {said.text}"))
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    assert len(list(_walk(context, page))) > 10
    context.close()
    assert [] == complaints
    assert house.planted == house.reports()

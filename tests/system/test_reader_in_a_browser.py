"""A customer with a real browser: the link in a mail, the form, the answer; in Spanish, by keyboard, for everybody.

Debian's Chromium, driven by playwright; axe looks for what a screen reader would stumble over.
Screenshots are in the test's folder, and in ``COBRANZA_SCREENSHOTS`` where that is set.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.console.web.played import DUE, Played, played

pytestmark = pytest.mark.packages
_NARROW: ViewportSize = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def installation(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Run an installation that has sent a mail in Spanish."""
    with played(broker, prefix="browser.", data_dir=tmp_path_factory.mktemp("browser")) as running:
        running.tick(DUE)
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Give a page without JavaScript, on a telephone; what the browser complains of fails the test."""
    context = browser.new_context(java_script_enabled=False, viewport=_NARROW, locale="de-DE")
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda said: complaints.append(said.text))
    opened.on("requestfailed", lambda request: complaints.append(request.url))
    yield opened
    context.close()
    # That a form came back with what is wrong in it is told like an error.
    assert [] == [each for each in complaints if "422" not in each]


def test_a_customer_answers_the_link_of_a_mail(
    installation: Played, page: Page, browser: Browser, tmp_path: Path
) -> None:
    """S4-17: he opens the link, says what he does not agree with, and the account's explanation shows it."""
    page.goto(installation.link("/a/"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Informar a Acme & Sons")
    expect(page.get_by_text("INV-1")).to_be_visible()
    _shot(page, "choose", folder=tmp_path)
    page.get_by_role("link", name="No estoy de acuerdo").click()
    page.get_by_role("button", name="Enviar").click()  # too early: what is missing is said, and linked
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Elija al menos un documento.")
    alert.get_by_role("link", name="Elija por qué.").click()
    expect(page.get_by_label("Por qué")).to_be_focused()
    _shot(page, "missing", folder=tmp_path)
    page.get_by_label("INV-1").check()
    page.get_by_label("Por qué").select_option("Defectuoso o incompleto")
    page.get_by_label("Mensaje").fill("Una caja llegó mojada.")
    page.get_by_label("Archivos").set_input_files(
        {"name": "foto.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n a photo"}
    )
    _shot(page, "filled", folder=tmp_path)
    page.get_by_role("button", name="Enviar").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Gracias, recibimos su respuesta")
    _shot(page, "said", folder=tmp_path)
    page.reload()  # asks nothing again
    installation.rest()
    explained = installation.run("explain", "acme:C-1", "--language", "es").stdout
    assert 1 == explained.count("no está de acuerdo, INV-1, Defectuoso o incompleto, Una caja llegó mojada.")
    assert "foto.png" in installation.run("answers", "list", "acme:C-1", "--format", "csv").stdout


def test_the_keyboard_is_enough(installation: Played, page: Page) -> None:
    """From the first to the last control by the tabulator, in the order of reading; Enter sends."""
    page.goto(installation.link("/a/") + "?say=other")
    page.locator("#document-1").focus()
    reached = []
    for _ in range(7):
        reached.append(page.locator(":focus").get_attribute("id") or page.locator(":focus").inner_text())
        page.keyboard.press("Tab")
    assert ["document-1", "document-2", "text", "by", "reach", "files", "Enviar"] == reached
    page.get_by_label("Mensaje").fill("Llámenme, por favor.")
    page.get_by_role("button", name="Enviar").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Gracias, recibimos su respuesta")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path",
    ["", "?say=paid", "?say=will_pay", "?say=dispute", "?say=wrong_person", "?say=other", "?said=paid"],
)
def test_nobody_is_left_out(
    installation: Played, browser: Browser, path: str, scheme: Literal["light", "dark"]
) -> None:
    """Axe finds nothing on any page, by day or by night, and nothing is wider than a telephone."""
    # Axe is a script of its own, which our policy would not let in: it is let in for the test.
    context = browser.new_context(bypass_csp=True, viewport=_NARROW, color_scheme=scheme)
    page = context.new_page()
    page.goto(installation.link("/a/") + path)
    _look(page)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_who_comes_in_vain_is_not_left_out(
    installation: Played, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    """Axe finds nothing on the page to stop messages, on a form that came back, nor where a link leads nowhere (any more)."""
    context = browser.new_context(bypass_csp=True, viewport=_NARROW, color_scheme=scheme)
    page = context.new_page()
    page.goto(installation.link("/u/"))
    _look(page)
    page.goto(installation.link("/a/") + "?say=dispute")
    page.get_by_role("button", name="Enviar").click()
    expect(page.get_by_role("alert")).to_be_visible()
    _look(page)
    for purpose in ("a", "u", "d", "l"):
        answer = page.goto(f"{installation.web}/{purpose}/none")
        assert answer is not None
        assert 404 == answer.status, purpose
        _look(page)
    context.close()


def _look(page: Page) -> None:
    found = Axe().run(page)
    assert 0 == found.violations_count, found.generate_report()
    assert _NARROW["width"] >= page.evaluate("document.documentElement.scrollWidth")


def test_messages_are_stopped_by_a_button(installation: Played, page: Page, tmp_path: Path) -> None:
    """Looking stops nothing; the button does, and says so."""
    page.goto(installation.link("/u/"))
    before = installation.commands()
    _shot(page, "stop", folder=tmp_path)
    page.get_by_role("button", name="Dejar de recibir estos mensajes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Listo")
    installation.rest()
    assert before + 1 == installation.commands()


def _shot(page: Page, name: str, *, folder: Path) -> None:
    for kept in filter(None, (str(folder), os.environ.get("COBRANZA_SCREENSHOTS", ""))):
        page.screenshot(path=Path(kept) / f"{name}.png", full_page=True)

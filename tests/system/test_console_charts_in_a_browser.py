"""Charts and the progress of a batch in a real browser, under the policy that the console is served with.

ECharts draws SVG over the table, complains of nothing, and the policy stops nothing; what axe finds fails the test.
Screenshots are in ``COBRANZA_SCREENSHOTS`` where that is set.
"""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine

from console.web.inside.app import inside_app
from infra.database.engine import writing
from infra.database.print_runs import PrintRuns
from infra.database.tables import outcomes
from tests.console.inside.desk import PASSWORD, Desk
from tests.console.inside.test_letters import damaged
from tests.console.inside.test_processing import STORY
from tests.console.inside.test_reminders import job_of
from tests.notifiers.paper.printing import printing
from tests.system.by_keyboard import Keyboard

pytestmark = pytest.mark.packages


@pytest.fixture
def address(sqlite_engine: Engine, tmp_path: Path) -> Iterator[str]:
    """Serve the console over a story: one was reminded, two wait for a person, and some mails came back."""
    desk = Desk(sqlite_engine, tmp_path, STORY)
    desk.now = desk.now.replace(month=2, day=5)
    for language in ("en", "es", "pt"):
        desk.employ(f"bea-{language}", role="approver", language=language)
    job_of(desk, "acme:C3")
    doubt = {"state": "unknown", "channel": "sms", "provider": "relay", "recipient": "+12025550123"}
    job_of(desk, "acme:C3", **doubt, error_type="interrupted", detail="cut off", subject="Two invoices")
    damaged(desk, "r2", account="acme:C2")
    damaged(desk, "r3", "r4", whole="", account="acme:C2")  # of a run that waits
    PrintRuns(desk.engine).close(now=desk.now)
    printing(desk.engine, desk.folder / "print-runs").tend()
    with writing(desk.engine) as connection:
        for number, error in enumerate(("address_bounced", "address_bounced", "cap_reached")):
            connection.execute(
                outcomes.insert().values(
                    reminder=f"r{number}",
                    channel="email",
                    status="failed",
                    account="acme:C1",
                    occurred_at=f"2026-02-0{4 - number // 2}T15:00:00+00:00",
                    provider_id="",
                    error_type=error,
                    detail="",
                    partition=0,
                    record_offset=number,
                )
            )
    config = uvicorn.Config(inside_app(desk.parts), port=0, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    until = time.monotonic() + 30
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def opened(
    browser: Browser, address: str, *, language: str, width: int, complaints: list[str], dark: bool
) -> Page:
    """Log in; what the browser complains of (also of the policy) is kept."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
    )
    page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{address}/login")
    page.locator("input[name=user]").fill(f"bea-{language}")
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main button").first.click()
    return page


@pytest.mark.parametrize("seen", [("es", 1280, False), ("en", 360, True), ("pt", 1280, True)])
def test_charts_are_drawn_under_the_policy(
    browser: Browser, address: str, tmp_path: Path, seen: tuple[str, int, bool]
) -> None:
    """S4-20, S4-21: two drawings with their totals, over tables; nothing is stopped, nothing is to be mended for readers, nor on the pages
    of what is in doubt and of letters that are not printed, which are used by keyboard, too.
    """
    complaints: list[str] = []
    language, width, dark = seen
    page = opened(browser, address, language=language, width=width, complaints=complaints, dark=dark)
    page.goto(f"{address}/reminders")
    expect(page.locator(".drawing svg")).to_have_count(2)
    # As the total on top of its day; where there is room, on the axis as well.
    twos = page.locator(".drawing").nth(1).get_by_text("2", exact=True)
    expect(twos).to_have_count(2 if width > 600 else 1)
    box = page.locator(".drawing svg").first.bounding_box()
    assert box is not None
    assert (box["width"] > 250, box["height"] > 200) == (True, True)
    _shot(page, f"{language}-{width}-reminders", folder=tmp_path)
    _look(page)
    page.goto(f"{address}/doubts")  # with something in it, which a run where all goes well has not
    expect(page.locator("main section")).to_contain_text("cut off")
    assert width >= page.evaluate("document.documentElement.scrollWidth")
    _look(page)
    page.goto(f"{address}/letters")
    expect(page.locator("main section").first).to_contain_text("C2-first-r2.pdf")
    expect(page.locator("main section").last).to_contain_text("acme-000002")
    page.locator("summary").last.click()
    assert width >= page.evaluate("document.documentElement.scrollWidth")
    _shot(page, f"{language}-{width}-letters", folder=tmp_path)
    _look(page)
    keyboard = Keyboard()
    for path in ("/doubts", "/letters") if language == "es" else ():  # keys are the same in every language
        page.goto(address + path)
        keyboard.walk(page, path)
    assert [] == keyboard.problems
    assert [] == complaints
    page.context.close()


def test_a_batch_is_followed_by_keyboard_to_its_end(browser: Browser, address: str, tmp_path: Path) -> None:
    """The bar moves by itself under the policy: htmx asks again until all is done, and then for the list."""
    complaints: list[str] = []
    page = opened(browser, address, language="es", width=1280, complaints=complaints, dark=False)
    page.goto(f"{address}/process?verb=log&accounts=acme:C1&accounts=acme:C2")
    page.get_by_label("Observaciones").fill("No contestan.")
    page.get_by_label("Observaciones").press("Tab")
    page.get_by_role("button", name="Ingresar registro").press("Enter")
    expect(page.get_by_text("2 de 2 hechos")).to_be_visible()
    expect(page.locator("#lines tbody tr").filter(has_text="hecho")).to_have_count(2)
    _shot(page, "es-1280-batch", folder=tmp_path)
    _look(page)
    assert [] == complaints
    page.context.close()


def _look(page: Page) -> None:
    found = Axe().run(page)
    assert 0 == found.violations_count, found.generate_report()


def _shot(page: Page, name: str, *, folder: Path) -> None:
    target = Path(os.environ.get("COBRANZA_SCREENSHOTS", folder))
    target.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=target / f"console-{name}.png", full_page=True)

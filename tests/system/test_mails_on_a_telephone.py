"""Mails on a telephone: nothing of them lies beyond its screen, and sums stand under what they are of."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from notifiers.writing.render import Renderer
from notifiers.writing.samples import sample_reminder

pytestmark = pytest.mark.packages

_WIDTH = 360
# How many tables have amounts that do not end where the others of the table do.
_CROOKED = """() => [...document.querySelectorAll("table.list")].filter(table => new Set(
    [...table.rows].map(row => row.querySelector(".figure:last-child"))
        .filter(cell => cell !== null).map(cell => Math.round(cell.getBoundingClientRect().right))
).size > 1).length"""


@pytest.mark.parametrize("language", ["es", "en", "pt"])
def test_a_mail_fits_the_screen_of_a_telephone(browser: Browser, tmp_path: Path, language: str) -> None:
    """Nobody scrolls to the side to see what he owes."""
    mail = tmp_path / "mail.html"
    mail.write_text(Renderer().message(sample_reminder(kind="third", language=language), "email").html)
    page = browser.new_page(viewport={"width": _WIDTH, "height": 800})
    page.goto(mail.as_uri())
    found = (page.evaluate("document.documentElement.scrollWidth"), page.evaluate(_CROOKED))
    page.screenshot(path=tmp_path / "mail.png", full_page=True)
    page.close()
    assert (_WIDTH, 0) == found

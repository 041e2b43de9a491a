"""Somebody at a desk: a browser's page in his language, and what he does on it: opens, reads, fills in, presses."""

import datetime
import os
import re
from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from console.web.inside.showing import words_of
from notifiers.writing.figures import amount_text, short_day_text
from processors.money import to_minor
from tests.system.console_house import House
from tests.system.house_story import COMPANIES, KINDS, NAMES, account_of

__all__ = ["WIDE", "Desk"]

WIDE: Final[ViewportSize] = {"width": 1280, "height": 800}
_LOOKS_MAX: Final = 100


class Desk:
    """Ana's, who may do everything in the company of her language; ``complaints`` are the browser's.

    One browser is used for all journeys of a language: a journey begins by opening a page.
    """

    def __init__(self, house: House, browser: Browser, language: str, *, folder: Path) -> None:
        self.house, self.browser, self.language, self._folder = house, browser, language, folder
        self.w: Any = words_of(language)
        self.company, self.company_name = COMPANIES[language].company, COMPANIES[language].name
        self.context = house.arrive(browser, f"ana-{language}", viewport=WIDE, locale=language)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self._listen(self.page)

    def _listen(self, page: Page) -> None:
        page.on("console", lambda said: self.complaints.append(said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def account(self, kind: str) -> str:
        """Give the account of the customer to whom something has happened."""
        return account_of(kind, language=self.language)

    def document(self, kind: str, number: int) -> str:
        """Give a document's id."""
        return f"{kind}-{self.language}-{number}"

    def name(self, kind: str) -> str:
        """Give a customer's name."""
        return NAMES[self.language][KINDS.index(kind)]

    def money(self, amount: str) -> str:
        """Write an amount as the pages do."""
        currency = COMPANIES[self.language].currency
        return amount_text(to_minor(amount, currency=currency), currency=currency, language=self.language)

    def day(self, on: datetime.date) -> str:
        """Write a day as the pages do."""
        return short_day_text(on, language=self.language)

    # -- opening and reading ------------------------------------------------------------

    def open(self, path: str) -> None:
        """Open a page by its address."""
        self.page.goto(path)

    def open_customer(self, kind: str, path: str = "") -> None:
        """Open a customer's page, or one below it."""
        self.page.goto(f"/customers/{self.account(kind)}{path}")

    def open_settings(self, path: str = "") -> None:
        """Open a page of the company's settings."""
        self.page.goto(f"/settings/{self.company}{path}")

    def sees(self, *texts: str) -> None:
        """Look for texts; each must be on the page."""
        for text in texts:
            expect(self.page.locator("main")).to_contain_text(text)

    def sees_not(self, *texts: str) -> None:
        """Look for texts; none of them may be on the page."""
        for text in texts:
            expect(self.page.locator("main")).not_to_contain_text(text)

    def is_titled(self, text: str) -> None:
        """Read the heading."""
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(text)

    def row(self, text: str) -> Locator:
        """Find the row of a table that has a text."""
        return self.page.locator("tbody tr").filter(has_text=text).first

    def table(self, label: str) -> Locator:
        """Find the table that has a name."""
        return self.page.get_by_role("region", name=label, exact=True).first

    def figures(self, title: str) -> dict[str, dict[str, str]]:
        """Unfold the table of a chart and read it: by the heads of its rows and of its columns."""
        figure = self._chart(title)
        figure.locator("summary").click()
        expect(figure.locator("table")).to_be_visible()
        read = "table => [...table.rows].map(row => [...row.cells].map(cell => cell.textContent.trim()))"
        heads, *rows = figure.locator("table").evaluate(read)
        return {row[0]: dict(zip(heads[1:], row[1:], strict=True)) for row in rows}

    def drawn(self, title: str) -> Locator:
        """Look at a chart as it is drawn; who does not see it is told what it is."""
        drawing = self._chart(title).locator(".drawing")
        expect(drawing.locator("svg")).to_be_visible()
        expect(drawing).to_have_attribute("role", "img")
        expect(drawing).to_have_attribute("aria-label", title)
        return drawing

    def _chart(self, title: str) -> Locator:
        return self.page.locator("figure").filter(has=self.page.locator("figcaption", has_text=title))

    def posted(self, kind: str, *, channel: str = "email", step: str = "*") -> list[Path]:
        """List what carriers have for a customer."""
        return self.house.posted(self.account(kind), channel=channel, step=step)

    def mail(self, kind: str, *, step: str = "*") -> EmailMessage:
        """Open the one mail of a level that has gone to a customer."""
        [mail] = self.mails(kind, step=step)
        return mail

    def mails(self, kind: str, *, step: str = "*") -> list[EmailMessage]:
        """Open the mails of a level that have gone to a customer."""
        return [
            message_from_bytes(path.read_bytes(), policy=policy.default)
            for path in self.posted(kind, step=step)
        ]

    def text(self, mail: EmailMessage) -> str:
        """Read a mail as a program without HTML shows it."""
        body = mail.get_body(("plain",))
        assert body is not None
        text: str = body.get_content()
        return text

    def link(self, mail: EmailMessage, purpose: str) -> str:
        """Find the one link of a purpose in a mail: ``a`` to answer, ``u`` for no more messages, ``d`` a document."""
        [found] = set(re.findall(rf"{self.house.played.web}/{purpose}/[^\s>]+", self.text(mail)))
        return str(found)

    def done(self) -> None:
        """Read that what was asked for is there; a page that is behind is loaded again, as it says."""
        said = self.page.locator(".done[role=status], .late[role=status]").first
        expect(said).to_be_visible()
        if "late" in (said.get_attribute("class") or ""):
            self.page.reload()
        expect(self.page.locator(".done[role=status]").first).to_be_visible()

    def file(self, path: str, *, begins: bytes) -> bytes:
        """Fetch a file, as a click on its link would; also from a billing system whose certificate is a test's."""
        answer = self.context.request.get(path, ignore_https_errors=True)
        assert 200 == answer.status, f"{path}: {answer.status}"
        content = answer.body()
        assert content.startswith(begins), f"{path}: {content[:20]!r}"
        return content

    def shot(self, name: str, *, page: Page | None = None, whole: bool = False) -> None:
        """Keep what is seen: in the test's folder, and in ``COBRANZA_SCREENSHOTS`` where that is set."""
        for kept in filter(None, (str(self._folder), os.environ.get("COBRANZA_SCREENSHOTS", ""))):
            where = Path(kept) / f"{name}-{self.language}.png"
            (page or self.page).screenshot(path=where, full_page=whole or page is not None)

    # -- doing --------------------------------------------------------------------------

    def follow(self, text: str) -> None:
        """Follow a link."""
        self.page.locator("main").get_by_role("link", name=text, exact=True).first.click()

    def press(self, text: str) -> None:
        """Press a button."""
        self.page.locator("main").get_by_role("button", name=text, exact=True).first.click()

    def filter(self, **fields: str) -> None:
        """Ask a list for some of its lines."""
        self.fill(self.page.locator("main form.filters").first, fields)
        self.press(self.w["today"]["show"])

    def reload_until(self, shown: Locator) -> None:
        """Load the page anew until something is on it."""
        for _ in range(_LOOKS_MAX):
            if shown.is_visible():
                return
            self.page.reload()
        expect(shown).to_be_visible()

    def form(self, action: str, *, having: str = "") -> Locator:
        """Find the form of an act (that ``having`` something), unfolded where it is folded."""
        forms = self.page.locator(f"main form[action$='{action}']")
        found = (forms.filter(has=self.page.locator(having)) if having else forms).first
        button = found.locator("button").last
        if not button.is_visible():
            found.locator("xpath=ancestor::details[1]/summary").click()
        return found

    def fill(self, form: Locator, fields: Mapping[str, str]) -> None:
        """Fill in a form: by name of the field; a choice by its value, a box with a value of ``on``."""
        for name, value in fields.items():
            field = form.locator(f"[name='{name}']").first
            kind = field.evaluate("each => each.tagName === 'SELECT' ? 'select' : each.type")
            if kind == "select":
                field.select_option(value)
            elif kind == "checkbox":
                field.set_checked(value == "on")
            else:
                field.fill(value)

    def ask(self, action: str, *, having: str = "", **fields: str) -> None:
        """Fill in the form of an act and send it; what is asked for is there."""
        form = self.form(action, having=having)
        self.fill(form, fields)
        form.locator("button").last.click()
        self.done()

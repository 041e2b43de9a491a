"""A customer with a real browser: the link in a mail, the form, the answer; without scripts, on a telephone, for everybody.

In three languages on SQLite, in one on PostgreSQL. Axe looks for what a screen reader would stumble over. Screenshots are
in the test's folder, and in ``COBRANZA_SCREENSHOTS`` where that is set.
"""

import datetime
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Final, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect

from console.web.outside.words import Words, words_of
from schemas.answers import AnswerKind
from tests.system.by_keyboard import Keyboard
from tests.system.desks import Desk
from tests.system.house_story import DUE

pytestmark = pytest.mark.packages
_NARROW: Final[ViewportSize] = {"width": 360, "height": 740}
_DAY: Final = datetime.timedelta(days=1)
_PHOTO: Final = b"\x89PNG\r\n\x1a\n a photo"
# Who answers what: each has had a mail of the first level, on DUE, which is the day that its page goes by in a play.
_ANSWERS: Final[dict[AnswerKind, str]] = {
    "paid": "dunned",
    "will_pay": "banked",
    "dispute": "promised",
    "wrong_person": "agreed",
}


def _mail(desk: Desk, kind: str) -> EmailMessage:
    return desk.mails(kind, step="first")[0]


@pytest.fixture
def page(desk: Desk) -> Iterator[Page]:
    """Give a page without JavaScript, on a telephone; what the browser complains of fails the test."""
    context = desk.browser.new_context(java_script_enabled=False, viewport=_NARROW, locale="de-DE")
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda said: complaints.append(said.text))
    opened.on("requestfailed", lambda request: complaints.append(request.url))
    yield opened
    context.close()
    # That a form came back with what is wrong in it is told like an error.
    assert [] == [each for each in complaints if "422" not in each]


def test_customers_answer_the_link_of_a_mail(desk: Desk, page: Page) -> None:
    """S4-17, B-21: "Infórmalo aquí": I have paid, I will pay on a day, I do not agree, with a photo, the wrong person; it stands with
    the message and among the tasks, does what the company allows, and goes by mail, with the file, to the address that it has set.
    """
    words = words_of(desk.language)
    promised = desk.house.today + 5 * _DAY
    days = {"paid": DUE, "will_pay": promised}
    for kind in _ANSWERS:
        _answer(desk, page, words, kind, on=days.get(kind))
    desk.house.played.rest()
    desk.open("/tasks")
    for kind, who in _ANSWERS.items():
        row = desk.page.locator("tbody tr").filter(has_text=desk.account(who))
        expect(row.filter(has_text=desk.w["task_types"][f"answer_{kind}"])).to_have_count(1)
    desk.shot("answered")
    desk.open_customer("banked")
    agreed = desk.page.locator("main section").filter(has=desk.page.locator("#agreed"))
    expect(agreed).to_contain_text(desk.day(promised))
    desk.open_customer("promised")
    expect(agreed).to_contain_text(words.reasons["faulty"])
    sent = desk.page.locator("section").filter(has=desk.page.locator("#sent"))
    sent.get_by_role("link", name=desk.w["levels"]["first"], exact=True).first.click()
    answered = desk.page.locator("section").filter(has=desk.page.locator("#answers"))
    expect(answered).to_contain_text(desk.w["answer_kinds"]["dispute"])
    expect(answered).to_contain_text(_text(desk, "dispute"))
    desk.house.pass_day()
    for kind, who in _ANSWERS.items():
        told = desk.mail(who, step="answer")
        assert f"desk@{desk.company}.test" in told["To"]
        assert _text(desk, kind) in desk.text(told)
        files = [(each.get_filename(), each.get_content()) for each in told.iter_attachments()]
        assert ([("photo.png", _PHOTO)] if kind == "dispute" else []) == files


def _text(desk: Desk, kind: str) -> str:
    return f"Una caja llegó mojada ({kind}, {desk.language})."


def _answer(desk: Desk, page: Page, words: Words, kind: AnswerKind, *, on: datetime.date | None) -> None:
    """Open the link of a mail, choose, press too early, fill in what is missing, send; loaded again it asks nothing again."""
    who = _ANSWERS[kind]
    page.goto(desk.link(_mail(desk, who), "a"))
    title = words.answer_title.format(company=desk.company_name)
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_text(desk.document(who, 1))).to_be_visible()
    if kind == "dispute":
        desk.shot("reader-choose", page=page)
    page.get_by_role("link", name=words.choices[kind]).click()
    page.locator("#text").fill(_text(desk, kind))
    if on is not None:
        page.locator("button").click()
        expect(page.get_by_role("alert")).to_contain_text(words.errors["on"])
        page.locator("#on").fill(on.isoformat())
    if kind == "dispute":
        _dispute_something(desk, page, words)
    page.locator("button").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(words.said_title)
    expect(page.locator("main")).to_contain_text(words.said[kind])
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text(words.said_title)


def _dispute_something(desk: Desk, page: Page, words: Words) -> None:
    """Say too little: what is missing is said, and linked; then say of which document, why, and with a file."""
    page.locator("button").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(words.errors["documents"])
    alert.get_by_role("link", name=words.errors["reason"]).click()
    expect(page.locator("#reason")).to_be_focused()
    desk.shot("reader-missing", page=page)
    expect(page.locator("#text")).to_have_value(_text(desk, "dispute"))
    page.get_by_label(desk.document("promised", 1)).check()
    page.locator("#reason").select_option(words.reasons["faulty"])
    page.locator("#files").set_input_files({"name": "photo.png", "mimeType": "image/png", "buffer": _PHOTO})


def test_documents_of_a_mail_are_had_by_their_links(desk: Desk, page: Page) -> None:
    """B-06, S4-14: the invoice itself, and the whole message as a PDF, from the page that the mail leads to."""
    words = words_of(desk.language)
    page.goto(desk.link(_mail(desk, "paying"), "a"))
    whole = page.get_by_role("link", name=words.letter).get_attribute("href")
    desk.file(str(whole), begins=b"%PDF")
    invoice = page.get_by_role("link", name=desk.document("paying", 1)).get_attribute("href")
    answer = page.request.get(str(invoice), max_redirects=0)
    place = f"https://invoices.test/{desk.document('paying', 1)}.pdf"
    assert (303, place) == (answer.status, answer.headers["location"])


# Keys are the same in every language.
@pytest.mark.parametrize("desk", ["es"], indirect=True)
def test_the_keyboard_is_enough(desk: Desk, page: Page) -> None:
    """From the first to the last control by the tabulator, in the order of reading; Enter sends."""
    page.goto(desk.link(_mail(desk, "paying"), "a") + "?say=other")
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


_PATHS: Final = (
    "",
    *(f"?say={each}" for each in ("paid", "will_pay", "dispute", "wrong_person", "other")),
    "?said=paid",
)


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_nobody_is_left_out(desk: Desk) -> None:
    """Axe finds nothing on any page, by day or by night, nothing is wider than a telephone, and the keyboard reaches all."""
    page, keyboard = _everybodys(desk.browser), Keyboard()
    link = desk.link(_mail(desk, "paying"), "a")
    for path in _PATHS:
        page.goto(link + path)
        _look(page, desk)
        if desk.language == "es":  # keys are the same in every language
            keyboard.walk(page, path)
    page.context.close()
    assert [] == keyboard.problems


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_who_comes_in_vain_is_not_left_out(desk: Desk) -> None:
    """Axe finds nothing on the page to stop messages, on a form that came back, nor where a link leads nowhere (any more)."""
    page, mail = _everybodys(desk.browser), _mail(desk, "paying")
    page.goto(desk.link(mail, "u"))
    _look(page, desk)
    page.goto(desk.link(mail, "a") + "?say=dispute")
    page.locator("button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    _look(page, desk)
    for purpose in ("a", "u", "d", "l"):
        answer = page.goto(f"{desk.house.played.web}/{purpose}/none")
        assert answer is not None
        assert 404 == answer.status, purpose
        _look(page, desk)
    page.context.close()


def _everybodys(browser: Browser) -> Page:
    # Axe is a script of its own, which our policy would not let in: it is let in for the test.
    return browser.new_context(bypass_csp=True, viewport=_NARROW).new_page()


def _look(page: Page, desk: Desk) -> None:
    # Words have no colours of their own: in one language both schemes are looked at.
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark") if desk.language == "es" else ("light",)
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page)
        assert 0 == found.violations_count, found.generate_report()
    assert _NARROW["width"] >= page.evaluate("document.documentElement.scrollWidth")


def test_messages_are_stopped_by_a_button(desk: Desk, page: Page) -> None:
    """Looking stops nothing; the button does, and says so; the customer's page has it, too."""
    words = words_of(desk.language)
    before = desk.house.played.commands()
    page.goto(desk.link(_mail(desk, "paying"), "u"))
    desk.shot("reader-stop", page=page)
    assert before == desk.house.played.commands()
    page.get_by_role("button", name=words.unsubscribe_button).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(words.unsubscribed_title)
    desk.house.played.rest()
    assert before + 1 == desk.house.played.commands()
    desk.open_customer("paying")
    desk.sees(desk.w["customer"]["opted_out"].format(channel=desk.w["channels"]["email"]))

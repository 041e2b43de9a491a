"""Ways to pay, what is owed by age, ways to answer and to stop: in mails as text and as HTML, and in letters, in each language."""

import html
import io
import re

import msgspec
import pypdf
import pytest

from notifiers.writing.render import MESSAGE_KINDS, Renderer
from notifiers.writing.samples import SampleLinks, sample_reminder
from notifiers.writing.words import LANGUAGES, words_of
from schemas.facts import ReminderDecided, Total

RENDERER = Renderer(links=SampleLinks())
PAY = "https://pay.example.com/"


def made(language: str = "en", kind: str = "second", **changes: object) -> ReminderDecided:
    """Make a reminder of two currencies."""
    return msgspec.structs.replace(sample_reminder(kind=kind, language=language), **changes)


def forms(reminder: ReminderDecided) -> dict[str, str]:
    """Give what a reader sees: of the mail's text, its HTML and the letter."""
    mail, letter = RENDERER.message(reminder, "email"), RENDERER.message(reminder, "letter")
    page = html.unescape(re.sub(r"<[^>]+>", " ", mail.html))
    pages = pypdf.PdfReader(io.BytesIO(letter.pdf)).pages
    printed = " ".join(each.extract_text() for each in pages).replace("\u200b", "")
    return {
        name: " ".join(text.split())
        for name, text in {"text": mail.text, "html": page, "letter": printed}.items()
    }


def buttons(reminder: ReminderDecided) -> dict[str, list[str]]:
    """Give what leads to the payment page: in HTML by what stands on it, and the addresses of the text."""
    mail = RENDERER.message(reminder, "email")
    found = re.findall(rf'href="({PAY}[^"]*)"[^>]*>([^<]*)</a>', mail.html)
    urls = sorted({html.unescape(url) for url, _ in found})
    assert urls == sorted(set(re.findall(rf"{PAY}\S*", mail.text)))
    return {html.unescape(label).replace("\N{NO-BREAK SPACE}", " "): [] for _, label in found} | {
        "urls": urls
    }


AGES = {
    "en": ("By age", "not due", "1–30 days", "over 90 days", "$1,576.06", "CLP 459,900"),
    "es": ("Por antigüedad", "por vencer", "1–30 días", "más de 90 días", "1.576,06 US$", "459.900 CLP"),
    "pt": ("Por antiguidade", "a vencer", "1–30 dias", "mais de 90 dias", "US$ 1.576,06", "CLP 459.900"),
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_owed_by_age(language: str) -> None:
    """S4-13: the buckets with the amount of each currency, in all three forms; R23: no sum over currencies."""
    missing = {
        name: [each for each in AGES[language] if each not in text]
        for name, text in forms(made(language)).items()
    }
    assert {"text": [], "html": [], "letter": []} == missing


def test_one_bucket_is_no_table() -> None:
    """Where everything is of one age the total has said it."""
    assert [] == [name for name, text in forms(made(others=())).items() if "By age" in text]


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_button_pays_the_message(language: str) -> None:
    """A link without an amount is one button in HTML, and an address in the text and on paper."""
    reminder = made(language, payment_link=f"{PAY}{{customer}}?r={{reminder}}")
    label = words_of(language).pay_now
    assert {label: [], "urls": [f"{PAY}C-100?r={reminder.id}"]} == buttons(reminder)
    assert f"{PAY}C-100?r={reminder.id}" in forms(reminder)["letter"].replace(" ", "")


def test_a_link_that_says_the_amount_is_a_button_per_currency() -> None:
    """R23: nobody pays the sum of pesos and dollars."""
    reminder = made(payment_link=f"{PAY}?a={{amount}}&c={{currency}}")
    urls = [f"{PAY}?a=1576.06&c=USD", f"{PAY}?a=459900&c=CLP"]
    assert {"Pay CLP 459,900": [], "Pay $1,576.06": [], "urls": urls} == buttons(reminder)


def test_a_link_that_names_a_document_stands_beside_each() -> None:
    """Several documents: one link each, of what is asked of it; what is in dispute or paid is not asked."""
    reminder = made(payment_link=f"{PAY}{{document}}?a={{amount}}")
    urls = [f"{PAY}F-10023?a=1250.56", f"{PAY}F-10031?a=325.50", f"{PAY}F-10032?a=459900"]
    assert urls == buttons(reminder)["urls"]
    one = msgspec.structs.replace(
        reminder, items=reminder.items[:1], totals=(Total(currency="USD", amount_minor=125_056),)
    )
    assert [f"{PAY}F-10023?a=1250.56"] == buttons(one)["urls"]


def test_names_cannot_lead_elsewhere() -> None:
    """Each value is encoded whole: a customer's name is no host, no path and no parameter."""
    reminder = made(payment_link=f"{PAY}p/{{customer}}", customer="../../x?a=1&b=2#@evil.example")
    assert [f"{PAY}p/..%2F..%2Fx%3Fa%3D1%26b%3D2%23%40evil.example"] == buttons(reminder)["urls"]


@pytest.mark.parametrize("link", ["http://pay.example.com/", "javascript:alert(1)", "https://{customer}/"])
def test_a_link_that_cannot_be_is_not_there(link: str) -> None:
    """What validation would have refused leads nowhere either."""
    assert {"urls": []} == buttons(made(payment_link=link))


@pytest.mark.parametrize("kind", MESSAGE_KINDS)
def test_who_asks_for_no_money_has_no_button(kind: str) -> None:
    """A thanks, a correction and a note to the desk ask for none; an invoice and a statement do."""
    found = buttons(made(kind=kind, payment_link=PAY))["urls"]
    step = sample_reminder(kind=kind, language="en").step
    assert ([] if step in ("payment_received", "correction", "answer") else [PAY]) == found


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_the_reader_answers_and_stops_mails(language: str) -> None:
    """S4-17: where the reader says what is the matter, in all three forms; a mail ends with the way to stop mails."""
    reminder = made(language)
    label = words_of(language).report
    assert [] == [name for name, text in forms(reminder).items() if label not in text]
    mail = RENDERER.message(reminder, "email")
    for url in (
        f"https://pages.example/a/email-{reminder.id}",
        f"https://pages.example/u/email-{reminder.id}",
    ):
        assert f'href="{url}"' in mail.html
        assert url in mail.text
    assert mail.unsubscribe_url == f"https://pages.example/u/email-{reminder.id}"
    bare = Renderer().message(reminder, "email")
    assert "" == bare.unsubscribe_url
    assert label not in bare.text + bare.html

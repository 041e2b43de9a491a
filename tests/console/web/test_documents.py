"""What a reader can have by a link (S1-26, S4-14 … S4-16): his documents, and the message as a letter."""

import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from console.web.outside.documents import PrintedMessages
from console.web.outside.making import copies_of, press_of
from infra.settings import Settings
from notifiers.assembly import DOCUMENTS
from notifiers.channel import Attachment
from notifiers.enclosing.store import DocumentStore
from schemas.facts import ReminderDecided
from tests.console.web.reader import Reader
from tests.notifiers.sending import RENDERER, reminder


@pytest.fixture
def reader(sqlite_engine: Engine, tmp_path: Path) -> Reader:
    """Give a reader with a browser."""
    return Reader(sqlite_engine, tmp_path)


def made(**urls: str) -> ReminderDecided:
    """Make a message whose first document is to be had."""
    plain = reminder("r1", mode="live")
    return replace(plain, items=(replace(plain.items[0], **urls), *plain.items[1:]))


def test_a_document_is_where_the_billing_system_has_it(reader: Reader) -> None:
    """The page leads to our address; where nothing may be fetched from its host, that leads to the document."""
    message = made(pdf_url="https://billing.example/F-10023.pdf", xml_url="https://billing.example/F.xml")
    page = reader.browser.get(reader.got(message)).text
    path = reader.document(message, item="F-10023")
    assert f"https://pay.example{path}" in page
    answer = reader.browser.get(path)
    assert (303, "https://billing.example/F-10023.pdf") == (answer.status_code, answer.headers["location"])


def test_a_link_that_is_over_leaves_no_open_address(reader: Reader) -> None:
    """A document is passed on, and its reader never told where it is kept; what cannot be had now is asked for again later."""
    url = "https://billing.example/F-10023.pdf"
    message = made(pdf_url=url, xml_url="https://billing.example/F.xml")
    reader.got(message)
    path = reader.document(message, item="F-10023")
    reader.fetched_from = (url,)
    answer = reader.browser.get(path)
    assert 503 == answer.status_code
    assert "billing.example" not in answer.text + str(answer.headers)
    reader.copies["F-10023"] = Attachment(name="F.pdf", media_type="application/pdf", content=b"%PDF-own")
    answer = reader.browser.get(path)
    assert (200, b"%PDF-own") == (answer.status_code, answer.content)
    assert "billing.example" not in str(answer.headers)
    assert ("no-store", "no-referrer") == (answer.headers["cache-control"], answer.headers["referrer-policy"])
    reader.now += datetime.timedelta(days=4_000)
    assert 410 == reader.browser.get(path).status_code


def test_of_an_xml_a_readable_document_is_made(reader: Reader) -> None:
    """S4-16: where it can be; else the reader is led to the XML."""
    message = made(xml_url="https://billing.example/F.xml")
    reader.got(message)
    path = reader.document(message, item="F-10023")
    assert "https://billing.example/F.xml" == reader.browser.get(path).headers["location"]
    reader.copies["F-10023"] = Attachment(
        name="F-10023 – copia.pdf", media_type="application/pdf", content=b"%PDF-x"
    )
    answer = reader.browser.get(path)
    assert (200, b"%PDF-x") == (answer.status_code, answer.content)
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''F-10023")
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", ""])
def test_only_addresses_of_the_web_are_led_to(reader: Reader, url: str) -> None:
    """Whatever a billing system says."""
    message = made(pdf_url=url, xml_url=url)
    reader.got(message)
    assert 404 == reader.browser.get(reader.document(message, item="F-10023")).status_code


def test_documents_that_the_message_does_not_show_are_not_there(reader: Reader) -> None:
    """Also with a good signature: it is the message that says what its reader may see."""
    message = made(pdf_url="https://billing.example/F.pdf")
    reader.got(message)
    assert 404 == reader.browser.get(reader.document(message, item="F-99999")).status_code


def test_the_message_is_to_be_had_as_a_letter(reader: Reader) -> None:
    """As a file, under a name that says whose and of when."""
    message = reminder("r1", mode="live")
    page = reader.browser.get(reader.got(message)).text
    path = reader.path(message, purpose="letter")
    assert f"https://pay.example{path}" in page
    answer = reader.browser.get(path)
    assert (200, "application/pdf") == (answer.status_code, answer.headers["content-type"])
    assert answer.headers["content-disposition"].endswith("acme-2012-03-04.pdf")


def test_a_message_is_printed_once() -> None:
    """A link that is opened again and again costs one print; the file is a real PDF."""
    printed: list[str] = []

    def press(message: ReminderDecided) -> bytes:
        printed.append(message.id)
        return RENDERER.message(message, "letter").pdf

    messages = PrintedMessages(press)
    first = messages(reminder("r1"))
    assert first.startswith(b"%PDF-")
    assert first == messages(reminder("r1"))
    messages(reminder("r2"))
    assert ["r1", "r2"] == printed


def test_an_xml_that_was_fetched_becomes_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """S4-16: with what the notifiers have; where nothing may be fetched, or it cannot be, there is none."""
    settings = Settings(data_dir=tmp_path)
    plain = made(xml_url="https://files.example/F.xml")
    now = datetime.datetime.now(datetime.UTC)  # files are as old as the machine says
    assert copies_of(settings, clock=lambda: now)(plain, plain.items[0]) is None
    monkeypatch.setenv("COBRANZA_SEND_DOCUMENTS_HOSTS", "files.example")
    xml = (Path(__file__).parents[2] / "data" / "invoices" / "dte-33.xml").read_bytes()
    store = DocumentStore(tmp_path / DOCUMENTS, kept=datetime.timedelta(hours=1))
    store.keep("https://files.example/F.xml", kind="xml", content=xml)
    copy = copies_of(settings, clock=lambda: now)(plain, plain.items[0])
    assert copy is not None
    assert ("application/pdf", b"%PDF-") == (copy.media_type, copy.content[:5])
    assert copy.name.startswith("F-10023")


def test_a_press_prints_with_the_companys_own_texts(tmp_path: Path) -> None:
    """What was sent as a letter, and what would have been."""
    assert press_of(Settings(data_dir=tmp_path))(reminder("r1")).startswith(b"%PDF-")

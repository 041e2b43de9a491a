"""Codes on letters: what a mail's buttons are, on paper; a telephone reads them, and who has none reads the address."""

import io
import re
import string
import struct
import zlib
from typing import get_args

import msgspec
import pypdf
import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st

from notifiers.paper.codes import code_of
from notifiers.paper.modules import modules_of
from notifiers.writing.render import Renderer
from notifiers.writing.samples import SampleLinks, sample_reminder
from schemas.facts import ReminderDecided, Total
from schemas.fields import LetterLayout
from tests.notifiers.paper.drawing import codes_on

PAY = "https://pay.example.com/{customer}?r={reminder}"


def reminder(language: str = "es", *, link: str = PAY, kind: str = "first") -> ReminderDecided:
    """Make a letter of a company that can be paid on the web."""
    return msgspec.structs.replace(sample_reminder(kind=kind, language=language), payment_link=link)


def text_of(pdf: bytes) -> str:
    """Read a PDF's words; an address may be broken over lines."""
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return " ".join(page.extract_text() for page in pages).replace("\u200b", "")


def test_a_code_is_what_the_standard_draws() -> None:
    """The same modules as the library's, with four of white around; the same address gives the same bytes."""
    url = "https://pay.example.com/C-100?r=r1"
    matrix = segno.make_qr(url, error="m", boost_error=False, mask=4).matrix
    side = len(matrix) + 8
    png = code_of(url)
    assert png == code_of(url)
    assert (side, side) == struct.unpack(">II", png[16:24])
    packed = zlib.decompress(png[png.index(b"IDAT") + 4 : png.index(b"IEND") - 8])
    line = 1 + (side + 7) // 8
    drawn = {
        (x, y)
        for y in range(side)
        for x in range(side)
        if not packed[y * line + 1 + x // 8] >> (7 - x % 8) & 1
    }
    assert drawn == {(x + 4, y + 4) for y, row in enumerate(matrix) for x, module in enumerate(row) if module}


def addresses(made: ReminderDecided) -> list[str]:
    """Give where a letter leads, in the order of its codes."""
    return [
        f"https://pay.example.com/{made.customer}?r={made.id}",
        SampleLinks().answer(made, channel="letter"),
    ]


@pytest.mark.parametrize("layout", get_args(LetterLayout))
@pytest.mark.parametrize("dpi", [100, 150, 300])
def test_a_reader_reads_both_codes_of_a_letter(layout: LetterLayout, dpi: int) -> None:
    """S4-17, B-06: drawn by PDFium and read by ZXing, as coarsely as a fax and as finely as a printer; 24 mm with the white around."""
    made = msgspec.structs.replace(reminder(), letter_layout=layout)
    read = codes_on(Renderer(links=SampleLinks()).message(made, "letter").pdf, dpi=dpi)
    assert addresses(made) == [each.text for each in read]
    assert all(15 < each.side_mm < 24 for each in read)


@pytest.mark.parametrize("length", [26, 84, 180, 287, 400])
def test_a_code_of_any_length_is_read_from_its_letter(length: int) -> None:
    """Up to the longest address that has a code: an office printer's 300 points an inch are enough."""
    link = ("https://pay.example.com/" + "aZ09-_" * 80)[:length]
    read = codes_on(Renderer().message(reminder(link=link), "letter").pdf, dpi=300)
    assert [link] == [each.text for each in read]


@pytest.mark.parametrize("count", [1, 3])
def test_each_amount_has_a_code_of_its_own(count: int) -> None:
    """A link that says how much: one code per currency, each where its words are, and the letter goes on below them."""
    made = reminder(link="https://pay.example.com/?a={amount}&c={currency}&r={reminder}")
    totals = tuple(Total(currency=currency, amount_minor=12345) for currency in ("USD", "EUR", "CLP")[:count])
    made = msgspec.structs.replace(made, totals=totals)
    read = codes_on(Renderer(links=SampleLinks()).message(made, "letter").pdf, dpi=200)
    said = {each.text for each in read}
    amounts = {"USD": "123.45", "EUR": "123.45", "CLP": "12345"}
    assert {
        SampleLinks().answer(made, channel="letter"),
        *(
            f"https://pay.example.com/?a={amounts[each.currency]}&c={each.currency}&r={made.id}"
            for each in totals
        ),
    } == said


@given(st.one_of(
    st.text(string.ascii_letters + string.digits + "-._~:/?#[]@!$&'()*+,;=%", min_size=1, max_size=420),
    st.text(min_size=1, max_size=100),
    st.text(string.digits, min_size=1, max_size=300),
))  # fmt: skip
def test_any_text_is_the_code_that_segno_draws(text: str) -> None:
    """Each module, for each size that links have and beyond, for digits, capitals and other scripts."""
    assert segno_draws(text) == modules_of(text)


@pytest.mark.parametrize("room", [14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331, 362, 412])
def test_each_size_is_filled_to_the_last_byte(room: int) -> None:
    """What just fits, and one more: the next size."""
    for count in (room, room + 1):
        text = ("https://pay.example.com/" + "aZ09-_" * 80)[:count]
        assert segno_draws(text) == modules_of(text)


def segno_draws(text: str) -> list[str]:
    """Draw a code as the library does, which takes its time."""
    matrix = segno.make_qr(text, error="m", boost_error=False, mask=4).matrix
    return ["".join(map(str, row)) for row in matrix]


def test_a_letter_says_where_to_pay_and_where_to_answer() -> None:
    """S4-17, B-06: the company's own payment page, and "Infórmalo aquí", as codes and as addresses."""
    pdf = Renderer(links=SampleLinks()).message(reminder(), "letter").pdf
    said = re.sub(r"\s+", "", text_of(pdf))
    for words in (
        "Pagarahora",
        "https://pay.example.com/C-100",
        "Infórmaloaquí",
        "https://pages.example/a/letter-sample",
    ):
        assert words in said, words


def test_a_letter_without_links_has_no_codes() -> None:
    """Nor has a thanks one to pay by: it asks for no money."""
    plain = text_of(Renderer().message(reminder(link=""), "letter").pdf)
    assert "código" not in plain
    thanks = text_of(Renderer().message(reminder(kind="payment_received"), "letter").pdf)
    assert "pay.example.com" not in thanks


def test_an_address_too_long_for_a_code_stands_there_as_text() -> None:
    """A code so fine would not be read from paper."""
    long = "https://pay.example.com/" + "x" * 500
    said = re.sub(r"\s+", "", text_of(Renderer().message(reminder(link=long), "letter").pdf))
    assert "x" * 100 in said

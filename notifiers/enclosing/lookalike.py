"""A readable document made of an invoice's XML (S4-16): it looks like one, and says on each page that it is not the original."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

import msgspec
import typst
from msgspec import Struct

from notifiers.enclosing.cfdi import RECEIPTS, read_cfdi
from notifiers.enclosing.dte import DOCUMENTS, read_dte
from notifiers.enclosing.invoice_xml import (
    DocumentType,
    InvoiceParty,
    InvoiceXml,
    SumName,
    read_invoice,
)
from notifiers.enclosing.ubl import CREDIT_NOTE, INVOICE, read_ubl
from notifiers.paper.press import PaperError
from notifiers.writing.figures import decimal_text, short_day_text

__all__ = ["LookalikePress", "read_invoice_xml"]

_READERS: Final[dict[str, Callable[[Element], InvoiceXml]]] = {
    **dict.fromkeys((INVOICE, CREDIT_NOTE), read_ubl),
    **dict.fromkeys(DOCUMENTS, read_dte),
    **dict.fromkeys(RECEIPTS, read_cfdi),
}


class _Words(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    warning: str
    made_of: str
    seller: str
    buyer: str
    tax_id: str
    number: str
    issued: str
    due: str
    currency: str
    text: str
    quantity: str
    price: str
    amount: str
    unlisted: str
    notes: str
    seal: str
    page: str
    kinds: dict[DocumentType, str]
    sums: dict[SumName, str]


def read_invoice_xml(content: bytes) -> InvoiceXml:
    """Read an invoice's XML.

    Raises:
        InvoiceXmlError: it is none of those that are known.
    """
    return read_invoice(content, readers=_READERS)


class LookalikePress:
    """Makes look-alikes with a warm typst compiler. Not thread-safe.

    Args:
        layouts: the folder with ``lookalike.typ`` and its words.
    """

    def __init__(self, layouts: Path) -> None:
        self._layouts = layouts
        self._compiler = typst.Compiler(layouts / "lookalike.typ", root=layouts, ignore_system_fonts=True)

    def rebuild(self, content: bytes, *, language: str, made_at: datetime.datetime) -> bytes:
        """Give a PDF of an invoice's XML; the same input gives the same bytes.

        Args:
            content: the XML.
            language: the reader's; figures and labels are written in it.
            made_at: the creation time noted in the file.

        Raises:
            InvoiceXmlError: it cannot be read.
            PaperError: typst refuses.
        """
        invoice = read_invoice_xml(content)
        data = msgspec.json.encode(_page(invoice, language=language, layouts=self._layouts)).decode()
        try:
            pdf = self._compiler.compile(
                format="pdf", sys_inputs={"document": data}, pdf_standards="ua-1", timestamp=made_at
            )
        except typst.TypstError as error:
            raise PaperError(str(error)) from error
        if not isinstance(pdf, bytes):
            raise PaperError("typst gave no single PDF")
        return pdf


def _page(invoice: InvoiceXml, *, language: str, layouts: Path) -> dict[str, object]:
    """Write all figures and labels: the layout places them."""
    words = _words_of(layouts, language.partition("-")[0])
    facts = (
        (words.number, invoice.number),
        (words.issued, _day(invoice.issued_on, language=language)),
        (words.due, _day(invoice.due_on, language=language)),
        (words.currency, invoice.currency),
    )
    return {
        "language": language.partition("-")[0],
        "warning": words.warning,
        "made_of": words.made_of.format(standard=invoice.standard),
        "title": f"{words.kinds[invoice.kind]} {invoice.number}".strip(),
        "facts": [fact for fact in facts if fact[1]],
        "parties": [
            _party(words.seller, invoice.seller, words=words),
            _party(words.buyer, invoice.buyer, words=words),
        ],
        "heads": (words.text, words.quantity, words.price, words.amount),
        "lines": [
            (
                each.text,
                " ".join(filter(None, (_figure(each.quantity, language=language), each.unit))),
                _figure(each.price, language=language),
                _figure(each.amount, language=language),
            )
            for each in invoice.lines
        ],
        "unlisted": words.unlisted.format(count=invoice.unlisted) if invoice.unlisted else "",
        "sums": [
            (
                f"{words.sums[each.name]} {each.detail}".strip(),
                _figure(each.amount, language=language),
                each.name in ("total", "payable"),
            )
            for each in invoice.sums
        ],
        "notes_head": words.notes,
        "notes": invoice.notes,
        "seal": f"{words.seal}: {invoice.seal}" if invoice.seal else "",
        "page": words.page,
    }


def _party(role: str, party: InvoiceParty, *, words: _Words) -> dict[str, object]:
    tax_id = (f"{words.tax_id}: {party.tax_id}",) if party.tax_id else ()
    return {"role": role, "name": party.name, "lines": (*tax_id, *party.address)}


def _figure(value: Decimal | None, *, language: str) -> str:
    return "" if value is None else decimal_text(value, language=language)


def _day(text: str, *, language: str) -> str:
    """Write a day for its reader; what is no day stays as the XML has it."""
    try:
        return short_day_text(datetime.date.fromisoformat(text[:10]), language=language)
    except ValueError:
        return text


@cache
def _words_of(layouts: Path, language: str) -> _Words:
    file = layouts / f"lookalike.{language}.toml"
    if not file.is_file():
        file = layouts / "lookalike.en.toml"
    return msgspec.toml.decode(file.read_bytes(), type=_Words)

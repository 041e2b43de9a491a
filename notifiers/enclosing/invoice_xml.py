"""What an invoice's XML says, whoever issued it: UBL 2.1 (PEPPOL), Chile's DTE, Mexico's CFDI.

Read for people to see, not to book: nothing is added up or corrected, and
nothing is trusted. A document type, entities and what lies outside of the file
are refused; long texts and lists are cut.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Final, Literal
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from msgspec import Struct

__all__ = [
    "LINES_MAX",
    "InvoiceLine",
    "InvoiceParty",
    "InvoiceSum",
    "InvoiceXml",
    "InvoiceXmlError",
    "amount_of",
    "at",
    "children",
    "filled",
    "local_name",
    "parsed",
    "plain",
    "read_invoice",
    "sum_of",
    "text_at",
    "unit_of",
]

LINES_MAX: Final = 500
_TEXT_MAX: Final = 500
_DIGITS_MAX: Final = 30
_BYTES_MAX: Final = 10_000_000
_UNITS: Final = {
    "C62": "", "H87": "", "EA": "", "XPP": "", "E48": "", "HUR": "h", "DAY": "d", "MIN": "min",
    "KGM": "kg", "GRM": "g", "TNE": "t", "MTR": "m", "MTK": "m²", "MTQ": "m³", "LTR": "l", "KWH": "kWh",
}  # fmt: skip

DocumentType = Literal["invoice", "credit_note", "debit_note", "receipt", "document"]
SumName = Literal["net", "exempt", "discount", "charge", "tax", "total", "prepaid", "payable"]


class InvoiceXmlError(Exception):
    """It is no invoice that can be read."""


class InvoiceParty(Struct, frozen=True, kw_only=True):
    """Seller or buyer."""

    name: str = ""
    tax_id: str = ""
    address: tuple[str, ...] = ()


class InvoiceLine(Struct, frozen=True, kw_only=True):
    """One line; None where the XML does not say."""

    text: str
    quantity: Decimal | None = None
    unit: str = ""
    price: Decimal | None = None
    amount: Decimal | None = None


class InvoiceSum(Struct, frozen=True, kw_only=True):
    """A sum below the lines; ``detail`` is a tax's name or rate."""

    name: SumName
    amount: Decimal
    detail: str = ""


class InvoiceXml(Struct, frozen=True, kw_only=True):
    """All that a look-alike shows; days are as the XML writes them (YYYY-MM-DD), '' where it has none."""

    standard: str
    kind: DocumentType
    number: str
    issued_on: str
    due_on: str = ""
    currency: str = ""
    seller: InvoiceParty = InvoiceParty()
    buyer: InvoiceParty = InvoiceParty()
    lines: tuple[InvoiceLine, ...] = ()
    unlisted: int = 0
    sums: tuple[InvoiceSum, ...] = ()
    notes: tuple[str, ...] = ()
    seal: str = ""


def parsed(content: bytes) -> Element:
    """Read XML of nobody's trust.

    Raises:
        InvoiceXmlError: it is none, or has a document type or entities.
    """
    if len(content) > _BYTES_MAX:
        raise InvoiceXmlError(f"the XML is larger than {_BYTES_MAX:,} bytes")
    try:
        root: Element = fromstring(content, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except DefusedXmlException as error:
        raise InvoiceXmlError(f"the XML has what it may not have: {type(error).__name__}") from error
    except (ParseError, ValueError, LookupError) as error:
        raise InvoiceXmlError(f"this is no XML: {error}"[:300]) from error
    return root


def read_invoice(content: bytes, *, readers: dict[str, Callable[[Element], InvoiceXml]]) -> InvoiceXml:
    """Read an invoice by the reader of its root, wherever it is wrapped.

    Args:
        content: the file.
        readers: by the qualified name of the element that they read.

    Raises:
        InvoiceXmlError: none of them reads it.
    """
    root = parsed(content)
    for element in root.iter():
        reader = readers.get(element.tag)
        if reader is not None:
            return reader(element)
    raise InvoiceXmlError(f"<{local_name(root)}> is neither a UBL invoice, nor a DTE, nor a CFDI")


def local_name(element: Element) -> str:
    """Give an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2][:80]


def children(element: Element | None, name: str) -> Iterator[Element]:
    """Give the children of a local name; at most what is shown, and one more."""
    if element is None:
        return
    for child in element:
        if local_name(child) == name:
            yield child


def at(element: Element | None, path: str) -> Element | None:
    """Give the first element along a path of local names."""
    for name in path.split("/"):
        element = next(children(element, name), None)
    return element


def text_at(element: Element | None, path: str) -> str:
    """Give the text along a path, in one line and cut; '' where there is none."""
    found = at(element, path)
    return plain(found.text if found is not None else "")


def plain(text: str | None) -> str:
    """Give a text in one line, cut to what can be shown."""
    return " ".join((text or "")[: 4 * _TEXT_MAX].split())[:_TEXT_MAX]


def unit_of(code: str | None) -> str:
    """Give a unit of UN/ECE recommendation 20 as people write it; pieces are not said."""
    code = plain(code)
    return _UNITS.get(code, code)


def amount_of(text: str) -> Decimal | None:
    """Give a figure, None where it is none: no exponents, no endless digits."""
    text = text.strip()
    if not text or len(text) > _DIGITS_MAX or text.strip("+-0123456789.") or not text.isascii():
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def sum_of(name: SumName, text: str, *, detail: str = "") -> list[InvoiceSum]:
    """Give a sum where the XML has it."""
    amount = amount_of(text)
    return [] if amount is None else [InvoiceSum(name=name, amount=amount, detail=detail)]


def filled(*texts: str) -> tuple[str, ...]:
    """Give those that say something."""
    return tuple(each for each in texts if each)

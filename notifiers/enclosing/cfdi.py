"""A Mexican tax document (CFDI 4.0, and 3.3 which old invoices have), as the SAT has it."""

from typing import Final
from xml.etree.ElementTree import Element

from notifiers.enclosing.invoice_xml import (
    LINES_MAX,
    DocumentType,
    InvoiceLine,
    InvoiceParty,
    InvoiceSum,
    InvoiceXml,
    amount_of,
    at,
    children,
    filled,
    plain,
    sum_of,
    unit_of,
)

__all__ = ["RECEIPTS", "read_cfdi"]

RECEIPTS: Final = ("{http://www.sat.gob.mx/cfd/4}Comprobante", "{http://www.sat.gob.mx/cfd/3}Comprobante")
_KINDS: Final[dict[str, DocumentType]] = {"I": "invoice", "E": "credit_note", "P": "receipt"}
_TAXES: Final = {"001": "ISR", "002": "IVA", "003": "IEPS"}


def read_cfdi(root: Element) -> InvoiceXml:
    """Read a ``Comprobante``."""
    lines = list(children(at(root, "Conceptos"), "Concepto"))
    return InvoiceXml(
        standard=f"CFDI {_said(root, 'Version')}".strip(),
        kind=_KINDS.get(_said(root, "TipoDeComprobante"), "document"),
        number="-".join(filled(_said(root, "Serie"), _said(root, "Folio"))),
        issued_on=_said(root, "Fecha")[:10],
        currency=_said(root, "Moneda"),
        seller=_party(at(root, "Emisor"), place=_said(root, "LugarExpedicion")),
        buyer=_party(at(root, "Receptor")),
        lines=tuple(_line(each) for each in lines[:LINES_MAX]),
        unlisted=max(0, len(lines) - LINES_MAX),
        sums=tuple(_sums(root)),
        notes=filled(_said(root, "CondicionesDePago")),
        seal=_said(at(root, "Complemento/TimbreFiscalDigital"), "UUID"),
    )


def _said(element: Element | None, name: str) -> str:
    return "" if element is None else plain(element.get(name))


def _party(party: Element | None, *, place: str = "") -> InvoiceParty:
    return InvoiceParty(
        name=_said(party, "Nombre"),
        tax_id=_said(party, "Rfc"),
        address=filled(place or _said(party, "DomicilioFiscalReceptor")),
    )


def _line(line: Element) -> InvoiceLine:
    return InvoiceLine(
        text=_said(line, "Descripcion"),
        quantity=amount_of(_said(line, "Cantidad")),
        unit=_said(line, "Unidad") or unit_of(_said(line, "ClaveUnidad")),
        price=amount_of(_said(line, "ValorUnitario")),
        amount=amount_of(_said(line, "Importe")),
    )


def _sums(root: Element) -> list[InvoiceSum]:
    found = [*sum_of("net", _said(root, "SubTotal")), *sum_of("discount", _said(root, "Descuento"))]
    for path in ("Impuestos/Traslados", "Impuestos/Retenciones"):
        for tax in list(at(root, path) or ())[:20]:
            name = _TAXES.get(_said(tax, "Impuesto"), _said(tax, "Impuesto"))
            rate = amount_of(_said(tax, "TasaOCuota"))
            detail = " ".join(filled(name, f"{(rate * 100).normalize():f} %" if rate is not None else ""))
            found += sum_of("tax", _said(tax, "Importe"), detail=detail)
    return [*found, *sum_of("total", _said(root, "Total"))]

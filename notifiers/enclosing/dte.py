"""A Chilean tax document (documento tributario electrónico), as the SII has it."""

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
    sum_of,
    text_at,
)

__all__ = ["DOCUMENTS", "read_dte"]

# With the SII's namespace, or without one: both are about.
DOCUMENTS: Final = (
    "{http://www.sii.cl/SiiDte}Documento",
    "{http://www.sii.cl/SiiDte}Exportaciones",
    "Documento",
    "Exportaciones",
)
_KINDS: Final[dict[str, DocumentType]] = {
    "33": "invoice",
    "34": "invoice",
    "39": "receipt",
    "41": "receipt",
    "56": "debit_note",
    "61": "credit_note",
    "110": "invoice",
    "111": "debit_note",
    "112": "credit_note",
}
_CURRENCIES: Final = {"": "CLP", "PESO CL": "CLP", "DOLAR USA": "USD", "EURO": "EUR"}


def read_dte(document: Element) -> InvoiceXml:
    """Read a DTE's ``Documento``."""
    head = at(document, "Encabezado")
    kind = text_at(head, "IdDoc/TipoDTE")
    lines = list(children(document, "Detalle"))
    money = text_at(head, "Totales/TpoMoneda")
    return InvoiceXml(
        standard=f"DTE {kind}".strip(),
        kind=_KINDS.get(kind, "document"),
        number=text_at(head, "IdDoc/Folio"),
        issued_on=text_at(head, "IdDoc/FchEmis"),
        due_on=text_at(head, "IdDoc/FchVenc"),
        currency=_CURRENCIES.get(money, money),
        seller=_party(at(head, "Emisor"), ending="Emisor", place="Origen"),
        buyer=_party(at(head, "Receptor"), ending="Recep", place="Recep"),
        lines=tuple(_line(each) for each in lines[:LINES_MAX]),
        unlisted=max(0, len(lines) - LINES_MAX),
        sums=tuple(_sums(at(head, "Totales"))),
        notes=tuple(_references(document)),
    )


def _party(party: Element | None, *, ending: str, place: str) -> InvoiceParty:
    name = text_at(party, "RznSoc") or text_at(party, f"RznSoc{ending}")
    return InvoiceParty(
        name=name,
        tax_id=text_at(party, f"RUT{ending}"),
        address=filled(
            text_at(party, f"Giro{'Emis' if ending == 'Emisor' else ending}"),
            text_at(party, f"Dir{place}"),
            text_at(party, f"Cmna{place}"),
            text_at(party, f"Ciudad{place}"),
        ),
    )


def _line(line: Element) -> InvoiceLine:
    return InvoiceLine(
        text=" – ".join(filled(text_at(line, "NmbItem"), text_at(line, "DscItem"))),
        quantity=amount_of(text_at(line, "QtyItem")),
        unit=text_at(line, "UnmdItem"),
        price=amount_of(text_at(line, "PrcItem")),
        amount=amount_of(text_at(line, "MontoItem")),
    )


def _sums(totals: Element | None) -> list[InvoiceSum]:
    rate = text_at(totals, "TasaIVA")
    found = [
        *sum_of("net", text_at(totals, "MntNeto")),
        *sum_of("exempt", text_at(totals, "MntExe")),
        *sum_of("tax", text_at(totals, "IVA"), detail=f"IVA {rate} %" if rate else "IVA"),
    ]
    for other in list(children(totals, "ImptoReten"))[:20]:
        rate, kind = text_at(other, "TasaImp"), text_at(other, "TipoImp")
        found += sum_of(
            "tax", text_at(other, "MontoImp"), detail=" ".join(filled(kind, f"{rate} %" if rate else ""))
        )
    return [
        *found,
        *sum_of("total", text_at(totals, "MntTotal")),
        *sum_of("payable", text_at(totals, "VlrPagar")),
    ]


def _references(document: Element) -> list[str]:
    return [
        " · ".join(
            filled(
                text_at(each, "TpoDocRef"),
                text_at(each, "FolioRef"),
                text_at(each, "FchRef"),
                text_at(each, "RazonRef"),
            )
        )
        for each in list(children(document, "Referencia"))[:10]
    ]

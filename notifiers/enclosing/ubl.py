"""An invoice or credit note in UBL 2.1, as PEPPOL and many countries use it."""

from typing import Final
from xml.etree.ElementTree import Element

from notifiers.enclosing.invoice_xml import (
    LINES_MAX,
    InvoiceLine,
    InvoiceParty,
    InvoiceSum,
    InvoiceXml,
    SumName,
    amount_of,
    at,
    children,
    filled,
    plain,
    sum_of,
    text_at,
    unit_of,
)

__all__ = ["CREDIT_NOTE", "INVOICE", "read_ubl"]

_SPACE: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
INVOICE: Final = f"{{{_SPACE}Invoice-2}}Invoice"
CREDIT_NOTE: Final = f"{{{_SPACE}CreditNote-2}}CreditNote"
_SUMS: Final[tuple[tuple[SumName, str], ...]] = (
    ("net", "LineExtensionAmount"),
    ("discount", "AllowanceTotalAmount"),
    ("charge", "ChargeTotalAmount"),
)
_LAST_SUMS: Final[tuple[tuple[SumName, str], ...]] = (
    ("total", "TaxInclusiveAmount"),
    ("prepaid", "PrepaidAmount"),
    ("payable", "PayableAmount"),
)


def read_ubl(root: Element) -> InvoiceXml:
    """Read a UBL document."""
    is_credit = root.tag == CREDIT_NOTE
    lines = list(children(root, "CreditNoteLine" if is_credit else "InvoiceLine"))
    return InvoiceXml(
        standard="UBL 2.1",
        kind="credit_note" if is_credit else "invoice",
        number=text_at(root, "ID"),
        issued_on=text_at(root, "IssueDate"),
        due_on=text_at(root, "DueDate") or text_at(root, "PaymentMeans/PaymentDueDate"),
        currency=text_at(root, "DocumentCurrencyCode"),
        seller=_party(at(root, "AccountingSupplierParty/Party")),
        buyer=_party(at(root, "AccountingCustomerParty/Party")),
        lines=tuple(_line(each) for each in lines[:LINES_MAX]),
        unlisted=max(0, len(lines) - LINES_MAX),
        sums=tuple(_sums(root)),
        notes=filled(
            *(plain(each.text) for each in children(root, "Note")),
            text_at(root, "PaymentTerms/Note"),
            *_accounts(root),
        )[:10],
    )


def _party(party: Element | None) -> InvoiceParty:
    address = at(party, "PostalAddress")
    return InvoiceParty(
        name=text_at(party, "PartyLegalEntity/RegistrationName") or text_at(party, "PartyName/Name"),
        tax_id=text_at(party, "PartyTaxScheme/CompanyID") or text_at(party, "PartyLegalEntity/CompanyID"),
        address=filled(
            text_at(address, "StreetName"),
            text_at(address, "AdditionalStreetName"),
            f"{text_at(address, 'PostalZone')} {text_at(address, 'CityName')}".strip(),
            text_at(address, "Country/IdentificationCode"),
        ),
    )


def _line(line: Element) -> InvoiceLine:
    quantity = at(line, "InvoicedQuantity")
    if quantity is None:
        quantity = at(line, "CreditedQuantity")
    name, described = text_at(line, "Item/Name"), text_at(line, "Item/Description")
    return InvoiceLine(
        text=" – ".join(dict.fromkeys(filled(name, described))),
        quantity=None if quantity is None else amount_of(quantity.text or ""),
        unit="" if quantity is None else unit_of(quantity.get("unitCode")),
        price=amount_of(text_at(line, "Price/PriceAmount")),
        amount=amount_of(text_at(line, "LineExtensionAmount")),
    )


def _sums(root: Element) -> list[InvoiceSum]:
    totals = at(root, "LegalMonetaryTotal")
    found: list[InvoiceSum] = []
    for name, path in _SUMS:
        found += sum_of(name, text_at(totals, path))
    for total in list(children(root, "TaxTotal"))[:5]:
        for part in list(children(total, "TaxSubtotal"))[:20]:
            percent = text_at(part, "TaxCategory/Percent")
            scheme = text_at(part, "TaxCategory/TaxScheme/ID")
            detail = " ".join(filled(scheme, f"{percent} %" if percent else ""))
            found += sum_of("tax", text_at(part, "TaxAmount"), detail=detail)
    for name, path in _LAST_SUMS:
        found += sum_of(name, text_at(totals, path))
    return found


def _accounts(root: Element) -> list[str]:
    means = list(children(root, "PaymentMeans"))[:5]
    return [
        " · ".join(filled(text_at(each, "PayeeFinancialAccount/ID"), text_at(each, "PaymentID")))
        for each in means
    ]

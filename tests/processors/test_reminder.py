"""What a reminder tells beside what stories say of it: sums of charges and credits, documents, the country (R11, R12, R22)."""

import datetime
from typing import Any

import msgspec

from schemas.events import Contact, CustomerUpserted, InvoiceIssued
from schemas.facts import ReminderDecided
from schemas.journal import TickPassed
from tests.scenarios.on_core import Stage
from tests.scenarios.playing import played

_DUE: dict[str, Any] = {
    "company": "acme",
    "customer": "C1",
    "occurred_at": "2026-01-02",
    "due_date": "2026-02-02",
}


def reminders(stage: Stage) -> list[ReminderDecided]:
    """List the reminders of a story, in order."""
    return [each for each in stage.log if isinstance(each, ReminderDecided)]


def test_charges_are_summed_up_by_currency() -> None:
    """R22, R23: what is claimed beside what is owed, and never in one sum with another currency."""
    stage = played(
        """# R22: a fee, and the returned payment's, in the next message.
company charges claim returned-fee 15.00
customer email ana@c1.test
plan default
    first    0 email
    second  +9 email fee 20.00
    third  +30 email fee 20.00
2026-01-02  invoice INV-1 1000.00 due 2026-02-02
2026-02-02  tick
    expect reminder first INV-1 by email
2026-02-11  tick
    expect reminder second INV-1 by email
    expect claim INV-1/fee/second 20.00
2026-02-20  payment P-1 100.00
2026-02-24  reverse P-1
    expect claim P-1/returned_payment 15.00
2026-03-04  tick
    expect reminder third INV-1 by email
    expect claim INV-1/fee/third 20.00
    expect finished INV-1
"""
    )
    assert [[], [("USD", 2000)], [("USD", 5500)]] == [
        [(each.currency, each.amount_minor) for each in said.charge_totals] for said in reminders(stage)
    ]


def test_money_and_notes_are_shown_each_as_what_it_is_and_in_one_sum() -> None:
    """R11, R12: what is set against the debt, so that whoever reads it can check the sum."""
    stage = played(
        """# R11, R12: money for an invoice that nobody knows, and a note without one.
customer email ana@c1.test
plan default
    first 0 email
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-01-20  payment P-1 30.00 for INV-77
2026-01-21  credit-note CN-1 10.00
2026-01-22  tick
2026-01-27  tick
    expect task unknown_item/payment/P-1
2026-02-02  tick
    expect reminder first INV-1 by email
    expect finished INV-1
"""
    )
    (said,) = reminders(stage)
    assert [("payment", "P-1", 3000), ("credit_note", "CN-1", 1000)] == [
        (each.kind, each.credit, each.left_minor) for each in said.credits
    ]
    assert [4000] == [each.amount_minor for each in said.credit_totals]


def test_documents_and_the_country_come_from_the_invoice_and_the_customer() -> None:
    """S2-17: both files of an invoice; a phone number without a country is dialled in the customer's, else in the company's."""
    stage = played(
        """# A company in Chile, one customer in Peru.
company country CL
plan default
    first 0 email
"""
    )
    urls = {"pdf_url": "https://docs.test/1.pdf", "xml_url": "https://docs.test/1.xml"}
    for customer, country in (("C1", "PE"), ("C2", "")):
        whose = _DUE | {"customer": customer}
        contacts = ({"email": f"{customer}@c.test"},)
        known = {
            "type": "billing.customer.upserted.v1",
            "country": country,
            "contacts": contacts,
            "name": "C",
        }
        del (told := dict(whose))["due_date"]
        stage.fold(msgspec.convert(told | known, CustomerUpserted))
        bill = {"type": "billing.invoice.issued.v1", "document": f"INV-{customer}", "currency": "USD"}
        stage.fold(msgspec.convert(whose | bill | urls | {"amount": "10.00"}, InvoiceIssued))
    stage.fold(TickPassed(at=datetime.datetime(2026, 2, 2, 15, tzinfo=datetime.UTC), mode="played"))
    said = {each.customer: each for each in reminders(stage)}
    assert {"C1": "PE", "C2": "CL"} == {customer: each.country for customer, each in said.items()}
    (item,) = said["C1"].items
    assert urls == {"pdf_url": item.pdf_url, "xml_url": item.xml_url}


def test_a_copy_has_no_more_of_a_contact_than_its_mail_needs() -> None:
    """B-13: who gets a copy is named with role and address; phone and postal address go into no record of the reminder."""
    stage = played(
        """# B-13: the mail is for finance, and the owner gets a copy.
customer kind business email ana@c1.test phone +56900000001 address "Calle 1, Santiago" contact finance money@c1.test
plan default
    first 0 email role finance cc main
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-02-02  tick
    expect reminder first INV-1 by email to money@c1.test copies ana@c1.test
    expect finished INV-1
"""
    )
    ((said,),) = [each.deliveries for each in reminders(stage)]
    assert (Contact(role="main", email="ana@c1.test"),) == said.cc


def test_of_many_claims_none_is_left_out_of_the_sum() -> None:
    """R22: a message names a hundred that are open, the oldest; what it asks for is all 103."""
    names = [f"INV-{number:03}" for number in range(103)]
    invoices = "".join(f"2026-01-02  invoice {name} 10.00 due 2026-02-02\n" for name in names)
    claims = "".join(f"    expect claim {name}/fee/second 1.00\n" for name in names)
    finished = "".join(f"    expect finished {name}\n" for name in names)
    stage = played(
        f"""# R22: a fee of each of 103 invoices, in the next message.
company charges claim
customer email ana@c1.test
plan default
    first    0 email
    second  +9 email fee 1.00
    third  +30 email
{invoices}2026-02-02  tick
    expect reminder first {" ".join(names)} by email
2026-02-11  tick
    expect reminder second {" ".join(names)} by email
{claims}2026-03-04  tick
    expect reminder third {" ".join(names)} by email
{finished}"""
    )
    last = reminders(stage)[-1]
    assert names[:100] == [each.item for each in last.charges]
    assert [("USD", 10_300)] == [(each.currency, each.amount_minor) for each in last.charge_totals]

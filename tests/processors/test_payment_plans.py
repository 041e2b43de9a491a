"""Payment plans beside what the stories ``r25_*`` show: days, documents, what is disputed, what a cheque covers (R25)."""

import datetime
from typing import Literal

import msgspec
import pytest

from schemas.arrangement_facts import PaymentPlanEnded, PaymentPlanMade
from schemas.commands import MakePaymentPlan
from schemas.events import InvoiceIssued
from schemas.facts import Movement
from schemas.journal import TickPassed
from tests.scenarios.on_core import Stage
from tests.scenarios.playing import played

_INVOICE = """# R25: an invoice that will be split.
customer email ana@c1.test
plan default
    first 0 email
2026-01-02  invoice INV-1 100.00 due 2026-02-02
"""


def split(story: str, *, count: int, first_on: str, every: Literal["week", "two_weeks", "month"]) -> Stage:
    """Play a story, and split INV-1."""
    stage = played(story)
    stage.take(
        MakePaymentPlan(
            company="acme",
            customer="C1",
            occurred_at="2026-01-05",
            command="plan",
            document="INV-1",
            count=count,
            first_on=datetime.date.fromisoformat(first_on),
            every=every,
        )
    )
    return stage


def made(stage: Stage) -> PaymentPlanMade:
    """Give the payment plan that was made."""
    (found,) = (each for each in stage.log if isinstance(each, PaymentPlanMade))
    return found


@pytest.mark.parametrize(
    ("every", "days"),
    [
        ("week", ["2026-01-31", "2026-02-07", "2026-02-14"]),
        ("two_weeks", ["2026-01-31", "2026-02-14", "2026-02-28"]),
        ("month", ["2026-01-31", "2026-02-28", "2026-03-31"]),
    ],
)
def test_instalments_are_due_at_even_distances(
    every: Literal["week", "two_weeks", "month"], days: list[str]
) -> None:
    """Weeks count in days; of a month that is too short it is the last day, and the next one is as agreed."""
    stage = split(_INVOICE, count=3, first_on="2026-01-31", every=every)
    assert days == [str(each.due_on) for each in made(stage).instalments]


def test_instalments_go_on_over_the_end_of_a_year() -> None:
    """December is followed by January."""
    stage = split(_INVOICE, count=3, first_on="2026-11-30", every="month")
    assert ["2026-11-30", "2026-12-30", "2027-01-30"] == [
        str(each.due_on) for each in made(stage).instalments
    ]


def test_what_is_disputed_is_not_split() -> None:
    """R29: it stays in the invoice until the ruling."""
    disputed = f"{_INVOICE}2026-01-04 dispute INV-1 30.00\n    expect disputed INV-1\n"
    stage = split(disputed, count=2, first_on="2026-01-31", every="month")
    assert (7000, [3500, 3500]) == (
        made(stage).amount_minor,
        [each.amount_minor for each in made(stage).instalments],
    )
    assert 3000 == stage.partition.account("acme:C1").items["INV-1"].open_minor


def test_who_made_it_and_why_is_kept_and_the_documents_go_along() -> None:
    """An instalment's message takes along what the invoice's would; it is as old as its invoice, and moves no balance."""
    stage = played(_INVOICE)
    whose = {"company": "acme", "customer": "C2", "occurred_at": "2026-01-02"}
    pdf, xml = "https://docs.test/1.pdf", "https://docs.test/1.xml"
    invoice = whose | {
        "type": "billing.invoice.issued.v1",
        "document": "INV-2",
        "currency": "USD",
        "amount": "90.00",
        "due_date": "2026-02-02",
        "reference": "PO 7",
        "pdf_url": pdf,
        "xml_url": xml,
    }
    stage.take(msgspec.convert(invoice, InvoiceIssued))
    command = MakePaymentPlan(
        company="acme",
        customer="C2",
        occurred_at="2026-01-05",
        command="plan",
        author="eva",
        document="INV-2",
        count=2,
        first_on=datetime.date(2026, 3, 1),
        reason="short of cash",
    )
    stage.take(command)
    account = stage.partition.account("acme:C2")
    row = account.arranged().payment_plans["plan"]
    assert ("eva", "short of cash", datetime.date(2026, 1, 5)) == (row.author, row.reason, row.made_on)
    part = account.items["INV-2 1/2"]
    assert isinstance(part.document, InvoiceIssued)
    assert (pdf, xml, "PO 7") == (part.document.pdf_url, part.document.xml_url, part.document.reference)
    moved = [(each.kind, each.amount_minor) for each in stage.log if isinstance(each, Movement)][-3:]
    assert [("split", -9000), ("instalment", 4500), ("instalment", 4500)] == moved
    assert account.items["INV-2 2/2"].order > part.order > account.items["INV-2"].order


def test_each_instalment_has_its_own_tolerance() -> None:
    """The first one is covered by a cheque and breaks nothing; the second one breaks the plan once its own days are over."""
    story = f"""{_INVOICE}2026-01-05 payment-plan INV-1 2 first 2026-02-10 every week
    expect split INV-1 "50.00 on 2026-02-10; 50.00 on 2026-02-17"
2026-02-05 conditional CH-1 50.00 cheque received payable 2026-03-20 for INV-1
    expect conditional CH-1 received "INV-1 1/2"
"""
    stage = played(story)
    ended = {}
    for number in range(10, 22):
        at = datetime.datetime(2026, 2, number, 15, tzinfo=datetime.UTC)
        for each in stage.fold(TickPassed(at=at, mode="played")):
            if isinstance(each, PaymentPlanEnded):
                ended[number] = each.reason
    assert {20: "INV-1 2/2 was due on 2026-02-17"} == ended


def test_an_amendment_says_why_the_plan_ends_and_a_kept_one_needs_no_reason() -> None:
    """What a person reads in the log."""
    plan = f"""{_INVOICE}2026-01-05 payment-plan INV-1 2 first 2026-02-10
    expect split INV-1 "50.00 on 2026-02-10; 50.00 on 2026-03-10"
"""
    amended = f"{plan}2026-01-06 amend INV-1 amount 90.00\n    expect payment-plan INV-1 cancelled returned 100.00\n"
    kept = f"{plan}2026-01-06 payment P-1 100.00\n    expect payment-plan INV-1 kept\n"
    said = [
        each.reason
        for story in (amended, kept)
        for each in played(story).log
        if isinstance(each, PaymentPlanEnded)
    ]
    assert ["the invoice was amended, cancelled or transferred", ""] == said

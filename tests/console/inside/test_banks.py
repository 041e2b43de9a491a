"""Credits that nobody has matched: whose they are is said on a screen, and reminders wait no longer (S0-01, S2-21, S3-02)."""

import re
from pathlib import Path

import pytest
from sqlalchemy import Engine

from console.web.inside.pages.settings import banks
from schemas.bank import BankLineMatched
from schemas.commands import OverrideBankGate
from schemas.events import PaymentReceived
from tests.console.inside.desk import Desk
from tests.console.inside.forms import forms_of

STORY = """# a bank that is behind, and a credit without an owner
company country CL banks MAIN,SAVINGS
customer @C1 name "Ana y Cia" email ana@c1.test tax_id 76.123-K
customer @C2 name "Berta Ltda" email berta@c2.test tax_id 77.000-1
plan default
    first 0 email
    second +90 email
2026-02-20  invoice INV-1 100.00 due 2026-03-02 @C1
2026-02-20  invoice INV-2 77.70 due 2026-03-02 @C1
2026-02-20  invoice INV-9 50.00 due 2026-03-02 @C2
2026-03-02  reconciled MAIN through 2026-02-27
2026-03-02  bank-line L-1 77.70 tax-id 76123k
"""
BANKS = "/settings/acme/banks"


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with a collector at it."""
    return Desk(sqlite_engine, tmp_path, STORY).at_work("ana")


def test_the_page_says_why_nothing_is_sent(desk: Desk) -> None:
    """R21: which account reminders wait for, and which credits have no owner."""
    text = desk.browser.get(BANKS).text
    assert "Yes: nothing is sent until" in text
    assert ["MAIN", "SAVINGS"] == re.findall(r'<tr><th scope="row">(\w+)</th>', text)
    assert 1 == text.count("reminders wait for it")
    assert "L-1" in text


def test_a_credit_is_matched_to_a_customer_and_an_invoice(desk: Desk) -> None:
    """S3-02: the likely payer is proposed by tax id, the document by its amount; a payment is booked, the line ends."""
    found = desk.browser.get(f"{BANKS}?line=L-1").text
    assert "same tax id" in found
    page = f"{BANKS}?line=L-1&customer=C1"
    text = desk.browser.get(page).text
    assert ["INV-2"] == re.findall(r'name="document" value="([^"]+)" id="[^"]+" checked', text)
    answer = desk.submit(page, "/match", document="INV-2")
    payment, matched = desk.asked
    assert isinstance(payment, PaymentReceived)
    assert isinstance(matched, BankLineMatched)
    assert ("bank/L-1", "C1", "77.70", ["INV-2"]) == (
        payment.payment,
        payment.customer,
        payment.amount,
        [each.document for each in payment.lines],
    )
    assert "L-1" == matched.line
    shown = desk.browser.get(answer.headers["location"]).text
    assert "Done." in shown
    assert "Every credit has an owner" in shown
    assert "INV-2" not in desk.browser.get("/customers/acme:C1").text
    (entry,) = desk.people.entries(limit=9)
    assert ("acme", "L-1 → C1: INV-2") == (entry.account, entry.detail)


def test_documents_that_are_not_listed_are_counted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3-02: two documents, room for one: who matches is told, and does not take the list for all."""
    page = f"{BANKS}?line=L-1&customer=C1"
    assert "open documents are listed" not in desk.browser.get(page).text
    monkeypatch.setattr(banks, "_ITEMS_MAX", 1)
    assert "1 of 2 open documents are listed" in desk.browser.get(page).text


def test_a_line_is_matched_once_whoever_is_second_is_told(desk: Desk) -> None:
    """The money is not booked twice."""
    page = f"{BANKS}?line=L-1&customer=C1"
    text = desk.browser.get(page).text
    forms = re.findall(r'<form method="post" action="[^"]+/match">(.*?)</form>', text, re.DOTALL)
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', forms[0]))
    desk.submit(page, "/match", document="INV-2")
    later = desk.browser.post(f"{BANKS}/match", data=hidden | {"nonce": "another", "document": "INV-1"})
    assert 409 == later.status_code
    assert "Somebody has matched this line meanwhile" in later.text
    assert 2 == len(desk.asked)


def test_parts_are_no_more_than_the_credit(desk: Desk) -> None:
    """What was typed stays."""
    page = f"{BANKS}?line=L-1&customer=C1"
    answer = desk.submit(page, "/match", **{"document": "INV-1", "amount:INV-1": "78,00"})
    assert 422 == answer.status_code
    assert "The parts are more than the credit." in answer.text
    assert 'value="78,00"' in answer.text
    assert 422 == desk.submit(page, "/match", **{"document": "INV-1", "amount:INV-1": "x"}).status_code
    desk.submit(page, "/match", **{"document": "INV-1", "amount:INV-1": "70,00"})
    payment = desk.asked[0]
    assert isinstance(payment, PaymentReceived)
    assert "70.00" == payment.lines[0].amount


def test_a_credit_that_pays_two_customers_is_one_payment_with_the_rest_said(desk: Desk) -> None:
    """S0-01, S2-21: a line for a group: who paid, what is another's with its amount, and what is left with who paid."""
    found = desk.browser.get(f"{BANKS}?line=L-1&customer=C1&search=berta").text
    assert "also pays for this one" in found
    assert f'href="{BANKS}?line=L-1&amp;customer=C1&amp;customer=C2"' in found
    page = f"{BANKS}?line=L-1&customer=C1&customer=C2"
    chosen = {"document@C2": "INV-9", "document": "INV-1"}
    reckoned = desk.submit(page, "/match", what="reckon", **chosen)
    assert "27.70 are left. They are of Ana y Cia" in " ".join(reckoned.text.replace("USD", "").split())
    assert [] == desk.asked
    form = next(each for each in forms_of(reckoned.text) if each.action.endswith("/match"))
    assert {"document": ["INV-1"], "document@C2": ["INV-9"], "customer": ["C1", "C2"]} == {
        name: values for name, values in form.sent().items() if name in (*chosen, "customer")
    }
    data = form.sent() | {"what": "payment"}
    assert 303 == desk.browser.post(f"{BANKS}/match", data=data).status_code
    payment = desk.asked[0]
    assert isinstance(payment, PaymentReceived)
    assert ("C1", "77.70") == (payment.customer, payment.amount)
    assert [("INV-1", None, None), ("INV-9", "50.00", "C2")] == [
        (each.document, each.amount, each.customer) for each in payment.lines
    ]
    assert "L-1 → C1: INV-1; C2: INV-9" == desk.people.entries(limit=1)[0].detail


def test_what_is_wrong_about_a_second_customer_is_told_and_keeps_the_rest(desk: Desk) -> None:
    """One who was chosen for nothing; and more than came in."""
    page = f"{BANKS}?line=L-1&customer=C1&customer=C2"
    for fields, said in (
        ({"document": "INV-1"}, "or leave the customer out"),
        ({"document@C2": "INV-9", "amount@C2:INV-9": "77,71"}, "more than the credit"),
        ({"document@C2": "INV-9", "amount@C2:INV-9": "0"}, "greater than zero"),
    ):
        answer = desk.submit(page, "/match", **fields)
        assert 422 == answer.status_code
        assert said in answer.text
        form = next(each for each in forms_of(answer.text) if each.action.endswith("/match"))
        assert fields.items() <= {name: values[0] for name, values in form.sent().items()}.items()
    assert [] == desk.asked


def test_what_billing_books_itself_ends_the_line_only(desk: Desk) -> None:
    """No payment twice: the line is settled, with the reason in the audit."""
    text = desk.browser.get(f"{BANKS}?line=L-1").text
    forms = re.findall(r'<form method="post" action="[^"]+/match"[^>]*>(.*?)</form>', text, re.DOTALL)
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', forms[-1]))
    desk.browser.post(f"{BANKS}/match", data=hidden | {"reason": "interest of the bank"})
    (event,) = desk.asked
    assert isinstance(event, BankLineMatched)
    assert "L-1: interest of the bank" == desk.people.entries(limit=1)[0].detail


def test_an_approver_lets_todays_reminders_go_out_with_a_reason(desk: Desk) -> None:
    """R21: an override is recorded, for this day; a collector has no such button."""
    assert "/override" not in desk.browser.get(BANKS).text
    desk.at_work("bea", role="approver")
    assert 422 == desk.submit(BANKS, "/override", reason=" ").status_code
    answer = desk.submit(BANKS, "/override", reason="the feed is down")
    (event,) = desk.asked
    assert isinstance(event, OverrideBankGate)
    assert ("2026-03-02", "bea") == (event.on.isoformat(), event.author)
    assert "Not today, by bea: the feed is down" in desk.browser.get(answer.headers["location"]).text


def test_viewers_see_no_payer(desk: Desk) -> None:
    """PII is masked; and they match nothing."""
    desk.at_work("vic", role="viewer")
    text = desk.browser.get(f"{BANKS}?line=L-1").text
    assert "76123k" not in text
    assert "<form" not in text.partition("<main")[2]

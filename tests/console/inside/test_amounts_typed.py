"""Amounts in the console's forms: as people type them, in every field of money; what is none is told at its field."""

import html
from pathlib import Path

import pytest
from sqlalchemy import Engine

from schemas.commands import ConfigureCompany, MakePromise, OpenDispute, RuleDispute
from schemas.events import PaymentReceived
from tests.console.inside.desk import Desk

STORY = """# one who owes
company minimum 10.00
@C1 customer email ana@c1.test name "Almacén Ana"
plan default
    first      0 email
    second   +90 email
2026-01-02  @C1 invoice INV-1 2000.00 due 2026-02-02
2026-02-03  tick
    expect @C1 reminder first INV-1 by email
"""
OF = "/customers/acme:C1"
RECEIPT = {"currency": "USD", "on": "2026-02-01", "means": "transfer", "state": "cleared"}


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with an administrator at it, who reads Spanish."""
    desk = Desk(sqlite_engine, tmp_path, STORY)
    desk.now = desk.now.replace(month=2, day=3)
    return desk.at_work("ana", role="administrator", language="es")


@pytest.mark.parametrize(
    ("language", "typed", "meant"),
    [
        ("es", "1.250,50", "1250.50"),
        ("es", "1.250", "1250"),
        ("pt", "1 250,50", "1250.50"),
        ("pt", "1.250", "1250"),
        ("en", "1,250", "1250"),
        ("en", "1,250.50", "1250.50"),
        ("en", "50", "50"),
    ],
)
def test_an_amount_is_read_as_its_writer_types_it(desk: Desk, language: str, typed: str, meant: str) -> None:
    """S1-18, R29, R35: in a receipt, its part for a document, a promise, a dispute and its ruling."""
    desk.at_work("bea", role="administrator", language=language)
    receipt = RECEIPT | {"document": "INV-1", "amount for INV-1": typed}
    answer = desk.submit(f"{OF}/receipts/new", "/receipts", total=typed, **receipt)
    assert 303 == answer.status_code, answer.text
    payment = desk.asked[-1]
    assert isinstance(payment, PaymentReceived)
    assert (meant, meant) == (payment.amount, payment.lines[0].amount)
    desk.submit(OF, "/promises", due_on="2026-02-10", amount=typed, currency="USD")
    promise = desk.asked[-1]
    assert isinstance(promise, MakePromise)
    assert meant == promise.amount
    desk.submit(OF, "/disputes", item="INV-1", reason="short", amount=typed)
    dispute = desk.asked[-1]
    assert isinstance(dispute, OpenDispute)
    assert meant == dispute.amount
    desk.submit(OF, "/disputes/rule", ruling="credited", amount=typed)
    ruling = desk.asked[-1]
    assert isinstance(ruling, RuleDispute)
    assert (dispute.command, meant) == (ruling.dispute, ruling.amount)


@pytest.mark.parametrize(
    ("currency", "typed", "said"),
    [
        ("USD", "1,250", "1,250 puede leerse de dos maneras: escriba 1250"),
        ("USD", "-5", "mayor que cero"),
        ("USD", "0", "mayor que cero"),
        ("USD", "12,505", "12,505 puede leerse de dos maneras"),
        ("USD", "1250,505", "USD no tiene más de 2 decimales"),
        ("CLP", "1250,50", "CLP no tiene decimales"),
        ("USD", "mil", "No es un monto"),
    ],
)
def test_what_is_no_amount_comes_back_with_why_at_its_field(
    desk: Desk, currency: str, typed: str, said: str
) -> None:
    """What was typed is there again, and nothing is entered; a receipt's total, its parts, and a promise alike."""
    receipt = RECEIPT | {"currency": currency}
    forms = [
        (f"{OF}/receipts/new", "/receipts", receipt | {"total": typed}, "total"),
        (OF, "/promises", {"due_on": "2026-02-10", "amount": typed, "currency": currency}, "promise-amount"),
    ]
    if currency == "USD":
        part = {"total": "2000", "document": "INV-1", "amount for INV-1": typed}
        forms.append((f"{OF}/receipts/new", "/receipts", receipt | part, ""))
        forms.append((OF, "/disputes", {"item": "INV-1", "reason": "r", "amount": typed}, "dispute-amount"))
    for page, action, fields, place in forms:
        answer = desk.submit(page, action, **fields)
        text = html.unescape(answer.text)
        assert (422, True) == (answer.status_code, f'value="{typed}"' in text), (action, text)
        told = text.partition(f'id="{place}-fault">' if place else '-fault">')[2].partition("<")[0]
        assert said in told, (action, told)
    assert [] == desk.asked


def test_amounts_of_the_profile_are_typed_and_shown_as_its_reader_does(desk: Desk) -> None:
    """S4-12, R8: what stands is '10,00' here; '1.250' is a thousand and more, and '1,250' is asked for again."""
    page = "/settings/acme/profile"
    assert "USD 10,00</textarea>" in desk.browser.get(page).text
    assert 303 == desk.submit(page, "/profile", minimums="USD 1.250,50\nCLP 5.000").status_code
    saved = desk.asked[-1]
    assert isinstance(saved, ConfigureCompany)
    assert {"USD": "1250.50", "CLP": "5000"} == saved.minimums
    answer = desk.submit(page, "/profile", tolerances="USD 1,250")
    text = html.unescape(answer.text)
    assert (422, True) == (answer.status_code, "USD 1,250</textarea>" in text)
    assert "USD 1,250: 1,250 puede leerse de dos maneras" in text
    assert 1 == len(desk.asked)


def test_no_browser_stops_what_people_type(desk: Desk) -> None:
    """A field of money has no pattern of its own: what is wrong is told in the page's language."""
    assert "pattern=" not in desk.browser.get(OF).text

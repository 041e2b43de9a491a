"""A customer's payment term is shown, and is what makes an invoice without a due date due (S4-05, R6)."""

import html
import re
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.console.inside.desk import Desk

STORY = """# one with a term of his own, one with the company's; each has an invoice that says no day
company terms 20
@C1 customer email ana@c1.test name "Almacén Ana" terms 10
@C2 customer email ben@c2.test name "Bar Ben"
plan default
    first      0 email
    second   +90 email
2026-02-13  invoice INV-1 100.00 @C1
2026-02-13  invoice INV-2 100.00 @C2
2026-02-13  invoice INV-3 100.00 due 2026-04-01 @C1
"""


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console on 2 March with a viewer at it."""
    return Desk(sqlite_engine, tmp_path, STORY).at_work("vic", role="viewer")


def _text(desk: Desk, page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", desk.browser.get(page).text)).split())


def test_a_customers_term_makes_an_invoice_without_a_day_due(desk: Desk) -> None:
    """Ten days after its issue, and a week late by now; what its invoice says itself comes before."""
    page = _text(desk, "/customers/acme:C1")
    assert "Payment term 10 days" in page
    assert "Due Feb 23, 2026 7 days late" in _text(desk, "/customers/acme:C1/document?document=INV-1")
    assert "Apr 1, 2026" in _text(desk, "/customers/acme:C1/document?document=INV-3")
    assert "$100.00" in page.partition("Overdue")[2]


def test_without_a_term_of_his_own_it_is_the_companys(desk: Desk) -> None:
    """Twenty days: not late on 2 March; the page says no term that is not his."""
    assert "Payment term" not in _text(desk, "/customers/acme:C2")
    due = _text(desk, "/customers/acme:C2/document?document=INV-2")
    assert "Due Mar 5, 2026" in due
    assert "late" not in due.partition("Due")[2][:40]

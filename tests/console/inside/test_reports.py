"""Reports: figures that agree with the command line's, in forms that programs and people read (issue 7, point 4)."""

import csv
import io
import zipfile
from pathlib import Path

import pytest
from pypdf import PdfReader
from sqlalchemy import Engine

from console.web.inside.reporting import REPORTS
from console.web.inside.sheets import Column, Money, Sheet, csv_of, xlsx_of
from tests.console.inside.desk import Desk
from tests.console.inside.test_pages import STORY


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with two customers who owe, and a viewer at it."""
    return Desk(sqlite_engine, tmp_path, STORY).at_work("ana", role="viewer", language="es")


def test_aged_balances_lead_to_the_customer(desk: Desk) -> None:
    """S0-02 … S0-04, S3-04: who owes how much since when; a click opens the customer."""
    text = desk.browser.get("/reports/aged?on=2026-03-02").text
    assert "Balances vencidos" in text
    assert "300,00" in text
    assert 'href="/customers/acme%3AC2"' in text


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("form", ["html", "csv", "xlsx", "pdf"])
def test_each_report_comes_in_each_form(desk: Desk, report: str, form: str) -> None:
    """S1-25: as a page, CSV, a workbook and PDF."""
    answer = desk.browser.get(f"/reports/{report}?form={form}&on=2026-03-02")
    assert 200 == answer.status_code
    assert {"html": b"<!d", "csv": b"\xef\xbb\xbf", "xlsx": b"PK\x03", "pdf": b"%PD"}[form] == answer.content[
        :3
    ]


def test_csv_has_decimals_and_currencies_and_only_the_columns_asked_for(desk: Desk) -> None:
    """S1-17: what the next program reads."""
    content = desk.browser.get("/reports/aged?form=csv&on=2026-03-02&columns=account&columns=receivables")
    rows = list(csv.reader(io.StringIO(content.content.decode("utf-8-sig"))))
    assert [["account", "receivables", "receivables_currency"], ["acme:C1", "100.00", "USD"]] == rows[:2]


def test_a_pdf_has_the_names_and_amounts(desk: Desk) -> None:
    """S3-03: the report that is printed."""
    content = desk.browser.get("/reports/aged?form=pdf&on=2026-03-02").content
    text = "".join(each.extract_text() for each in PdfReader(io.BytesIO(content)).pages)
    assert "Panadería <Uno>" in text
    assert "300,00" in text


def test_a_name_that_looks_like_a_formula_is_text() -> None:
    """No live formulas: not in a workbook, and not in what a spreadsheet makes of CSV."""
    sheet = Sheet(
        columns=(Column(name="customer"), Column(name="owed", kind="money")),
        rows=({"customer": '=HYPERLINK("http://x")', "owed": Money(minor=-150, currency="USD")},),
    )
    assert b"'=HYPERLINK" in csv_of(sheet)
    assert b"-1.50" in csv_of(sheet)
    with zipfile.ZipFile(io.BytesIO(xlsx_of(sheet, title="a/b", headings={}))) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")


def test_another_companys_figures_are_not_there(sqlite_engine: Engine, tmp_path: Path) -> None:
    """Per-company visibility holds for reports, too."""
    desk = Desk(sqlite_engine, tmp_path, STORY).at_work("eve", companies=("beta",))
    for report in REPORTS:
        assert "acme" not in desk.browser.get(f"/reports/{report}?on=2026-03-02").text.replace(
            'value="acme"', ""
        )

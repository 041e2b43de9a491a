"""Reports: figures that agree with the command line's, in forms that programs and people read (issue 7, point 4)."""

import csv
import datetime
import html
import io
import itertools
import json
import re
import zipfile
from pathlib import Path

import pytest
from pypdf import PdfReader
from sqlalchemy import Engine, and_, select, update

from console.web.inside.reporting.catalogue import REPORTS
from console.web.inside.reporting.cells import shown_row
from console.web.inside.reporting.forms import Section, csv_parts, write_xlsx
from console.web.inside.reporting.measures import SENT_COLUMNS
from console.web.inside.reporting.sheets import Column, Money, Row, Sheet
from console.web.inside.reporting.trend import month_ends
from console.web.inside.showing import words_of
from infra.database.engine import writing
from infra.database.tables import live_rows
from tests.console.inside.desk import Desk
from tests.console.inside.test_pages import STORY

NOBODY_ACTED = """# one who owes, and nothing to write to him by
company courtesies on
customer email ana@c1.test
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-02-05  tick
    expect withheld INV-1 - because no_plan
"""


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


def test_each_report_comes_in_each_form(desk: Desk) -> None:
    """S1-25: as a page, CSV, a workbook and PDF."""
    begins = {"html": b"<!d", "csv": b"\xef\xbb\xbf", "xlsx": b"PK\x03", "pdf": b"%PD"}
    for report, (form, beginning) in itertools.product(REPORTS, begins.items()):
        answer = desk.browser.get(f"/reports/{report}?form={form}&on=2026-03-02&account=acme:C1")
        assert 200 == answer.status_code, (report, form)
        assert beginning == answer.content[:3], (report, form)


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


def test_a_name_that_looks_like_a_formula_is_text(tmp_path: Path) -> None:
    """No live formulas: not in a workbook, and not in what a spreadsheet makes of CSV."""
    columns = (Column(name="customer"), Column(name="amount", kind="money"))
    row = Row(cells={"customer": '=HYPERLINK("http://x")', "amount": Money(minor=-150, currency="USD")})
    content = b"".join(csv_parts(Sheet(columns=columns, rows=[row])))
    assert b"'=HYPERLINK" in content
    assert b"-1.50" in content
    path = tmp_path / "book.xlsx"
    section = Section(title="a/b", subtitle="", sheet=Sheet(columns=columns, rows=[row]))
    write_xlsx(path, [section], words=words_of("en"))
    with zipfile.ZipFile(path) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")


def test_another_companys_figures_are_not_there(sqlite_engine: Engine, tmp_path: Path) -> None:
    """Per-company visibility holds for reports, too."""
    desk = Desk(sqlite_engine, tmp_path, STORY).at_work("eve", companies=("beta",))
    for report in REPORTS:
        assert "acme" not in desk.browser.get(f"/reports/{report}?on=2026-03-02").text.replace(
            'value="acme"', ""
        )


def test_a_click_on_a_customer_shows_the_documents_and_a_click_on_one_opens_it(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    """S1-26: customer → documents → the document itself, on the page, in the workbook and in the PDF."""
    desk = Desk(sqlite_engine, tmp_path, STORY).at_work("ana", role="viewer")
    _keep_document(sqlite_engine, "INV-1", "https://docs.test/INV-1.pdf")
    assert "/reports/documents?account=acme%3AC1" in desk.browser.get("/reports/aged?on=2026-03-02").text
    shown = desk.browser.get("/reports/documents?account=acme:C1&on=2026-03-02")
    assert 'href="https://docs.test/INV-1.pdf"' in shown.text
    pdf = desk.browser.get("/reports/documents?account=acme:C1&on=2026-03-02&form=pdf").content
    (page,) = PdfReader(io.BytesIO(pdf)).pages
    assert ["https://docs.test/INV-1.pdf"] == [
        each.get_object()["/A"]["/URI"] for each in page.annotations or []
    ]


def test_filters_have_values_to_choose_from_and_wrong_ones_are_told(desk: Desk) -> None:
    """Buckets by one's own edges (S3-04), days overdue at least (S1-22); what cannot be read is said."""
    text = desk.browser.get("/reports/aged?on=2026-03-02&edges=10,20").text
    assert "11–20" in text
    assert "&gt; 20" in text
    assert '<option value="USD">' in text
    assert "acme:C1" not in desk.browser.get("/reports/aged?on=2026-03-02&late=400").text
    answer = desk.browser.get("/reports/aged?edges=20,10")
    assert 422 == answer.status_code
    assert "20,10" in answer.text


def test_the_sums_are_those_of_the_command_line(desk: Desk) -> None:
    """All of it, not of the page alone; a part of the page where scripts run, a page where they do not."""
    text = desk.browser.get("/reports/aged/sums?on=2026-03-02").text
    assert "400,00" in text
    assert "<html" in text
    part = desk.browser.get("/reports/aged/sums?on=2026-03-02", headers={"hx-request": "true"}).text
    assert "<html" not in part


def test_pages_go_on_behind_the_last_line(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """No page shows everything; following the link shows each line once."""
    monkeypatch.setattr("console.web.inside.pages.reports.reading._ROWS_MAX", 1)
    for report in ("aged", "documents", "customers", "actions"):
        first = desk.browser.get(f"/reports/{report}?on=2026-03-02").text
        following = re.search(r'rel="next" href="([^"]+)"', first)
        assert following is not None, report
        second = desk.browser.get(html.unescape(following[1])).text
        shown = [re.findall(r'href="/customers/([^"]+)"', text) for text in (first, second)]
        assert [["acme%3AC1"], ["acme%3AC2"]] == sorted(shown), report


def test_the_statement_is_chosen_from_the_list_of_reports(desk: Desk) -> None:
    """S1-23: a report like the others; whose it is, is found by a part of the name, and the rest of what was asked stays."""
    listed = re.findall(r'href="/reports/(\w+)"', desk.browser.get("/reports").text)
    assert list(REPORTS) == [each for each in listed if each in REPORTS]
    blank = html.unescape(desk.browser.get("/reports/statement").text)
    assert words_of("es")["reports"]["choose"] in blank
    assert "/reports/statement/kept" not in blank
    found = html.unescape(desk.browser.get("/reports/statement?account=<uno>&on=2026-03-02&days=365").text)
    [path] = re.findall(r'href="(/reports/statement[?]account=[^"]+)"', found)
    assert "on=2026-03-02" in path
    assert "days=365" in path
    text = html.unescape(desk.browser.get(path).text)
    assert 'href="/customers/acme%3AC1">Panadería <Uno></a>' in text
    assert "INV-1" in text
    assert all(f'name="form" value="{form}"' in text for form in ("pdf", "xlsx", "csv"))


def test_nobodys_statement_is_no_file(desk: Desk) -> None:
    """Of no customer, an unknown one and another company's, none is made; which of them it is, nobody is told."""
    desk.at_work("eva", companies=("other",))
    for account in ("", "nobody", "acme:C1", "acme"):
        page = desk.browser.get(f"/reports/statement?account={account}&on=2026-03-02").text
        assert "Panadería" not in html.unescape(page), account
        for form in ("pdf", "xlsx", "csv"):
            answer = desk.browser.get(f"/reports/statement?account={account}&form={form}")
            assert 422 == answer.status_code, (account, form)


def test_the_control_of_actions_says_the_oldest_due_date(desk: Desk) -> None:
    """S1-16: since when the oldest of what is open has been due, in the file as on the page."""
    for report in ("actions", "no_action"):
        content = desk.browser.get(
            f"/reports/{report}?form=csv&on=2026-03-02&columns=account&columns=oldest_due"
        )
        rows = list(csv.reader(io.StringIO(content.content.decode("utf-8-sig"))))
        assert ["account", "oldest_due"] == rows[0], report
        assert report == "no_action" or ["acme:C1", "2026-02-02"] in rows
    early = desk.browser.get(
        "/reports/actions?form=csv&on=2026-01-15&columns=account&columns=oldest_due"
    ).text
    assert "acme:C1,2026-02-02" in early


def test_a_statement_goes_from_balance_to_balance(desk: Desk) -> None:
    """S1-23: what moved a customer's balance, in each form; the PDF has the open documents behind it."""
    text = desk.browser.get("/reports/statement?account=acme:C1&on=2026-03-02&form=csv").text
    lines = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert ["opening", "issued", "closing"] == [each["movement"] for each in lines]
    assert "100.00" == lines[-1]["balance"]
    pdf = desk.browser.get("/reports/statement?account=acme:C1&on=2026-03-02&form=pdf").content
    said = "".join(each.extract_text() for each in PdfReader(io.BytesIO(pdf)).pages)
    assert "Estado de cuenta" in said
    assert "Panadería <Uno>" in said
    # Balances one after the other are not added up: opening, issued, closing; and the one open document with its sum.
    before, _, documents = said.partition("Documentos abiertos")
    assert (3, 4) == (before.count("100,00"), documents.count("100,00"))


def test_whom_nobody_has_looked_at_is_listed_until_somebody_does(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    """S1-08, S1-14, S1-15: overdue, and neither written to, nor called, nor noted; an entry ends it, and is listed."""
    desk = Desk(sqlite_engine, tmp_path, NOBODY_ACTED).at_work("ana")
    page = "/reports/no_action?form=csv"
    assert "acme:C1" in desk.browser.get(page).text
    desk.submit("/customers/acme:C1", "/notes", text="Called: pays on Friday", kind="conversation")
    assert "acme:C1" not in desk.browser.get(page).text
    assert "Called: pays on Friday" in desk.browser.get("/reports/activity").text
    assert "Called: pays on Friday" not in desk.browser.get("/reports/activity?kind=note").text


PROPOSED_IN_TIME = """# in manual mode: the first level was proposed on the day itself, and waits for a person
plan default
    first      0 email
customer email ana@c1.test
2026-01-02  mode manual
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-02-02  tick
    expect proposal first INV-1 by email because customer
2026-02-09  tick
"""


def test_who_is_overdue_while_a_proposal_waits_is_among_those_nobody_has_acted_on(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    """S1-08, S1-15, R37: nothing else need come due for it: the day after the due date is enough."""
    desk = Desk(sqlite_engine, tmp_path, PROPOSED_IN_TIME).at_work("ana")
    assert "acme:C1" in desk.browser.get("/reports/no_action?form=csv").text
    assert "acme:C1" in desk.browser.get("/?why=no_action").text


def test_what_was_sent_is_said_in_the_readers_words() -> None:
    """S1-27, S4-22: kinds of messages and errors too; a level that a company has named itself stays as it is called."""
    cells = {"step": "invoice_issued", "channel": "email", "error": "address_refused"}
    words = words_of("es")
    said = shown_row(SENT_COLUMNS, Row(cells=cells), words=words)
    assert [words["levels"]["invoice_issued"], words["reasons"]["address_refused"]] == [said[3], said[-1]]
    assert "my level" == shown_row(SENT_COLUMNS, Row(cells={"step": "my level"}), words=words)[3]


def test_a_long_pdf_is_set_in_pieces_and_a_longer_one_refused_with_the_way_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its length it takes the memory of a piece; what nobody reads on paper is not set."""
    for name in ("_ROWS_HERE", "_ROWS_PER_PIECE"):
        monkeypatch.setattr(f"console.web.inside.reporting.printing.{name}", 1)
    pages = PdfReader(io.BytesIO(desk.browser.get("/reports/documents?on=2026-03-02&form=pdf").content)).pages
    texts = [each.extract_text() for each in pages]
    assert ["INV-1", "INV-2"] == [text[text.index("INV-") :][:5] for text in texts]
    assert [True, False] == [text.startswith("Documentos abiertos\n") for text in texts]
    assert "400,00" in texts[-1]
    assert "400,00" not in texts[0]
    monkeypatch.setattr("console.web.inside.reporting.printing.PDF_ROWS_MAX", 1)
    answer = desk.browser.get("/reports/documents?on=2026-03-02&form=pdf")
    assert 422 == answer.status_code
    assert "XLSX o CSV" in answer.text


def test_a_line_of_a_statement_opens_the_document_itself(desk: Desk) -> None:
    """S1-26: the document where its address is known, else its page, as of a payment; in the workbook, too."""
    page = "/reports/statement?account=acme:C1&on=2026-03-02"
    assert 'href="/customers/acme%3AC1/document?document=INV-1"' in desk.browser.get(page).text
    address = "https://docs.acme.test/INV-1.pdf"
    _keep_document(desk.engine, "INV-1", address)
    assert f'href="{address}"' in desk.browser.get(page).text
    workbook = zipfile.ZipFile(io.BytesIO(desk.browser.get(f"{page}&form=xlsx").content))
    assert any(address in workbook.read(name).decode("utf-8", "replace") for name in workbook.namelist())


def test_the_trend_is_a_report_like_the_others(desk: Desk) -> None:
    """Issue 7, point 4: table, files, chosen columns: a line for each month end, the figures that are drawn; mailed like any."""
    asked = "on=2026-03-02&company=acme&columns=on&columns=receivables&columns=bucket_1&columns=dso"
    text = desk.browser.get(f"/reports/trend?{asked}&form=csv").content.decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(text)))
    days = [each.isoformat() for each in month_ends(datetime.date(2026, 3, 2), months=6)]
    assert days == [each["on"] for each in lines]
    assert "400.00" == lines[-1]["receivables"]
    assert {"on", "receivables", "bucket_1", "dso"} <= lines[0].keys()
    assert "paid_late" not in lines[0]
    chart = html.unescape(desk.browser.get("/reports/figures/trend?on=2026-03-02&company=acme").text)
    assert "/reports/trend?" in chart
    assert "form=pdf" in chart
    desk.at_work("eve", companies=("beta",))
    assert "acme" not in desk.browser.get("/reports/trend?on=2026-03-02&form=csv").text


def test_the_trend_is_drawn_over_its_tables(desk: Desk) -> None:
    """S0-28: month ends, each computed as of its day; one company in one currency; nothing of others."""
    text = desk.browser.get("/reports/figures/trend?on=2026-03-02&company=acme").text
    assert 3 == text.count("<figure data-chart=")
    assert "31 ene 2026" in text
    assert '"type": "bar"' in html.unescape(text)
    desk.at_work("eve", companies=("beta",))
    assert "<figure" not in desk.browser.get("/reports/figures/trend?on=2026-03-02").text


def test_the_days_of_a_trend_are_month_ends_and_the_day_itself() -> None:
    """Each of them once, the oldest first, across a year's end and a leap February."""
    days = month_ends(datetime.date(2024, 3, 15), months=5)
    assert ["2023-11-30", "2023-12-31", "2024-01-31", "2024-02-29", "2024-03-15"] == [
        each.isoformat() for each in days
    ]


def test_reports_say_the_same_on_both_databases(engine: Engine, tmp_path: Path) -> None:
    """Every report and its sums, on SQLite and on PostgreSQL."""
    desk = Desk(engine, tmp_path, STORY).at_work("ana")
    for report in REPORTS:
        page = f"/reports/{report}?on=2026-03-02&account=acme:C1&late=1&currency=USD"
        assert 200 == desk.browser.get(page).status_code, report
        content = desk.browser.get(f"{page}&form=csv").content.decode("utf-8-sig")
        assert (
            report in ("figures", "trend", "sent", "activity", "no_action")
            or "acme:C1" in content
            or "INV-1" in content
            or (report == "cash" and "100.00" in content)
        ), report
        assert 200 == desk.browser.get(page.replace("?", "/sums?")).status_code, report
    text = desk.browser.get("/reports/documents?on=2026-03-02&after=acme%3AC1%0A2026-02-02%0AINV-1").text
    assert ("INV-1<" not in text, "INV-2" in text) == (True, True)


def _keep_document(engine: Engine, item: str, address: str) -> None:
    """Let a document's billing system have said where it is."""
    is_item = and_(live_rows.c["kind"] == "item", live_rows.c["name"] == item)
    with writing(engine) as connection:
        row = json.loads(connection.execute(select(live_rows.c["row_json"]).where(is_item)).scalar_one())
        row["document"]["pdf_url"] = address
        connection.execute(update(live_rows).where(is_item).values(row_json=json.dumps(row)))


def test_what_may_come_in_by_week(sqlite_engine: Engine, tmp_path: Path) -> None:
    """U-9: a line a week, what is promised beside what is not due; what has no day says why."""
    story = """# a promise, what is not due, and what is out of dunning
customer email ana@c1.test
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-01-02  promise 60.00 by 2026-03-11
    expect promised INV-1 until 2026-03-13 total 60.00
2026-01-02  invoice INV-2 70.00 due 2026-03-12
2026-01-02  invoice INV-3 5.00 due 2026-02-03
2026-01-02  exclude INV-3 because "sold"
2026-03-02  tick
    expect withheld INV-1 - because promised until 2026-03-14
    expect withheld INV-3 - because excluded
"""
    desk = Desk(sqlite_engine, tmp_path, story).at_work("ana", role="viewer", language="es")
    content = desk.browser.get("/reports/cash?form=csv").content.decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(content)))
    assert [
        ("2026-03-09", "130.00", "60.00", "70.00", "", ""), ("", "", "", "", "5.00", "held"), ("", "", "", "", "40.00", "no_date"),
    ] == [
        (each["week"], each["expected"], each["promised"], each["on_due_date"], each["no_day"], each["why"])
        for each in lines
    ]  # fmt: skip
    text = desk.browser.get("/reports/cash").text
    for word in ("Dinero por venir", "Prometido", "fuera de la cobranza", "130,00"):
        assert word in text, word

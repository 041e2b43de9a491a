"""Importing tables: dates and amounts as declared, bad rows with number, column and reason."""

import csv
import datetime
import os
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from console.cli.import_csv import find_mapping
from console.importing import ImportFileError, Reading, profile_record, read_table, write_rejects
from console.mapping import ColumnMapping, MappingError, Template, load_mapping
from console.written_values import AmountFormat, DateFormatError, WrittenAmount, WrittenDate

HEADER = "countryCode,customerID,PaperlessDate,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,Disputed,SettledDate"
GOOD = "391,C-1,,0000611365,1/2/2013,2/1/2013,55.94,No,1/15/2013"
IBM = "ibm"


def _read(tmp_path: Path, *rows: str, header: str = HEADER, mapping: ColumnMapping | None = None) -> Reading:
    file = tmp_path / "table.csv"
    file.write_text("\r\n".join([header, *rows]) + "\r\n", encoding="utf-8")
    return read_table(file, mapping=mapping or find_mapping(IBM))


def _told(tmp_path: Path, *rows: str) -> list[str]:
    return [str(each) for each in _read(tmp_path, *rows).rejects]


class TestDates:
    """Written dates: a declared order, with and without zeros."""

    @pytest.mark.parametrize(
        ("written", "text", "expected"),
        [
            ("M/D/YYYY", "3/4/2012", (2012, 3, 4)),
            ("D/M/YYYY", "3/4/2012", (2012, 4, 3)),
            ("D/M/YYYY", "03/04/2012", (2012, 4, 3)),
            ("DD.MM.YY", "1.2.13", (2013, 2, 1)),
            ("YYYY-MM-DD", "2012-12-31", (2012, 12, 31)),
            ("YYYYMMDD", "20121231", (2012, 12, 31)),
        ],
    )
    def test_date_is_read(self, written: str, text: str, expected: tuple[int, int, int]) -> None:
        """Day and month are where the format says."""
        assert datetime.date(*expected) == WrittenDate(written).read(text)

    @pytest.mark.parametrize("text", ["13/1/2012", "2/30/2012", "1/2/12", "1/2/2012 0:00", "", "1-2-2012"])
    def test_no_date_is_refused(self, text: str) -> None:
        """Nothing is guessed; the reason shows the text and the format."""
        with pytest.raises(ValueError, match="is no date written M/D/YYYY"):
            WrittenDate("M/D/YYYY").read(text)

    @pytest.mark.parametrize("written", ["M/YYYY", "M/D/M/YYYY", "", "%d/%m/%Y"])
    def test_format_without_day_month_and_year_is_refused(self, written: str) -> None:
        """A format that leaves doubt is an error of the mapping."""
        with pytest.raises(DateFormatError):
            WrittenDate(written)


class TestAmounts:
    """Written amounts: text in, text out, never a float."""

    @pytest.mark.parametrize(
        ("decimal", "thousands", "text", "expected"),
        [(",", ".", "1.250,5", "1250.5"), (".", "", "97.6", "97.6"), (".", ",", "1,250", "1250")],
    )
    def test_amount_is_read(self, decimal: str, thousands: str, text: str, expected: str) -> None:
        """The decimal mark becomes a point, groups close up."""
        written = msgspec.convert({"decimal": decimal, "thousands": thousands}, AmountFormat)
        assert expected == WrittenAmount(written).read(text)

    @pytest.mark.parametrize("text", ["1.25", "12.50", "1,250.00", "1.25.000", "1e3", "USD 1"])
    def test_amount_that_could_be_misread_is_refused(self, text: str) -> None:
        """With point as group mark, 1.25 is no amount: it would become 125."""
        with pytest.raises(ValueError, match="is no amount"):
            WrittenAmount(AmountFormat(decimal=",", thousands=".")).read(text)


class TestTemplates:
    """Templates: constants, columns, and nothing where a column is empty."""

    def test_template_is_empty_when_a_column_is(self) -> None:
        """A customer without an id gets no address ``@example.test``."""
        template = Template("{id}@example.test")
        assert ["x@example.test", ""] == [template.render({"id": each}) for each in ("x", "")]

    @pytest.mark.parametrize("text", ["{a", "{a:upper}", "x{a:int}"])
    def test_unknown_template_is_refused(self, text: str) -> None:
        """What cannot be evaluated is refused by name."""
        with pytest.raises(MappingError):
            Template(text)


class TestMappings:
    """Mapping files: wrong ones are refused with the place."""

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ('"M/D/YYYY"', '"%m/%d/%Y"', "must have D, M and YYYY"),
            ("billing.invoice.issued.v1", "billing.invoice.issued.v9", "is unknown"),
            ('currency = "USD"\nlanguage', 'currency = "USDX"\nlanguage', r"\[company\] \$.currency"),
            ('encoding = "utf-8-sig"', 'encoding = "utf-99"', "unknown encoding"),
            ("once_per", "one_per", "unknown field"),
            ('DueDate = "', 'DueDay = "', "name columns that no event uses: DueDay"),
        ],
    )
    def test_wrong_mapping_is_refused(self, tmp_path: Path, old: str, new: str, expected: str) -> None:
        """The reason names file and field before any row is read."""
        shipped = Path("console/mappings/ibm.toml")
        text = (Path(__file__).parents[2] / shipped).read_text(encoding="utf-8")
        assert old in text
        file = tmp_path / "mapping.toml"
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(MappingError, match=expected):
            load_mapping(file)


class TestRows:
    """Rows: good ones become facts, bad ones say why."""

    def test_row_becomes_customer_invoice_and_payment(self, tmp_path: Path) -> None:
        """Amounts and numbers stay text; the payment names its invoice."""
        reading = _read(tmp_path, GOOD)
        found = [msgspec.json.decode(fact.record.value) for fact in reading.facts]
        assert ["1/2", "1/2", "1/15"] == [f"{fact.day.month}/{fact.day.day}" for fact in reading.facts]
        assert "C-1@example.test" == found[0]["contacts"][0]["email"]
        assert ("0000611365", "55.94", "2013-02-01") == tuple(
            found[1][name] for name in ("document", "amount", "due_date")
        )
        assert [{"document": "0000611365"}] == found[2]["lines"]

    def test_open_invoice_yields_no_payment(self, tmp_path: Path) -> None:
        """A payment is received when SettledDate is not empty."""
        reading = _read(tmp_path, GOOD.removesuffix("1/15/2013"))
        assert ["billing.customer.v1", "billing.invoice.v1"] == [each.record.topic for each in reading.facts]

    def test_customer_is_said_once(self, tmp_path: Path) -> None:
        """Once per distinct content, dated its first row in business order."""
        later = GOOD.replace("1/2/2013", "1/9/2013").replace("0000611365", "7")
        customers = [
            each for each in _read(tmp_path, later, GOOD).facts if each.record.topic == "billing.customer.v1"
        ]
        assert [datetime.date(2013, 1, 2)] == [each.day for each in customers]

    def test_same_file_gives_the_same_events(self, tmp_path: Path) -> None:
        """Importing twice changes nothing: ids and contents are functions of the file."""
        assert _read(tmp_path, GOOD).facts == _read(tmp_path, GOOD).facts
        assert profile_record(find_mapping(IBM)) == profile_record(find_mapping(IBM))

    def test_each_bad_row_is_told(self, tmp_path: Path) -> None:
        """Number as a spreadsheet counts, column, reason."""
        told = _told(
            tmp_path,
            GOOD,
            GOOD.replace("1/2/2013", "2013-01-02"),
            GOOD.replace("55.94", "55.941"),
            GOOD.replace("55.94", "-55.94"),
            GOOD.replace("C-1", ""),
            GOOD + ",more",
            "",
            GOOD.replace("55.94", "fifty"),
        )
        rows = [each.split(":")[0] for each in told]
        assert rows[0] == "row 3, column InvoiceDate"
        assert {"row 4, column InvoiceAmount", "row 5, column InvoiceAmount"} <= set(rows)
        assert "row 6, column customerID" in rows
        assert "row 7: has 10 columns, the header has 9" in told
        assert "row 9, column InvoiceAmount" in rows

    def test_bytes_of_another_encoding_are_told(self, tmp_path: Path) -> None:
        """Other rows are not affected."""
        file = tmp_path / "latin.csv"
        file.write_bytes(f"{HEADER}\n{GOOD.replace('C-1', 'Peña')}\n{GOOD}\n".encode("latin-1"))
        reading = read_table(file, mapping=find_mapping(IBM))
        assert ["row 2, column customerID: is not in the file's declared encoding"] == list(
            map(str, reading.rejects)
        )
        assert 3 == len(reading.facts)

    def test_missing_column_is_said_with_those_that_are_there(self, tmp_path: Path) -> None:
        """A wrong file is one error, not one per row."""
        with pytest.raises(ImportFileError, match="columns are missing: DueDate; there are: "):
            _read(tmp_path, GOOD, header=HEADER.replace("DueDate", "Due"))

    def test_header_may_be_written_in_other_letter_case(self, tmp_path: Path) -> None:
        """The variants of one export differ in it."""
        assert 3 == len(_read(tmp_path, GOOD, header=HEADER.upper()).facts)

    def test_missing_file_is_an_error_for_the_operator(self, tmp_path: Path) -> None:
        """No traceback for a misspelt name."""
        with pytest.raises(ImportFileError, match="No such file"):
            read_table(tmp_path / "none.csv", mapping=find_mapping(IBM))

    def test_mended_rejects_can_be_imported(self, tmp_path: Path) -> None:
        """Bad rows are written as they were, with the reason beside them."""
        reading = _read(tmp_path, GOOD.replace("55.94", "5.5.5"), GOOD.replace("55.94", "-1"))
        target = tmp_path / "rejects.csv"
        write_rejects(target, reading=reading, mapping=find_mapping(IBM))
        with target.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
        assert ["2", "3"] == [row[rows[0].index("rejected_row")] for row in rows[1:]]
        target.write_text(target.read_text(encoding="utf-8-sig").replace(",-1,", ",1,"), encoding="utf-8")
        again = read_table(target, mapping=find_mapping(IBM))
        assert 1 == again.rejected_rows
        assert 3 == len(again.facts)


def _ibm_folder() -> Path:
    folder = Path(os.environ.get("COBRANZA_IBM_CSV", "../shared/data/ibm"))
    if not folder.is_dir():
        reason = f"{folder} is not there: set COBRANZA_IBM_CSV to the folder of the receivables lists"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


FIGURES = [
    ("WA_Fn-UseC_-Accounts-Receivable.csv", "ibm", 2466, ((99, "5725.06"), (84, "5119.85"), (79, "4788.88"))),
    (
        "variant_ddmmyyyy_no-leading-zeros.csv",
        "ibm_ddmmyyyy",
        2466,
        ((99, "5725.06"), (84, "5119.85"), (79, "4788.88")),
    ),
    ("variant_with-missing_2586.csv", "ibm", 2586, ((105, "6079.60"), (86, "5223.91"), (86, "5211.14"))),
]


@pytest.mark.parametrize(("name", "mapping", "rows", "expected"), FIGURES)
def test_real_lists_give_the_known_receivables(
    name: str, mapping: str, rows: int, expected: tuple[tuple[int, str], ...]
) -> None:
    """Issue 3, acceptance: open items and receivables as of three days, straight from the events."""
    reading = read_table(_ibm_folder() / name, mapping=find_mapping(mapping))
    issued: dict[str, tuple[datetime.date, Decimal]] = {}
    settled: dict[str, datetime.date] = {}
    for fact in reading.facts:
        data = msgspec.json.decode(fact.record.value)
        if fact.record.topic == "billing.invoice.v1":
            issued[data["document"]] = (fact.day, Decimal(data["amount"]))
        elif fact.record.topic == "billing.payment.v1":
            settled[data["lines"][0]["document"]] = fact.day
    days = [datetime.date(2012, 12, 31), datetime.date(2013, 6, 30), datetime.date(2013, 11, 30)]
    open_items = [
        [amount for key, (on, amount) in issued.items() if on <= day < settled[key]] for day in days
    ]
    assert (rows, 0) == (reading.rows, len(reading.rejects))
    assert list(expected) == [(len(each), str(sum(each))) for each in open_items]

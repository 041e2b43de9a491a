"""A report as a sheet: columns that know what they hold, rows, and the forms that it is given away in.

A cell is a value, never a formula: text that begins with '=' is text in a spreadsheet, and in CSV it
cannot be told from one, so there it gets an apostrophe (OWASP: CSV injection).
"""

import csv
import datetime
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from importlib import resources
from typing import Any, Final, Literal

import typst
import xlsxwriter
from msgspec import Struct, json

from processors.money import exponent

__all__ = ["Cell", "Column", "Money", "Sheet", "csv_of", "pdf_of", "xlsx_of"]

Kind = Literal["text", "money", "day", "number"]
_STARTS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Money(Struct, frozen=True, kw_only=True):
    """An amount with its currency; never summed over currencies (R23)."""

    minor: int
    currency: str

    def decimal(self) -> Decimal:
        """Give it in major units."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))


Cell = str | int | Decimal | datetime.date | Money | None


class Column(Struct, frozen=True, kw_only=True):
    """A column; ``name`` is for programs, the words of the console have its heading."""

    name: str
    kind: Kind = "text"


class Sheet(Struct, frozen=True, kw_only=True):
    """A report; ``links`` are paths of the console by row and column, where a cell leads somewhere (S1-26)."""

    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Cell], ...]
    links: tuple[Mapping[str, str], ...] = ()

    def only(self, names: Sequence[str]) -> "Sheet":
        """Give the sheet with some of its columns; none named: all of them."""
        chosen = tuple(each for each in self.columns if each.name in names)
        return Sheet(columns=chosen or self.columns, rows=self.rows, links=self.links)


def csv_of(sheet: Sheet) -> bytes:
    """Write a sheet as CSV, UTF-8 with the mark that spreadsheets look for; money with a column for its currency."""
    text = io.StringIO()
    names: list[str] = []
    for column in sheet.columns:
        names += [column.name, f"{column.name}_currency"] if column.kind == "money" else [column.name]
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(names)
    for row in sheet.rows:
        cells: list[str] = []
        for column in sheet.columns:
            value = row.get(column.name)
            if column.kind == "money":
                cells += [str(value.decimal()), value.currency] if isinstance(value, Money) else ["", ""]
            else:
                cells.append(_plain(value))
        writer.writerow(cells)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def xlsx_of(sheet: Sheet, *, title: str, headings: Mapping[str, str]) -> bytes:
    """Write a sheet as a workbook of values: numbers are numbers, days are days, nothing is a formula."""
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(target, options) as book:
        page = book.add_worksheet(title[:31].translate(str.maketrans("", "", "[]:*?/\\")) or "report")
        bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
        formats: dict[str, Any] = {}
        for place, column in enumerate(sheet.columns):
            page.write_string(0, place, headings.get(column.name, column.name), bold)
        for line, row in enumerate(sheet.rows, start=1):
            for place, column in enumerate(sheet.columns):
                value = row.get(column.name)
                if isinstance(value, Money):
                    code = value.currency
                    known = formats.get(code)
                    if known is None:
                        places = "0" * exponent(code)
                        pattern = f'#,##0{"." if places else ""}{places} "{code}"'
                        known = formats[code] = book.add_format({"num_format": pattern})
                    page.write_number(line, place, float(value.decimal()), known)
                elif isinstance(value, datetime.date):
                    page.write_datetime(line, place, datetime.datetime.combine(value, datetime.time()), day)
                elif isinstance(value, int | Decimal):
                    page.write_number(line, place, float(value))
                elif value:
                    page.write_string(line, place, value)
        page.freeze_panes(1, 0)
        page.autofit()
    return target.getvalue()


def pdf_of(
    sheet: Sheet, *, title: str, subtitle: str, headings: Mapping[str, str], shown: Sequence[Sequence[str]]
) -> bytes:
    """Set a sheet as a tagged PDF (landscape A4); ``shown`` are its cells as a reader of the language expects them.

    Raises:
        typst.TypstError: it cannot be set.
    """
    data = {
        "title": title,
        "subtitle": subtitle,
        "headings": [headings.get(each.name, each.name) for each in sheet.columns],
        "figures": [each.kind in ("money", "number") for each in sheet.columns],
        "rows": shown,
    }
    layout = resources.files("console.web.inside").joinpath("report.typ").read_bytes()
    pdf = typst.compile(
        layout, format="pdf", sys_inputs={"report": json.encode(data).decode()}, ignore_system_fonts=True
    )
    if not isinstance(pdf, bytes):
        raise TypeError("typst gave no single PDF")
    return pdf


def _plain(value: Cell) -> str:
    if value is None:
        return ""
    text = value.isoformat() if isinstance(value, datetime.date) else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_STARTS_A_FORMULA) else text

"""The forms of a report that programs read: CSV, and a workbook of values.

A cell is a value, never a formula: text that begins with '=' is text in a spreadsheet, and in CSV it
cannot be told from one, so there it gets an apostrophe (OWASP: CSV injection). CSV and workbooks are written
row by row, whatever their length. A PDF is ``printing``'s.
"""

import csv
import datetime
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import xlsxwriter
from msgspec import Struct
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from console.web.inside.reporting.cells import heading_of, word_of
from console.web.inside.reporting.sheets import Cell, Column, Money, Row, Sheet, Sums
from processors.money import exponent

__all__ = ["Section", "csv_parts", "write_xlsx"]

_ROWS_PER_SHEET: Final = 1_000_000  # a worksheet holds 1,048,576
_LINKS_PER_SHEET: Final = 60_000  # and 65,530 links
_TEXT_MAX: Final = 32_000  # and 32,767 characters in a cell
_URL_MAX: Final = 2_000
_PART_BYTES: Final = 64 * 1024
_STARTS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_WEB: Final = ("https://", "http://")
_WIDTHS: Final = {"text": 24, "money": 18, "day": 12, "number": 12, "count": 10, "share": 12, "word": 18}


class Section(Struct, frozen=True, kw_only=True):
    """A report in a file, with its title, and below it what says what was asked for."""

    title: str
    subtitle: str
    sheet: Sheet


# -- CSV ----------------------------------------------------------------------------------------


def csv_parts(sheet: Sheet) -> Iterator[bytes]:
    """Write CSV part by part, UTF-8 with the mark that spreadsheets look for; money has a column for its currency."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    names: list[str] = []
    for column in sheet.columns:
        names += [column.name, f"{column.name}_currency"] if column.kind == "money" else [column.name]
    writer.writerow(names)
    yield b"\xef\xbb\xbf"
    for row in sheet.rows:
        writer.writerow([cell for column in sheet.columns for cell in _plain(column, row)])
        if text.tell() >= _PART_BYTES:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _plain(column: Column, row: Row) -> list[str]:
    value = row.cells.get(column.name)
    if column.kind == "money":
        return [str(value.decimal()), value.currency] if isinstance(value, Money) else ["", ""]
    if value is None:
        return [""]
    text = value.isoformat() if isinstance(value, datetime.date) else str(value)
    return [f"'{text}" if isinstance(value, str) and text.startswith(_STARTS_A_FORMULA) else text]


# -- workbook -----------------------------------------------------------------------------------


def write_xlsx(path: Path, sections: Iterable[Section], *, words: Mapping[str, Any]) -> None:
    """Write a workbook: numbers are numbers, days are days, documents are links, nothing is a formula."""
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        writer = _BookWriter(book, words=words)
        for section in sections:
            writer.write(section)


class _BookWriter:
    """Writes sections into one workbook, top to bottom; formats are made once."""

    def __init__(self, book: xlsxwriter.Workbook, *, words: Mapping[str, Any]) -> None:
        self._book, self._words = book, words
        self._bold = book.add_format({"bold": True})
        self._formats: dict[tuple[str, bool], Format] = {}
        self._names: set[str] = set()

    def write(self, section: Section) -> None:
        """Write a section, on a further worksheet where one is full; sums by currency at its end."""
        columns = section.sheet.columns
        sums = Sums(columns)
        page, line, links = self._page(section, 1), 1, 0
        for row in sums.over(section.sheet.rows):
            if line > _ROWS_PER_SHEET:
                number = sums.count // _ROWS_PER_SHEET + 1
                page, line, links = self._page(section, number), 1, 0
            links += self._row(page, line, columns, row, may_link=links < _LINKS_PER_SHEET)
            line += 1
        for row in sums.rows():
            self._row(page, line, columns, row, is_bold=True)
            line += 1

    def _page(self, section: Section, number: int) -> Worksheet:
        stem = section.title.translate(str.maketrans("", "", "[]:*?/\\'")).strip() or "report"
        ending = "" if number == 1 else f" {number}"
        name = stem[: 31 - len(ending)] + ending
        while name.lower() in self._names:  # a title that differs only beyond what a name holds
            name = name[:28] + f" {len(self._names) + 1}"
        self._names.add(name.lower())
        page = self._book.add_worksheet(name)
        for place, column in enumerate(section.sheet.columns):
            page.set_column(place, place, _WIDTHS[column.kind])
        page.freeze_panes(1, 0)
        for place, column in enumerate(section.sheet.columns):
            page.write_string(0, place, heading_of(column, words=self._words), self._bold)
        return page

    def _row(
        self,
        page: Worksheet,
        line: int,
        columns: Sequence[Column],
        row: Row,
        *,
        is_bold: bool = False,
        may_link: bool = False,
    ) -> int:
        """Write a row; give how many links it has."""
        links = 0
        for place, column in enumerate(columns):
            value = row.cells.get(column.name)
            url = row.links.get(column.name, "") if may_link else ""
            if url.startswith(_WEB) and len(url) <= _URL_MAX and isinstance(value, str):
                page.write_url(line, place, url, string=value[:_TEXT_MAX])
                links += 1
            elif value is not None and value != "":
                self._cell(page, line, place, column=column, value=value, is_bold=is_bold)
        return links

    def _cell(
        self, page: Worksheet, line: int, place: int, *, column: Column, value: Cell, is_bold: bool
    ) -> None:
        if isinstance(value, Money):
            places = "0" * exponent(value.currency)
            pattern = f'#,##0{"." if places else ""}{places} "{value.currency}"'
            page.write_number(line, place, float(value.decimal()), self._format(pattern, is_bold=is_bold))
        elif isinstance(value, datetime.date):
            at = datetime.datetime.combine(value, datetime.time())
            page.write_datetime(line, place, at, self._format("yyyy-mm-dd", is_bold=is_bold))
        elif isinstance(value, str):
            said = word_of(column, value, words=self._words) if column.kind == "word" else value
            page.write_string(line, place, said[:_TEXT_MAX])
        else:
            pattern = {"share": "0.0%", "number": "0.0"}.get(column.kind, "0")
            page.write_number(line, place, float(str(value)), self._format(pattern, is_bold=is_bold))

    def _format(self, pattern: str, *, is_bold: bool) -> Format:
        known = self._formats.get((pattern, is_bold))
        if known is None:
            known = self._book.add_format({"num_format": pattern, "bold": is_bold})
            self._formats[pattern, is_bold] = known
        return known

"""Reports as PDF, set by typst: landscape A4, documents as links, sums by currency at the end of each.

Setting a page takes memory for as long as its document is set: a long report is set in pieces that are put
together (without the tags that a short one has for screen readers), one report at a time.
It refuses more than ``PDF_ROWS_MAX`` rows: nobody reads that on paper, and programs have better forms.
"""

import io
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import json
from pypdf import PdfReader, PdfWriter

from console.web.inside.reporting.cells import heading_of, shown_row
from console.web.inside.reporting.forms import Section
from console.web.inside.reporting.sheets import Sums
from console.web.inside.reporting.typesetting import set_apart, set_here

__all__ = ["PDF_ROWS_MAX", "TooLongError", "pdf_of"]

PDF_ROWS_MAX: Final = 10_000
_ROWS_HERE: Final = 500
_ROWS_PER_PIECE: Final = 1_000
_WEB: Final = ("https://", "http://")
_one_at_a_time: Final = threading.Lock()
Printed = dict[str, Any]


class TooLongError(Exception):
    """A report has more rows than a form holds; ``rows_max`` is how many it does."""

    def __init__(self, rows_max: int) -> None:
        super().__init__(f"more than {rows_max} rows")
        self.rows_max = rows_max


def pdf_of(sections: Iterable[Section], *, words: Mapping[str, Any]) -> bytes:
    """Set sections as one PDF.

    Raises:
        TooLongError: a section has more than ``PDF_ROWS_MAX`` rows.
        TypesettingError: it cannot be set.
    """
    printed = [_printed(each, words=words) for each in sections]
    data = {"language": words["language"], "title": printed[0]["title"]}
    with _one_at_a_time:
        if sum(len(each["rows"]) for each in printed) <= _ROWS_HERE:
            whole = {**data, "sections": printed, "first_page": 1, "is_whole": True}
            return set_here(json.encode(whole).decode(), with_tags=True)
        return _put_together(data, printed)


def _put_together(data: Printed, printed: list[Printed]) -> bytes:
    whole = PdfWriter()
    for section in printed:
        for piece in _pieces(section):
            first = len(whole.pages) + 1
            part = {**data, "sections": [piece], "first_page": first, "is_whole": False}
            content = set_apart(json.encode(part).decode())
            whole.append(PdfReader(io.BytesIO(content)))
    whole.add_metadata({"/Title": data["title"]})
    target = io.BytesIO()
    whole.write(target)
    return target.getvalue()


def _pieces(section: Printed) -> Iterator[Printed]:
    """Divide a section: its title on the first piece, its sums on the last."""
    rows = section["rows"]
    starts = range(0, max(len(rows), 1), _ROWS_PER_PIECE)
    for start in starts:
        yield {
            **section,
            "title": section["title"] if start == 0 else "",
            "rows": rows[start : start + _ROWS_PER_PIECE],
            "sums": section["sums"] if start == starts[-1] else [],
        }


def _printed(section: Section, *, words: Mapping[str, Any]) -> Printed:
    # What is only an address stands behind the document's own name.
    every = section.sheet.columns
    columns = [each for each in every if each.name != "address"] or list(every)
    sums = Sums(columns)
    rows: list[list[dict[str, str]]] = []
    for row in sums.over(section.sheet.rows):
        if sums.count > PDF_ROWS_MAX:
            raise TooLongError(PDF_ROWS_MAX)
        texts = shown_row(columns, row, words=words)
        urls = [row.links.get(column.name, "") for column in columns]
        rows.append(
            [
                {"t": text, "u": url if url.startswith(_WEB) else ""}
                for text, url in zip(texts, urls, strict=True)
            ]
        )
    return {
        "title": section.title,
        "subtitle": section.subtitle,
        "headings": [heading_of(each, words=words) for each in columns],
        "figures": [each.is_figure for each in columns],
        "rows": rows,
        "sums": [shown_row(columns, row, words=words) for row in sums.rows()],
    }

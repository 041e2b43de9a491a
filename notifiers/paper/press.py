"""Letters as PDF: for window envelopes, kept for ever (PDF/A-2a), tagged for readers who do not see (PDF/UA-1).

The layout is a typst file; words and figures are passed to it as JSON in a quoted string, so
that no text of a customer is ever read as markup.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
import typst

from notifiers.paper.sheets import extent_of
from notifiers.writing.view import MessageView, as_data

__all__ = ["STANDARDS", "LetterPress", "PaperError", "quoted"]

# Level a of part 2, not of part 1: only the later parts may also be accessible in the sense of PDF/UA.
STANDARDS: "Final[list[typst.PDFStandard]]" = ["a-2a", "ua-1"]


# What a first page holds beside its paragraphs, as `_lines` counts.
_LINES_OF_A_PAGE: Final = 22
_LINES_OF_A_CODE: Final = 5  # two stand side by side


class PaperError(Exception):
    """The layout cannot be set with these data; says what typst says."""


class LetterPress:
    """A warm typst compiler: the first letter takes some 50 ms, the next ones a few.

    Not thread-safe: each sending loop has its own.

    Args:
        layout: the typst file.
        fonts: a folder with more fonts, for scripts that those that come along do not have.
    """

    def __init__(self, layout: Path, *, fonts: Path | None = None) -> None:
        # The fonts come with typst, so that letters look the same on every machine.
        self._compiler = typst.Compiler(
            root=str(layout.parent),
            font_paths=[] if fonts is None else [str(fonts)],
            ignore_system_fonts=True,
        )
        self._module = quoted(layout.name)

    def print(self, view: MessageView, *, texts: Mapping[str, object], printed_on: datetime) -> bytes:
        """Set one letter; the same input gives the same bytes.

        Args:
            view: the reminder as written for its reader.
            texts: ``subject`` and ``reference`` (by which a returned letter is told), ``opening`` and
                ``closing`` (lists of paragraphs), ``picture`` (the logo, or None), ``codes`` (ways to pay and to answer).
            printed_on: the creation time noted in the file.

        Raises:
            PaperError: typst refuses: no font has a character, or the address does not fit.
        """
        data = msgspec.json.encode(as_data(view) | dict(texts)).decode()
        if _lines(view) <= _LINES_OF_A_PAGE:
            # To look for the number of the last page costs a quarter of the time; most letters have one page.
            pdf = self._set(data, is_single=True, printed_on=printed_on)
            if extent_of(pdf).pages == 1:
                return pdf
        return self._set(data, is_single=False, printed_on=printed_on)

    def _set(self, data: str, *, is_single: bool, printed_on: datetime) -> bytes:
        # Data stand in a source of their own, not in `sys.inputs`: those are part of everything that
        # typst remembers, and with each letter it would begin anew.
        single = "true" if is_single else "false"
        source = f"#import {self._module}: print\n#print(json(bytes({quoted(data)})), single: {single})"
        try:
            pdf = self._compiler.compile(
                input=source.encode(), format="pdf", pdf_standards=STANDARDS, timestamp=printed_on
            )
        except typst.TypstError as error:
            raise PaperError(_said(error)) from error
        if not isinstance(pdf, bytes):
            raise PaperError("typst gave no single PDF")
        return pdf


def _lines(view: MessageView) -> int:
    """Guess how many lines the tables and the payment instructions of a letter take."""
    tables = (view.others, view.charges, view.credits, view.aging)
    sums = (view.totals, view.other_totals, view.charge_totals, view.credit_totals)
    return (
        2 * len(view.items)
        + sum(len(rows) + 2 for rows in tables if rows)
        + sum(map(len, sums))
        + len(view.payment_instructions)
        + _LINES_OF_A_CODE * ((len(view.pay_links) + bool(view.report_url) + 1) // 2)
        + bool(view.attached)
    )


def quoted(text: str) -> str:
    """Write a text as a string of typst: two characters mean something in one, and nothing else does."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _said(error: typst.TypstError) -> str:
    said = error.message or str(error)
    if "could not be displayed" in said:
        return f"{said}; a font that has it belongs into the folder that COBRANZA_SEND_LETTER_FONTS names"
    return said

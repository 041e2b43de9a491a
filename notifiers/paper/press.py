"""Letters as PDF: A4, a window address as in DIN 5008, tagged for readers who do not see (PDF/UA-1).

The layout is a typst file; words and figures are passed as JSON, so that no
text of a customer is ever read as markup.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec
import typst

from notifiers.writing.view import MessageView, as_data

__all__ = ["LetterPress", "PaperError"]


class PaperError(Exception):
    """The layout cannot be set with these data; says what typst says."""


class LetterPress:
    """A warm typst compiler: the first letter takes some 50 ms, the next ones a few.

    Not thread-safe: each sending loop has its own.
    """

    def __init__(self, layout: Path) -> None:
        # The fonts come with typst, so that letters look the same on every machine.
        self._compiler = typst.Compiler(layout, root=layout.parent, ignore_system_fonts=True)

    def print(self, view: MessageView, *, texts: Mapping[str, object], printed_on: datetime) -> bytes:
        """Set one letter; the same input gives the same bytes.

        Args:
            view: the reminder as written for its reader.
            texts: ``subject`` (text), ``opening`` and ``closing`` (lists of paragraphs).
            printed_on: the creation time noted in the file.

        Raises:
            PaperError: typst refuses.
        """
        data = msgspec.json.encode(as_data(view) | dict(texts)).decode()
        try:
            pdf = self._compiler.compile(
                format="pdf",
                sys_inputs={"letter": data},
                pdf_standards="ua-1",
                timestamp=printed_on,
            )
        except typst.TypstError as error:
            raise PaperError(str(error)) from error
        if not isinstance(pdf, bytes):
            raise PaperError("typst gave no single PDF")
        return pdf

"""How much paper a letter is: its pages, its sheets, and the paper's name."""

import io
import math
import re
from functools import lru_cache
from typing import Final

import pypdf
from msgspec import Struct

from notifiers.channel import Message
from notifiers.paper.apart import foreign_reader

__all__ = ["Extent", "extent_of", "extent_of_foreign", "extent_of_letter"]

_POINTS_PER_MM: Final = 72 / 25.4
# Width and height in millimetres; a letter is upright.
_PAPERS: Final = {"a4": (210.0, 297.0), "us_letter": (215.9, 279.4)}

_TREE: Final = re.compile(rb"%PDF-1\.\d\n%[\x80-\xff]+\n\n1 0 obj\n<</Type/Pages/Count (\d+)/Kids\[(\d+) 0 R")
_FIRST_PAGE: Final = rb"\n%b 0 obj\n<</Type/Page/[^>]*?/MediaBox\[0 0 ([\d.]+) ([\d.]+)\]"


class Extent(Struct, frozen=True, kw_only=True):
    """The size of a letter; ``paper`` is 'a4', 'us_letter' or 'other'."""

    pages: int
    paper: str

    def sheets(self, *, duplex: bool) -> int:
        """Count the sheets that are folded into the envelope."""
        return math.ceil(self.pages / 2) if duplex else self.pages


def extent_of_letter(message: Message) -> Extent:
    """Give a letter's pages and paper: as whoever wrote it has said, else as they are read."""
    if message.pages and message.paper:
        return Extent(pages=message.pages, paper=message.paper)
    return extent_of(message.pdf)


def extent_of_foreign(pdf: bytes) -> Extent:
    """Have the pages and paper of somebody else's PDF read, in a process of its own.

    Raises:
        ForeignPdfError: it is locked, empty, broken, too long, or takes too much.
    """
    read = foreign_reader().read(pdf)
    return _extent(read.pages, read.width, read.height)


@lru_cache(maxsize=4)  # the press and the writer ask about the same letter, one after the other
def extent_of(pdf: bytes) -> Extent:
    """Read a letter's pages and paper."""
    return _as_typst_says(pdf) or _read(pdf)


def _as_typst_says(pdf: bytes) -> Extent | None:
    """Look where typst writes it: to read the file as anybody's takes as long as to set the letter. None: it is not there."""
    tree = _TREE.match(pdf)
    if tree is None:
        return None
    first = re.compile(_FIRST_PAGE % tree[2]).search(pdf)
    return None if first is None else _extent(int(tree[1]), float(first[1]), float(first[2]))


def _read(pdf: bytes) -> Extent:
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    box = reader.pages[0].mediabox
    return _extent(len(reader.pages), float(box.width), float(box.height))


def _extent(pages: int, width: float, height: float) -> Extent:
    size = (width / _POINTS_PER_MM, height / _POINTS_PER_MM)
    papers = [name for name, each in _PAPERS.items() if math.dist(size, each) < 1.0]
    return Extent(pages=pages, paper=papers[0] if papers else "other")

"""What a print run looks like for the printer: its files' names, its manifest, and all letters in one PDF.

The manifest says of each envelope what must come out of the machine: which letter, which enclosures behind it in
which order, whose, how many sheets, and the SHA-256 of each file. The same run gives the same bytes.
"""

import hashlib
import io
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

import msgspec
import pypdf
from msgspec import Struct

from infra.database.print_runs import Enclosed, Run, RunLetter

__all__ = [
    "LETTERS",
    "MANIFEST",
    "FileOf",
    "Manifest",
    "enclosure_file",
    "file_of",
    "folder_of",
    "manifest_of",
    "merged",
]

MANIFEST: Final = "manifest.json"
LETTERS: Final = "letters.pdf"
_VERSION: Final = 2


class FileOf(Struct, frozen=True, kw_only=True):
    """A file beside the manifest."""

    file: str
    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, name: str, content: bytes) -> "FileOf":
        """Describe a file with this content."""
        return cls(file=name, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


class EnclosureOf(FileOf, frozen=True, kw_only=True):
    """A document behind its letter, in the order of ``place`` from 1; ``name`` is for people."""

    place: int
    name: str
    pages: int
    sheets: int
    paper: str


class LetterOf(FileOf, frozen=True, kw_only=True):
    """A letter of the run; ``reminder`` is what a returned letter is told by. Pages and sheets are its own."""

    position: int
    reminder: str
    account: str
    customer: str
    pages: int
    sheets: int
    paper: str
    enclosures: tuple[EnclosureOf, ...]


class Manifest(Struct, frozen=True, kw_only=True):
    """A whole run; ``letters``, ``pages`` and ``sheets`` (enclosures included) are what must be counted at the end."""

    version: int
    run: str
    company: str
    opened_at: str
    closed_at: str
    duplex: bool
    letters: int
    pages: int
    sheets: int
    merged: FileOf | None
    files: tuple[LetterOf, ...]


def folder_of(run: Run) -> str:
    """Give the name of a run's folder."""
    return f"runs/{run.company}/{run.run}"


def file_of(letter: RunLetter) -> str:
    """Give the name of a letter's file in the folder of its run; names ascend as positions do."""
    return f"{letter.position:06d}-{PurePosixPath(letter.spool).name}"


def enclosure_file(letter: RunLetter, place: int) -> str:
    """Give the name of an enclosure's file, ``place`` from 1: behind its letter's, before the next letter's."""
    return f"{letter.position:06d}.{place:02d}-{PurePosixPath(letter.enclosures[place - 1].spool).name}"


def manifest_of(run: Run, *, letters: Sequence[RunLetter], duplex: bool, merged: FileOf | None) -> bytes:
    """Write the manifest of a run that takes no more letters.

    Raises:
        ValueError: the run is open, or its letters are not those that it has counted.
    """
    counted = (
        len(letters),
        sum(each.all_pages for each in letters),
        sum(each.all_sheets for each in letters),
    )
    if run.closing_at is None or counted != (run.letters, run.pages, run.sheets):
        raise ValueError(
            f"run {run.run} is {run.state} and has counted {run.letters} letters, not {counted[0]}"
        )
    manifest = Manifest(
        version=_VERSION,
        run=run.run,
        company=run.company,
        opened_at=run.opened_at.isoformat(),
        closed_at=run.closing_at.isoformat(),
        duplex=duplex,
        letters=run.letters,
        pages=run.pages,
        sheets=run.sheets,
        merged=merged,
        files=tuple(_letter(each) for each in letters),
    )
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def merged(contents: Sequence[bytes], *, duplex: bool) -> bytes:
    """Put files one behind the other into one PDF; printed on both sides, each begins on a sheet of its own."""
    writer = pypdf.PdfWriter()
    for content in contents:
        writer.append(io.BytesIO(content), import_outline=False)
        if duplex and len(writer.pages) % 2:
            box = writer.pages[-1].mediabox
            writer.add_blank_page(width=float(box.width), height=float(box.height))
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def _letter(letter: RunLetter) -> LetterOf:
    return LetterOf(
        file=file_of(letter),
        size_bytes=letter.size_bytes,
        sha256=letter.sha256,
        position=letter.position,
        reminder=letter.reminder,
        account=letter.account,
        customer=letter.customer,
        pages=letter.pages,
        sheets=letter.sheets,
        paper=letter.paper,
        enclosures=tuple(
            _enclosure(letter, each, place=place) for place, each in enumerate(letter.enclosures, start=1)
        ),
    )


def _enclosure(letter: RunLetter, enclosed: Enclosed, *, place: int) -> EnclosureOf:
    return EnclosureOf(
        file=enclosure_file(letter, place),
        size_bytes=enclosed.size_bytes,
        sha256=enclosed.sha256,
        place=place,
        name=enclosed.name,
        pages=enclosed.pages,
        sheets=enclosed.sheets,
        paper=enclosed.paper,
    )

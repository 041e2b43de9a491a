"""Somebody else's PDFs (S4-14): read in a process of their own, so that one that was made to hurt is left out and nothing else happens."""

import io
import os
import resource
import select
import zlib
from collections.abc import Callable, Iterator

import msgspec
import pypdf
import pytest
from structlog.testing import capture_logs

from notifiers.channel import Attachment
from notifiers.paper.apart import ForeignPdfError, ForeignReader, ReadPdf
from notifiers.paper.foreign import LENGTH_BYTES, PAGES_MAX
from notifiers.writing.render import Renderer
from notifiers.writing.words import Words, words_of
from schemas.facts import ReminderDecided
from tests.notifiers.sending import reminder

A4 = ReadPdf(pages=1, width=595.0, height=842.0)


def made(*objects: bytes, prev: int | None = None) -> bytes:
    """Write a PDF of these objects, numbered from 1; the first is the catalogue."""
    file, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(file))
        file += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    more = b"" if prev is None else b"/Prev %d" % (prev or len(file))
    return file + b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<</Size %d/Root 1 0 R%b>>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1, table, len(objects) + 1, more, len(file)
    )  # fmt: skip


CATALOGUE, PAGES = b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 1/Kids[3 0 R]>>"
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"


def blank(pages: int, *, password: str | None = None) -> bytes:
    """Make an ordinary PDF; with a password it is locked, with "" only against changes."""
    writer = pypdf.PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(width=595, height=842)
    if password is not None:
        writer.encrypt(password, owner_password="owner", algorithm="AES-256")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def nested() -> bytes:
    """Nest arrays and dictionaries deeper than any stack."""
    depth = 200_000
    return made(CATALOGUE, PAGES, PAGE[:-2] + b"/Annots" + b"[" * depth + b"]" * depth + b">>")


def zip_bomb() -> bytes:
    """Let the table of objects be a gigabyte of noughts, packed twice to a few thousand bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    million = packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    count = 1_000_000_000
    checked = (count % 65521 << 16 | 1).to_bytes(4)
    packed = zlib.compress(b"\x78\xda" + million * 1_000 + b"\x03\x00" + checked, 9)
    assert len(packed) < 20_000
    head = b"<</Type/XRef/W[1 2 1]/Size 250000000/Root 1 0 R/Length %d/Filter[/FlateDecode/FlateDecode]>>"
    file = b"%PDF-1.7\n1 0 obj\n" + CATALOGUE + b"\nendobj\n"
    body = b"2 0 obj\n" + head % len(packed) + b"stream\n" + packed + b"\nendstream\nendobj\n"
    return file + body + b"startxref\n%d\n%%%%EOF" % len(file)


def page_bomb() -> bytes:
    """Let each level of the page tree name the next one ten times: ten thousand million pages."""
    levels = [
        b"<</Type/Pages/Count 1/Kids[%b]>>" % (b"%d 0 R " % (number + 1) * 10) for number in range(2, 12)
    ]
    return made(CATALOGUE, *levels, b"<</Type/Page/MediaBox[0 0 595 842]>>")


BOMBS: dict[str, Callable[[], bytes]] = {
    "no PDF": lambda: b"%PDF-1.7 broken",
    "locked": lambda: blank(1, password="secret"),
    "without a page": lambda: made(CATALOGUE, b"<</Type/Pages/Count 0/Kids[]>>"),
    "too many pages": lambda: blank(PAGES_MAX + 1),
    "nested": nested,
    "a gigabyte of noughts": zip_bomb,
    "a tree of pages that is its own branch": lambda: made(CATALOGUE, b"<</Type/Pages/Count 1/Kids[2 0 R]>>"),
    "an object that is itself": lambda: made(CATALOGUE, b"2 0 R"),
    "ten thousand million pages": page_bomb,
}


@pytest.fixture(scope="module")
def reader() -> Iterator[ForeignReader]:
    """Give a reader that is stricter than the product's, so that it takes less time."""
    opened = ForeignReader(processor_s=1)
    yield opened
    opened.close()


@pytest.mark.parametrize("name", BOMBS)
def test_what_hurts_is_refused_and_the_next_one_is_read(reader: ForeignReader, name: str) -> None:
    """Each known way to hurt who reads a PDF; the invoice after it goes along as if nothing had been. It is looked at once."""
    for _ in range(2):
        with pytest.raises(ForeignPdfError):
            reader.read(BOMBS[name]())
    assert A4 == reader.read(blank(1))


@pytest.mark.parametrize("content", [made(CATALOGUE, PAGES, PAGE, prev=0), blank(1, password="")])
def test_what_only_looks_odd_is_read(reader: ForeignReader, content: bytes) -> None:
    """Tables of objects that name each other as the older one, and invoices that are locked against changes only."""
    assert A4 == reader.read(content)


def test_no_answer_is_taken_for_that_of_another_document(reader: ForeignReader) -> None:
    """Something else has asked the process: its answer comes first. A locked document was read once in a whole run of the tests."""
    other = blank(1)
    assert A4 == reader.read(other)
    process = reader._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.write(len(other).to_bytes(LENGTH_BYTES) + other)
    process.stdin.flush()
    with pytest.raises(ForeignPdfError, match="locked"):
        reader.read(blank(1, password="secret"))
    assert ReadPdf(pages=2, width=595.0, height=842.0) == reader.read(blank(2))


def test_a_process_whose_answer_cannot_be_read_is_not_asked_again(
    reader: ForeignReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer would be taken for that of the next document."""

    def interrupted(*_: object) -> None:
        raise ValueError("cannot wait for it")

    with monkeypatch.context() as patched:
        patched.setattr(select, "poll", interrupted)
        with pytest.raises(ValueError, match="cannot wait"):
            reader.read(blank(2))
    assert A4 == reader.read(blank(1))


def test_a_notifier_with_many_open_files_reads_documents_too() -> None:
    """More than a thousand: numbers of files above 1023 are ordinary."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1_200:
        pytest.skip("this machine allows fewer files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1_200), hard))
    crowd = [os.open(os.devnull, os.O_RDONLY) for _ in range(1_030)]
    reader = ForeignReader()
    try:
        assert A4 == reader.read(blank(1))
    finally:
        reader.close()
        for each in crowd:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_letter_goes_without_the_document_that_hurts() -> None:
    """It names only what comes with it; the log says which document was left out, and why."""
    files = (
        Attachment(name="F-1.pdf", media_type="application/pdf", content=nested()),
        Attachment(name="F-2.pdf", media_type="application/pdf", content=blank(2)),
    )

    def enclose(reminder: ReminderDecided, *, words: Words) -> tuple[Attachment, ...]:
        assert (reminder.company, words) == ("acme", words_of("en"))
        return files

    asked = msgspec.structs.replace(reminder("r1", channels=("letter",)), letter_documents=True)
    with capture_logs() as said:
        message = Renderer(enclose=enclose).message(asked, "letter")
    assert [("F-2.pdf", 2)] == [(each.name, each.pages) for each in message.attachments]
    (left_out,) = (each for each in said if each["event"] == "document_not_enclosed")
    assert ("r1", "F-1.pdf") == (left_out["reminder"], left_out["name"])

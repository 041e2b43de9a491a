"""Documents that come with a letter (S4-14 … S4-16): printed behind it, in order, counted and paid for; PDF/A stays the letter's."""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pypdf
import pytest
from sqlalchemy import Engine

from infra.database.print_runs import PrintRuns
from notifiers.channel import Attachment, Message
from notifiers.paper.folder import LetterFolder
from notifiers.paper.post import PostChannel, PostOptions
from notifiers.paper.post_http import HttpPost, PostServer
from notifiers.pricing import parts_of
from notifiers.writing.render import Renderer
from notifiers.writing.words import Words, words_of
from schemas.facts import ReminderDecided
from tests.notifiers.paper.post_office import post_office
from tests.notifiers.paper.printing import closer, printing
from tests.notifiers.sending import reminder


def blank(pages: int) -> bytes:
    """Make somebody's PDF."""
    writer = pypdf.PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(width=595, height=842)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


FILES = (
    Attachment(name="F-1.pdf", media_type="application/pdf", content=blank(3)),
    Attachment(name="F-1.xml", media_type="application/xml", content=b"<Invoice/>"),
    Attachment(name="F-2.pdf", media_type="application/pdf", content=blank(1)),
    Attachment(name="F-3.pdf", media_type="application/pdf", content=b"%PDF-1.7 broken"),
)


def enclose(reminder: ReminderDecided, *, words: Words) -> tuple[Attachment, ...]:
    """Give what a mail would take along."""
    assert (reminder.company, words) == ("acme", words_of("en"))
    return FILES


def letter(name: str = "r1", *, documents: bool = True) -> Message:
    """Write a letter of a company that has documents printed."""
    made = msgspec.structs.replace(reminder(name, channels=("letter",)), letter_documents=documents)
    return Renderer(enclose=enclose).message(made, "letter")


def test_a_letter_takes_along_what_can_be_printed() -> None:
    """PDFs, with their pages; an XML is nothing on paper, and a file that cannot be read would jam the machine. It says what comes with it."""
    message = letter()
    assert [("F-1.pdf", 3, "a4"), ("F-2.pdf", 1, "a4")] == [
        (each.name, each.pages, each.paper) for each in message.attachments
    ]
    said = " ".join(pypdf.PdfReader(io.BytesIO(message.pdf)).pages[0].extract_text().split())
    assert "Enclosed: F-1, F-2" in said
    assert (1, 5) == (message.pages, parts_of(message))


def test_only_where_the_company_says_so() -> None:
    """Paper costs: without the profile's word a letter is what it was."""
    message = letter(documents=False)
    assert ((), 1) == (message.attachments, parts_of(message))


@pytest.mark.parametrize(("duplex", "sheets"), [(False, 10), (True, 8)])
def test_the_manifest_says_what_comes_behind_which_letter(
    engine: Engine, tmp_path: Path, duplex: bool, sheets: int
) -> None:
    """Each file by itself, so that letters stay PDF/A: in order by name and by place, each with sheets and hash."""
    carrier = printing(engine, tmp_path, duplex=duplex)
    for name in ("r1", "r2"):
        carrier.send(letter(name))
    assert 6 == len(list((tmp_path / "spool").rglob("*.pdf")))
    (run,) = closer(engine, tmp_path, duplex=duplex).close()
    assert (2, 10, sheets) == (run.letters, run.pages, run.sheets)
    folder = tmp_path / "runs/acme/acme-000001"
    assert [
        "000001-C1-first-r1.pdf", "000001.01-C1-first-r1-01.pdf", "000001.02-C1-first-r1-02.pdf",
        "000002-C1-first-r2.pdf", "000002.01-C1-first-r2-01.pdf", "000002.02-C1-first-r2-02.pdf",
        "manifest.json",
    ] == sorted(each.name for each in folder.iterdir())  # fmt: skip
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (2, 10, sheets) == tuple(manifest[each] for each in ("letters", "pages", "sheets"))
    first = manifest["files"][0]
    assert (1, 1) == (first["pages"], first["sheets"])
    assert [(1, "F-1.pdf", 3), (2, "F-2.pdf", 1)] == [
        (each["place"], each["name"], each["pages"]) for each in first["enclosures"]
    ]
    content = (folder / first["enclosures"][0]["file"]).read_bytes()
    assert first["enclosures"][0]["sha256"] == hashlib.sha256(content).hexdigest()
    assert [] == [each for each in (tmp_path / "spool").rglob("*") if each.is_file()]


def test_a_run_s_letters_are_read_back_with_their_enclosures(engine: Engine, tmp_path: Path) -> None:
    """The rows alone say what is in an envelope."""
    printing(engine, tmp_path).send(letter())
    (found,) = PrintRuns(engine).letters("acme-000001")
    assert (["F-1.pdf", "F-2.pdf"], 5, 5) == (
        [each.name for each in found.enclosures],
        found.all_pages,
        found.all_sheets,
    )


def test_one_file_of_all_has_each_enclosure_behind_its_letter(sqlite_engine: Engine, tmp_path: Path) -> None:
    """Printed on both sides each begins on a sheet of its own."""
    printing(sqlite_engine, tmp_path, duplex=True, merge=True).send(letter())
    closer(sqlite_engine, tmp_path, duplex=True, merge=True).close()
    whole = (tmp_path / "runs/acme/acme-000001/letters.pdf").read_bytes()
    assert 2 + 4 + 2 == len(pypdf.PdfReader(io.BytesIO(whole)).pages)


def test_letters_of_a_folder_have_theirs_beside_them(tmp_path: Path) -> None:
    """The letter comes last: where it is, all is there."""
    receipt = LetterFolder(tmp_path).send(letter())
    beside = sorted(each.name for each in (tmp_path / receipt.provider_id).parent.iterdir())
    assert ["C1-first-r1-01.pdf", "C1-first-r1-02.pdf", "C1-first-r1.pdf"] == beside


def test_a_service_gets_one_file() -> None:
    """With all pages of the envelope, by which it is priced."""
    with post_office() as office:
        server = PostServer(url=office.url, user="desk", key="secret", timeout_s=60)
        PostChannel(HttpPost(server), options=PostOptions()).send(letter())
        taken: Mapping[str, object] = office.letters["r1"]
    assert 5 == taken["sheets"]

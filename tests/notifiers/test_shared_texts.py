"""Companies' own texts get from the console to every machine that writes messages (S0-05, S1-08): whole, in order, once."""

import datetime
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine

from console.own_texts import ChangedTextsError, OwnTexts, TextGroup
from console.readiness import places_points
from infra.database.own_text_book import OwnTextBook
from infra.errors import OperatorError
from notifiers.bringing import place_of, serve_texts
from notifiers.writing.shared_texts import UNREADABLE, SharedTexts
from tests.notifiers.pictures import png

FIRST = TextGroup(kind="first", name="es")
SUBJECT = "first/es/subject.txt"
AT = datetime.datetime(2026, 3, 2, 9, tzinfo=datetime.UTC)


def machine(engine: Engine, folder: Path) -> SharedTexts:
    """Give a machine with a folder of its own."""
    return SharedTexts(OwnTextBook(engine), folder)


def console_at(engine: Engine, folder: Path) -> OwnTexts:
    """Give a console on such a machine."""
    return OwnTexts(folder, shared=machine(engine, folder))


def word(console: OwnTexts, subject: str, *, revision: str = "") -> None:
    """Change the subject of first reminders in Spanish."""
    texts = {each.file: each.text for each in console.texts("acme", FIRST)} | {SUBJECT: subject}
    console.save("acme", FIRST, texts, revision=revision or console.revision("acme", FIRST))


def test_a_notifier_elsewhere_writes_with_what_the_console_saved(engine: Engine, tmp_path: Path) -> None:
    """Text and logo are in its own folder, byte for byte; nobody shares a disk."""
    console, there = console_at(engine, tmp_path / "here"), machine(engine, tmp_path / "there")
    word(console, "Factura pendiente")
    console.keep_picture("acme", "logo.png", png())
    assert "" == there.bring()
    assert {SUBJECT: b"Factura pendiente\n", "logo.png": png()} == there.files_of("acme")
    assert machine(engine, tmp_path / "here").digest("acme") == there.digest("acme")


def test_what_is_given_back_is_gone_everywhere(engine: Engine, tmp_path: Path) -> None:
    """The shipped text stands again on the other machine, too."""
    console, there = console_at(engine, tmp_path / "here"), machine(engine, tmp_path / "there")
    word(console, "Factura pendiente")
    there.bring()
    word(console, next(each.shipped for each in console.texts("acme", FIRST) if each.file == SUBJECT))
    there.bring()
    assert {} == there.files_of("acme")
    assert "" == there.digest("acme")


def test_of_two_consoles_on_two_machines_the_second_is_told(engine: Engine, tmp_path: Path) -> None:
    """Who looked before the other one saved does not save over it."""
    one, two = console_at(engine, tmp_path / "one"), console_at(engine, tmp_path / "two")
    seen = two.revision("acme", FIRST)
    word(one, "Primero")
    with pytest.raises(ChangedTextsError):
        word(two, "Segundo", revision=seen)
    assert "Primero\n" == next(each.text for each in two.texts("acme", FIRST) if each.file == SUBJECT)


def test_a_save_between_looking_and_saving_is_seen(engine: Engine, tmp_path: Path) -> None:
    """The database compares once more, whatever was brought a moment ago."""
    book = OwnTextBook(engine)
    assert book.save("acme", {SUBJECT: b"1"}, seen=0)
    assert not book.save("acme", {SUBJECT: b"2"}, seen=0)
    assert [b"1"] == [each.content for each in book.after(0)]


def test_a_folder_stays_a_source_of_its_own(engine: Engine, tmp_path: Path) -> None:
    """What stands in files is not touched by what is saved of others; a file changed by hand stands until it is saved anew."""
    there = machine(engine, tmp_path / "there")
    by_hand = tmp_path / "there" / "acme" / "first" / "en" / "subject.txt"
    by_hand.parent.mkdir(parents=True)
    by_hand.write_text("By hand\n")
    word(console_at(engine, tmp_path / "here"), "Factura pendiente")
    there.bring()
    assert "By hand\n" == by_hand.read_text()
    (tmp_path / "there" / "acme" / SUBJECT).write_text("A mano\n")
    word(console_at(engine, tmp_path / "here"), "Otra")
    assert "" == there.bring()
    assert b"Otra\n" == there.files_of("acme")[SUBJECT]


def test_sharing_a_folder_makes_others_like_it(engine: Engine, tmp_path: Path) -> None:
    """An installation that kept texts in files has them everywhere with one command; what was saved before and is gone is given back."""
    word(console_at(engine, tmp_path / "console"), "Vieja")
    here, there = machine(engine, tmp_path / "here"), machine(engine, tmp_path / "there")
    there.bring()
    here.bring()
    (tmp_path / "here" / "acme" / SUBJECT).unlink()
    own = tmp_path / "here" / "acme" / "second" / "es" / "closing.txt"
    own.parent.mkdir(parents=True)
    own.write_text("Saludos\n")
    assert 1 == here.share("acme")
    there.bring()
    assert {"second/es/closing.txt": b"Saludos\n"} == there.files_of("acme")
    assert 1 == here.share("acme")


def test_an_empty_folder_is_not_shared(engine: Engine, tmp_path: Path) -> None:
    """On a machine without the company's texts, or with a slip in its name, the command takes them from nobody."""
    word(console_at(engine, tmp_path / "console"), "Factura pendiente")
    here = machine(engine, tmp_path / "here")
    for company in ("acme", "acmé", "../here"):
        with pytest.raises(OperatorError, match="has no texts"):
            here.share(company)
    assert {SUBJECT} == OwnTextBook(engine).files("acme")


def test_a_folder_that_has_not_brought_the_newest_is_not_shared(engine: Engine, tmp_path: Path) -> None:
    """What others have saved since is not replaced by what stood before."""
    here = machine(engine, tmp_path / "here")
    word(console_at(engine, tmp_path / "console"), "Vieja")
    here.bring()
    word(console_at(engine, tmp_path / "console"), "Nueva")
    with pytest.raises(OperatorError, match="cobranza ready"):
        here.share("acme")
    here.bring()
    assert 1 == here.share("acme")
    assert b"Nueva\n" == here.files_of("acme")[SUBJECT]


def test_a_company_whose_folder_takes_nothing_keeps_back_no_other(engine: Engine, tmp_path: Path) -> None:
    """The others' texts come, their people save; hers come, too, once the disk takes them. Nothing is put over by hand again."""
    book, there = OwnTextBook(engine), machine(engine, tmp_path / "there")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "acme").write_text("a file where the folder should be")
    for company in ("acme", "beta"):
        book.save(company, {SUBJECT: b"Hola\n"}, seen=None)
    assert "acme" in there.bring()
    assert ("", b"Hola\n") == (there.bring("beta"), there.files_of("beta")[SUBJECT])
    console_at(engine, tmp_path / "there").keep_picture("beta", "logo.png", png())
    with pytest.raises(OperatorError):
        console_at(engine, tmp_path / "there").keep_picture("acme", "logo.png", png())
    (tmp_path / "there" / "beta" / SUBJECT).write_text("A mano\n")
    (tmp_path / "there" / "acme").unlink()
    assert "" == machine(engine, tmp_path / "there").bring()
    assert ({SUBJECT: b"Hola\n"}, b"A mano\n") == (there.files_of("acme"), there.files_of("beta")[SUBJECT])


class Late(OwnTextBook):
    """Says of the newest change what stood a moment before, once: another process brings while this one waits."""

    said = False

    def newest(self) -> int:
        """Give it."""
        newest, self.said, was_said = super().newest(), True, self.said
        return newest if was_said else newest - 1


def test_who_waited_for_another_to_bring_brings_nothing_twice(engine: Engine, tmp_path: Path) -> None:
    """A file that a person has changed since stands: the folder is no older database's."""
    book, there = OwnTextBook(engine), machine(engine, tmp_path / "there")
    book.save("acme", {SUBJECT: b"1\n"}, seen=None)
    book.save("beta", {SUBJECT: b"2\n"}, seen=None)
    there.bring()
    (tmp_path / "there" / "acme" / SUBJECT).write_text("A mano\n")
    assert "" == SharedTexts(Late(engine), tmp_path / "there").bring()
    assert b"A mano\n" == there.files_of("acme")[SUBJECT]


@pytest.mark.parametrize(
    ("company", "file"),
    [
        ("..", SUBJECT),
        ("acme", "../es/subject.txt"),
        ("acme", "x.typ"),
        ("acme", ".brought"),
        ("a/b", SUBJECT),
    ],
)
def test_nothing_is_written_where_no_message_looks(
    engine: Engine, tmp_path: Path, company: str, file: str
) -> None:
    """A row that leads elsewhere writes no file; those behind it are brought."""
    book = OwnTextBook(engine)
    book.save(company, {file: b"x"}, seen=None)
    book.save("beta", {SUBJECT: b"y\n"}, seen=None)
    folder = tmp_path / "machine" / "there"
    there = machine(engine, folder)
    assert "" == there.bring()
    found = sorted(each for each in folder.parent.rglob("*") if each.is_file())
    assert [folder / ".brought", folder / ".lock", folder / "beta" / SUBJECT] == found


def test_a_database_that_begins_anew_is_brought_whole(engine: Engine, tmp_path: Path) -> None:
    """A folder that has more changes than the database knows has them of another one."""
    there = machine(engine, tmp_path / "there")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / ".brought").write_text("57")
    OwnTextBook(engine).save("acme", {SUBJECT: b"x\n"}, seen=None)
    there.bring()
    assert (b"x\n", 1) == (there.files_of("acme")[SUBJECT], there.brought)


def test_a_folder_that_takes_nothing_saves_nothing_for_others(engine: Engine, tmp_path: Path) -> None:
    """The person is told, and no other machine writes with what was never kept here."""
    (tmp_path / "here").write_text("a file where the folder should be")
    console = console_at(engine, tmp_path / "here")
    with pytest.raises(OperatorError, match="Not a directory"):
        console.keep_picture("acme", "logo.png", png())
    assert 0 == OwnTextBook(engine).newest()


def test_the_loop_of_a_notifier_brings_and_tells_before_it_waits(engine: Engine, tmp_path: Path) -> None:
    """Once round, and this machine has the texts and is known to have them."""
    console, there = console_at(engine, tmp_path / "here"), machine(engine, tmp_path / "there")
    word(console, "Factura pendiente")
    stopping = threading.Event()
    stopping.set()
    serve_texts(there, clock=lambda: AT, stopping=stopping)
    assert {place_of(there): there.digest("acme")} == OwnTextBook(engine).seen_at("acme", since=AT)
    assert there.files_of("acme")


class Racing(SharedTexts):
    """A folder of which a file goes between the listing and the reading."""

    def _files(self, company: str) -> list[Path]:
        return [*super()._files(company), self.folder / company / "first" / "en" / "subject.txt"]


def test_a_file_that_cannot_be_read_ends_no_sending(engine: Engine, tmp_path: Path) -> None:
    """Of this company the place says so, of the others what it sees; a disk's error is an error of this text only."""
    for company in ("acme", "beta"):
        OwnTextBook(engine).save(company, {SUBJECT: b"Hola\n"}, seen=None)
    there = machine(engine, tmp_path / "there")
    there.bring()
    (tmp_path / "there" / "acme" / "logo.png").symlink_to(
        "/proc/self/mem"
    )  # also root cannot read its beginning
    stopping = threading.Event()
    stopping.set()
    serve_texts(there, clock=lambda: AT, stopping=stopping)
    book = OwnTextBook(engine)
    assert {place_of(there): UNREADABLE} == book.seen_at("acme", since=AT)
    assert {place_of(there): there.digest("beta")} == book.seen_at("beta", since=AT)
    assert UNREADABLE != there.digest("beta")


@pytest.mark.parametrize(
    ("seen", "own"),
    [({"there:/t": UNREADABLE}, "a1"), ({"there:/t": UNREADABLE}, UNREADABLE), ({}, UNREADABLE)],
)
def test_readiness_tells_what_cannot_be_read(seen: dict[str, str], own: str) -> None:
    """It is missing, and never taken for the same as what stands elsewhere."""
    assert [("missing", "places_unreadable")] == [
        (each.verdict, each.said) for each in places_points(seen, own=own)
    ]


def test_a_file_that_goes_while_it_is_read_is_none(engine: Engine, tmp_path: Path) -> None:
    """Given back in this moment: what is left is told."""
    OwnTextBook(engine).save("acme", {SUBJECT: b"Hola\n"}, seen=None)
    there, racing = machine(engine, tmp_path / "there"), Racing(OwnTextBook(engine), tmp_path / "there")
    there.bring()
    assert there.digest("acme") == racing.digest("acme")


def test_two_notifiers_of_one_machine_say_so_at_once(engine: Engine) -> None:
    """One host and one folder are one place: neither ends because the other has said it in the same moment."""
    book, together = OwnTextBook(engine), threading.Barrier(2)

    def tell() -> None:
        for number in range(20):
            together.wait(timeout=60)
            book.tell("here:/texts", {"acme": "a1", "beta": "b2"}, at=AT + datetime.timedelta(seconds=number))

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(tell), pool.submit(tell)]:
            done.result()
    assert {"here:/texts": "b2"} == book.seen_at("beta", since=AT)


def test_places_say_what_they_see_and_are_forgotten(engine: Engine, tmp_path: Path) -> None:
    """Of a company of which a place has no texts it sees none; who has said nothing for a while is not heard, after a day forgotten."""
    book = OwnTextBook(engine)
    word(console_at(engine, tmp_path / "here"), "Factura pendiente")
    here, there = machine(engine, tmp_path / "here"), machine(engine, tmp_path / "there")
    here.tell("here", at=AT)
    there.tell("there", at=AT)
    assert {"here": here.digest("acme"), "there": ""} == book.seen_at("acme", since=AT)
    assert {} == book.seen_at("acme", since=AT + datetime.timedelta(seconds=1))
    later = AT + datetime.timedelta(days=2)
    there.tell("there", at=later)
    assert {"there": ""} == book.seen_at("acme", since=AT)

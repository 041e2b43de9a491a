"""Letters that come back (B-14): told once, of letters that were posted, by whatever name the mail room has."""

import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from infra.database.feedback import FeedbackInbox
from infra.database.print_runs import PrintRuns
from notifiers.paper.returns import (
    ReturnedLetter,
    ReturnFileError,
    note_returned,
    read_returned,
)
from notifiers.paper.stores import FolderStore
from schemas.journal import JournalMode
from tests.notifiers.paper.printing import closer, printing
from tests.notifiers.sending import TICK, SettableClock, dispatcher, know, read, reminder

NOW = TICK + datetime.timedelta(days=9)


def post(engine: Engine, folder: Path, *names: str, mode: JournalMode = "played") -> None:
    """Send letters into a print run."""
    know(engine)
    clock = SettableClock(TICK)
    loop = dispatcher(engine, channel=printing(engine, folder), name="letter", clock=clock)
    loop.record([read(reminder(name, channels=("letter",), mode=mode)) for name in names])
    loop.run(partitions=[0])


def outcomes(engine: Engine, *letters: ReturnedLetter) -> list[tuple[str, str]]:
    """Note them, and give what became of each."""
    return [(each.reference, each.outcome) for each in note_returned(engine, letters, now=NOW)]


def test_a_returned_letter_is_noted_once(engine: Engine, tmp_path: Path) -> None:
    """By the reference in its foot or by its place in the run; told again it is known."""
    post(engine, tmp_path, "r1", "r2")
    by_name, by_place = (
        ReturnedLetter(reference="r1", reason="moved"),
        ReturnedLetter(reference="acme-000001/000002"),
    )
    assert [("r1", "noted"), ("acme-000001/000002", "noted")] == outcomes(engine, by_name, by_place)
    assert [("r1", "known")] == outcomes(engine, ReturnedLetter(reference="r1"))
    words = sorted((each.word for each in FeedbackInbox(engine).lines(lines_max=9)), key=lambda one: one.word)
    assert [
        ("returned/r1", "returned", "letter", "r1", "letter_returned", "moved"),
        ("returned/r2", "returned", "letter", "r2", "letter_returned", ""),
    ] == [(one.word, one.said, one.channel, one.reminder, one.error_type, one.detail) for one in words]


def test_a_letter_that_was_printed_again_is_known_by_both_places(engine: Engine, tmp_path: Path) -> None:
    """The one in its new run, which the mail room has, and the one that it was accepted at; no other number will do."""
    post(engine, tmp_path, "r1", "r2")
    runs, store = PrintRuns(engine), FolderStore(tmp_path)
    good = store.get("spool/acme/C1-first-r1.pdf")
    store.drop("spool/acme/C1-first-r1.pdf")
    closer(engine, tmp_path).close()
    store.put("spool/acme/C1-first-r1.pdf", good)
    assert runs.again("r1", now=NOW, letters_max=9) is not None
    closer(engine, tmp_path).close()
    places = ("acme-000002/000001", "acme-000001/000001", "acme-000001/000009", f"acme-000002/{10**30}")
    assert ["noted", "known", "not found", "not found"] == [
        outcome for _, outcome in outcomes(engine, *(ReturnedLetter(reference=place) for place in places))
    ]


def test_nothing_is_said_of_what_was_not_posted(sqlite_engine: Engine, tmp_path: Path) -> None:
    """A wrong number, and a letter that waits still: said to the mail room, and to nobody else."""
    post(sqlite_engine, tmp_path, "r1")
    know(sqlite_engine, account="acme:C2", version=4)
    loop = dispatcher(sqlite_engine, channel=printing(sqlite_engine, tmp_path), name="letter")
    loop.record([read(reminder("r3", account="acme:C2", channels=("letter",)))])
    assert [("r3", "not sent"), ("r9", "not found")] == outcomes(
        sqlite_engine, ReturnedLetter(reference="r3"), ReturnedLetter(reference="r9")
    )
    assert [] == FeedbackInbox(sqlite_engine).lines(lines_max=9)


@pytest.mark.parametrize(
    ("mode", "on", "expected"),
    [
        ("live", None, NOW),
        ("live", datetime.date(2012, 3, 9), datetime.datetime(2012, 3, 9, 12, tzinfo=datetime.UTC)),
        ("live", datetime.date(2012, 3, 1), TICK),
        ("live", datetime.date(2030, 1, 1), NOW),
        ("played", None, TICK),
        ("played", datetime.date(2012, 3, 9), datetime.datetime(2012, 3, 9, 12, tzinfo=datetime.UTC)),
    ],
)
def test_the_day_of_the_return(
    sqlite_engine: Engine,
    tmp_path: Path,
    mode: JournalMode,
    on: datetime.date | None,
    expected: datetime.datetime,
) -> None:
    """The day that is said, at noon, never before the letter was sent nor after now; else now, or the play's time."""
    post(sqlite_engine, tmp_path, "r1", mode=mode)
    outcomes(sqlite_engine, ReturnedLetter(reference="r1", on=on))
    (heard,) = FeedbackInbox(sqlite_engine).lines(lines_max=9)
    assert expected == datetime.datetime.fromisoformat(heard.word.occurred_at)


def test_a_file_of_the_mail_room() -> None:
    """As a spreadsheet writes it: with a mark at its start, semicolons, empty lines, columns in any order."""
    content = "\ufeffReason;Reference;On\nunbekannt verzogen;r1;2026-03-31\n;;\n;acme-000001/000002;\n"
    assert [
        ReturnedLetter(reference="r1", on=datetime.date(2026, 3, 31), reason="unbekannt verzogen"),
        ReturnedLetter(reference="acme-000001/000002"),
    ] == read_returned(content.encode())


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_file_of_any_machine(end: str) -> None:
    """Lines of Unix, Windows and of old office machines; a reason in quotation marks may have several."""
    content = end.join(("\ufeffreference,reason", 'r1,"moved,\naway"', "r2,", ""))
    assert ["r1", "r2"] == [each.reference for each in read_returned(content.encode())]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it says nothing"),
        (b"letter\nr1\n", "it says letter"),
        (b"reference,on\nr1,31/03/2026\n", "Line 2: '31/03/2026' is no day"),
        (b"reference,on\n,2026-03-31\n", "Line 2 names no letter"),
        (b"reference\n\xff\n", "not UTF-8"),
        (b'reference\nr1\n"r2\nr3\n', "Line 3 cannot be read"),
        (b"reference\n" + b"x" * 140_000, "Line 2 cannot be read"),
        (b"reference,on,reason\nr1,,moved, no longer here\n", "Line 2 has more cells"),
        (b"reference\nr\x001\n", "Line 2 names no letter"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(content: bytes, said: str) -> None:
    """Nothing of it is taken."""
    with pytest.raises(ReturnFileError, match=said):
        read_returned(content)

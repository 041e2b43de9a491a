"""Print runs (S0-07): each letter in one run, each run written once, whatever is killed in between."""

import datetime
import hashlib
import io
import json
import os
import shutil
import sys
import types
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pypdf
import pytest
from sqlalchemy import Engine

import infra.database.print_runs
import notifiers.paper.manifest
import notifiers.paper.print_run
import notifiers.paper.stores
from infra.database.engine import open_engine
from infra.database.print_runs import PrintRuns, Run
from notifiers.channel import PermanentError, TemporaryError, TendedChannel, TracingChannel
from notifiers.folders import write_whole
from notifiers.paper.print_run import last_cut_off
from notifiers.paper.stores import FolderStore
from schemas.events import Contact
from tests.notifiers.paper.printing import TICK, closer, letter, printing
from tests.notifiers.sending import SettableClock


def manifest(folder: Path, run: str = "acme-000001") -> dict[str, object]:
    """Read the manifest of a run."""
    found: dict[str, object] = json.loads((folder / "runs" / "acme" / run / "manifest.json").read_text())
    return found


def files(folder: Path) -> list[str]:
    """List the files of a store."""
    found = [each for name in ("spool", "runs") for each in (folder / name).rglob("*") if each.is_file()]
    return sorted(each.relative_to(folder).as_posix() for each in found)


def test_letters_are_gathered_and_written_out_with_a_manifest(engine: Engine, tmp_path: Path) -> None:
    """Accepted is: in the run. Closed is: all files there, the manifest last, nothing left in the spool."""
    carrier = printing(engine, tmp_path)
    assert ["acme-000001/000001", "acme-000001/000002"] == [
        carrier.send(letter(name, account=f"acme:{name}")).provider_id for name in ("r1", "r2")
    ]
    assert ["spool/acme/r1-first-r1.pdf", "spool/acme/r2-first-r2.pdf"] == files(tmp_path)
    (run,) = closer(engine, tmp_path).close()
    assert ("closed", 2, 2, str(tmp_path / "runs/acme/acme-000001")) == (
        run.state,
        run.letters,
        run.sheets,
        run.place,
    )
    assert [
        "runs/acme/acme-000001/000001-r1-first-r1.pdf",
        "runs/acme/acme-000001/000002-r2-first-r2.pdf",
        "runs/acme/acme-000001/manifest.json",
    ] == files(tmp_path)
    said = manifest(tmp_path)
    assert ("acme-000001", "acme", 2, 2, 2) == tuple(
        said[each] for each in ("run", "company", "letters", "pages", "sheets")
    )
    content = (tmp_path / "runs/acme/acme-000001/000001-r1-first-r1.pdf").read_bytes()
    assert {
        "file": "000001-r1-first-r1.pdf",
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "position": 1,
        "reminder": "r1",
        "account": "acme:r1",
        "customer": "r1",
        "pages": 1,
        "sheets": 1,
        "paper": "a4",
        "enclosures": [],
    } == said["files"][0]  # type: ignore[index]
    text = (tmp_path / "runs/acme/acme-000001/manifest.json").read_bytes()
    assert run.manifest_sha256 == hashlib.sha256(text).hexdigest()


def test_a_letter_is_in_one_run_for_ever(engine: Engine, tmp_path: Path) -> None:
    """Sent again, by whomever, before and after the run was closed, it is the same letter in the same run."""
    first = printing(engine, tmp_path).send(letter())
    assert first == printing(engine, tmp_path).send(letter())
    closer(engine, tmp_path).close()
    again = printing(engine, tmp_path)
    assert (first, first) == (again.send(letter()), again.find(letter()))
    assert "acme-000002/000001" == again.send(letter("r2")).provider_id
    assert ["spool/acme/C1-first-r2.pdf"] == [name for name in files(tmp_path) if name.startswith("spool")]


def test_it_can_say_what_became_of_a_letter(engine: Engine, tmp_path: Path) -> None:
    """So that its jobs may be started several at a time; a file in the spool alone is nothing."""
    carrier = printing(engine, tmp_path)
    assert isinstance(carrier, TracingChannel)
    assert isinstance(carrier, TendedChannel)
    FolderStore(tmp_path).put("spool/acme/C1-first-r1.pdf", letter().pdf)
    assert carrier.find(letter()) is None


def test_a_full_run_is_closed_and_the_next_begins(engine: Engine, tmp_path: Path) -> None:
    """By size: the worker writes it out beside its letters."""
    carrier = printing(engine, tmp_path, letters_max=2)
    taken = [carrier.send(letter(name)).provider_id for name in ("r1", "r2", "r3")]
    assert ["acme-000001/000001", "acme-000001/000002", "acme-000002/000001"] == taken
    carrier.tend()
    assert ["closed", "open"] == sorted(run.state for run in PrintRuns(engine).runs())
    assert 2 == manifest(tmp_path)["letters"]


def test_runs_are_of_one_company(engine: Engine, tmp_path: Path) -> None:
    """R24: companies are apart in messages, and so in envelopes."""
    carrier = printing(engine, tmp_path)
    assert ["acme-000001/000001", "beta-000001/000001"] == [
        carrier.send(letter(name, account=account)).provider_id
        for name, account in (("r1", "acme:C1"), ("r2", "beta:C1"))
    ]
    assert ["acme-000001"] == [run.run for run in closer(engine, tmp_path).close("acme")]
    assert ["beta-000001"] == [run.run for run in PrintRuns(engine).runs(states=("open",))]


def test_the_cut_off_closes_what_was_opened_before_it(sqlite_engine: Engine, tmp_path: Path) -> None:
    """At 16:30 in Madrid, once; a run that is opened after it waits for tomorrow's."""
    madrid = ZoneInfo("Europe/Madrid")
    clock = SettableClock(datetime.datetime(2026, 3, 16, 10, tzinfo=madrid))

    def cut_off(now: datetime.datetime) -> datetime.datetime:
        return last_cut_off(now, at=datetime.time(16, 30), zone=madrid)

    carrier = printing(sqlite_engine, tmp_path, cut_off=cut_off, clock=clock)
    runs = PrintRuns(sqlite_engine)
    carrier.send(letter("r1"))
    carrier.tend()
    assert ["open"] == [run.state for run in runs.runs()]
    clock.now = datetime.datetime(2026, 3, 16, 16, 30, tzinfo=madrid)
    carrier.tend()
    assert ["closed"] == [run.state for run in runs.runs()]
    clock.pass_s(60)
    carrier.send(letter("r2"))
    clock.pass_s(60)
    carrier.tend()
    assert ["acme-000002"] == [run.run for run in runs.runs(states=("open",))]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-16T15:29:59+00:00", "2026-03-15T15:30:00+00:00"),
        ("2026-03-16T15:30:00+00:00", "2026-03-16T15:30:00+00:00"),
        ("2026-03-29T14:29:00+00:00", "2026-03-28T15:30:00+00:00"),
        ("2026-03-29T14:30:00+00:00", "2026-03-29T14:30:00+00:00"),
    ],
)
def test_the_cut_off_is_a_local_time_of_day(now: str, expected: str) -> None:
    """Summer time begins on 2026-03-29: 16:30 in Madrid is an hour earlier then."""
    found = last_cut_off(
        datetime.datetime.fromisoformat(now), at=datetime.time(16, 30), zone=ZoneInfo("Europe/Madrid")
    )
    assert expected == found.isoformat()


def test_one_file_for_the_printer(sqlite_engine: Engine, tmp_path: Path) -> None:
    """All letters in their order; printed on both sides, each begins on a sheet of its own."""
    carrier = printing(sqlite_engine, tmp_path, duplex=True)
    for name in ("r1", "r2"):
        carrier.send(letter(name))
    closer(sqlite_engine, tmp_path, duplex=True, merge=True).close()
    whole = (tmp_path / "runs/acme/acme-000001/letters.pdf").read_bytes()
    pages = pypdf.PdfReader(io.BytesIO(whole)).pages
    assert [True, False, True, False] == ["Corner Bakery" in page.extract_text() for page in pages]
    said = manifest(tmp_path)["merged"]
    assert {
        "file": "letters.pdf",
        "size_bytes": len(whole),
        "sha256": hashlib.sha256(whole).hexdigest(),
    } == said


def test_without_an_address_nothing_is_printed(sqlite_engine: Engine, tmp_path: Path) -> None:
    """R27."""
    with pytest.raises(PermanentError) as caught:
        printing(sqlite_engine, tmp_path).send(letter(contact=Contact(name="Nobody")))
    assert ("address_missing", []) == (caught.value.error_type, files(tmp_path))


def test_a_disk_that_takes_nothing_is_for_later(sqlite_engine: Engine, tmp_path: Path) -> None:
    """Not in a run, not accepted."""
    (tmp_path / "spool").write_text("not a folder")
    carrier = printing(sqlite_engine, tmp_path)
    with pytest.raises(TemporaryError):
        carrier.send(letter())
    assert carrier.find(letter()) is None


def test_a_run_over_which_it_breaks_stops_no_other(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that nobody foresaw is noted on its run; it is tried again, and the others are written out."""
    carrier = printing(sqlite_engine, tmp_path)
    carrier.send(letter("r1", account="acme:C1"))
    carrier.send(letter("r2", account="beta:C1"))
    PrintRuns(sqlite_engine).close(now=TICK)
    made = notifiers.paper.manifest.manifest_of

    def broken(run: Run, **more: Any) -> bytes:
        if run.company == "acme":
            raise KeyError("what nobody foresaw")
        return made(run, **more)

    monkeypatch.setattr("notifiers.paper.print_run.manifest_of", broken)
    carrier.tend()
    runs = {run.run: run for run in PrintRuns(sqlite_engine).runs()}
    assert ("closing", "closed") == (runs["acme-000001"].state, runs["beta-000001"].state)
    assert "writing it out failed: KeyError" == runs["acme-000001"].detail
    monkeypatch.undo()
    assert ["closed"] == [run.state for run in closer(sqlite_engine, tmp_path).close()]


class Killed(BaseException):
    """The process is gone."""


WATCHED = (
    infra.database.print_runs,
    notifiers.paper.print_run,
    notifiers.paper.manifest,
    notifiers.paper.stores,
    sys.modules[write_whole.__module__],
)


def killed_at(line: tuple[str, int] | None, work: Callable[[], object]) -> set[tuple[str, int]]:
    """Do ``work``, and die at a line of the watched modules (None: at none); return the lines that were reached."""
    names = {module.__file__ for module in WATCHED}
    reached: set[tuple[str, int]] = set()

    def trace(frame: types.FrameType, event: str, _argument: object) -> Any:
        if frame.f_code.co_filename not in names:
            return None
        if event == "line":
            here = (frame.f_code.co_filename, frame.f_lineno)
            reached.add(here)
            if here == line:
                raise Killed
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    except Killed:
        pass
    finally:
        sys.settrace(before)
    return reached


LETTERS = [letter(f"r{number}") for number in range(3)]


def a_day(engine: Engine, folder: Path) -> Iterator[Callable[[], object]]:
    """Give the steps of a day: three letters, of which two fill a run, then the last run is closed by hand."""
    carrier = printing(engine, folder, letters_max=2, merge=True)
    for each in LETTERS:
        yield partial(carrier.send, each)
    yield carrier.tend
    yield closer(engine, folder, merge=True).close


def live(engine: Engine, folder: Path) -> None:
    """Do all of it."""
    for step in a_day(engine, folder):
        step()


def test_killed_at_any_line_no_letter_is_lost_or_in_two_runs(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line of sending, closing and writing out in turn: what is done again ends as if nothing had happened."""
    # A killed process leaves what it has written; only a power cut would miss what was not forced to the disk.
    monkeypatch.setattr(os, "fsync", lambda _: None)
    empty = Path(str(sqlite_engine.url.database))
    sqlite_engine.dispose()

    def start(name: str) -> tuple[Engine, Path]:
        shutil.copy(empty, tmp_path / f"{name}.db")
        return open_engine(f"sqlite:///{tmp_path / name}.db", rebuildable=True), tmp_path / name

    engine, folder = start("whole")
    lines = sorted(killed_at(None, partial(live, engine, folder)))
    expected = files(folder)
    assert 7 == len(expected)
    assert 100 < len(lines)
    for number, line in enumerate(lines):
        engine, folder = start(str(number))
        assert killed_at(line, partial(live, engine, folder)) >= {line}
        live(engine, folder)
        assert (line, expected) == (line, files(folder))
        check(engine, folder)
        engine.dispose()


def check(engine: Engine, folder: Path) -> None:
    """Every letter is in one manifest, all runs are closed, and each file is what its manifest says."""
    runs = PrintRuns(engine).runs()
    said = [manifest(folder, run.run) for run in runs]
    listed: list[dict[str, str]] = [file for each in said for file in each["files"]]  # type: ignore[attr-defined]
    assert sorted(each.reminder for each in LETTERS) == sorted(each["reminder"] for each in listed)
    assert {"closed"} == {run.state for run in runs}
    for run in runs:
        for each in manifest(folder, run.run)["files"]:  # type: ignore[attr-defined]
            content = (folder / "runs" / "acme" / run.run / each["file"]).read_bytes()
            assert each["sha256"] == hashlib.sha256(content).hexdigest()

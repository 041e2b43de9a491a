"""Letters that are damaged between their acceptance and the printer: left out and told, and all others are printed."""

import datetime
import hashlib
import io
import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pypdf
import pytest
from sqlalchemy import Engine
from structlog.testing import capture_logs

from infra.database.engine import reading
from infra.database.print_runs import PrintRuns
from infra.database.queries.standing import standing
from notifiers.channel import Message
from notifiers.paper.print_run import DamagedLetterError, ForeignStoreError, PrintRun, RunCloser
from notifiers.paper.stores import FolderStore, MissingError, Store
from tests.notifiers.paper.printing import TICK, letter
from tests.notifiers.paper.test_enclosed import letter as enclosing
from tests.notifiers.sending import SettableClock

Damage = Callable[[Store, str], None]


def cut(store: Store, name: str) -> None:
    """Leave half of a file, as a disk that was full does."""
    content = store.get(name)
    store.put(name, content[: len(content) // 2])


def change(store: Store, name: str) -> None:
    """Turn one byte around."""
    content = bytearray(store.get(name))
    content[len(content) // 2] ^= 1
    store.put(name, bytes(content))


def remove(store: Store, name: str) -> None:
    """Take it away."""
    store.drop(name)


def exchange(store: Store, name: str) -> None:
    """Put somebody else's letter in its place, which is a whole PDF."""
    store.put(name, letter("another").pdf)


def opened(
    engine: Engine, store: Store, *, letters_max: int = 100, merge: bool = False
) -> tuple[PrintRun, RunCloser]:
    """Open a channel and what closes its runs."""
    runs, clock = PrintRuns(engine), SettableClock(TICK)
    closer = RunCloser(runs=runs, store=store, clock=clock, merge=merge)
    return PrintRun(runs=runs, store=store, closer=closer, clock=clock, letters_max=letters_max), closer


def gauges(engine: Engine) -> tuple[int, int]:
    """Give what the alerts look at: letters left out, runs that wait."""
    with reading(engine) as connection:
        found = standing(connection, now=TICK)
    return found.letters_left_out, found.print_runs_waiting


def manifest(store: Store, run: str = "acme-000001") -> dict[str, Any]:
    """Read what the printer gets."""
    found: dict[str, Any] = json.loads(store.get(f"runs/acme/{run}/manifest.json"))
    return found


def sent(carrier: PrintRun, *messages: Message) -> None:
    """Hand over."""
    for each in messages:
        carrier.send(each)


@pytest.mark.parametrize("damage", [cut, change, remove, exchange])
def test_a_damaged_letter_is_left_out_and_all_others_are_printed(
    sqlite_engine: Engine, store: Store, damage: Damage
) -> None:
    """Its run goes without it; a person is told which, and has it printed with the next one when its file is back."""
    engine = sqlite_engine
    carrier, closer = opened(engine, store, merge=True)
    sent(carrier, *(letter(name, account=f"acme:{name}") for name in ("r1", "r2", "r3")))
    spool = "spool/acme/r2-first-r2.pdf"
    good = store.get(spool)
    damage(store, spool)
    with capture_logs() as said:
        (run,) = closer.close()
    assert ["r2"] == [each["reminder"] for each in said if each["event"] == "letter_left_out"]
    assert ("closed", 2, 2, 2) == (run.state, run.letters, run.pages, run.sheets)
    assert "left out, because damaged: r2" == run.detail
    listed = manifest(store)
    assert (2, 2, 2) == tuple(listed[each] for each in ("letters", "pages", "sheets"))
    assert [(1, "r1"), (3, "r3")] == [(each["position"], each["reminder"]) for each in listed["files"]]
    for each in listed["files"]:
        content = store.get(f"runs/acme/acme-000001/{each['file']}")
        assert each["sha256"] == hashlib.sha256(content).hexdigest()
    with pytest.raises(MissingError):
        store.get("runs/acme/acme-000001/000002-r2-first-r2.pdf")
    assert 2 == len(pypdf.PdfReader(io.BytesIO(store.get("runs/acme/acme-000001/letters.pdf"))).pages)
    (waiting,) = PrintRuns(engine).left_out()
    assert ("r2", True) == (waiting.reminder, store.place(spool) in waiting.left_out)
    assert (1, 0) == gauges(engine)

    with pytest.raises(DamagedLetterError):
        closer.check(waiting)
    store.put(spool, good)
    closer.check(waiting)
    moved = PrintRuns(engine).again("r2", now=TICK, letters_max=100)
    assert moved is not None
    assert ("acme-000002", 1) == (moved.run, moved.position)
    assert ["closed"] == [each.state for each in closer.close()]
    assert ["r2"] == [each["reminder"] for each in manifest(store, "acme-000002")["files"]]
    assert (0, 0) == gauges(engine)


def test_a_damaged_enclosure_leaves_its_letter_out(sqlite_engine: Engine, tmp_path: Path) -> None:
    """A letter that names an invoice which does not come with it would be a wrong one: the envelope goes whole or not."""
    store = FolderStore(tmp_path)
    carrier, closer = opened(sqlite_engine, store)
    sent(carrier, enclosing("r1"), enclosing("r2"))
    cut(store, "spool/acme/C1-first-r1-02.pdf")
    (run,) = closer.close()
    assert (1, 5, 5) == (run.letters, run.pages, run.sheets)
    assert [
        "000002-C1-first-r2.pdf",
        "000002.01-C1-first-r2-01.pdf",
        "000002.02-C1-first-r2-02.pdf",
        "manifest.json",
    ] == sorted(each.name for each in (tmp_path / "runs/acme/acme-000001").iterdir())


@pytest.mark.parametrize("names", [("r1",), ("r1", "r2", "r3")])
def test_a_store_that_has_no_letters_leaves_nothing_out(
    sqlite_engine: Engine, tmp_path: Path, names: tuple[str, ...]
) -> None:
    """A folder that is not mounted: a run, of one letter too, waits with its reason, and closes whole when the folder is back."""
    store, elsewhere = FolderStore(tmp_path / "here"), FolderStore(tmp_path / "away")
    carrier, closer = opened(sqlite_engine, store)
    sent(carrier, *(letter(name, account=f"acme:{name}") for name in names))
    PrintRuns(sqlite_engine).close(now=TICK)
    opened(sqlite_engine, elsewhere)[1].tend()
    (run,) = PrintRuns(sqlite_engine).runs()
    assert ("closing", len(names)) == (run.state, run.letters)
    assert " of run acme-000001 is not in" in run.detail
    assert (0, 1) == gauges(sqlite_engine)
    (run,) = closer.close()
    assert ("closed", len(names)) == (run.state, run.letters)
    assert (0, 0) == gauges(sqlite_engine)


def test_a_run_that_waits_does_not_keep_others_from_the_printer(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    """A person closes all runs: those that can be written out are, and the reason of the other is told."""
    store = FolderStore(tmp_path)
    carrier, closer = opened(sqlite_engine, store)
    sent(carrier, letter("r1"), letter("r2", account="beta:C1"), letter("r3", account="coco:C1"))
    remove(store, "spool/beta/C1-first-r2.pdf")
    with pytest.raises(DamagedLetterError, match="Letter r2"):
        closer.close()
    assert {"acme": "closed", "beta": "closing", "coco": "closed"} == {
        each.company: each.state for each in PrintRuns(sqlite_engine).runs()
    }


@pytest.mark.parametrize("names", [("r1",), ("r1", "r2", "r3")])
def test_a_run_that_another_closer_has_written_out_loses_no_letter(
    sqlite_engine: Engine, tmp_path: Path, names: tuple[str, ...]
) -> None:
    """Wherever one closer stands when the other has done its part and the printer has taken the folder away."""
    for mine, theirs in itertools.product(range(len(names) + 3), (3 * len(names) + 9, len(names) + 1)):
        here = tmp_path / f"{mine}-{theirs}"
        store, runs = FolderStore(here), PrintRuns(sqlite_engine)
        carrier, closer = opened(sqlite_engine, store)
        sent(carrier, *(letter(f"{mine}-{theirs}-{name}", account=f"acme:{name}") for name in names))
        runs.close(now=TICK)
        (run,) = runs.runs(states=("closing",))
        at_work = closer.write_out(run)
        for _ in zip(range(mine), at_work, strict=False):
            pass
        for _ in zip(range(theirs), opened(sqlite_engine, store)[1].write_out(run), strict=False):
            pass
        folder = here / "runs/acme" / run.run
        assert (folder / "manifest.json").exists()
        shutil.rmtree(folder)
        for _ in at_work:
            pass
        closer.close()
        found = runs.run(run.run)
        assert found is not None
        assert ("closed", len(names), "") == (found.state, found.letters, found.detail)
        assert [] == runs.left_out()
        assert not (folder / "manifest.json").exists()


def test_of_a_great_run_a_tenth_may_be_left_out(sqlite_engine: Engine, tmp_path: Path) -> None:
    """Two of twenty go aside; with a third the run waits, says so, and none of them is left out."""
    store = FolderStore(tmp_path)
    carrier, closer = opened(sqlite_engine, store)
    sent(carrier, *(letter(f"r{number:02d}", account=f"acme:r{number:02d}") for number in range(20)))
    for number in (3, 7):
        remove(store, f"spool/acme/r{number:02d}-first-r{number:02d}.pdf")
    (run,) = closer.close()
    assert ("closed", 18) == (run.state, run.letters)
    for each in PrintRuns(sqlite_engine).left_out():
        PrintRuns(sqlite_engine).settle(each.reminder, now=TICK)
    sent(carrier, *(letter(f"s{number:02d}", account=f"acme:s{number:02d}") for number in range(20)))
    for number in (3, 7, 9):
        remove(store, f"spool/acme/s{number:02d}-first-s{number:02d}.pdf")
    with pytest.raises(DamagedLetterError, match="Letter s09"):
        closer.close()
    assert [] == PrintRuns(sqlite_engine).left_out()
    assert [20] == [each.letters for each in PrintRuns(sqlite_engine).runs(states=("closing",))]


def test_a_run_that_was_interrupted_after_a_letter_was_left_out_ends_the_same(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    """Killed at any step of writing out: the next one ends with the files of a run that was never interrupted."""
    for steps in range(1, 9):
        store = FolderStore(tmp_path / str(steps))
        carrier, closer = opened(sqlite_engine, store)
        names = [f"{steps}{name}" for name in ("a", "b", "c")]
        sent(carrier, *(letter(name, account=f"acme:{name}") for name in names))
        cut(store, f"spool/acme/{names[1]}-first-{names[1]}.pdf")
        PrintRuns(sqlite_engine).close(now=TICK)
        (run,) = PrintRuns(sqlite_engine).runs(states=("closing",))
        for _ in zip(range(steps), closer.write_out(run), strict=False):
            pass
        closer.close()
        listed = manifest(store, run.run)
        assert (2, [names[0], names[2]]) == (
            listed["letters"],
            [each["reminder"] for each in listed["files"]],
        )


def test_what_a_person_gives_up_is_settled_once(sqlite_engine: Engine, tmp_path: Path) -> None:
    """It waits no more, is not printed afterwards, and what never was left out is nobody's to settle."""
    store, runs = FolderStore(tmp_path), PrintRuns(sqlite_engine)
    carrier, closer = opened(sqlite_engine, store)
    sent(carrier, letter("r1"), letter("r2"))
    later = TICK + datetime.timedelta(hours=1)
    assert (False, None) == (runs.settle("r1", now=later), runs.again("r1", now=later, letters_max=9))
    remove(store, "spool/acme/C1-first-r1.pdf")
    (run,) = closer.close()
    assert ("closed", 1) == (run.state, run.letters)
    assert [True, False] == [runs.settle("r1", now=later) for _ in range(2)]
    assert ([], None, (0, 0)) == (
        runs.left_out(),
        runs.again("r1", now=later, letters_max=9),
        gauges(sqlite_engine),
    )


def test_a_letter_that_lies_before_the_printer_is_not_given_up(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its manifest was written, and nobody could note it; the spool has lost it since: the run's own file is whole."""
    store = FolderStore(tmp_path)
    carrier, closer = opened(sqlite_engine, store)
    sent(carrier, letter("r1", account="acme:r1"), letter("r2", account="acme:r2"))
    with monkeypatch.context() as killed:
        killed.setattr(PrintRuns, "written", _die)
        with pytest.raises(KeyboardInterrupt):
            closer.close()
    store.drop("spool/acme/r2-first-r2.pdf")
    runs = PrintRuns(sqlite_engine)
    (found,) = [each for each in runs.letters("acme-000001") if each.reminder == "r2"]
    closer.leave_out(found)
    assert [] == runs.left_out()
    (run,) = closer.close()
    assert ("closed", 2) == (run.state, run.letters)


def test_a_letter_is_not_given_up_by_who_looks_in_another_place(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    """The console is on another machine, or its folder is not mounted: each letter of the run looks damaged there, and none is."""
    store, runs = FolderStore(tmp_path / "notifiers"), PrintRuns(sqlite_engine)
    carrier, closer = opened(sqlite_engine, store)
    sent(carrier, *(letter(name, account=f"acme:{name}") for name in ("r1", "r2", "r3")))
    runs.close(now=TICK)
    elsewhere = opened(sqlite_engine, FolderStore(tmp_path / "console"))[1]
    found = runs.letter("r2")
    assert found is not None
    with pytest.raises(
        ForeignStoreError, match=r"COBRANZA_DATA_DIR.*COBRANZA_SEND_PRINT_RUN_BUCKET"
    ) as refused:
        elsewhere.leave_out(found)
    assert str(tmp_path / "console") in str(refused.value)
    assert [] == runs.left_out()
    remove(store, "spool/acme/r1-first-r1.pdf")
    remove(store, "spool/acme/r2-first-r2.pdf")
    closer.leave_out(found)
    assert ["r2"] == [each.reminder for each in runs.left_out()]


def _die(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def test_a_run_that_changes_while_it_is_closed_is_closed_with_what_is_left(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A letter is given up between the look at the letters and the count of them: what is told as closed lies before the printer."""
    store = FolderStore(tmp_path)
    carrier, closer = opened(sqlite_engine, store)
    sent(carrier, letter("r1", account="acme:r1"), letter("r2", account="acme:r2"))
    runs = PrintRuns(sqlite_engine)
    read = RunCloser._put_letters
    hurried: list[str] = []

    def put(self: RunCloser, run: Any, **given: Any) -> Any:
        letters = yield from read(self, run, **given)
        if not hurried:
            hurried.append(run.run)
            (second,) = [each for each in letters if each.reminder == "r2"]
            assert runs.leave_out(second, why="somebody else saw it damaged")
        return letters

    monkeypatch.setattr(RunCloser, "_put_letters", put)
    (run,) = closer.close()
    assert ("closed", 1) == (run.state, run.letters)
    assert ["r1"] == [each["reminder"] for each in manifest(store)["files"]]

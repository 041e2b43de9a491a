"""Print runs in SQL: each letter in one run and counted once, whoever adds and closes at the same time."""

import datetime
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine

from infra.database.print_runs import NewLetter, PrintRuns

NOW = datetime.datetime(2026, 3, 16, 9, tzinfo=datetime.UTC)


def letter(name: str, *, company: str = "acme") -> NewLetter:
    """Make a letter of two pages on two sheets."""
    return NewLetter(
        reminder=name,
        company=company,
        account=f"{company}:C1",
        customer="C1",
        spool=f"spool/{company}/{name}.pdf",
        sha256="0" * 64,
        size_bytes=9,
        pages=2,
        sheets=2,
        paper="a4",
    )


def test_letters_are_counted_in_their_order(engine: Engine) -> None:
    """Position, pages and sheets; what is added again is where it was."""
    runs = PrintRuns(engine)
    added = [runs.add(letter(name), now=NOW, letters_max=9) for name in ("r1", "r2", "r1")]
    assert [("r1", 1), ("r2", 2), ("r1", 1)] == [(each.reminder, each.position) for each in added]
    (run,) = runs.runs()
    assert ("acme-000001", "open", 2, 4, 4) == (run.run, run.state, run.letters, run.pages, run.sheets)
    assert ["r1", "r2"] == [each.reminder for each in runs.letters("acme-000001")]


def test_a_run_is_closed_once(engine: Engine) -> None:
    """Open, closing, closed: each move is made by one, and a closed run takes nothing."""
    runs = PrintRuns(engine)
    runs.add(letter("r1"), now=NOW, letters_max=9)
    assert [] == runs.close(now=NOW, opened_before=NOW)
    assert [] == runs.close(now=NOW, company="beta")
    assert (["acme-000001"], []) == (runs.close(now=NOW, company="acme"), runs.close(now=NOW))
    assert "acme-000002" == runs.add(letter("r2"), now=NOW, letters_max=9).run
    runs.wait("acme-000001", detail="the disk is full")
    assert ["the disk is full"] == [each.detail for each in runs.runs(states=("closing",))]
    given = {"now": NOW, "place": "here", "manifest_sha256": "1" * 64}
    assert (True, False) == (runs.finish("acme-000001", **given), runs.finish("acme-000001", **given))  # type: ignore[arg-type]  # a plain table
    found = runs.run("acme-000001")
    assert found is not None
    assert ("closed", "here", "") == (found.state, found.place, found.detail)


def test_nothing_is_left_out_of_what_a_printer_may_have(engine: Engine) -> None:
    """From the manifest on a run keeps its letters and counts; a manifest of other letters is nobody's."""
    runs = PrintRuns(engine)
    first, second, _ = (runs.add(letter(name), now=NOW, letters_max=9) for name in ("r1", "r2", "r3"))
    assert not runs.leave_out(first, why="gone")
    runs.close(now=NOW)
    assert runs.leave_out(first, why="gone")
    assert not runs.written("acme-000001", letters=3, place="here", manifest_sha256="1" * 64)
    assert runs.written("acme-000001", letters=2, place="here", manifest_sha256="2" * 64)
    assert not runs.written("acme-000001", letters=2, place="there", manifest_sha256="3" * 64)
    assert not runs.leave_out(second, why="gone")
    assert runs.finish("acme-000001", now=NOW, place="here", manifest_sha256="2" * 64)
    assert not runs.leave_out(second, why="gone")
    (run,) = runs.runs()
    assert (2, 4, 4, "here") == (run.letters, run.pages, run.sheets, run.place)
    assert ["r1"] == [each.reminder for each in runs.left_out()]


def test_many_at_once(engine: Engine) -> None:
    """Workers that add the same letters while others close: each letter is in one run, and each run counts its own."""
    names = [f"r{number:02d}" for number in range(20)]

    def work(number: int) -> None:
        runs = PrintRuns(engine)
        for name in names[number:] + names[:number]:
            runs.add(letter(name), now=NOW, letters_max=3)
            if number == 0:
                runs.close(now=NOW)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    runs = PrintRuns(engine)
    found = {run.run: run for run in runs.runs()}
    listed = {name: runs.letters(name) for name in found}
    assert names == sorted(each.reminder for letters in listed.values() for each in letters)
    for name, run in found.items():
        assert list(range(1, run.letters + 1)) == [each.position for each in listed[name]]
        assert (2 * run.letters, 2 * run.letters) == (run.pages, run.sheets)
        assert run.letters <= 3
        assert run.letters or run.state == "open"

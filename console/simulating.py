"""A what-if as a process of its own, for the console: ``python -m console.simulating FOLDER``.

It reads what was asked for from the folder, says there how far it is, and leaves its report there; it ends with
whoever started it (its standard input ends then), and writes nothing else.
"""

import datetime
import os
import sys
import threading
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from console.comparing import Side, Sum
from console.what_if import Comparison, DaySum
from infra.errors import OperatorError
from infra.settings import Settings
from processors.alternative import Contact, Rules
from schemas.plans import Plan

__all__ = [
    "Progress",
    "SimulationAsked",
    "SimulationReport",
    "lines_kept",
    "lines_of",
    "progress_of",
    "report_of",
    "reported",
    "write_json",
    "write_lines",
]

_STDIN: Final = 0
_ASKED, _PROGRESS, _REPORT, _LINES = "asked.json", "progress.json", "report.json", "lines.jsonl"
_line: Final = msgspec.json.Decoder(tuple[str, Contact])


class SimulationAsked(Struct, frozen=True, kw_only=True):
    """What is tried: a plan in the place of the one of its id, or a law for all debtors, or both; and which days."""

    simulation: str
    user: str
    company: str
    started_at: datetime.datetime
    first_on: datetime.date
    last_on: datetime.date
    plan: Plan | None = None
    profile: str = ""


class _OlderReport(Struct, frozen=True, kw_only=True):
    """What an older version kept with its report: the first of the lines in which both differ, in no file of their own."""

    lines: list[tuple[str, Contact]] = []


class Progress(Struct, frozen=True, kw_only=True):
    """How many records of how many have been read."""

    done: int
    total: int


class SimulationReport(Struct, frozen=True, kw_only=True):
    """What came of it; how many lines there are in which both differ: they are in a file of their own (`lines_of`)."""

    now: Side
    other: Side
    sums: list[Sum]
    days: list[DaySum]
    line_count: int


def reported(found: Comparison) -> SimulationReport:
    """Give what is kept of a comparison."""
    return SimulationReport(
        now=found.now,
        other=found.other,
        sums=found.sums,
        days=found.days,
        line_count=len(found.lines),
    )


def report_of(folder: Path) -> SimulationReport | None:
    """Give the report in a folder; None: there is none."""
    path = folder / _REPORT
    return msgspec.json.decode(path.read_bytes(), type=SimulationReport) if path.is_file() else None


def write_lines(folder: Path, lines: Iterable[tuple[str, Contact]]) -> None:
    """Write the lines in which both differ, one a line; they appear whole."""
    path = folder / _LINES
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        for each in lines:
            file.write(msgspec.json.encode(each) + b"\n")
    partial.replace(path)


def lines_of(folder: Path, *, skip: int, most: int) -> list[tuple[str, Contact]]:
    """Give some of the lines in a folder, in their order; none where there are none. The others are not decoded."""
    path = folder / _LINES
    if not path.is_file():
        return _older_lines(folder)[skip : skip + most]
    with path.open("rb") as file:
        return [_line.decode(each) for each in islice(file, skip, skip + most)]


def lines_kept(folder: Path, report: SimulationReport) -> int:
    """Give how many lines there are to be had in a folder: of an older version's report not all."""
    return report.line_count if (folder / _LINES).is_file() else len(_older_lines(folder))


def _older_lines(folder: Path) -> list[tuple[str, Contact]]:
    path = folder / _REPORT
    return msgspec.json.decode(path.read_bytes(), type=_OlderReport).lines if path.is_file() else []


def progress_of(folder: Path) -> Progress:
    """Give how far a simulation is, as it said last."""
    path = folder / _PROGRESS
    return (
        msgspec.json.decode(path.read_bytes(), type=Progress) if path.is_file() else Progress(done=0, total=0)
    )


def asked_of(folder: Path) -> SimulationAsked | None:
    """Give what was asked for in a folder; None: nothing."""
    path = folder / _ASKED
    return msgspec.json.decode(path.read_bytes(), type=SimulationAsked) if path.is_file() else None


def write_json(folder: Path, value: SimulationAsked | Progress | SimulationReport) -> None:
    """Write one of these where it is looked for; it appears whole."""
    names = {SimulationAsked: _ASKED, Progress: _PROGRESS, SimulationReport: _REPORT}
    path = folder / names[type(value)]
    partial = path.with_suffix(".partial")
    partial.write_bytes(msgspec.json.encode(value))
    partial.replace(path)


def simulate(folder: Path, *, settings: Settings) -> None:
    """Do what was asked for in a folder, and leave the report there.

    Raises:
        OperatorError: the journal cannot be read.
    """
    from console.costing import usual_prices
    from console.what_if import compare

    asked = asked_of(folder)
    if asked is None:
        raise OperatorError(f"{folder} says nothing to try")
    found = compare(
        settings,
        rules=Rules(plan=asked.plan, profile=asked.profile, company=asked.company),
        first_on=asked.first_on,
        last_on=asked.last_on,
        prices=usual_prices(settings),
        told=lambda done, total: write_json(folder, Progress(done=done, total=total)),
    )
    write_lines(folder, found.lines)
    write_json(folder, reported(found))  # last: it says that all is there


def _end_with_parent() -> None:
    while os.read(_STDIN, 1):  # unbuffered: a buffer's lock would keep the process from ending by itself
        pass
    os._exit(3)


def main() -> None:
    """Run as a process: the folder is the only argument, settings come by ``COBRANZA_*`` variables."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        simulate(Path(sys.argv[1]), settings=Settings())
    except OperatorError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

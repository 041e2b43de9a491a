"""What-ifs that the console runs beside itself: one at a time, for so long at most, each in a folder that outlives it.

The work is a process of its own, so that pages stay quick; it ends with the console. What was under way then is
said to be gone, not begun again.
"""

import datetime
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final, Literal, Protocol

from msgspec import DecodeError, Struct

from console.simulating import (
    Progress,
    SimulationAsked,
    SimulationReport,
    asked_of,
    lines_kept,
    lines_of,
    progress_of,
    report_of,
    write_json,
)
from infra.settings import Settings
from processors.alternative import Contact

__all__ = ["BusyError", "Launch", "Running", "Simulation", "Simulations", "launch"]

# `older`: its report is of an older version, and cannot be read.
State = Literal["running", "done", "stopped", "failed", "too_long", "gone", "older"]
_KEPT_MAX: Final = 30
_SECONDS_MAX: Final = 1_800
_SAID_MAX: Final = 2_000


class BusyError(Exception):
    """Another one is under way."""


class Running(Protocol):
    """A process that was started."""

    def poll(self) -> int | None:
        """Give its exit code; None: it runs."""

    def kill(self) -> None:
        """End it."""

    def wait(self) -> int:
        """Wait until it has ended."""


Launch = Callable[[Path, Settings], Running]


class Simulation(Struct, frozen=True, kw_only=True):
    """One what-if: what was asked, where it stands, what came of it; ``said``: why it failed.

    ``lines_kept`` are the differing lines that there are to be had: of an older version's report the first ones only.
    """

    asked: SimulationAsked
    state: State
    progress: Progress
    report: SimulationReport | None = None
    lines_kept: int = 0
    said: str = ""


def launch(folder: Path, settings: Settings) -> Running:
    """Start the process of a simulation; it ends when this one does."""
    values = settings.model_dump(mode="json")
    own = {f"COBRANZA_{name.upper()}": str(value) for name, value in values.items() if value is not None}
    errors: IO[bytes]
    with (folder / "errors.txt").open("wb") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "console.simulating", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env={**os.environ, **own},
        )


class Simulations:
    """The what-ifs of an installation; several threads may use it."""

    def __init__(
        self, folder: Path, *, settings: Settings, clock: Callable[[], datetime.datetime], launch: Launch
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._clock = clock
        self._launch = launch
        self._lock = threading.Lock()
        self._running: dict[str, Running] = {}
        self._ends: dict[str, State] = {}

    def start(self, asked: SimulationAsked) -> None:
        """Begin one; the same one again changes nothing.

        Raises:
            BusyError: another one is under way.
        """
        with self._lock:
            folder = self._folder / asked.simulation
            if (folder / "asked.json").is_file():
                return
            self._look()
            if self._running:
                raise BusyError
            self._forget_oldest()
            folder.mkdir(parents=True)
            write_json(folder, asked)
            self._running[asked.simulation] = self._launch(folder, self._settings)

    def stop(self, simulation: str) -> None:
        """End one that is under way."""
        with self._lock:
            self._end(simulation, "stopped")

    def of_company(self, company: str) -> list[Simulation]:
        """List those of a company, the newest first; what came of each is not read."""
        found = [self._told(each.name, with_report=False) for each in self._folders()]
        own = [each for each in found if each is not None and each.asked.company == company]
        return sorted(own, key=lambda each: each.asked.started_at, reverse=True)

    def simulation(self, simulation: str) -> Simulation | None:
        """Give one by its id, with what came of it; None: there is none."""
        return self._told(simulation, with_report=True)

    def lines(self, simulation: str, *, skip: int, most: int) -> list[tuple[str, Contact]]:
        """Give some of the lines in which both sides of one differ."""
        return lines_of(self._folder / simulation, skip=skip, most=most)

    def _told(self, simulation: str, *, with_report: bool) -> Simulation | None:
        folder = self._folder / simulation
        if not simulation.isalnum() or not folder.is_dir():
            return None
        asked = asked_of(folder)
        if asked is None:
            return None
        with self._lock:
            self._look()
            state = self._state(simulation, folder=folder)
        report = None
        if with_report and state == "done":
            try:
                report = report_of(folder)
            except DecodeError:
                state = "older"
        said = ""
        if state == "failed" and (folder / "errors.txt").is_file():
            said = (folder / "errors.txt").read_text(encoding="utf-8", errors="replace")[-_SAID_MAX:].strip()
        return Simulation(
            asked=asked,
            state=state,
            progress=progress_of(folder),
            report=report,
            lines_kept=0 if report is None else lines_kept(folder, report),
            said=said.split("\n")[-1],
        )

    def _state(self, simulation: str, *, folder: Path) -> State:
        if (folder / "report.json").is_file():
            return "done"
        if simulation in self._running:
            return "running"
        if simulation in self._ends:
            return self._ends[simulation]
        return "stopped" if (folder / "stopped").is_file() else "gone"

    def _look(self) -> None:
        """Take note of what has ended, and end what takes too long."""
        for simulation, process in list(self._running.items()):
            asked = asked_of(self._folder / simulation)
            if process.poll() is not None:
                del self._running[simulation]
                self._ends[simulation] = "failed"  # unless it left a report
            elif (self._folder / simulation / "report.json").is_file():
                self._end(simulation, "done")  # what it leaves last is there: it is on its way out
            elif asked is None or (self._clock() - asked.started_at).total_seconds() > _SECONDS_MAX:
                self._end(simulation, "too_long")

    def _end(self, simulation: str, state: State) -> None:
        process = self._running.pop(simulation, None)
        if process is None:
            return
        process.kill()
        process.wait()
        self._ends[simulation] = state
        if state == "stopped":
            (self._folder / simulation / "stopped").touch()

    def _folders(self) -> list[Path]:
        return (
            sorted(each for each in self._folder.glob("*") if each.is_dir()) if self._folder.is_dir() else []
        )

    def _forget_oldest(self) -> None:
        for each in sorted(self._folders(), key=lambda each: each.stat().st_mtime)[: 1 - _KEPT_MAX]:
            shutil.rmtree(each)

"""``cobranza up``: everything comes up, what dies comes back, Ctrl-C takes it down in order."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.installation import STOP_ORDER, environment, prepare, services
from infra.processes import lives
from infra.settings import Settings

pytestmark = pytest.mark.system

_DEADLINE_S = 90.0
_POLL_S = 0.05


class _Up:
    """The command in a process of its own, and what it has said so far."""

    def __init__(self, settings: Settings, *, log: Path, command: str = "up") -> None:
        self._log = log
        self.process = subprocess.Popen(
            [sys.executable, "-m", "console", command],
            stdout=log.open("wb"),
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment(settings), "COBRANZA_STREAM_TICK_EVERY_S": "1"},
        )

    def lines(self) -> list[str]:
        return self._log.read_text(encoding="utf-8").splitlines()

    def wait_for(self, text: str, *, count: int = 1) -> list[str]:
        deadline_s = time.monotonic() + _DEADLINE_S
        while sum(text in line for line in self.lines()) < count:
            assert time.monotonic() < deadline_s, self.lines()
            assert self.process.poll() is None, self.lines()
            time.sleep(_POLL_S)
        return [line for line in self.lines() if text in line]


@pytest.fixture
def up(tmp_path: Path, broker: str) -> Iterator[_Up]:
    """Start the command on the session's broker, with topics of its own."""
    settings = Settings(data_dir=tmp_path, bootstrap_servers=broker, topic_prefix="up.")
    running = _Up(settings, log=tmp_path / "up.out")
    try:
        yield running
    finally:
        running.process.terminate()
        running.process.wait(60)


def _pid(line: str) -> int:
    return int(line.partition("pid ")[2].split(",")[0])


def test_up_restarts_what_dies_and_stops_in_order(up: _Up, tmp_path: Path) -> None:
    """Issue 3: supervised processes, their state, and an orderly end on Ctrl-C."""
    for service in services(clock=True, web=True, console=True):
        up.wait_for(f"{service.name}: running")
    _await_ticks(tmp_path)
    killed = _pid(up.wait_for("notifier: running")[0])
    os.kill(killed, signal.SIGKILL)
    again = _pid(up.wait_for("notifier: running", count=2)[1])
    up.process.send_signal(signal.SIGINT)
    assert 0 == up.process.wait(60)
    stopped = [line.split(":")[0] for line in up.lines() if ": stopped" in line]
    of_first_wave = len(STOP_ORDER[0])
    assert (set(STOP_ORDER[0]), set(STOP_ORDER[1])) == (
        set(stopped[:of_first_wave]),
        set(stopped[of_first_wave:]),
    )
    assert [] == [pid for pid in (killed, again) if lives(pid)]
    assert "Stopped." == up.lines()[-1]


def _await_ticks(data_dir: Path) -> None:
    """Wait until a live tick has gone the whole way: clock, ledger, projector."""
    from sqlalchemy import select

    from infra.database.engine import open_engine, reading
    from infra.database.tables import clocks

    engine = open_engine(Settings(data_dir=data_dir).database)
    deadline_s = time.monotonic() + _DEADLINE_S
    modes: set[str] = set()
    while not modes and time.monotonic() < deadline_s:
        time.sleep(_POLL_S)
        with reading(engine) as connection:
            modes = set(connection.execute(select(clocks.c["mode"])).scalars())
    engine.dispose()
    assert {"live"} == modes


def test_preparing_twice_changes_nothing(tmp_path: Path, broker: str) -> None:
    """Topics and tables are made once."""
    settings = Settings(data_dir=tmp_path, bootstrap_servers=broker, topic_prefix="twice.")
    said: list[str] = []
    for _ in range(2):
        with prepare(settings, say=said.append) as ready:
            assert broker == ready.bootstrap_servers
    assert 1 == len(said)
    assert said[0].startswith("topics: ")


def test_a_demo_that_is_told_to_stop_leaves_nothing_running(tmp_path: Path, broker: str) -> None:
    """SIGTERM to `demo` (or `play --workers`) takes the workers along; found when they outlived it."""
    settings = Settings(data_dir=tmp_path, bootstrap_servers=broker, topic_prefix="stop.")
    running = _Up(settings, log=tmp_path / "demo.out", command="demo")
    running.wait_for("Playing 20")
    pids = [int(pid) for pid in json.loads((tmp_path / "demo" / "processes.json").read_text())]
    assert len(services(clock=False, console=True)) == sum(map(lives, pids))
    running.process.terminate()
    assert 128 + signal.SIGTERM == running.process.wait(60)
    assert [] == [pid for pid in pids if lives(pid)]

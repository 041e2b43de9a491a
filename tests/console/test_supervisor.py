"""The supervisor: what dies comes back, what dies too often is told, what is stopped stays down, in order."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from console.supervisor import Service, ServiceFailedError, ServiceStatus, Supervisor, SupervisorBusyError
from infra.processes import command_line, lives

_SLEEPER = "import signal, time; print('up', flush=True); signal.pause()"


class _Watch:
    """Collects states and waits for one, with a deadline."""

    def __init__(self) -> None:
        self.seen: list[ServiceStatus] = []
        self._news = threading.Condition()

    def __call__(self, status: ServiceStatus) -> None:
        with self._news:
            self.seen.append(status)
            self._news.notify_all()

    def wait(self, wanted: Callable[[ServiceStatus], bool]) -> ServiceStatus:
        with self._news:
            assert self._news.wait_for(lambda: any(map(wanted, self.seen)), timeout=60), self.seen
            return next(each for each in self.seen if wanted(each))

    def states(self, name: str) -> list[str]:
        return [each.state for each in self.seen if each.name == name]


def _service(name: str, program: str = _SLEEPER) -> Service:
    return Service(name=name, command=(sys.executable, "-c", program))


def test_killed_service_comes_back_at_once(tmp_path: Path) -> None:
    """A worker that is killed -9 is there again, with another process."""
    watch = _Watch()
    with Supervisor(tmp_path, services=[_service("one")], changed=watch) as supervisor:
        first = watch.wait(lambda each: each.state == "running")
        assert first.pid == supervisor.kill("one")
        second = watch.wait(lambda each: each.state == "running" and each.pid != first.pid)
        assert 1 == second.restarts
        assert -signal.SIGKILL == second.exit_code
        assert second.pid is not None
        supervisor.stop()
        assert not lives(second.pid)
    assert "stopped" == watch.states("one")[-1]


def test_service_that_keeps_dying_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    """Restarting has a limit; the error shows the end of the log."""
    watch = _Watch()
    program = "import sys; print('no database'); sys.exit(3)"
    services = [_service("bad", program)]
    with Supervisor(tmp_path, services=services, changed=watch, back_off_s=(0.0, 0.1)) as supervisor:
        watch.wait(lambda each: each.state == "failed")
        with pytest.raises(ServiceFailedError, match=r"(?s)bad ended 3 times.*exit code 3.*no database"):
            supervisor.check()


def test_services_stop_in_the_order_asked_for(tmp_path: Path) -> None:
    """Those who write stop before those who read; who is in no wave stops first."""
    watch = _Watch()
    services = [_service(name) for name in ("reader", "writer", "clock")]
    with Supervisor(tmp_path, services=services, stop_order=[["writer"], ["reader"]], changed=watch):
        for name in ("reader", "writer", "clock"):
            watch.wait(lambda each, name=name: each.name == name and each.state == "running")  # type: ignore[misc]
    assert ["clock", "writer", "reader"] == [each.name for each in watch.seen if each.state == "stopped"]


# Ends when it is asked to, but only after the other one was asked, too.
_WAITS_FOR_THE_OTHER = """
import pathlib, signal, sys, time
mine, others = map(pathlib.Path, sys.argv[1:])
signal.signal(signal.SIGTERM, lambda *_: mine.touch())
print("up", flush=True)
while not (mine.exists() and others.exists()):
    time.sleep(0.01)
"""


def test_services_of_a_wave_stop_side_by_side(tmp_path: Path) -> None:
    """Nine processes that take two seconds each end in two seconds: one's end does not wait for another's."""
    watch = _Watch()
    files = [tmp_path / "a", tmp_path / "b"]
    services = [
        Service(name=mine.name, command=(sys.executable, "-c", _WAITS_FOR_THE_OTHER, str(mine), str(others)))
        for mine, others in (files, files[::-1])
    ]
    with Supervisor(tmp_path, services=services, stop_order=[["a", "b"]], changed=watch) as supervisor:
        for each in supervisor.status():
            watch.wait(lambda seen, name=each.name: seen.name == name and seen.state == "running")  # type: ignore[misc]
            while "up" not in each.log_file.read_text():
                time.sleep(0.01)
    assert [0, 0] == [each.exit_code for each in supervisor.status()]


def test_second_supervisor_of_a_folder_is_refused(tmp_path: Path) -> None:
    """Two clocks or notifiers of one installation would fight."""
    with (
        Supervisor(tmp_path, services=[]),
        pytest.raises(SupervisorBusyError, match="already runs"),
        Supervisor(tmp_path, services=[]),
    ):
        pass


def test_orphans_of_a_killed_supervisor_are_ended(tmp_path: Path) -> None:
    """After kill -9 of the supervisor its children still live; the next one ends them first."""
    program = (
        "import signal, sys; from pathlib import Path; from console.supervisor import *;"
        f"s = Supervisor(Path({str(tmp_path)!r}), changed=lambda each: print(each.pid, flush=True),"
        f" services=[Service(name='one', command=(sys.executable, '-c', {_SLEEPER!r}))]);"
        "s.__enter__(); signal.pause()"
    )
    killed = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert killed.stdout is not None
    orphan = int(killed.stdout.readline())
    killed.kill()
    killed.wait()
    killed.stdout.close()
    assert lives(orphan)
    watch = _Watch()
    with Supervisor(tmp_path, services=[_service("one")], changed=watch):
        watch.wait(lambda each: each.state == "running")
        assert not lives(orphan)


def test_an_orphan_that_has_only_just_begun_is_ended_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its start and its first step the system gives no command line; it was taken for another's, and lived on."""
    command = [sys.executable, "-c", _SLEEPER]
    orphan = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    (tmp_path / "processes.json").write_text(json.dumps({orphan.pid: command}))
    said = iter(["", ""])
    monkeypatch.setattr("console.supervisor.command_line", lambda pid: next(said, command_line(pid)))
    with Supervisor(tmp_path, services=[]):
        assert -signal.SIGKILL == orphan.wait(60)


def test_environment_reaches_the_service(tmp_path: Path) -> None:
    """All processes of an installation have the same settings."""
    watch = _Watch()
    program = "import os, sys; print(os.environ['COBRANZA_TOPIC_PREFIX'], flush=True); sys.exit(0)"
    environment = {"COBRANZA_TOPIC_PREFIX": "x."}
    with Supervisor(tmp_path, services=[_service("one", program)], environment=environment, changed=watch):
        ended = watch.wait(lambda each: each.restarts == 1)
    assert ended.log_file.read_text().startswith("x.")
    assert "COBRANZA_TOPIC_PREFIX" not in os.environ

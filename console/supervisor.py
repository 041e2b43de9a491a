"""Child processes kept alive: started, watched, restarted with back-off, stopped in order.

    waiting ──spawn──► running ──dies──► waiting (back-off) ──too often──► failed
       └──────── stop ────┴──────────────────┴─────► stopped

Each child has a thread that waits for its end, a log file, and a session of its
own: Ctrl-C at the terminal is for the supervisor, which stops children in waves.
It knows nothing of what they do.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec

from infra.errors import OperatorError
from infra.processes import command_line, lives

__all__ = ["Service", "ServiceFailedError", "ServiceStatus", "Supervisor", "SupervisorBusyError"]

State = Literal["waiting", "running", "stopped", "failed"]
_BACK_OFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_HEALTHY_S = 30.0
_STOP_S_MAX = 20.0
# A busy machine takes its time to end what was killed.
_KILLED_S_MAX = 10.0
_KILLED_LOOK_S = 0.01
_LOG_LINES_SHOWN = 15


class SupervisorBusyError(OperatorError):
    """Another supervisor runs in this data folder, or processes that it left cannot be ended."""


class ServiceFailedError(OperatorError):
    """A service died too often in a row; the text has the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A process to be kept alive: ``command`` is its argv, ``variables`` are its own."""

    name: str
    command: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """How a service is; ``since_s`` is monotonic, ``exit_code`` that of its last end."""

    name: str
    state: State
    since_s: float
    log_file: Path
    pid: int | None = None
    restarts: int = 0
    exit_code: int | None = None


class Supervisor:
    """Runs services from entering to leaving the context.

    Args:
        directory: for logs, the lock, and the list of processes.
        services: in the order of starting.
        stop_order: names by wave: those of a wave are asked to end together, and waited for before
            the next wave; names that are in none are the first wave.
        environment: added to ours.
        changed: called from any thread after each change of a state.
        back_off_s: the waits before a service that died in a row is started again.
    """

    def __init__(
        self,
        directory: Path,
        *,
        services: Sequence[Service],
        stop_order: Sequence[Sequence[str]] = (),
        environment: Mapping[str, str] | None = None,
        changed: Callable[[ServiceStatus], None] = lambda _: None,
        back_off_s: Sequence[float] = _BACK_OFF_S,
    ) -> None:
        self._directory = directory
        self._stop_order = [list(wave) for wave in stop_order]
        self._lock: TextIOWrapper | None = None
        logs = directory / "logs"
        variables = {**os.environ, **(environment or {})}
        self._children = {
            each.name: _Child(
                each,
                log_file=logs / f"{each.name}.log",
                variables={**variables, **each.variables},
                changed=self._say,
                back_off_s=back_off_s,
            )
            for each in services
        }
        self._changed = changed
        self._writing = threading.Lock()

    def __enter__(self) -> Self:
        (self._directory / "logs").mkdir(parents=True, exist_ok=True)
        self._take_lock()
        self._end_orphans()
        for child in self._children.values():
            child.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def services(self) -> list[Service]:
        """Give the services as they were told to run."""
        return [child.service for child in self._children.values()]

    def status(self) -> list[ServiceStatus]:
        """Say how each service is, in the order of starting."""
        return [child.status for child in self._children.values()]

    def check(self) -> None:
        """Do nothing while all is well.

        Raises:
            ServiceFailedError: a service died too often.
        """
        for child in self._children.values():
            if child.status.state == "failed":
                raise ServiceFailedError(child.obituary())

    def kill(self, name: str) -> int | None:
        """Kill (-9) the process of a service, if it runs; it is started again. Return its pid."""
        return self._children[name].kill()

    def stop(self) -> None:
        """Stop all services, wave by wave; idempotent."""
        listed = {name for wave in self._stop_order for name in wave}
        for wave in [[name for name in self._children if name not in listed], *self._stop_order]:
            children = [self._children[name] for name in wave if name in self._children]
            deadline_s = time.monotonic() + _STOP_S_MAX
            for child in children:
                child.ask_to_end()
            for child in children:
                child.await_end(deadline_s=deadline_s)
        self._write_processes()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def _processes_file(self) -> Path:
        return self._directory / "processes.json"

    def _take_lock(self) -> None:
        lock = (self._directory / "supervisor.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise SupervisorBusyError(f"cobranza up already runs on {self._directory}.") from error
        self._lock = lock

    def _end_orphans(self) -> None:
        """End what a supervisor that was killed has left behind: two of a kind would fight."""
        try:
            left = msgspec.json.decode(self._processes_file.read_bytes(), type=dict[int, list[str]])
        except (FileNotFoundError, msgspec.DecodeError):
            return
        # A number may be another's by now.
        orphans = [pid for pid, command in left.items() if _runs(pid, command)]
        for pid in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        deadline_s = time.monotonic() + _KILLED_S_MAX
        while any(map(lives, orphans)):
            if time.monotonic() > deadline_s:
                raise SupervisorBusyError(f"what ran on {self._directory} does not die: {orphans}")
            time.sleep(_KILLED_LOOK_S)

    def _write_processes(self) -> None:
        with self._writing:
            running = {
                child.status.pid: list(child.service.command)
                for child in self._children.values()
                if child.status.pid is not None
            }
            fresh = self._processes_file.with_suffix(".fresh")
            fresh.write_bytes(msgspec.json.encode(running))
            fresh.replace(self._processes_file)

    def _say(self, status: ServiceStatus) -> None:
        self._write_processes()
        self._changed(status)


def _runs(pid: int, command: Sequence[str]) -> bool:
    """Say whether a process runs this; one that has only just been started has no command line for a moment."""
    deadline_s = time.monotonic() + _KILLED_S_MAX
    while not (found := command_line(pid)) and lives(pid) and time.monotonic() < deadline_s:
        time.sleep(_KILLED_LOOK_S)
    return found == " ".join(command).strip()


class _Child:
    """One service and the thread that waits for its process."""

    def __init__(
        self,
        service: Service,
        *,
        log_file: Path,
        variables: Mapping[str, str],
        changed: Callable[[ServiceStatus], None],
        back_off_s: Sequence[float],
    ) -> None:
        self.service = service
        self._back_off_s = back_off_s
        self.status = ServiceStatus(
            name=service.name, state="waiting", since_s=time.monotonic(), log_file=log_file
        )
        self._variables = dict(variables)
        self._changed = changed
        self._stopping = threading.Event()
        self._guard = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._live, name=f"supervise-{service.name}", daemon=True)

    def start(self) -> None:
        """Start the thread, and so the process."""
        self._thread.start()

    def ask_to_end(self) -> None:
        """Ask the process to end, and start none again; idempotent."""
        self._stopping.set()
        with self._guard:
            process = self._process
        if process is not None:
            process.terminate()

    def await_end(self, *, deadline_s: float) -> None:
        """Wait for the end that was asked for until ``deadline_s`` (monotonic), then bring it about by force."""
        if not self._thread.is_alive():
            return
        self._thread.join(max(0.0, deadline_s - time.monotonic()))
        if self._thread.is_alive():
            self.kill()
            self._thread.join()

    def kill(self) -> int | None:
        """Kill the process at once."""
        with self._guard:
            process = self._process
        if process is None:
            return None
        process.kill()
        return process.pid

    def obituary(self) -> str:
        """Tell how the service died."""
        lines = self.status.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        end = "\n".join(f"  {line}" for line in lines[-_LOG_LINES_SHOWN:])
        return (
            f"{self.service.name} ended {self.status.restarts + 1} times in a row, "
            f"the last time with exit code {self.status.exit_code}. Log: {self.status.log_file}\n{end}"
        )

    def _live(self) -> None:
        in_a_row, code = 0, None
        while not self._stopping.is_set():
            started_s = time.monotonic()
            code = self._run_once()
            if self._stopping.is_set():
                break
            in_a_row = 0 if time.monotonic() - started_s > _HEALTHY_S else in_a_row + 1
            # A process that was killed from outside has not failed by itself.
            limit = len(self._back_off_s) * (4 if code == -signal.SIGKILL else 1)
            if in_a_row > limit:
                self._move("failed", exit_code=code)
                return
            self._move("waiting", exit_code=code, restarts=self.status.restarts + 1)
            if in_a_row:
                self._stopping.wait(self._back_off_s[min(in_a_row, len(self._back_off_s)) - 1])
        self._move("stopped", exit_code=code)

    def _run_once(self) -> int:
        with self.status.log_file.open("ab") as log:
            with self._guard:
                if self._stopping.is_set():
                    return 0
                process = self._process = subprocess.Popen(
                    self.service.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=self._variables,
                    start_new_session=True,
                )
            self._move("running", pid=process.pid)
            code = process.wait()
        with self._guard:
            self._process = None
        return code

    def _move(
        self,
        state: State,
        *,
        pid: int | None = None,
        exit_code: int | None = None,
        restarts: int | None = None,
    ) -> None:
        self.status = replace(
            self.status,
            state=state,
            since_s=time.monotonic(),
            pid=pid,
            exit_code=self.status.exit_code if exit_code is None else exit_code,
            restarts=self.status.restarts if restarts is None else restarts,
        )
        self._changed(self.status)

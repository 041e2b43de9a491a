"""The ledger's workers as processes: started, killed, frozen, told to stop, and started again.

One that ends of itself is started again, as its supervisor would, and told of.
"""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

__all__ = ["Fleet", "FleetFailed"]

ROOT: Final = Path(__file__).resolve().parents[2]
_STOP_S_MAX: Final = 30.0
_START_S_MAX: Final = 60.0
_POLL_S: Final = 0.05
_ENDS_IN_A_ROW_MAX: Final = 8
_LOG_LINES: Final = 12


class FleetFailed(Exception):  # noqa: N818 - it says what happened
    """A worker stops of itself again and again, or does not stop when told to."""


class Fleet:
    """Workers by name; a context, which kills what is left.

    Args:
        folder: for logs and counters.
        environments: name -> variables that are added to ours.
        static: whether a worker comes back under its name (static membership).
        say: told of what happens by itself.
    """

    def __init__(
        self,
        folder: Path,
        *,
        environments: Mapping[str, Mapping[str, str]],
        static: bool = True,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.names = tuple(environments)
        self.ended_of_themselves = 0
        self._folder = folder
        self._environments = environments
        self._static = static
        self._say = say
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._away: set[str] = set()
        self._starts: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        for name in self.names:
            self.start(name)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._running.values():
            if worker.poll() is None:
                worker.kill()
                worker.wait(timeout=_STOP_S_MAX)

    def start(self, name: str) -> None:
        """Start a worker, also in place of one that has ended."""
        self._starts[name] += 1
        counters = self._counters(name)
        member = f"chaos-{name}" if self._static else ""
        with self.log_file(name).open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.ledger_worker", member, str(counters)],
                cwd=ROOT,
                env={**os.environ, **self._environments[name]},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._away.discard(name)

    def log_file(self, name: str) -> Path:
        """Return where a worker logs."""
        return self._folder / f"{name}.log"

    def kill(self, name: str) -> bool:
        """End a worker as a power failure would; it stays away until it is started.

        False: it had ended of itself before, and nothing was done.
        """
        if self._running[name].poll() is not None:
            return False
        self._away.add(name)
        self._running[name].kill()
        return self._running[name].wait(timeout=_STOP_S_MAX) == -signal.SIGKILL

    def stop(self, name: str) -> None:
        """Tell a worker to stop, once it listens, and wait; ``FleetFailed`` when it does not end well."""
        self._await(lambda: self._counters(name).exists(), what=f"{name} to listen", seconds=_START_S_MAX)
        self._away.add(name)
        worker = self._running[name]
        worker.terminate()
        try:
            code = worker.wait(timeout=_STOP_S_MAX)
        except subprocess.TimeoutExpired as error:
            raise FleetFailed(
                f"Worker {name} did not stop in {_STOP_S_MAX:g} s.\n{self._end(name)}"
            ) from error
        if code != 0:
            raise FleetFailed(f"Worker {name}, told to stop, ended with {code}.\n{self._end(name)}")

    def stop_all(self) -> None:
        """Tell all to stop at once: none takes over what another one leaves; ``FleetFailed`` as for ``stop``."""
        with ThreadPoolExecutor(len(self.names)) as pool:
            list(pool.map(self.stop, self.names))

    def freeze(self, name: str) -> bool:
        """Stop a worker from doing anything; False: it had ended of itself before."""
        if self._running[name].poll() is not None:
            return False
        os.kill(self._running[name].pid, signal.SIGSTOP)
        return True

    def thaw(self, name: str) -> None:
        """Let a frozen worker go on."""
        os.kill(self._running[name].pid, signal.SIGCONT)

    def look(self) -> None:
        """Start again what has ended of itself; ``FleetFailed`` when that happens too often."""
        for name in self.names:
            worker = self._running[name]
            if name in self._away or worker.poll() is None:
                continue
            self.ended_of_themselves += 1
            self._say(
                f"worker {name} ended of itself with {worker.returncode}: started again\n{self._end(name)}"
            )
            if self.ended_of_themselves > _ENDS_IN_A_ROW_MAX:
                raise FleetFailed(f"Workers end of themselves again and again.\n{self._end(name)}")
            self.start(name)

    def is_at_work(self, name: str) -> bool:
        """Say whether a worker has committed anything in its present life."""
        file = self._counters(name)
        return file.exists() and _counts(file)["transactions"] > 0

    def counted(self) -> Counter[str]:
        """Add up what all workers have counted since the beginning."""
        total: Counter[str] = Counter()
        for file in self._folder.glob("*.json"):
            total.update(_counts(file))
        return total

    def broken_chains(self) -> list[str]:
        """Give the lines of the logs in which a worker says that its chain or facts are broken."""
        return [
            line
            for name in self.names
            for line in self.log_file(name).read_text(encoding="utf-8", errors="replace").splitlines()
            if ("ChainBroken" in line or "FactsLost" in line) and "CRITICAL" in line
        ]

    def await_taken(self, partitions: int, *, deadline_s: float) -> None:
        """Wait until `partitions` were taken in all."""
        self._await(
            lambda: self.counted()["acquired"] >= partitions, what="all partitions", seconds=deadline_s
        )

    def _counters(self, name: str) -> Path:
        """Name the file of a worker's present life."""
        return self._folder / f"{name}-{self._starts[name]}.json"

    def _await(self, condition: Callable[[], bool], *, what: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            self.look()
            if time.monotonic() > deadline:
                raise FleetFailed(f"Waited {seconds:g} s for {what}.\n{self._end(self.names[0])}")
            time.sleep(_POLL_S)

    def _end(self, name: str) -> str:
        lines = self.log_file(name).read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_LOG_LINES:])


def _counts(file: Path) -> Counter[str]:
    return Counter(msgspec.json.decode(file.read_bytes(), type=dict[str, int]))

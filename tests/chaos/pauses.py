"""How long a partition's readers wait while workers are replaced, killed and frozen, measured.

    python -m tests.chaos.pauses

Two ledger workers with the session timeout of an installation, under a steady load. What
is measured is what a reader of committed records sees: the longest time in which nothing
new came from a partition, open transactions of the dead and the frozen included.
"""

import argparse
import contextlib
import itertools
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kafka import TopicPartition

from console.installation import environment
from infra.kafka import topics
from infra.kafka.cluster import LocalCluster
from infra.kafka.consumers import consumer
from infra.settings import Settings
from streams.names import CHAIN, JOURNAL
from tests.chaos.beside import Beside
from tests.chaos.business import business
from tests.chaos.fleet import Fleet
from tests.chaos.load import Load
from tests.chaos.profile import WORKERS

__all__ = ["Pause", "measure"]

_PARTITIONS: Final = 4
_ACCOUNTS: Final = 2_000
_EVENTS: Final = 10_000_000  # more than any run takes
_SETTLED_COMMITS: Final = 20
_SETTLED_S_MAX: Final = 120.0
_CALM_S: Final = 10.0
_POLL_S: Final = 0.05
_BEYOND_SESSION_S: Final = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """What one event cost: the longest silence of each partition, in seconds, shortest first."""

    event: str
    silences_s: tuple[float, ...]

    def __str__(self) -> str:
        rest = ", ".join(f"{each:.2f}" for each in self.silences_s)
        return f"{self.event:<44} {self.silences_s[-1]:6.2f} s   (per partition: {rest})"


class _Watch(Beside):
    """A reader of committed links, which come one a transaction; a context."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(name="watch")
        self._reader = consumer(bootstrap_servers=settings.brokers(), group=None, fetch_wait_ms_max=20)
        partitions = [TopicPartition(settings.topic(CHAIN), each) for each in range(_PARTITIONS)]
        self._reader.assign(partitions)
        self._reader.seek_to_beginning(*partitions)
        self._seen: dict[int, list[float]] = {each: [] for each in range(_PARTITIONS)}

    def commits_since(self, moment: float) -> int:
        """Count the commits since then of the partition that has the fewest."""
        return min(sum(each >= moment for each in seen[-200:]) for seen in self._seen.values())

    def silences(self, begun: float, ended: float) -> tuple[float, ...]:
        """Give the longest silence of each partition between two moments."""
        return tuple(sorted(_longest(seen, begun, ended) for seen in self._seen.values()))

    def _run(self) -> None:
        with contextlib.closing(self._reader):
            while not self._stop.is_set():
                polled: dict[Any, Any] = self._reader.poll(timeout_ms=50)
                now = time.monotonic()
                for tp, records in polled.items():
                    self._seen[tp.partition] += [now] * len(records)


def _longest(seen: Sequence[float], begun: float, ended: float) -> float:
    inside = [begun, *(each for each in seen if begun <= each <= ended), ended]
    return max(after - before for before, after in itertools.pairwise(inside))


def measure(folder: Path, *, rate: float, session_s: float) -> Iterator[Pause]:
    """Give the pauses, one after the other, as they are measured."""
    with contextlib.ExitStack() as held:
        cluster = held.enter_context(LocalCluster(folder / "kafka", nodes=1, heap="768m"))
        settings = Settings(
            data_dir=folder, bootstrap_servers=cluster.bootstrap_servers, partitions=_PARTITIONS
        )
        topics.apply(settings)
        fleet = held.enter_context(_fleet(settings, session_s=session_s))
        fleet.await_taken(_PARTITIONS, deadline_s=_SETTLED_S_MAX)
        entries = business(
            seed=1, events=_EVENTS, accounts=_ACCOUNTS, ticks=_EVENTS // 2_000, partitions=_PARTITIONS
        )
        watch = held.enter_context(_Watch(settings))
        held.enter_context(
            Load(entries, topic=settings.topic(JOURNAL), bootstrap_servers=settings.brokers(), rate=rate)
        )
        rig = _Rig(fleet, watch, session_s=session_s)
        rig.settle()
        for event, do in rig.events().items():
            begun = time.monotonic()
            do()
            rig.settle()
            yield Pause(event=event, silences_s=watch.silences(begun, time.monotonic()))
            rig.whole()


class _Rig:
    """What is done to the workers."""

    def __init__(self, fleet: Fleet, watch: _Watch, *, session_s: float) -> None:
        self._fleet, self._watch = fleet, watch
        self._session_s = session_s
        self._missing = ""
        self._frozen = ""

    def events(self) -> dict[str, Callable[[], None]]:
        """Name what is done, in order; after each one the workers are made whole again."""
        return {
            "nothing is done (10 s)": lambda: time.sleep(_CALM_S),
            "rolling deploy: one worker after the other": self._deploy,
            "kill -9, back at once under its name": self._kill_and_start,
            "kill -9, the other worker takes over": self._kill,
            "frozen, the other worker takes over": self._freeze,
        }

    def settle(self) -> None:
        """Wait until every partition commits again."""
        since = time.monotonic()
        while self._watch.commits_since(since) < _SETTLED_COMMITS:
            self._fleet.look()
            if time.monotonic() - since > _SETTLED_S_MAX:
                raise TimeoutError(f"a partition did not go on for {_SETTLED_S_MAX:g} s")
            time.sleep(_POLL_S)

    def whole(self) -> None:
        """Start and wake who is missing, beyond any rebalance that follows from it."""
        if self._missing:
            self._fleet.start(self._missing)
        if self._frozen:
            self._fleet.thaw(self._frozen)
        if self._missing or self._frozen:
            self._missing = self._frozen = ""
            time.sleep(self._session_s + _BEYOND_SESSION_S)
        self.settle()

    def _deploy(self) -> None:
        for name in self._fleet.names:
            self._fleet.stop(name)
            self._fleet.start(name)
            self.settle()

    def _kill_and_start(self) -> None:
        self._fleet.kill(self._fleet.names[0])
        self._fleet.start(self._fleet.names[0])

    def _kill(self) -> None:
        self._missing = self._fleet.names[1]
        self._fleet.kill(self._missing)

    def _freeze(self) -> None:
        self._frozen = self._fleet.names[0]
        self._fleet.freeze(self._frozen)


def _fleet(settings: Settings, *, session_s: float) -> Fleet:
    variables = {
        name: environment(settings.model_copy(update={"data_dir": settings.data_dir / f"worker-{name}"}))
        | {"COBRANZA_STREAM_SESSION_TIMEOUT_S": str(session_s)}
        for name in WORKERS
    }
    return Fleet(settings.data_dir / "workers", environments=variables)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, one line an event."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rate", type=float, default=400.0, help="events a second")
    parser.add_argument("--session-s", type=float, default=10.0)
    chosen = parser.parse_args(arguments)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="cobranza-pauses-") as folder:
        for pause in measure(Path(folder), rate=chosen.rate, session_s=chosen.session_s):
            sys.stdout.write(f"{pause}; load average {os.getloadavg()[0]:.1f}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()

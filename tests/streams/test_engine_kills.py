"""Workers killed and frozen under load: nothing lost, nothing doubled, in state and outputs (DESIGN 3)."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from infra.kafka import consumers
from streams.engine.chain import holes
from tests.streams.rig import Rig, until_true

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]
KEYS = 50
RECORDS_PER_S = 400
DRAINED_S_MAX = 120.0


class _Workers:
    """Two worker processes by name, whose logs go to a folder."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        self._rig = rig
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._logs: list[IO[bytes]] = []

    def start(self, name: str, *, member: bool = True) -> None:
        """Start a worker, also in place of one that has ended."""
        log = (self._folder / f"{name}.log").open("ab")
        self._logs.append(log)
        arguments = [self._rig.broker, self._rig.prefix, name if member else "", "stateful"]
        command = [sys.executable, "-m", "tests.streams.toy", *arguments]
        self._running[name] = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    def kill(self, name: str) -> None:
        """End a worker as a power failure would."""
        self._running[name].kill()
        self._running[name].wait(timeout=60)

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self._running[name].pid, number)

    def log(self, name: str) -> str:
        """Give what a worker has logged."""
        return (self._folder / f"{name}.log").read_text()

    def stop(self) -> None:
        """Stop all in order; one that does not end is killed, and told of."""
        for worker in self._running.values():
            worker.send_signal(signal.SIGCONT)
            worker.terminate()
        try:
            assert {0} == {worker.wait(timeout=60) for worker in self._running.values()}
        finally:
            for worker in self._running.values():
                worker.kill()
                worker.wait(timeout=60)
            for log in self._logs:
                log.close()


@pytest.fixture
def rig(broker: str, namespace: str) -> Rig:
    """Give the toy's topics, four partitions each."""
    rig = Rig(broker, namespace, partitions=4)
    rig.create()
    return rig


@pytest.fixture
def workers(rig: Rig, tmp_path: Path) -> Iterator[_Workers]:
    """Give a place to start workers from; what still runs at the end is stopped."""
    workers = _Workers(rig, tmp_path)
    yield workers
    workers.stop()


def _load(rig: Rig, stop: asyncio.Event) -> int:
    """Send numbered records at a steady rate until told to stop; give how many."""
    sent = 0
    started = time.monotonic()
    with consumers.producer(bootstrap_servers=rig.broker, linger_ms=5) as producer:
        while not stop.is_set():
            for _ in range(RECORDS_PER_S // 20):
                key = b"k%d" % (sent * 7919 % KEYS)
                producer.send(rig.prefix + "src", key=key, value=b"%d" % sent)
                sent += 1
            time.sleep(max(0.0, started + sent / RECORDS_PER_S - time.monotonic()))
    return sent


def _assert_exactly_once(rig: Rig, sent: int) -> None:
    expected: dict[str, list[int]] = {}
    for number in range(sent):
        expected.setdefault(f"k{number * 7919 % KEYS}", []).append(number)
    assert expected == rig.numbers()
    assert Counter(map(str, range(sent))) == Counter(rig.said())
    for partition, end in rig.ends().items():
        links = rig.links(partition)
        assert [] == holes(links)
        assert (0, end) == (links[0].start, links[-1].end)


def test_three_kills_under_load(rig: Rig, workers: _Workers) -> None:
    """Two workers; one after the other dies at a random moment and comes back under its name."""
    chance = random.Random(5)  # noqa: S311 - when to kill

    async def story() -> int:
        workers.start("a")
        workers.start("b")
        await until_true(lambda: "partitions in" in workers.log("a") + workers.log("b"))
        stop = asyncio.Event()
        loading = asyncio.create_task(asyncio.to_thread(_load, rig, stop))
        for name in ("a", "b", "a"):
            await asyncio.sleep(chance.uniform(1.0, 2.0))
            workers.kill(name)
            await asyncio.sleep(chance.uniform(0.0, 0.5))
            taken = workers.log(name).count("partitions in")
            workers.start(name)
        # Before that it would not yet hear that it is told to stop.
        await until_true(lambda: workers.log(name).count("partitions in") > taken, deadline_s=120)
        stop.set()
        sent = await loading
        await until_true(lambda: rig.lag() == 0, deadline_s=DRAINED_S_MAX)
        return sent

    _assert_exactly_once(rig, asyncio.run(story()))


def test_a_zombie_that_wakes_changes_nothing(rig: Rig, workers: _Workers) -> None:
    """Stopped past its session, its partitions are folded elsewhere; awake, it is fenced or goes along."""

    async def story() -> int:
        workers.start("a", member=False)
        await until_true(lambda: "4 partitions in" in workers.log("a"))
        stop = asyncio.Event()
        loading = asyncio.create_task(asyncio.to_thread(_load, rig, stop))
        await until_true(lambda: len(rig.committed()) == 4)
        workers.signal("a", signal.SIGSTOP)
        workers.start("b", member=False)
        await until_true(lambda: "4 partitions in" in workers.log("b"), deadline_s=120)
        await asyncio.sleep(0.5)
        workers.signal("a", signal.SIGCONT)
        await asyncio.sleep(1.0)
        stop.set()
        sent = await loading
        await until_true(lambda: rig.lag() == 0, deadline_s=DRAINED_S_MAX)
        return sent

    _assert_exactly_once(rig, asyncio.run(story()))

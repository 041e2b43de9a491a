"""What workers and notifiers say at ``/readyz`` while their broker does not answer: a real one, stopped and let go on."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.installation import environment
from infra.database.engine import open_engine
from infra.database.migrate import upgrade
from infra.kafka.broker import LocalBroker
from infra.kafka.topics import apply
from infra.metrics.scrape import Answer, ask
from infra.ports import free_port
from infra.settings import Settings

DEADLINE_S = 120
PROCESSES = {
    "intake": ("worker", "intake"),
    "ledger": ("worker", "ledger", "--member", "a"),
    "spare": ("worker", "ledger", "--member", "b"),
    "email": ("notifier", "--channel", "email"),
}


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[LocalBroker]:
    """Give a broker of the test's own."""
    broker = LocalBroker(tmp_path / "kafka")
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


@contextlib.contextmanager
def _frozen(broker: LocalBroker) -> Iterator[None]:
    """Let a broker do nothing for a while; its connections stay."""
    pid = broker.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def _running(settings: Settings) -> Iterator[dict[str, int]]:
    """Run the processes; give the port of each."""
    ports: dict[str, int] = {}
    with contextlib.ExitStack() as running:
        for name, arguments in PROCESSES.items():
            ports[name] = free_port()
            variables = {
                **os.environ,
                **environment(settings),
                "COBRANZA_METRICS_PORT": str(ports[name]),
                "COBRANZA_STREAM_STANDBY": "true",
            }
            process = subprocess.Popen([sys.executable, "-m", "console", *arguments], env=variables)
            running.callback(process.wait, DEADLINE_S)
            running.callback(process.terminate)
        yield ports


def _until(ports: dict[str, int], wanted: Callable[[Answer], bool]) -> dict[str, str]:
    """Wait until each process says what is wanted; give what each said."""
    said: dict[str, str] = {}
    deadline_s = time.monotonic() + DEADLINE_S
    for name, port in ports.items():
        while not wanted(seen := ask(f"127.0.0.1:{port}")):
            assert time.monotonic() < deadline_s, f"{name}: {seen.reached} {seen.unready}"
            time.sleep(0.1)
        said[name] = seen.unready
    return said


def test_who_has_no_broker_is_not_ready_and_is_again_when_it_is_back(
    kafka: LocalBroker, tmp_path: Path
) -> None:
    """Issue 4, point 7: they had nothing to do, and said so of a broker that did not answer, too."""
    settings = Settings(
        data_dir=tmp_path / "data",
        bootstrap_servers=kafka.bootstrap_servers,
        partitions=1,
        source_partitions=1,
    )
    apply(settings)
    engine = open_engine(settings.database)
    upgrade(engine)
    engine.dispose()
    with _running(settings) as ports:
        _until(ports, lambda seen: seen.reached and not seen.unready)
        with _frozen(kafka):
            said = _until(ports, lambda seen: seen.reached and "broker" in seen.unready)
            assert not any(ask(f"127.0.0.1:{port}").stalled for port in ports.values())
        _until(ports, lambda seen: seen.reached and not seen.unready)
    assert settings.topic("ledger.journal") in said["ledger"] + said["spare"]
    assert settings.topic("billing.invoice.v1") in said["intake"]
    assert settings.topic("collections.reminder.v1") in said["email"]

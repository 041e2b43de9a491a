"""How a worker ends: told to in the middle of its work, or for a person, seen before it is gone."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from kafka.structs import OffsetAndMetadata, TopicPartition

from benchmarks.workload import encoded
from console.installation import environment
from infra.kafka.consumers import admin, consumer, producer
from infra.kafka.lag import LagReader
from infra.kafka.topics import apply
from infra.metrics.scrape import Answer, ask
from infra.ports import free_port
from infra.settings import Settings
from tests.busy import stretched

DEADLINE_S = 120
EVENTS = 12_000


def _until(look: Callable[[], Answer], *, wanted: Callable[[Answer], bool]) -> Answer:
    deadline_s = time.monotonic() + DEADLINE_S
    while not wanted(seen := look()):
        assert time.monotonic() < deadline_s, f"last seen: {seen.reached} {seen.unready}"
        time.sleep(0.1)
    return seen


def _lose_facts(settings: Settings) -> None:
    """Let a source's log begin after the position of intake's group."""
    place = TopicPartition(settings.topic("billing.invoice.v1"), 0)
    with producer(bootstrap_servers=settings.brokers()) as writer:
        for _ in range(3):
            writer.send(place.topic, b"x", partition=0)
    with contextlib.closing(
        consumer(bootstrap_servers=settings.brokers(), group=settings.group("intake"))
    ) as member:
        member.commit({place: OffsetAndMetadata(0, "", -1)})
    with admin(bootstrap_servers=settings.brokers()) as client:
        client.delete_records({place: 2})


def test_a_worker_that_stops_is_scraped_before_it_ends(broker: str, namespace: str, tmp_path: Path) -> None:
    """Issue 4, point 7: its only sample would be gone with it: it answers on, says for what, and SIGTERM ends it."""
    settings = Settings(data_dir=tmp_path, bootstrap_servers=broker, topic_prefix=namespace)
    apply(settings)
    _lose_facts(settings)
    port = free_port()
    variables = {**os.environ, **environment(settings), "COBRANZA_METRICS_PORT": str(port)}
    worker = subprocess.Popen(
        [sys.executable, "-m", "console", "worker", "intake"], env=variables, stderr=subprocess.PIPE
    )
    # It is asked for health, readiness and samples one after the other, and may stop in between.
    answer = _until(
        lambda: ask(f"127.0.0.1:{port}"),
        wanted=lambda seen: seen.total("cobranza_stopped") > 0 and seen.unready.startswith("stopped"),
    )
    [stopped] = [labels for labels, value in answer.values("cobranza_stopped") if value]
    assert {"stage": "intake", "fault": "FactsLost"} == stopped
    assert ("", True) == (answer.stalled, answer.unready.startswith("stopped: FactsLost: "))
    time.sleep(2)  # nothing ends it by itself meanwhile: there is no event to wait for
    assert worker.poll() is None
    told_s = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    _, said = worker.communicate(timeout=DEADLINE_S)
    assert 1 == worker.returncode
    assert b"FactsLost" in said.splitlines()[-1]
    assert time.monotonic() - told_s < stretched(10)


def test_a_worker_that_is_at_work_ends_in_the_stated_time(
    broker: str, namespace: str, tmp_path: Path
) -> None:
    """docs/operations.md: 10 s after SIGTERM, also with a backlog before it and a session of five minutes."""
    settings = Settings(data_dir=tmp_path, bootstrap_servers=broker, topic_prefix=namespace, partitions=2)
    apply(settings)
    with producer(bootstrap_servers=settings.brokers()) as writer:
        for number, key, value in encoded(events=EVENTS, partitions=2, accounts=500):
            writer.send(settings.topic("ledger.journal"), key=key, value=value, partition=number)
    port = free_port()
    variables = {
        **os.environ,
        **environment(settings),
        "COBRANZA_METRICS_PORT": str(port),
        "COBRANZA_STREAM_SESSION_TIMEOUT_S": "300",
        "COBRANZA_STREAM_RECORDS_PER_RUN_MAX": "20",  # it is not through before it is told
    }
    command = [sys.executable, "-m", "console", "worker", "ledger", "--member", "a"]
    worker = subprocess.Popen(command, env=variables)
    _until(lambda: ask(f"127.0.0.1:{port}"), wanted=lambda seen: seen.total("cobranza_records_total") > 400)
    told_s = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert 0 == worker.wait(DEADLINE_S)
    assert time.monotonic() - told_s < stretched(10)
    with LagReader(broker) as reader:
        left = sum(
            lag.lag for lag in reader.read({settings.group("ledger"): [settings.topic("ledger.journal")]})
        )
    assert 0 < left < EVENTS  # it was in the middle of it

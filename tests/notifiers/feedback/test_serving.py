"""B-14 on a real Kafka: a word in SQL becomes an outcome, and one of nobody a dead letter, while the notifiers run."""

import datetime
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, func, select

from infra.database.engine import open_engine, reading
from infra.database.feedback import Word
from infra.database.feedback_tables import feedback_words
from infra.database.migrate import upgrade
from infra.kafka.broker import LocalBroker
from infra.kafka.consumers import admin, consumer
from infra.metrics.pulse import Pulses
from infra.metrics.tally import Tally
from infra.settings import Settings
from notifiers.feedback.publishing import feedback_letters, feedback_tally
from notifiers.feedback.serving import FEEDBACK, serve_feedback
from schemas.codec import decode_source
from schemas.dead_letters import read_dead_letter
from schemas.envelope import from_headers
from schemas.outcomes import OutcomeReported
from tests.notifiers.feedback.test_publishing import FATE, REPLY, Office
from tests.notifiers.test_worker import Away

TOPICS = ("notify.outcome.v1", "notify.outcome.v1.dlq", "collections.command.v1")
# A process has 10 s to end; what waited for the broker kept it for a minute.
STOPPED_S_MAX = 30.0


@pytest.fixture
def settings(broker: str, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Give an installation of its own, which has no patience."""
    monkeypatch.setenv("COBRANZA_FEEDBACK_PATIENCE_S", "0")
    made = Settings(bootstrap_servers=broker, topic_prefix=namespace, partitions=1, data_dir=tmp_path)
    with admin(bootstrap_servers=broker) as client:
        wanted = {"num_partitions": 1, "replication_factor": 1}
        client.create_topics({made.topic(name): wanted for name in TOPICS}, wait_for_metadata=True)
    return made


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """Give an engine on the installation's database."""
    opened = open_engine(settings.database)
    upgrade(opened)
    yield opened
    opened.dispose()


def records(settings: Settings, topic: str, *, count: int) -> list[Any]:
    """Read so many records of a topic from its start."""
    found: list[Any] = []
    with consumer(settings.topic(topic), bootstrap_servers=settings.brokers(), group=None) as reader:
        deadline = time.monotonic() + 90
        while len(found) < count and time.monotonic() < deadline:
            for polled in reader.poll(timeout_ms=200).values():
                found += polled
    return found


def wait_for(done: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 90
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_words_reach_the_topics(settings: Settings, engine: Engine) -> None:
    """A bounce as an outcome of its account, a stranger's reply aside; the loop gives signs of life and counts."""
    office = Office(engine, now=datetime.datetime.now(datetime.UTC))
    office.delivered()
    stopping, pulses, tally = threading.Event(), Pulses([FEEDBACK], stalled_s=60), feedback_tally()
    outcomes = settings.topic("notify.outcome.v1")
    letters = Tally("cobranza_dead_letters_total", known=feedback_letters(source=outcomes))
    serving = threading.Thread(
        target=serve_feedback,
        args=(settings,),
        kwargs={
            "engine": engine,
            "stopping": stopping,
            "pulses": pulses,
            "tally": tally,
            "letters": letters,
        },
    )
    serving.start()
    try:
        office.inbox.take([FATE, REPLY], received_at=office.now)
        wait_for(lambda: office.inbox.counts() == {"said": 1, "dead": 1})
        wait_for(lambda: not pulses.unready())
    finally:
        stopping.set()
        serving.join()
    [outcome] = records(settings, "notify.outcome.v1", count=1)
    envelope, data = from_headers(outcome.headers, outcome.value)
    said = decode_source(envelope.type, data)
    assert isinstance(said, OutcomeReported)
    assert (b"acme:C1", "bounced", "r1") == (outcome.key, said.status, said.reminder)
    [letter] = records(settings, "notify.outcome.v1.dlq", count=1)
    assert "unknown_delivery" == read_dead_letter(letter.headers).reason
    assert (1, 1) == (tally.count("email", "bounced"), tally.count("sms", "unknown"))
    assert 1 == letters.count("feedback", outcomes, "unknown_delivery")


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Away]:
    """Give a broker of the test's own, that can be away, with the topics of an installation."""
    monkeypatch.setenv("COBRANZA_FEEDBACK_PATIENCE_S", "0")
    with LocalBroker(tmp_path / "kafka") as broker:
        made = Away(broker)
        with admin(bootstrap_servers=broker.bootstrap_servers) as client:
            wanted = {"num_partitions": 1, "replication_factor": 1}
            client.create_topics(dict.fromkeys(TOPICS, wanted), wait_for_metadata=True)
        try:
            yield made
        finally:
            made.returns()


@pytest.mark.parametrize(
    "word", [FATE, replace(REPLY, word="another")], ids=["a topic not written to yet", "a known topic"]
)
def test_a_loop_whose_broker_is_away_hears_that_it_has_to_stop(
    away: Away, tmp_path: Path, word: Word
) -> None:
    """It waited for a minute on what the broker would not take, while its process was to end; its successor says it."""
    settings = Settings(bootstrap_servers=away.broker.bootstrap_servers, partitions=1, data_dir=tmp_path)
    engine = open_engine(settings.database)
    upgrade(engine)
    office = Office(engine, now=datetime.datetime.now(datetime.UTC))
    office.delivered()
    stopping, pulses = threading.Event(), Pulses([FEEDBACK], stalled_s=600)
    told = {"engine": engine, "stopping": stopping, "pulses": pulses}
    serving = threading.Thread(target=serve_feedback, args=(settings,), kwargs=told, daemon=True)
    serving.start()
    try:
        office.inbox.take([REPLY], received_at=office.now)
        wait_for(lambda: office.inbox.counts() == {"dead": 1})
        away.goes()
        office.inbox.take([word], received_at=office.now)
        wait_for(lambda: _is_in_hand(engine))
    finally:
        stopping.set()
        serving.join(timeout=STOPPED_S_MAX)
    assert not serving.is_alive()
    assert {"dead": 1, "waiting": 1} == office.inbox.counts()
    engine.dispose()


def _is_in_hand(engine: Engine) -> bool:
    in_hand = select(func.count()).where(
        feedback_words.c["state"] == "waiting", feedback_words.c["claimed_until"].is_not(None)
    )
    with reading(engine) as connection:
        return bool(connection.execute(in_hand).scalar_one())

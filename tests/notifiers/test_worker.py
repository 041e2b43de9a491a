"""The sending loop on a real Kafka: reminders in, outcomes out, offsets behind the jobs."""

import datetime
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from kafka import TopicPartition
from kafka.errors import MessageSizeTooLargeError
from sqlalchemy import Engine

from infra.database.engine import open_engine
from infra.database.migrate import upgrade
from infra.kafka.broker import LocalBroker
from infra.kafka.consumers import admin, consumer, producer
from infra.kafka.dead_letters import read_letters
from infra.kafka.lag import LagReader
from infra.metrics.pulse import Pulses
from infra.settings import Settings
from notifiers.assembly import REMINDERS, open_worker
from notifiers.settings import SendSettings
from notifiers.worker import Worker
from schemas.codec import decode_source
from schemas.envelope import from_headers
from schemas.facts import ReminderDecided
from schemas.outcomes import OutcomeReported
from schemas.registry import dead_letter_of
from tests.notifiers.sending import TICK, job_row, know, reminder, states

OUTCOMES = "notify.outcome.v1"
DEADLINE_S = 90.0


@pytest.fixture
def settings(broker: str, namespace: str, tmp_path: Path) -> Settings:
    """Give an installation of its own: topics, a database, a folder."""
    made = Settings(bootstrap_servers=broker, topic_prefix=namespace, partitions=2, data_dir=tmp_path)
    make_topics(made)
    return made


def make_topics(settings: Settings, *, outcome_bytes_max: int = 1_000_000) -> None:
    """Make the topics of sending."""
    with admin(bootstrap_servers=settings.brokers()) as client:
        wanted = {"num_partitions": 2, "replication_factor": 1}
        topics = {settings.topic(name): wanted for name in (REMINDERS, dead_letter_of(REMINDERS))}
        limited = wanted | {"configs": {"max.message.bytes": str(outcome_bytes_max)}}
        client.create_topics(topics | {settings.topic(OUTCOMES): limited}, wait_for_metadata=True)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """Give an engine on the installation's database."""
    opened = open_engine(settings.database)
    upgrade(opened)
    yield opened
    opened.dispose()


@contextmanager
def working(
    settings: Settings, engine: Engine, *, member: str | None = None, pulses: Pulses | None = None
) -> Iterator[None]:
    """Run the mail loop in a thread."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with open_worker(
                "email",
                settings=settings,
                send=SendSettings(),
                engine=engine,
                member=member,
                pulses=pulses,
            ) as worker:
                worker.run(stopping=stop.is_set)
        except BaseException as error:  # noqa: BLE001 - raised again below
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=DEADLINE_S)
    assert [] == failures
    assert not thread.is_alive()


def decide(settings: Settings, *decided: ReminderDecided, partition: int = 0) -> None:
    """Say reminders in one transaction, as the ledger does."""
    writer = producer(bootstrap_servers=settings.brokers(), transactional_id=settings.group("test"))
    writer.init_transactions()
    writer.begin_transaction()
    for each in decided:
        writer.send(
            settings.topic(REMINDERS),
            msgspec.json.encode(each),
            key=each.account.encode(),
            partition=partition,
        )
    writer.commit_transaction()
    writer.close()


@contextmanager
def outcomes(settings: Settings) -> Iterator[Callable[[int], list[OutcomeReported]]]:
    """Give a function that reads so many outcomes, and no more than these for a moment."""
    reader = consumer(settings.topic(OUTCOMES), bootstrap_servers=settings.brokers(), group=None)

    def take(count: int) -> list[OutcomeReported]:
        found: list[OutcomeReported] = []
        deadline = time.monotonic() + DEADLINE_S
        while len(found) < count and time.monotonic() < deadline:
            for records in reader.poll(timeout_ms=100).values():
                for record in records:
                    envelope, data = from_headers(record.headers, record.value)
                    event = decode_source(envelope.type, data)
                    assert isinstance(event, OutcomeReported)
                    assert f"{event.reminder}/{event.channel}/{event.status}" == envelope.id
                    assert f"{event.company}:{event.customer}" == record.key.decode()
                    found.append(event)
        return found

    yield take
    reader.close()


def until(condition: Callable[[], bool], *, what: str) -> None:
    """Wait for something outside of this thread, as long as a busy machine may take."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:g} s: {what}"
        time.sleep(0.01)


def lag(settings: Settings) -> int:
    """Read how far the mail group is behind."""
    with LagReader(settings.brokers()) as reader:
        lags = reader.read({settings.group("notify-email"): [settings.topic(REMINDERS)]})
    return sum(each.lag for each in lags)


def test_a_reminder_becomes_a_mail_and_an_outcome(settings: Settings, engine: Engine) -> None:
    """S0-23: read, recorded, sent to the outbox, said; no lag is left, transaction markers included."""
    know(engine)
    with outcomes(settings) as take, working(settings, engine):
        decide(settings, reminder())
        (outcome,) = take(1)
        assert ("r1", "email", "accepted", "2012-03-04T12:00:00+00:00") == (
            outcome.reminder,
            outcome.channel,
            outcome.status,
            outcome.occurred_at,
        )
        assert (settings.data_dir / "outbox" / outcome.provider_id).exists()
        until(lambda: lag(settings) == 0, what="the group is at the end")


def test_what_is_no_reminder_is_put_aside_and_the_next_one_goes(settings: Settings, engine: Engine) -> None:
    """It lies among the dead letters as it was, with its place and why, before the offset behind it is committed."""
    know(engine)
    with producer(bootstrap_servers=settings.brokers()) as writer:
        writer.send(settings.topic(REMINDERS), b"{", key=b"acme:C1", partition=0).get(timeout=30)
    with outcomes(settings) as take, working(settings, engine):
        decide(settings, reminder())
        assert ["accepted"] == [each.status for each in take(1)]
        until(lambda: lag(settings) == 0, what="the group is at the end")
    (letter,) = read_letters(settings, topic=REMINDERS).newest
    assert ("not_json", "notify-email", settings.topic(REMINDERS), 0, 0, b"acme:C1") == (
        letter.letter.reason,
        letter.letter.stage,
        letter.letter.topic,
        letter.letter.partition,
        letter.letter.offset,
        letter.key,
    )


def test_it_waits_until_the_reader_is_there(settings: Settings, engine: Engine) -> None:
    """R32: recorded at once, so that nothing lags; sent when the read model has seen the tick."""
    know(engine, clock=TICK - datetime.timedelta(days=1))
    with outcomes(settings) as take, working(settings, engine):
        decide(settings, reminder())
        until(lambda: states(engine) == {"r1/email": "scheduled"}, what="recorded")
        until(lambda: lag(settings) == 0, what="committed")
        assert {"r1/email": "scheduled"} == states(engine)
        know(engine, clock=TICK)
        assert ["accepted"] == [each.status for each in take(1)]


def test_a_second_reading_of_the_log_sends_nothing_twice(
    settings: Settings, engine: Engine, namespace: str
) -> None:
    """At-least-once on the way in: a group without offsets reads all again, and finds its jobs done."""
    know(engine)
    with working(settings, engine):
        decide(settings, reminder())
        until(lambda: states(engine) == {"r1/email": "accepted"}, what="sent")
    with admin(bootstrap_servers=settings.brokers()) as client:
        client.delete_groups([settings.group("notify-email")])
    with outcomes(settings) as take, working(settings, engine):
        decide(settings, reminder("r2"))
        assert ["r1", "r2"] == [each.reminder for each in take(2)]
        until(lambda: lag(settings) == 0, what="read again")


def test_two_loops_share_the_partitions_and_send_each_once(settings: Settings, engine: Engine) -> None:
    """Two members of the group, a rebalance between them: every reminder has one outcome."""
    know(engine)
    know(engine, account="acme:C2", partition=1)
    with outcomes(settings) as take, working(settings, engine):
        decide(settings, *(reminder(f"a{number}") for number in range(20)))
        with working(settings, engine):
            decide(
                settings, *(reminder(f"b{number}", account="acme:C2") for number in range(20)), partition=1
            )
            found = take(40)
    assert sorted(f"{name}{number}" for name in "ab" for number in range(20)) == sorted(
        each.reminder for each in found
    )
    assert {"accepted"} == set(states(engine).values())


class Away:
    """A broker of the test's own that can be away: a stopped process, whose connections stay."""

    def __init__(self, broker: LocalBroker) -> None:
        self.broker = broker

    def goes(self) -> None:
        """It does nothing more."""
        self._signal(signal.SIGSTOP)

    def returns(self) -> None:
        """It goes on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        pid = self.broker.status().pid
        assert pid is not None
        os.kill(pid, number)


@pytest.fixture
def away(tmp_path: Path) -> Iterator[Away]:
    """Give a broker that can be away."""
    with LocalBroker(tmp_path / "kafka") as broker:
        made = Away(broker)
        try:
            yield made
        finally:
            made.returns()


def test_outcomes_wait_for_a_broker_that_is_away(away: Away, tmp_path: Path) -> None:
    """A mail is sent, nobody can be told: the notifier says so and goes on, and says it once; it ended after a minute."""
    pulses = Pulses(["email"], stalled_s=600.0)
    with (
        _begun(away, tmp_path) as (settings, engine),
        outcomes(settings) as take,
        working(settings, engine, pulses=pulses),
    ):
        _sent_while_away(away, settings=settings, engine=engine)
        until(lambda: "has not taken outcomes" in " ".join(pulses.unready()), what="not ready")
        away.returns()
        assert ["r1"] == [each.reminder for each in take(1)]
        until(lambda: job_row(engine)["published"] is True, what="known to be said")
        until(lambda: [] == pulses.unready(), what="ready again")
        know(engine, account="acme:C2", partition=1)
        decide(settings, reminder("r2", account="acme:C2"), partition=1)
        assert ["r2"] == [each.reminder for each in take(1)]


def test_outcomes_that_expire_are_said_again(away: Away, tmp_path: Path) -> None:
    """A broker that is away for longer than a producer keeps a record, 20 s: that is told, and it is said when it is back."""
    pulses = Pulses(["email"], stalled_s=600.0)
    with _begun(away, tmp_path) as (settings, engine), working(settings, engine, pulses=pulses):
        know(engine, account="acme:C2", partition=1)
        decide(settings, reminder("r0", account="acme:C2"), partition=1)
        until(lambda: _is_said(engine, "r0"), what="it knows where the topic is")
        _sent_while_away(away, settings=settings, engine=engine)
        until(lambda: "Expiring" in " ".join(pulses.unready()), what="told why")
        away.returns()
        until(lambda: _is_said(engine, "r1"), what="said again")
        until(lambda: [] == pulses.unready(), what="ready again")
        decide(settings, reminder("r2", account="acme:C2"), partition=1)
        until(lambda: _is_said(engine, "r2"), what="and the next one")
        with outcomes(settings) as take:
            found: set[str] = set()  # one that had expired may have got there all the same: its id is one
            while found != {"r0", "r1", "r2"}:
                more = {each.reminder for each in take(1)}
                assert more
                found |= more


def _is_said(engine: Engine, name: str) -> bool:
    return f"{name}/email" in states(engine) and job_row(engine, name)["published"] is True


def test_what_kafka_refuses_for_good_ends_the_notifier(
    broker: str, namespace: str, tmp_path: Path, engine: Engine
) -> None:
    """Its producer is of no use after that; a new process has a new one, and finds in SQL what is unsaid."""
    settings = Settings(
        bootstrap_servers=broker, topic_prefix=f"{namespace}small-", partitions=2, data_dir=tmp_path
    )
    make_topics(settings, outcome_bytes_max=64)
    know(engine)
    decide(settings, reminder())
    deadline = time.monotonic() + DEADLINE_S
    with (
        open_worker("email", settings=settings, send=SendSettings(), engine=engine, member=None) as worker,
        pytest.raises(MessageSizeTooLargeError),
    ):
        worker.run(stopping=lambda: time.monotonic() > deadline)
    row = job_row(engine)
    assert ("accepted", False) == (row["state"], row["published"])


def test_a_notifier_whose_broker_is_away_can_be_told_to_stop(away: Away, tmp_path: Path) -> None:
    """What it could not say, its successor says; nothing is sent twice."""
    with _begun(away, tmp_path) as (settings, engine):
        with working(settings, engine):
            _sent_while_away(away, settings=settings, engine=engine)
        away.returns()
        with outcomes(settings) as take, working(settings, engine):
            assert "r1" == take(1)[0].reminder
            until(lambda: job_row(engine)["published"] is True, what="known to be said")
        assert 1 == len(list((settings.data_dir / "outbox").iterdir()))


def test_a_notifier_that_is_not_told_where_its_group_is_can_be_told_to_stop(
    away: Away, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker goes once it has dealt the partitions out, and before it says where the group has read to: told why, and a stop is heard."""
    pulses = Pulses(["email"], stalled_s=600.0)
    assigned = Worker.assigned

    def then_it_goes(worker: Worker, partitions: Sequence[TopicPartition]) -> None:
        assigned(worker, partitions)
        away.goes()

    monkeypatch.setattr(Worker, "assigned", then_it_goes)
    with _begun(away, tmp_path) as (settings, engine), working(settings, engine, pulses=pulses):
        until(lambda: "does not say where" in " ".join(pulses.unready()), what="told why")


@contextmanager
def _begun(away: Away, folder: Path) -> Iterator[tuple[Settings, Engine]]:
    settings = Settings(
        bootstrap_servers=away.broker.bootstrap_servers, partitions=2, data_dir=folder / "data"
    )
    make_topics(settings)
    engine = open_engine(settings.database)
    upgrade(engine)
    yield settings, engine
    engine.dispose()


def _sent_while_away(away: Away, *, settings: Settings, engine: Engine) -> None:
    """Have a mail sent when the broker has just gone: it was recorded before, and waited for the read model."""
    know(engine, clock=TICK - datetime.timedelta(days=1))
    decide(settings, reminder())
    until(lambda: states(engine).get("r1/email") == "scheduled" and lag(settings) == 0, what="recorded")
    away.goes()
    know(engine, clock=TICK)
    until(lambda: states(engine)["r1/email"] == "accepted", what="sent")


def test_the_command_serves_all_channels_and_stops_when_told(settings: Settings, engine: Engine) -> None:
    """`cobranza notifier`: a mail, an SMS, a letter and a task of one reminder; SIGTERM ends it in order."""
    know(engine)
    decide(settings, reminder(channels=("email", "sms", "letter", "task")))
    environment = {f"COBRANZA_{name.upper()}": str(value) for name, value in settings if value is not None}
    with (
        outcomes(settings) as take,
        subprocess.Popen(
            [sys.executable, "-m", "console", "notifier"], env=os.environ | environment
        ) as running,
    ):
        found = take(4)
        running.terminate()
        assert 0 == running.wait(timeout=DEADLINE_S)
    assert {(each, "accepted") for each in ("email", "sms", "letter", "task")} == {
        (each.channel, each.status) for each in found
    }
    assert ["cobranza.db-workers", "letters", "outbox"] == [
        each.name for each in sorted(settings.data_dir.iterdir()) if each.is_dir()
    ]

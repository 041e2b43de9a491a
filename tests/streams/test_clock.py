"""The clock on a real Kafka: never ahead of the facts, one mode, one clock (DESIGN 1)."""

import contextlib
import datetime
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import KafkaTimeoutError, RetriableError
from kafka.structs import OffsetAndMetadata

from console.logs import read_log
from infra.kafka import consumers, topics
from infra.kafka.broker import LocalBroker
from infra.kafka.cluster import LocalCluster
from infra.settings import Settings
from schemas.journal import BROADCAST_KEY, JournalEntry, TickPassed, decode_entry, encode_entry
from streams.clock import (
    Clock,
    ClockError,
    ClockStopped,
    TickRefusedError,
    behind,
    in_time,
    tick_for_ever,
    united,
)
from streams.names import SOURCES
from tests.brokers import QUICK_RETURN
from tests.busy import stretched
from tests.streams.records import invoice
from tests.streams.rig import grow

DAY = datetime.timedelta(days=1)
NOON = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)
PATIENCE_S = 120.0  # of a tick that is to find all in order, however busy the machine is


@pytest.fixture
def settings(broker: str, namespace: str) -> Settings:
    """Give an installation with its topics."""
    made = Settings(bootstrap_servers=broker, topic_prefix=namespace, partitions=3, source_partitions=1)
    topics.apply(made)
    return made


def _publish(settings: Settings, topic: str = "billing.invoice.v1") -> None:
    with consumers.producer(bootstrap_servers=settings.brokers()) as producer:
        producer.send(settings.topic(topic), value=b"anything").get(60)


def _intake_commits(settings: Settings, offset: int, topic: str = "billing.invoice.v1") -> None:
    tp = TopicPartition(settings.topic(topic), 0)
    with consumers.admin(bootstrap_servers=settings.brokers()) as admin:
        admin.alter_group_offsets(settings.group("intake"), {tp: OffsetAndMetadata(offset, "", -1)})


def _ticks(settings: Settings, partition: int) -> list[TickPassed]:
    events = [
        decode_entry(record.value).event
        for record in read_log(settings, topic="ledger.journal", partition=partition)
    ]
    return [event for event in events if isinstance(event, TickPassed)]


def test_a_tick_is_in_every_partition(settings: Settings) -> None:
    """Each partition's log alone determines its state."""
    with Clock(settings, mode="played") as clock:
        assert clock.newest is None
        tick = clock.tick(NOON)
    assert TickPassed(at=NOON, mode="played") == tick
    assert [[tick]] * 3 == [_ticks(settings, partition) for partition in range(3)]


def test_a_tick_waits_for_intake(settings: Settings) -> None:
    """It is not written before intake has committed past what was published before it."""
    _publish(settings)
    with Clock(settings, mode="played", patience_s=120.0) as clock:
        ticking = threading.Thread(target=clock.tick, args=(NOON,))
        ticking.start()
        ticking.join(timeout=0.5)
        assert ticking.is_alive()
        assert [] == _ticks(settings, 0)
        _intake_commits(settings, 1)
        ticking.join(timeout=60)
    assert [TickPassed(at=NOON, mode="played")] == _ticks(settings, 0)


def test_after_its_patience_a_tick_names_who_lags(settings: Settings) -> None:
    """Only the topic that intake has not read; reminders are withheld then (``source_lag``)."""
    _publish(settings)
    _publish(settings, "billing.payment.v1")
    _intake_commits(settings, 1)
    with Clock(settings, mode="live", patience_s=0.1) as clock:
        assert ("billing.payment.v1",) == clock.tick(NOON).lagging


def test_a_live_tick_counts_partitions_that_a_source_got_meanwhile(settings: Settings) -> None:
    """Sources are others' topics and may grow: what is published there is not overtaken either (DESIGN 1)."""
    topic = settings.topic("billing.payment.v1")
    with Clock(settings, mode="live", patience_s=PATIENCE_S) as clock:
        assert () == clock.tick(NOON).lagging
        clock._patience_s = 0.1
        grow(settings.brokers(), topic, partitions=2)
        with consumers.producer(bootstrap_servers=settings.brokers()) as producer:
            producer.send(topic, value=b"anything", partition=1).get(60)
        assert ("billing.payment.v1",) == clock.tick(NOON).lagging


def test_a_source_that_is_gone_lags_and_time_goes_on(settings: Settings) -> None:
    """Reminders are withheld and the tick says why; before, no tick came at all (DESIGN 1)."""
    topic = settings.topic("billing.payment.v1")
    with Clock(settings, mode="live", patience_s=PATIENCE_S) as clock:
        assert () == clock.tick(NOON).lagging
        clock._patience_s = 0.1
        with consumers.admin(bootstrap_servers=settings.brokers()) as admin:
            admin.delete_topics([topic])
            _await(lambda: topic not in admin.list_topics())
        assert ("billing.payment.v1",) == clock.tick(NOON + DAY).lagging
        topics.apply(settings)
        clock._patience_s = PATIENCE_S
        assert () == clock.tick(NOON + 2 * DAY).lagging


def test_a_source_that_is_made_while_a_tick_waits_is_heard_of(settings: Settings) -> None:
    """It waited out its patience, and withheld reminders, for a topic that was there by then."""
    topic = settings.topic("billing.payment.v1")
    with consumers.admin(bootstrap_servers=settings.brokers()) as admin:
        admin.delete_topics([topic])
        _await(lambda: topic not in admin.list_topics())
    with Clock(settings, mode="live", patience_s=600.0) as clock:
        ticking = threading.Thread(target=clock.tick, args=(NOON,), daemon=True)
        ticking.start()
        ticking.join(timeout=0.5)
        assert ticking.is_alive()
        topics.apply(settings)
        ticking.join(timeout=60)
        assert not ticking.is_alive()
    assert [TickPassed(at=NOON, mode="live")] == _ticks(settings, 0)


def test_topics_that_nobody_tells_of_are_asked_for_at_once(settings: Settings) -> None:
    """One frozen broker after the other would be waited for else: seven topics were 70 s, a tick's patience is 60."""
    names = {settings.topic(name) for name in SOURCES}
    together = threading.Barrier(len(names))
    with Clock(settings, mode="live", patience_s=0.0) as clock:
        answer = clock._admin.list_partition_offsets
        asked: list[set[str]] = []

        def held(wanted: dict[TopicPartition, Any], *rest: Any, **more: Any) -> Any:
            asked.append({tp.topic for tp in wanted})
            if len(asked[-1]) > 1:
                raise KafkaTimeoutError("one of them is frozen")
            together.wait(60)
            return answer(wanted, *rest, **more)

        clock._admin.list_partition_offsets = held
        assert () == clock.tick(NOON).lagging
    assert names == asked[0] == set.union(*asked[1:])


@pytest.mark.system
def test_a_clock_asks_anew_who_coordinates_when_that_broker_died(tmp_path: Path) -> None:
    """The client kept to the dead one for 15 s, until all connections were made anew."""
    with LocalCluster(tmp_path, heap="256m", properties=QUICK_RETURN) as cluster:
        settings = Settings(bootstrap_servers=cluster.bootstrap_servers, replication_factor=3)
        topics.apply(settings)
        with Clock(settings, mode="live") as clock:
            clock.tick(NOON)
            coordinator = clock._admin._manager.cluster.get_coordinator(settings.group("intake"))
            cluster.kill(coordinator - 1)
            # Its producer may have lost its own coordinator as well, and is then made anew.
            stop = threading.Event()
            told: list[TickPassed] = []

            def tell(tick: TickPassed | None) -> None:
                if tick is not None:
                    told.append(tick)
                    stop.set()

            tick_for_ever(clock, stop=stop, now=lambda: NOON + DAY, tell=tell)
        assert [(NOON + DAY, ())] == [(tick.at, tick.lagging) for tick in told]


def test_a_broker_that_has_not_heard_of_a_partition_takes_none_away() -> None:
    """A topic's partitions only become more: what was left out would be overtaken (DESIGN 1)."""
    old, new = TopicPartition("a", 0), TopicPartition("a", 1)
    known = united({}, [_told("a", 2), _told("b", 1)])
    assert {old, new, TopicPartition("b", 0)} == known.keys()
    assert known == united(known, [_told("a", 1)])
    assert known == united(known, [{"name": "a", "topic_id": "", "error_code": 3, "partitions": []}])
    assert {old, TopicPartition("b", 0)} == united(known, [_told("a", 1, topic_id="made anew")]).keys()


def _told(name: str, partitions: int, *, topic_id: str = "first") -> dict[str, Any]:
    numbers = [{"partition_index": number} for number in range(partitions)]
    return {"name": name, "topic_id": topic_id, "error_code": 0, "partitions": numbers}


@pytest.mark.system
def test_a_source_without_a_leader_lags(tmp_path: Path) -> None:
    """The only broker that has it died; the journal is on the others."""
    with LocalCluster(tmp_path, heap="256m", properties=QUICK_RETURN) as cluster:
        settings = Settings(bootstrap_servers=cluster.bootstrap_servers, replication_factor=3)
        topics.apply(settings)
        payments = TopicPartition(settings.topic("billing.payment.v1"), 1)
        with consumers.admin(bootstrap_servers=cluster.bootstrap_servers) as admin:
            admin.alter_partition_reassignments({payments: [3]})
            _await(lambda: [3] == _described(admin, payments)["replica_nodes"])
            with Clock(settings, mode="live", patience_s=PATIENCE_S) as clock:
                assert () == clock.tick(NOON).lagging
            cluster.kill(2)
            _await(lambda: -1 == _described(admin, payments)["leader_id"])
            # What asked the dead broker for others' sake would connect again; this one finds it gone.
            with Clock(settings, mode="live", patience_s=stretched(5.0)) as clock:
                assert ("billing.payment.v1",) == clock.tick(NOON + DAY).lagging


def _described(admin: KafkaAdminClient, partition: TopicPartition) -> dict[str, Any]:
    (topic,) = admin.describe_topics([partition.topic])
    return next(one for one in topic["partitions"] if one["partition_index"] == partition.partition)


def _await(happened: Callable[[], bool]) -> None:
    """Wait for what the brokers learn of each other; they may not answer meanwhile."""
    deadline = time.monotonic() + 60
    while True:
        with contextlib.suppress(RetriableError):
            if happened():
                return
        assert time.monotonic() < deadline, "it has not happened"
        time.sleep(0.05)


def test_a_clock_that_is_told_to_stop_writes_nothing_more(settings: Settings) -> None:
    """Also while a tick waits for intake."""
    _publish(settings)
    stop = threading.Event()
    with Clock(settings, mode="live", stop=stop) as clock:
        threading.Timer(0.3, stop.set).start()
        with pytest.raises(ClockStopped):
            clock.tick(NOON)
    assert [] == _ticks(settings, 0)


def test_a_clock_whose_broker_is_frozen_can_be_told_to_stop(tmp_path: Path) -> None:
    """Operations promise its end: it waited for answers, minutes of them while a tick was written."""
    stop, ticked, ended = threading.Event(), threading.Event(), threading.Event()

    def tick() -> None:
        with Clock(made, mode="live", stop=stop) as clock:
            tick_for_ever(clock, stop=stop, now=lambda: NOON, every_s=0.01, tell=lambda _: ticked.set())
        ended.set()

    with LocalBroker(tmp_path) as broker:
        made = Settings(bootstrap_servers=broker.bootstrap_servers, partitions=1, source_partitions=1)
        topics.apply(made)
        pid = broker.status().pid
        assert pid is not None
        clock = threading.Thread(target=in_time, args=(tick,), kwargs={"stop": stop, "seconds_max": 0.5})
        clock.start()
        try:
            assert ticked.wait(60)
            os.kill(pid, signal.SIGSTOP)
            ticked.clear()
            while ticked.wait(1.0):  # what was answered before
                ticked.clear()
            stop.set()
            clock.join(60)
            assert not clock.is_alive()
            assert not ended.is_set()
        finally:
            os.kill(pid, signal.SIGCONT)
            stop.set()
        assert ended.wait(120)


def test_what_ends_a_clock_is_told() -> None:
    """Nobody has to stop it then."""
    with pytest.raises(ClockError, match="another"):
        in_time(lambda: _raise(ClockError("another one")), stop=threading.Event())


def _raise(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(("first", "second"), [("live", "played"), ("played", "live")])
def test_a_journal_keeps_the_mode_of_its_first_tick(settings: Settings, first: str, second: str) -> None:
    """Playing refuses a live journal, and the live clock a played one."""
    with Clock(settings, mode="live" if first == "live" else "played") as clock:
        clock.tick(NOON)
    with pytest.raises(TickRefusedError, match=f"The journal is {first}"):
        Clock(settings, mode="live" if second == "live" else "played").open()


def test_time_never_goes_back(settings: Settings) -> None:
    """Not for a clock that starts anew either; the same time again says nothing wrong."""
    with Clock(settings, mode="played") as clock:
        clock.tick(NOON)
    with Clock(settings, mode="played") as clock:
        assert TickPassed(at=NOON, mode="played") == clock.newest
        clock.tick(NOON)
        with pytest.raises(TickRefusedError, match="is before it"):
            clock.tick(NOON - DAY)


def test_the_newest_tick_is_found_behind_many_facts(settings: Settings) -> None:
    """It looks back further each time, over records and control records."""
    entry = encode_entry(JournalEntry(invoice(1), "e", "s"))
    tick = encode_entry(JournalEntry(TickPassed(at=NOON, mode="played"), "t", "s"))
    with consumers.producer(bootstrap_servers=settings.brokers(), linger_ms=5) as producer:
        for n in range(8000):
            key, value = (BROADCAST_KEY, tick) if n == 10 else (b"a", entry)
            producer.send(settings.topic("ledger.journal"), key=key, value=value, partition=0)
    with Clock(settings, mode="played") as clock:
        assert TickPassed(at=NOON, mode="played") == clock.newest


def test_a_second_clock_puts_the_first_out_of_action(settings: Settings) -> None:
    """The transactional id is the lock."""
    with Clock(settings, mode="live") as first, Clock(settings, mode="live") as second:
        second.tick(NOON)
        with pytest.raises(ClockError, match="Another clock"):
            first.tick(NOON + DAY)
    assert 1 == len(_ticks(settings, 0))


def test_a_clock_that_learns_it_between_two_partitions_is_out_of_action_too(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to the first partition's record may come before the second's is sent."""
    with Clock(settings, mode="live") as first, Clock(settings, mode="live"):
        producer = first._producer
        send = producer.send

        def send_and_hear(*args: Any, **kwargs: Any) -> Any:
            sent = send(*args, **kwargs)
            producer.flush()
            return sent

        monkeypatch.setattr(producer, "send", send_and_hear)
        with pytest.raises(ClockError, match="Another clock"):
            first.tick(NOON)
    assert [] == _ticks(settings, 0)


def test_the_live_clock_ticks_until_it_is_stopped(settings: Settings) -> None:
    """A machine's clock that was set back is waited for."""
    stop = threading.Event()
    times = _times(stop, [NOON, NOON - DAY, NOON + DAY])
    with Clock(settings, mode="live", stop=stop) as clock:
        told: list[TickPassed | None] = []
        tick_for_ever(clock, stop=stop, now=lambda: next(times), every_s=0.05, tell=told.append)
    ticks = _ticks(settings, 1)
    assert [NOON, NOON + DAY] == [tick.at for tick in ticks]
    assert ticks == [tick for tick in told if tick is not None]


def _times(stop: threading.Event, times: list[datetime.datetime]) -> Iterator[datetime.datetime]:
    yield from times[:-1]
    stop.set()
    yield times[-1]


def test_behind_is_who_has_not_committed_to_the_end() -> None:
    """An absent offset is none; a source without records is never behind."""
    a, b, c = (TopicPartition(name, 0) for name in "abc")
    assert {"a", "b"} == behind(ends={a: 5, b: 1, c: 0}, committed={a: 4})
    assert set() == behind(ends={a: 5}, committed={a: 6})

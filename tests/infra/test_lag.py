"""Lag: how far groups are behind, told from a real broker (S0 operators watch lag)."""

import os
import signal
from pathlib import Path

import pytest
from kafka import TopicPartition
from kafka.structs import OffsetAndMetadata

from infra.kafka.broker import LocalBroker
from infra.kafka.consumers import admin, consumer, producer
from infra.kafka.lag import LagError, LagReader, PartitionLag, records_behind, watched_groups
from infra.kafka.topics import apply
from infra.settings import Settings
from tests.brokers import QUICK_RETURN


@pytest.mark.parametrize(
    ("committed", "beginning", "end", "expected"),
    [
        (None, 0, 0, 0),
        (None, 5, 12, 7),
        (12, 5, 12, 0),
        (6, 5, 12, 6),
        (3, 5, 12, 9),  # what retention took before it was read still counts as unread
        (99, 5, 12, 7),  # of another log of the same name
    ],
)
def test_records_behind(committed: int | None, beginning: int, end: int, expected: int) -> None:
    """The lag is the distance to the end; without a valid offset, the whole log."""
    assert expected == records_behind(committed=committed, beginning=beginning, end=end)


def _create(broker: str, name: str, *, partitions: int) -> None:
    with admin(bootstrap_servers=broker) as client:
        client.create_topics(
            {name: {"num_partitions": partitions, "replication_factor": 1}}, wait_for_metadata=True
        )


def test_lag_per_group_topic_and_partition(broker: str, namespace: str) -> None:
    """Each partition is told by itself; groups without an offset lag by the whole log."""
    topic = namespace + "facts"
    _create(broker, topic, partitions=2)
    with producer(bootstrap_servers=broker) as writer:
        for number in range(5):
            writer.send(topic, b"x", partition=number % 2)
    first, second = namespace + "first", namespace + "second"
    reader = consumer(bootstrap_servers=broker, group=first)
    reader.commit({TopicPartition(topic, 0): OffsetAndMetadata(1, "", -1)})
    with LagReader(broker) as lags:
        found = lags.read({first: [topic], second: [topic]})
        assert {first: [topic]} == lags.committed_topics(group_prefix=first)
    reader.close()
    assert found == [
        PartitionLag(group=first, topic=topic, partition=0, committed=1, end=3, lag=2),
        PartitionLag(group=first, topic=topic, partition=1, committed=None, end=2, lag=2),
        PartitionLag(group=second, topic=topic, partition=0, committed=None, end=3, lag=3),
        PartitionLag(group=second, topic=topic, partition=1, committed=None, end=2, lag=2),
    ]


def test_an_open_transaction_counts(broker: str, namespace: str) -> None:
    """Lag 0 means that nobody is writing either: what a transaction holds back is lag."""
    topic, group = namespace + "held", namespace + "group"
    _create(broker, topic, partitions=1)
    writer = producer(bootstrap_servers=broker, transactional_id=namespace + "writer")
    writer.init_transactions()
    writer.begin_transaction()
    writer.send(topic, b"undecided")
    writer.flush()
    with LagReader(broker) as lags:
        assert [1] == [one.lag for one in lags.read({group: [topic]})]
    writer.abort_transaction()
    writer.close()


def test_a_missing_topic_is_said(broker: str, namespace: str) -> None:
    """The error names the topic and the command that makes it."""
    with LagReader(broker) as lags, pytest.raises(LagError, match=f"{namespace}none.*topics apply"):
        lags.read({"group": [namespace + "none"]})


def test_nothing_asked_nothing_told(broker: str) -> None:
    """No groups, no lag."""
    with LagReader(broker) as lags:
        assert [] == lags.read({})
        assert [] == lags.read({"group": []})


def test_the_stages_are_watched_before_they_run(broker: str, namespace: str) -> None:
    """Intake and ledger are listed with their topics from the first day; others once they commit."""
    settings = Settings(bootstrap_servers=broker, topic_prefix=namespace)
    apply(settings)
    notifier = consumer(bootstrap_servers=broker, group=settings.group("notify-email"))
    reminders = settings.topic("collections.reminder.v1")
    notifier.commit({TopicPartition(reminders, 0): OffsetAndMetadata(0, "", -1)})
    notifier.close()
    with LagReader(broker) as lags:
        groups = watched_groups(settings, reader=lags)
        assert {0} == {one.lag for one in lags.read(groups)}
    assert [settings.group(name) for name in ("intake", "ledger", "notify-email")] == list(groups)
    assert [settings.topic("ledger.journal")] == groups[settings.group("ledger")]
    assert [reminders] == groups[settings.group("notify-email")]
    assert len(groups[settings.group("intake")]) == 6


def test_the_reader_outlives_a_broker_restart(tmp_path: Path) -> None:
    """A broker that is killed and comes back does not end the one who watches it."""
    with LocalBroker(tmp_path, properties=QUICK_RETURN) as running:
        _create(running.bootstrap_servers, "facts", partitions=1)
        with LagReader(running.bootstrap_servers) as lags:
            before = lags.read({"group": ["facts"]})
            pid = running.status().pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            running.start()
            assert before == lags.read({"group": ["facts"]})

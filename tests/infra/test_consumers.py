"""Kafka clients on a real broker: only committed records, from the start, and lag can reach 0."""

import ast
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaTimeoutError

from infra.kafka.broker import LocalBroker
from infra.kafka.consumers import RECORD_BYTES_MAX, admin, consumer, positions, producer
from schemas.envelope import UnreadableName
from schemas.registry import topics
from tests.streams.records import Latin1Name

SOURCES = ("schemas", "processors", "infra", "notifiers", "streams", "console")
ROOT = Path(__file__).parents[2]


def _topic(broker: str, name: str, *, partitions: int = 1) -> str:
    with admin(bootstrap_servers=broker) as client:
        configs = {"max.message.bytes": str(5 * 1024 * 1024)}
        client.create_topics(
            {name: {"num_partitions": partitions, "replication_factor": 1, "configs": configs}},
            wait_for_metadata=True,
        )
    return name


def _drain(reader: KafkaConsumer, topic: str, *, end: int) -> list[bytes]:
    """Poll until the position is at the end: that a transaction is over is answered before its marker is written."""
    partition = TopicPartition(topic, 0)
    values: list[bytes] = []
    deadline_s = time.monotonic() + 60
    while not reader.assignment() or reader.position(partition) < end:
        assert time.monotonic() < deadline_s, values
        found = reader.poll(timeout_ms=200)
        values.extend(record.value for records in found.values() for record in records)
    return values


def test_who_asks_for_moments_only_joins_all_the_same(broker: str, namespace: str) -> None:
    """A topic gets partitions while a reader is in its group: joining anew takes longer than each of its polls."""
    topic = _topic(broker, namespace + "growing")
    writer = producer(bootstrap_servers=broker)
    reader = consumer(topic, bootstrap_servers=broker, group=namespace + "group", metadata_max_age_ms=100)
    deadline_s = time.monotonic() + 60
    while not reader.assignment():
        reader.poll(timeout_ms=200)
        assert time.monotonic() < deadline_s
    with admin(bootstrap_servers=broker) as client:
        client.create_partitions({topic: 2})
    while len(reader.assignment()) < 2:
        reader.poll(timeout_ms=1)
        assert time.monotonic() < deadline_s, reader.assignment()
    for number, value in enumerate((b"first", b"second")):
        writer.send(topic, value, partition=number).get(timeout=30)
    found: list[bytes] = []
    while sorted(found) != [b"first", b"second"]:
        found += [record.value for records in reader.poll(timeout_ms=200).values() for record in records]
        assert time.monotonic() < deadline_s, found
    reader.close()
    writer.close()


@pytest.mark.parametrize("records_max", [1, 3, 500])
def test_position_passes_control_records(broker: str, namespace: str, records_max: int) -> None:
    """After the last record one empty poll brings the position to the end: lag reaches 0 (DESIGN 3.3)."""
    topic = _topic(broker, namespace + "transactions")
    writer = producer(bootstrap_servers=broker, transactional_id=namespace + "writer")
    writer.init_transactions()
    for content, kept in ((b"abc", True), (b"xy", False), (b"d", True), (b"z", False)):
        writer.begin_transaction()
        for byte in content:
            writer.send(topic, bytes([byte]))
        writer.flush()
        (writer.commit_transaction if kept else writer.abort_transaction)()
    writer.close()

    partition = TopicPartition(topic, 0)
    reader = consumer(
        topic,
        bootstrap_servers=broker,
        group=namespace + "group",
        records_max=records_max,
        fetch_wait_ms_max=50,
    )
    end = 7 + 4  # records and one marker for each transaction
    assert [b"a", b"b", b"c", b"d"] == _drain(reader, topic, end=end)
    assert {partition: end} == reader.end_offsets([partition])
    assert {partition: end} == positions(reader, partitions=[partition])
    reader.commit()
    assert end == reader.committed(partition)
    reader.close()


def test_an_open_transaction_is_not_read(broker: str, namespace: str) -> None:
    """Records of a transaction that may still be aborted stay unseen, and so does what follows them."""
    topic = _topic(broker, namespace + "open")
    writer = producer(bootstrap_servers=broker, transactional_id=namespace + "writer")
    writer.init_transactions()
    writer.begin_transaction()
    writer.send(topic, b"undecided")
    writer.flush()
    with producer(bootstrap_servers=broker) as other:
        other.send(topic, b"decided").get(timeout=60)

    reader = consumer(topic, bootstrap_servers=broker, group=None, fetch_wait_ms_max=50)
    assert {} == reader.poll(timeout_ms=500)
    assert {TopicPartition(topic, 0): 0} == positions(reader, partitions=[TopicPartition(topic, 0)])
    writer.abort_transaction()
    assert [b"decided"] == _drain(reader, topic, end=3)  # two records and a marker
    reader.close()
    writer.close()


def test_a_place_that_nobody_tells_is_not_waited_for_without_an_end(tmp_path: Path) -> None:
    """A group's broker is away before it has said where the group has read to: a notifier that asked heard no stop any more."""
    with LocalBroker(tmp_path / "kafka") as running:
        topic = _topic(running.start(), "places")
        partition = TopicPartition(topic, 0)
        reader = consumer(bootstrap_servers=running.bootstrap_servers, group="group")
        reader.assign([partition])
        pid = running.status().pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(KafkaTimeoutError, match="does not say where places 0 is read from"):
                positions(reader, partitions=[partition])
        finally:
            os.kill(pid, signal.SIGCONT)
        assert {} == reader.poll(timeout_ms=5_000)  # it connects again
        assert {partition: 0} == positions(reader, partitions=[partition])
        reader.close()


def test_the_largest_dead_letter_goes_through(broker: str, namespace: str) -> None:
    """A record as large as the registry allows is written and read back."""
    largest = max(one.max_message_bytes for one in topics().values())
    assert largest < RECORD_BYTES_MAX
    topic = _topic(broker, namespace + "large")
    value = b"x" * (largest - 1_000)
    with producer(bootstrap_servers=broker) as writer:
        writer.send(topic, value).get(timeout=30)
    reader = consumer(topic, bootstrap_servers=broker, group=None, fetch_wait_ms_max=50)
    assert [value] == _drain(reader, topic, end=1)
    reader.close()


def test_what_the_factory_fixes_cannot_be_changed() -> None:
    """Nobody gets a consumer that reads uncommitted records, by any argument."""
    with pytest.raises(TypeError, match="isolation_level"):
        consumer(bootstrap_servers="127.0.0.1:1", group=None, isolation_level="read_uncommitted")


def test_consumers_are_made_in_one_place() -> None:
    """Outside the factory and the engine no source file makes a Kafka consumer (DESIGN 1)."""
    assert ["infra/kafka/consumers.py"] == [
        str(path.relative_to(ROOT))
        for folder in SOURCES
        for path in sorted((ROOT / folder).rglob("*.py"))
        if _makes_a_consumer(path) and not path.is_relative_to(ROOT / "streams" / "engine")
    ]


def _makes_a_consumer(path: Path) -> bool:
    """Say whether a file calls KafkaConsumer or AIOKafkaConsumer, by any way of naming them."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    imports = [name for node in nodes if isinstance(node, ast.ImportFrom) for name in node.names]
    forbidden = {"KafkaConsumer", "AIOKafkaConsumer"}
    forbidden |= {name.asname for name in imports if name.asname and name.name in forbidden}
    calls = [node.func for node in nodes if isinstance(node, ast.Call)]
    return any(getattr(each, "id", getattr(each, "attr", "")) in forbidden for each in calls)


def test_a_header_whose_name_is_not_utf8_holds_up_nobody(broker: str, namespace: str) -> None:
    """Kafka takes any bytes; every reader of such a topic ended at the record, again after each start."""
    topic = _topic(broker, namespace + "names")
    with producer(bootstrap_servers=broker, linger_ms=200) as writer:
        for place in range(6):
            name = Latin1Name("señal") if place in (2, 4) else "sign"
            writer.send(topic, b"%d" % place, headers=[(name, b"1")])
    reader = consumer(topic, bootstrap_servers=broker, group=None, records_max=2, fetch_wait_ms_max=50)
    records: list[Any] = []
    deadline_s = time.monotonic() + 60
    while len(records) < 6:
        assert time.monotonic() < deadline_s, records
        records += [record for found in reader.poll(timeout_ms=200).values() for record in found]
    reader.close()
    names = [record.headers[0][0] for record in records]
    assert ["sign", "sign", r"se\xf1al", "sign", r"se\xf1al", "sign"] == names
    assert [2, 4] == [place for place, name in enumerate(names) if isinstance(name, UnreadableName)]
    assert [b"%d" % place for place in range(6)] == [record.value for record in records]

"""Where a log ends for who reads what has been committed by now: markers are written after that is answered."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from infra.kafka import ends
from infra.kafka.consumers import admin, consumer, producer
from infra.kafka.ends import decided_ends


@pytest.fixture
def place(broker: str, namespace: str) -> TopicPartition:
    """Give an empty log."""
    name = namespace + "facts"
    with admin(bootstrap_servers=broker) as client:
        client.create_topics({name: {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)
    return TopicPartition(name, 0)


@pytest.fixture
def writer(broker: str, namespace: str, place: TopicPartition) -> Iterator[KafkaProducer]:
    """Give who has a transaction open, with a record in it."""
    with producer(bootstrap_servers=broker, transactional_id=namespace + "writer") as opened:
        opened.init_transactions()
        opened.begin_transaction()
        opened.send(place.topic, b"1000.00 received", partition=0).get(60)
        yield opened


@pytest.fixture
def reader(broker: str, place: TopicPartition) -> Iterator[KafkaConsumer]:
    """Give who reads what is committed."""
    with consumer(bootstrap_servers=broker, group=None) as opened:
        yield opened


def test_the_end_is_behind_a_transaction_whose_markers_are_still_to_be_written(
    broker: str,
    place: TopicPartition,
    writer: KafkaProducer,
    reader: KafkaConsumer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A payment that was committed a moment ago was not in what was read: the first answer is of before its marker."""
    answer = reader.end_offsets
    answers: list[int] = []

    def of_before(partitions: Sequence[TopicPartition]) -> Any:
        found = answer(partitions)
        if not answers:
            writer.commit_transaction()
        answers.append(found[place])
        return found

    monkeypatch.setattr(reader, "end_offsets", of_before)
    assert {place: 2} == decided_ends(reader, [place], bootstrap_servers=broker)  # the record and its marker
    assert (0, 2) == (answers[0], answers[-1])


def test_who_died_within_a_transaction_keeps_nobody_from_reading(
    broker: str,
    place: TopicPartition,
    writer: KafkaProducer,
    reader: KafkaConsumer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It stays open for a minute; what it holds was not committed."""
    monkeypatch.setattr(ends, "_UNDECIDED_S_MAX", 0.1)
    assert {place: 0} == decided_ends(reader, [place], bootstrap_servers=broker)
    writer.abort_transaction()

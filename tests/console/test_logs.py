"""Whole logs, as the console's commands read them: what has been committed by now is in them."""

from typing import Any

import pytest
from kafka import KafkaConsumer

from console.logs import read_log
from infra.kafka.consumers import producer
from infra.kafka.topics import apply
from infra.settings import Settings


def test_what_was_committed_a_moment_ago_is_read(
    broker: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka answers that a transaction is over before its marker is written: a tick that was there was not found."""
    settings = Settings(bootstrap_servers=broker, topic_prefix=namespace, partitions=1)
    apply(settings)
    answer = KafkaConsumer.end_offsets
    written: list[bytes] = []
    with producer(bootstrap_servers=broker, transactional_id=settings.group("clock")) as writer:
        writer.init_transactions()
        writer.begin_transaction()
        writer.send(settings.topic("ledger.journal"), b"a tick", partition=0).get(60)

        def of_before(self: KafkaConsumer, *asked: Any, **more: Any) -> Any:
            found = answer(self, *asked, **more)
            if not written:
                writer.commit_transaction()
                written.append(b"a tick")
            return found

        monkeypatch.setattr(KafkaConsumer, "end_offsets", of_before)
        assert [b"a tick"] == [each.value for each in read_log(settings, topic="ledger.journal")]

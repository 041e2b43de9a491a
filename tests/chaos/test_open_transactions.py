"""What looks for open transactions, on a real Kafka: one that was left open is named, before its time-out ends it."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer

from infra.kafka.consumers import admin
from infra.settings import Settings
from tests.chaos.verdict import MARKERS_S_MAX, open_transactions

_TIMEOUT_S_MIN = 6  # the chaos lets no worker's be shorter
_TIMEOUT_S = 120  # here it is not to end while this is looked at


async def _plant(settings: Settings, topic: str, *, leave_open: bool) -> list[str]:
    """Commit a transaction, write another record in a second one, and look while that one is open, or ended."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.brokers(),
        transactional_id=f"{settings.topic_prefix}planted",
        transaction_timeout_ms=_TIMEOUT_S * 1_000,
    )
    await producer.start()
    async with producer.transaction():
        await producer.send_and_wait(topic, b"committed")
    await producer.begin_transaction()
    await producer.send_and_wait(topic, b"left open")
    if not leave_open:
        await producer.abort_transaction()
    markers_s_max = MARKERS_S_MAX if leave_open else 60.0  # what is ended is so when its markers are written
    found = await asyncio.to_thread(open_transactions, settings, markers_s_max=markers_s_max)
    await producer.stop()  # aborts what is open
    return [each for each in found if topic in each]


@pytest.mark.system
@pytest.mark.parametrize("leave_open", [True, False])
def test_a_transaction_that_was_left_open_is_found(broker: str, namespace: str, leave_open: bool) -> None:
    """Issue 4, point 2: no open transaction at the end; to wait longer than its time-out would never find one."""
    assert 2 * MARKERS_S_MAX < _TIMEOUT_S_MIN
    settings = Settings(bootstrap_servers=broker, topic_prefix=namespace)
    topic = f"{namespace}planted"
    with admin(bootstrap_servers=broker) as client:
        client.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)
    found = asyncio.run(_plant(settings, topic, leave_open=leave_open))
    # Committed record, its marker, the record that was left: stable to 2 of 3.
    assert ([f"an open transaction on {topic}-0: stable to 2, end 3"] if leave_open else []) == found

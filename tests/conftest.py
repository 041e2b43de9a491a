"""Fixtures that any test may ask for: the real broker, and names of its own on it.

A test that does not ask for them starts nothing.
"""

import uuid
from collections.abc import Iterator

import pytest

from infra.kafka.broker import LocalBroker

pytest_plugins = ["tests.database_fixture"]


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the bootstrap address of one real Kafka for the whole session."""
    with LocalBroker(tmp_path_factory.mktemp("kafka"), properties=_FOR_TESTS) as running:
        yield running.bootstrap_servers


@pytest.fixture
def namespace() -> str:
    """Give a prefix for topics, groups and transactional ids that no other test uses."""
    return f"t{uuid.uuid4().hex[:10]}."


# The cleaner looks at once, so that compaction can be awaited; nothing waits for its own sake.
_FOR_TESTS = {
    "log.cleaner.backoff.ms": "100",
    "log.retention.check.interval.ms": "1000",
    "log.initial.task.delay.ms": "500",
}

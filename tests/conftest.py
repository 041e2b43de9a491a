"""Fixtures that any test may ask for: the real broker, and names of its own on it.

A test that does not ask for them starts nothing.
"""

import os
import signal
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from infra.kafka.broker import LocalBroker
from tests.brokers import WATCHFUL, start_java_quickly

# How long an example takes, or is thought up, is the machine's affair: no test fails for it.
_CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("calm", _CALM)
settings.register_profile("long", _CALM, max_examples=2000)  # --hypothesis-profile=long
settings.load_profile("calm")

pytest_plugins = ["tests.database_fixture"]

start_java_quickly()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the bootstrap address of one real Kafka for the whole session."""
    running = LocalBroker(tmp_path_factory.mktemp("kafka"), properties=WATCHFUL)
    try:
        yield running.start()
    finally:
        # Nobody reads its data again: to close thousands of logs in order would take seconds.
        pid = running.status().pid
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        running.stop()


@pytest.fixture
def namespace() -> str:
    """Give a prefix for topics, groups and transactional ids that no other test uses."""
    return f"t{uuid.uuid4().hex[:10]}."

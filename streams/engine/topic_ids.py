"""The broker's ids and sizes of topics, and how long the changelog keeps tombstones.

A topic that is made anew under its old name has another id. What the changelog is set to is asked of the
broker, not assumed: it decides how old a state may be that somebody kept (``mark.unfit``).

aiokafka 0.14 does not know of them, so they are asked for with kafka-python, on a thread.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from infra.kafka import consumers
from streams.engine.faults import BrokerAway

__all__ = ["TopicIds"]

_DELETE_RETENTION = "delete.retention.ms"


class TopicIds:
    """Ids by topic, asked for once until they are forgotten; ``changelog`` is one of the topics, or ""."""

    def __init__(
        self, *, bootstrap_servers: Sequence[str], topics: Sequence[str], changelog: str = ""
    ) -> None:
        self._bootstrap_servers = ",".join(bootstrap_servers)
        self._topics = list(topics)
        self._changelog = changelog
        self._delete_retention_ms = 0
        self._ids: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._lock = asyncio.Lock()

    async def read(self) -> dict[str, str]:
        """Give the ids, as text.

        Raises:
            BrokerAway: the broker does not answer, or does not know a topic.
        """
        async with self._lock:
            if not self._ids:
                self._ids = await asyncio.to_thread(self._ask)
            return self._ids

    async def partition_counts(self) -> dict[str, int]:
        """Give how many partitions each has; raises as ``read`` does."""
        await self.read()
        return self._counts

    async def mark_age_ms_max(self) -> int:
        """Give half of the changelog's ``delete.retention.ms``; raises as ``read`` does."""
        await self.read()
        return self._delete_retention_ms // 2

    def forget(self) -> None:
        """Ask again next time."""
        self._ids = {}

    def _ask(self) -> dict[str, str]:
        try:
            with consumers.admin(bootstrap_servers=self._bootstrap_servers) as admin:
                found = admin.describe_topics(self._topics)
                if self._changelog:
                    self._delete_retention_ms = _delete_retention_ms(admin, self._changelog)
        except (KafkaError, OSError) as error:
            raise BrokerAway(f"the ids of {self._topics}: {error!r}") from error
        ids = {one["name"]: str(one["topic_id"]) for one in found if not one["error_code"]}
        if ids.keys() != set(self._topics):
            raise BrokerAway(f"the broker does not know all of {self._topics} now")
        self._counts = {one["name"]: len(one["partitions"]) for one in found}
        return ids


def _delete_retention_ms(admin: Any, topic: str) -> int:
    resource = ConfigResource(ConfigResourceType.TOPIC, topic)
    return int(
        admin.describe_configs([resource], config_filter="all")["topic"][topic][_DELETE_RETENTION]["value"]
    )

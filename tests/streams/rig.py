"""What the engine's tests stand on: topics of their own, a worker in this process, whole logs.

Everything is real: Kafka, the worker, the toy stage that it runs.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

from kafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import RetriableError
from kafka.structs import OffsetAndMetadata
from msgspec import json

from infra.kafka import consumers
from streams.engine.chain import LINK_KEY, Link, decode_link, encode_link
from streams.engine.options import EngineOptions
from streams.engine.serving import serve
from streams.engine.worker import EngineApp
from tests.streams import toy

DEADLINE_S = 90.0


class Rig:
    """The toy's topics under a prefix, and what is in them."""

    def __init__(self, broker: str, prefix: str, *, partitions: int = 2) -> None:
        self.broker = broker
        self.prefix = prefix
        self.partitions = partitions

    def create(self, *, rows_configs: Mapping[str, str] | None = None) -> None:
        """Make the topics."""
        compact = {"cleanup.policy": "compact", **(rows_configs or {})}
        configs = {"src": {}, "out": {}, "chain": {}, "rows": compact}
        with consumers.admin(bootstrap_servers=self.broker) as admin:
            admin.create_topics(
                {
                    self.prefix + name: {
                        "num_partitions": self.partitions,
                        "replication_factor": 1,
                        "configs": config,
                    }
                    for name, config in configs.items()
                },
                wait_for_metadata=True,
            )

    def send(
        self, values: Iterable[tuple[str, str]], *, topic: str = "src", partition: int | None = None
    ) -> None:
        """Write (key, value) records to the source."""
        with consumers.producer(bootstrap_servers=self.broker, linger_ms=5) as producer:
            for key, value in values:
                producer.send(
                    self.prefix + topic, key=key.encode(), value=value.encode(), partition=partition
                )

    def send_in_transaction(self, values: Iterable[tuple[str, str]], *, commit: bool = True) -> None:
        """Write records to the source and end them with a control record."""
        with consumers.producer(
            bootstrap_servers=self.broker, transactional_id=self.prefix + "other"
        ) as producer:
            producer.init_transactions()
            producer.begin_transaction()
            for key, value in values:
                producer.send(self.prefix + "src", key=key.encode(), value=value.encode())
            producer.flush()
            (producer.commit_transaction if commit else producer.abort_transaction)()

    def write_links(self, links: Iterable[Link], *, partition: int = 0) -> None:
        """Write links to the changelog, as no engine would."""
        with consumers.producer(bootstrap_servers=self.broker) as producer:
            for link in links:
                producer.send(
                    self.prefix + "rows", key=LINK_KEY, value=encode_link(link), partition=partition
                )

    def expire_before(self, offset: int, *, partition: int) -> None:
        """Let the source's log start at `offset`."""
        with consumers.admin(bootstrap_servers=self.broker) as admin:
            admin.delete_records({TopicPartition(self.prefix + "src", partition): offset})

    def commit(self, offset: int, *, partition: int) -> None:
        """Commit an offset for the group, as no engine would."""
        tp = TopicPartition(self.prefix + "src", partition)
        with consumers.admin(bootstrap_servers=self.broker) as admin:
            admin.alter_group_offsets(self.prefix + "group", {tp: OffsetAndMetadata(offset, "", -1)})

    def forget_offsets(self) -> None:
        """Delete the group: its offsets have expired."""
        with consumers.admin(bootstrap_servers=self.broker) as admin:
            admin.delete_groups([self.prefix + "group"])

    def read(self, topic: str) -> list[Any]:
        """Give all committed records of a topic, by partition and offset."""
        with contextlib.closing(
            consumers.consumer(
                bootstrap_servers=self.broker, group=None, fetch_wait_ms_max=20, records_max=5000
            )
        ) as reader:
            ends = self._ends(topic)
            tps = list(ends)
            reader.assign(tps)
            records: list[Any] = []
            deadline = time.monotonic() + DEADLINE_S
            while any(reader.position(tp) < ends[tp] for tp in tps):
                assert time.monotonic() < deadline, f"{topic} cannot be read to its end"
                for found in reader.poll(timeout_ms=100).values():
                    records += found
        return sorted(records, key=lambda record: (record.partition, record.offset))

    def numbers(self) -> dict[str, list[int]]:
        """Give the state: numbers by key, as the changelog has them."""
        rows = {record.key.decode(): record.value for record in self.read("rows") if record.key[:1] != b"\0"}
        return {key: json.decode(value, type=list[int]) for key, value in rows.items() if value is not None}

    def said(self) -> list[str]:
        """Give the values of all outputs."""
        return [record.value.decode() for record in self.read("out")]

    def links(self, partition: int = 0) -> list[Link]:
        """Give all links of a partition, from the chain topic."""
        return [decode_link(record.value) for record in self.read("chain") if record.partition == partition]

    def committed(self) -> dict[int, int]:
        """Give the group's committed offsets by partition."""
        group = self.prefix + "group"
        deadline = time.monotonic() + DEADLINE_S
        with consumers.admin(bootstrap_servers=self.broker) as admin:
            while True:
                try:
                    offsets = admin.list_group_offsets(group)[group]
                    break
                except RetriableError:  # a coordinator that has only just started
                    assert time.monotonic() < deadline, "the group's coordinator is not ready"
                    time.sleep(0.05)
        return {tp.partition: found.offset for tp, found in offsets.items()}

    def ends(self) -> dict[int, int]:
        """Give the source's ends by partition."""
        return {tp.partition: end for tp, end in self._ends("src").items()}

    def _ends(self, topic: str) -> dict[TopicPartition, int]:
        """Give the ends with what is undecided: that a transaction is over is answered before its markers are written."""
        wanted = dict.fromkeys(self._tps(topic), OffsetSpec.LATEST)
        with consumers.admin(bootstrap_servers=self.broker) as admin:
            return {tp: one.offset for tp, one in admin.list_partition_offsets(wanted).items()}

    def lag(self) -> int:
        """Give how many offsets of the source the group has not committed."""
        committed = self.committed()
        return sum(end - committed.get(partition, 0) for partition, end in self.ends().items())

    @contextlib.asynccontextmanager
    async def worker(
        self,
        *,
        stateful: bool = True,
        options: EngineOptions = toy.QUICK,
        partitions: int | None = None,
        kept: toy.Kept | None = None,
    ) -> AsyncIterator[EngineApp]:
        """Run a worker in this process, from when it has its partitions; raise what stops it."""
        app = toy.build(
            self.prefix, bootstrap_servers=self.broker, stateful=stateful, options=options, kept=kept
        )
        stop = asyncio.Event()
        serving = asyncio.create_task(serve(app, stop=stop))
        wanted = self.partitions if partitions is None else partitions
        await until(
            lambda: serving.done() or sum(owned.owned for owned in app.engine.partitions.values()) >= wanted
        )
        try:
            if not serving.done():
                yield app
        finally:
            stop.set()
            await serving

    async def drained(self) -> None:
        """Wait until nothing of the source is uncommitted."""
        await until_true(lambda: self.lag() == 0)

    def _tps(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(self.prefix + topic, number) for number in range(self.partitions)]


def grow(broker: str, topic: str, *, partitions: int) -> None:
    """Give a topic more partitions, and wait until the broker tells of them."""
    deadline = time.monotonic() + DEADLINE_S
    with consumers.admin(bootstrap_servers=broker) as admin:
        admin.create_partitions({topic: partitions})
        while len(admin.describe_topics([topic])[0]["partitions"]) < partitions:
            assert time.monotonic() < deadline, f"{topic} does not grow"
            time.sleep(0.01)


async def until(condition: Callable[[], bool], *, deadline_s: float = DEADLINE_S) -> None:
    """Wait until a cheap condition holds."""
    deadline = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


async def until_true(condition: Callable[[], bool], *, deadline_s: float = DEADLINE_S) -> None:
    """Wait until a condition that asks the broker holds."""
    deadline = time.monotonic() + deadline_s
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.05)

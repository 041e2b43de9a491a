"""The model's Kafka: logs, coordinators and the network, and what is checked at every commit."""

from collections.abc import Iterator

from streams.engine.chain import Link
from tests.simulation.clock import World
from tests.simulation.coordinator import Group, Transactional
from tests.simulation.log import PartitionLog
from tests.simulation.network import Network

__all__ = ["TOPICS", "Cluster"]

TOPICS = ("src", "rows", "chain", "out")


class Cluster:
    """One broker for all partitions of one group.

    With a stateless stage the group's offsets are the positions; they do not expire here, and
    are seen when their transaction has ended: else records come again, as is known.

    Attributes:
        retention_s: the changelog's ``delete.retention.ms``: a tombstone that is older may be cleaned away.
        incarnation: in the changelog's topic id: what was kept of another one is of no use.
        unsafe: what must never happen, and has happened.
        holes: how often a full read has shown links that do not connect.
    """

    def __init__(
        self,
        world: World,
        *,
        partitions: int,
        loss: float,
        stateful: bool,
        retention_s: float,
        incarnation: int,
    ) -> None:
        self.world = world
        self.stateful = stateful
        self.partitions = partitions
        self.network = Network(world, loss=loss)
        self.group = Group(world, partitions=partitions, is_late=stateful)
        self.logs = {
            (topic, number): PartitionLog(world, f"{topic}-{number}")
            for topic in TOPICS
            for number in range(partitions)
        }
        self.transactional = [
            Transactional(world, self.group, number, number=number, decided=self._decided)
            for number in range(partitions)
        ]
        self.retention_s, self.incarnation = retention_s, incarnation
        self.unsafe: list[str] = []
        self.holes = 0
        self.commits = 0
        self.quiet = False  # no more faults
        self._newest: dict[int, Link] = {}
        self._offsets: dict[int, int] = {}

    @property
    def changelog_id(self) -> str:
        """Give the changelog's topic id."""
        return f"rows {self.incarnation}"

    @property
    def tombstones_removed(self) -> int:
        """How many tombstones the cleaner has taken away."""
        return sum(log.tombstones_removed for log in self.logs.values())

    def clean(self, partition: int, segment: int, pause_s: float) -> None:
        """Let the cleaner run on a partition of the changelog."""
        before = self.world.now - self.retention_s
        self.logs["rows", partition].clean(segment=segment, tombstones_before=before, pause_s=pause_s)

    def _decided(self, partition: int, producer: int, offset: int | None) -> None:
        """Check a transaction that will be committed: it goes on where the last one ended."""
        self.unsafe += [
            f"partition {partition}: {each}" for each in self._wrong_with(partition, producer, offset)
        ]

    def _wrong_with(self, partition: int, producer: int, offset: int | None) -> Iterator[str]:
        if not self.stateful:
            before = self._offsets.get(partition, 0)
            if offset is None or offset < before:
                yield f"{offset} after {before}"
            self._offsets[partition] = before if offset is None else offset
            self.commits += 1
            return
        links = self.logs["chain", partition].pending(producer)
        rows = self.logs["rows", partition].pending(producer)
        if not links and not rows:
            return  # an offset alone
        if len(links) != 1 or not rows or rows[-1] != links[0]:
            yield f"a transaction without its link: {links}"
            return
        link: Link = links[0]
        if link.end != offset:
            yield f"{link} is committed with the offset {offset}"
        newest = self._newest.get(partition)
        if newest is None:
            if link.start != 0 or not link.first:
                yield f"the chain begins with {link}"
        elif link.start != newest.end or link.first or (link.end, link.cursor) == (newest.end, newest.cursor):
            yield f"{link} is committed after {newest}"
        self._newest[partition] = link
        self.commits += 1

    def positions(self) -> list[int]:
        """Give up to where each partition's source is done with."""
        if not self.stateful:
            return [self._offsets.get(number, 0) for number in range(self.partitions)]
        return [
            self._newest[number].end if number in self._newest else 0 for number in range(self.partitions)
        ]

    def newest(self, partition: int) -> Link | None:
        """Give the last link that was committed."""
        return self._newest.get(partition)

"""The model's Kafka: logs, coordinators and the network, and what is checked at every commit."""

from streams.engine.chain import Link
from tests.simulation.clock import World
from tests.simulation.coordinator import Group, Transactional
from tests.simulation.log import PartitionLog
from tests.simulation.network import Network

__all__ = ["TOPICS", "Cluster", "Unsafe"]

TOPICS = ("src", "rows", "chain", "out")


class Unsafe(AssertionError):  # noqa: N818 - what happened
    """What must never happen has happened."""


class Cluster:
    """One broker for all partitions of one group.

    With a stateless stage the group's offsets are the positions; they do not expire here, and
    are seen when their transaction has ended: else records come again, as is known.
    """

    def __init__(self, world: World, *, partitions: int, loss: float, stateful: bool) -> None:
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
        self.incarnation = 1
        self.commits = 0
        self.quiet = False  # no more faults
        self._newest: dict[int, Link] = {}
        self._offsets: dict[int, int] = {}

    def _decided(self, partition: int, producer: int, offset: int | None) -> None:
        """Check a transaction that will be committed: it goes on where the last one ended."""
        if not self.stateful:
            if offset is None or offset < self._offsets.get(partition, 0):
                raise Unsafe(f"partition {partition}: {offset} after {self._offsets.get(partition)}")
            self._offsets[partition] = offset
            self.commits += 1
            return
        links = self.logs["chain", partition].pending(producer)
        rows = self.logs["rows", partition].pending(producer)
        if not links and not rows:
            return  # an offset alone
        if len(links) != 1 or not rows or rows[-1] != links[0]:
            raise Unsafe(f"partition {partition}: a transaction without its link: {links}")
        link: Link = links[0]
        if link.end != offset:
            raise Unsafe(f"partition {partition}: {link} is committed with the offset {offset}")
        newest = self._newest.get(partition)
        if newest is None:
            if link.start != 0 or not link.first:
                raise Unsafe(f"partition {partition}: the chain begins with {link}")
        elif link.start != newest.end or link.first or (link.end, link.cursor) == (newest.end, newest.cursor):
            raise Unsafe(f"partition {partition}: {link} is committed after {newest}")
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

"""Where a partition stands: its stage, its position, and how both are found in the log.

With a changelog the chain is the position, and the group offset its copy. A stateless
stage has no chain: its position is the group offset, committed in its transactions; a
source that was never committed begins at its log's start (what it repeats has natural
keys).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, cast

from streams.engine.acquire import LogBounds, StateReader
from streams.engine.chain import Link, check_held, encode_link, starting_point
from streams.engine.flow import Run
from streams.engine.options import EngineOptions
from streams.engine.stage import Row, Stage, StageSpec, StatefulStage, StatelessStage
from streams.engine.transaction import Transactions

__all__ = ["PartitionSource", "Place", "find_place", "newest_link"]


class PartitionSource(Protocol):
    """What a partition asks of the consumer."""

    async def open(self, topic: str, partition: int, *, position: int) -> int:
        """Deliver from `position` on, in a new epoch; ``IllegalStateError``: not assigned."""

    def shut(self, topic: str, partition: int) -> None:
        """Deliver nothing more."""

    def release(self, run: Run) -> None:
        """Let the next run come."""

    async def committed(self, topic: str, partition: int) -> int | None:
        """Read the group's committed offset."""

    async def rejoin(self) -> None:
        """Ask for a new assignment."""


@dataclass(slots=True)
class Place:
    """The committed place of a partition.

    Attributes:
        stage: its state, as of ``position``.
        position: up to where the source is done with.
        cursor: how far within the record at ``position`` ("": not begun).
        newest: the last link in the log; None: the next one is the first.
        trying: the link of the transaction that was begun last.
        changelog_next: from where a re-read sees everything since the last commit.
        commit: makes the stage's last step its state.
        rows_restored: how many rows the state was built from.
    """

    stage: Stage
    commit: Callable[[Link], None]
    position: int
    cursor: str
    newest: Link | None
    trying: Link | None = None
    changelog_next: int = 0
    rows_restored: int = 0

    def advance(self, link: Link) -> None:
        """Make the step of `link` the state: its transaction is in the log."""
        self.commit(link)
        self.position, self.cursor, self.newest = link.end, link.cursor, link


async def find_place(
    *,
    topic: str,
    partition: int,
    spec: StageSpec,
    group: str,
    bootstrap_servers: Sequence[str],
    source: PartitionSource,
    transactions: Transactions,
    options: EngineOptions,
) -> Place:
    """Read state and position; `transactions` have been initialised, so nobody else writes.

    Raises:
        ChainBroken, FactsLost: see ``chain``.
    """
    counts = {name: await transactions.partition_count(name) for name in spec.targets}
    offset = await source.committed(topic, partition)
    async with StateReader(bootstrap_servers=bootstrap_servers, options=options) as reader:
        bounds = await reader.bounds(topic, partition)
        if not spec.changelog:
            position = bounds.start if offset is None else offset
            _check_held(topic, partition, position, bounds)
            if offset is None:
                # So that whoever compares positions with ends (lag, the clock) need not guess.
                await transactions.commit([], offsets={(topic, partition): position}, group=group)
            newest = Link(position, position, "", spec.fold_version)
            passing = cast("StatelessStage", spec.open(topic, partition, counts))
            return Place(passing, lambda _: passing.commit(), position, "", newest)
        stages: list[StatefulStage] = []

        def begin() -> Callable[[list[Row]], None]:
            stage = cast("StatefulStage", spec.open(topic, partition, counts))
            stage.wipe()
            stages.append(stage)
            return partial(stage.restore, mark=None)

        reading = await reader.restore(spec.changelog, partition, begin=begin)
    start = starting_point(
        partition=f"{topic}-{partition}",
        newest=reading.newest,
        group_offset=offset,
        log_start=bounds.start,
        log_end=bounds.end,
    )
    if start.commit_anew:
        await transactions.commit([], offsets={(topic, partition): start.position}, group=group)
    stage = stages[-1]
    return Place(
        stage,
        lambda link: stage.commit(mark=encode_link(link)),
        start.position,
        start.cursor,
        reading.newest,
        changelog_next=reading.next_offset,
        rows_restored=reading.rows,
    )


async def newest_link(
    place: Place,
    *,
    topic: str,
    partition: int,
    changelog: str,
    bootstrap_servers: Sequence[str],
    source: PartitionSource,
    options: EngineOptions,
) -> Link | None:
    """Read which link is the newest now: the one before, the one tried, or another's."""
    if not changelog:
        return _link_of_offset(place, await source.committed(topic, partition))
    async with StateReader(bootstrap_servers=bootstrap_servers, options=options) as reader:
        reading = await reader.read(changelog, partition, restore=_no_row, from_offset=place.changelog_next)
    place.changelog_next = reading.next_offset
    return reading.newest or place.newest


def _link_of_offset(place: Place, offset: int | None) -> Link | None:
    if place.trying is not None and offset == place.trying.end:
        return place.trying
    if offset is None or offset == place.position:
        return place.newest
    return Link(0, offset, "", 0)


def _check_held(topic: str, partition: int, position: int, bounds: LogBounds) -> None:
    name = f"{topic}-{partition}"
    check_held(partition=name, position=position, log_start=bounds.start, log_end=bounds.end)


def _no_row(rows: list[Row]) -> None:
    """Leave rows aside: its step is still in memory, or everything is read again."""

"""Warm standby: copies of partitions that other workers own, kept up to date from the changelog.

One reader of committed records for all of them. Who takes one of these partitions gets its
stage handed over, with a mark, and reads only what is newer than that. A copy decides
nothing and is trusted no more than what is found on a disk: one that does not connect is
wiped and read anew, and one that is not complete has no mark.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from streams.engine.acquire import now_ms, rows_read, state_consumer
from streams.engine.actions import RowsRead
from streams.engine.chain import Thread, check_version
from streams.engine.faults import BrokerAway, NewerRows
from streams.engine.mark import Mark, decode_mark, encode_mark, unfit
from streams.engine.options import EngineOptions
from streams.engine.stage import StageSpec, StatefulStage
from streams.engine.taking import EmptyAnswers, at_end
from streams.engine.topic_ids import TopicIds

__all__ = ["Copy", "Standby"]

_log = logging.getLogger(__name__)
_FETCH_WAIT_MS = 200
_BACKOFF_S = 1.0
_RECORDS_MAX = 5000  # put back in one go: the same loop folds what this worker owns


class Copy:
    """One partition's copy: a stage, and how far it is; knows no Kafka.

    Args:
        name: for messages.
        stage: where rows and marks go.
        now: a mark of this moment: ids and versions; its link and position are not looked at.
        bounds: the first offset of the changelog, and its end.
        age_ms_max: see ``mark.unfit``.
    """

    def __init__(
        self, name: str, stage: StatefulStage, *, now: Mark, bounds: tuple[int, int], age_ms_max: int
    ) -> None:
        self.name, self.stage = name, stage
        self._now = now
        self._first = bounds[0]
        self._empty_answers = EmptyAnswers()
        self.answer = 0  # another one for each of the broker
        mark = decode_mark(stage.mark())
        if mark is None or unfit(mark, now=now, changelog=bounds, age_ms_max=age_ms_max):
            self._begin_anew()
        else:
            self.position, self.complete = mark.position, True
            self._thread, self._at_ms = Thread(mark.newest), mark.at_ms

    def take(self, found: RowsRead) -> bool:
        """Take what was read; False: it does not connect, all is read again from ``position``.

        Raises:
            NewerRows: a newer release has the partition; a copy of it is of no use here.
        """
        self.answer = found.answer
        if self.complete and self._thread.newest is None and found.links and not found.links[0].first:
            self._begin_anew()
            return False
        self._thread.follow(found.links)
        newest = self._thread.newest
        now = self._now
        check_version(newest, partition=self.name, fold_version=now.fold_version, row_version=now.row_version)
        if self._thread.holes:
            self._begin_anew()
            return False
        is_news = found.position != self.position or not self.complete
        self.position = found.position
        if at_end(found, self._empty_answers.counting(found)):
            self.complete, self._at_ms = True, found.at_ms
        if is_news:
            self.stage.restore(found.rows, mark=self._mark())
        return True

    def _begin_anew(self) -> None:
        self.stage.wipe()
        self.position, self.complete = self._first, False
        self._thread, self._at_ms = Thread(), 0

    def _mark(self) -> bytes | None:
        if not self.complete:
            return None
        now = self._now
        return encode_mark(
            Mark(
                newest=self._thread.newest,
                position=self.position,
                changelog_id=now.changelog_id,
                source_id=now.source_id,
                at_ms=self._at_ms,
                fold_version=now.fold_version,
                row_version=now.row_version,
            )
        )


class Standby:
    """The copies of one worker; every method runs on its event loop.

    Args:
        spec: a stage with a changelog and one source.
        bootstrap_servers: as elsewhere.
        options: limits.
        topic_ids: of the source and all targets.
        crash: is called with what only a person or a restart can mend.
    """

    def __init__(
        self,
        *,
        spec: StageSpec,
        bootstrap_servers: Sequence[str],
        options: EngineOptions,
        topic_ids: TopicIds,
        crash: Callable[[BaseException], Awaitable[None]],
    ) -> None:
        self._spec, self._options = spec, options
        (self._source,) = spec.sources
        self._bootstrap_servers = bootstrap_servers
        self._topic_ids, self._crash = topic_ids, crash
        self._wanted: set[int] = set()
        self._copies: dict[int, Copy] = {}
        self._owned: set[int] = set()
        self._counts: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def complete(self) -> set[int]:
        """The partitions whose copy is complete, and as new as the last read."""
        return {number for number, copy in self._copies.items() if copy.complete}

    @property
    def lacks(self) -> int | None:
        """How many copies are not complete; None: not known yet. Any thread may ask."""
        if not self._counts:
            return None
        copies = dict(self._copies)  # in one go: the loop changes it
        wanted = set(range(self._counts[self._source])) - self._owned
        return sum(number not in copies or not copies[number].complete for number in wanted)

    @property
    def answers(self) -> dict[str, int | None]:
        """The last answer of the broker for each copy, in ms; 0: not yet. Any thread may ask."""
        copies = dict(self._copies)  # in one go: the loop changes it
        return {f"copy of {copy.name}": copy.answer for _, copy in sorted(copies.items())}

    def follow_all_but(self, owned: Iterable[int]) -> None:
        """Keep copies of all partitions that are not owned; of others no more."""
        self._owned = set(owned)
        for number in self._owned & self._copies.keys():
            _let_go(self._copies.pop(number))
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="standby")

    def hand_over(self, partition: int) -> StatefulStage | None:
        """Give the stage of a copy to who takes the partition; None: there is no copy."""
        self._owned.add(partition)
        copy = self._copies.pop(partition, None)
        return None if copy is None else copy.stage

    async def stop(self) -> None:
        """Read no more and let all copies go."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        while self._copies:
            _let_go(self._copies.popitem()[1])

    # -- reading --------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            try:
                async with self._reader() as reader:
                    await self._follow(reader)
            except (KafkaError, OSError, TimeoutError, BrokerAway) as error:
                _log.warning("standby: the broker is away, trying again: %r", error)
                await asyncio.sleep(_BACKOFF_S)
            except Exception as fault:  # noqa: BLE001 - whatever it is, it stops the worker
                _log.critical("standby: %s: %s", type(fault).__name__, fault)
                await self._crash(fault)
                return

    @contextlib.asynccontextmanager
    async def _reader(self) -> Any:
        reader = state_consumer(bootstrap_servers=self._bootstrap_servers, options=self._options)
        try:
            await reader.start()
            self._counts = await self._topic_ids.partition_counts()
            yield reader
        finally:
            await reader.stop()

    async def _follow(self, reader: Any) -> None:
        """Read on and on, also what is wanted or owned only by now."""
        following: set[int] = set()
        while True:
            wanted = set(range(self._counts[self._source])) - self._owned
            if wanted != following:
                following = wanted
                await self._assign(reader, sorted(following))
            if not following:
                await asyncio.sleep(_FETCH_WAIT_MS / 1000)
                continue
            found = await reader.getmany(timeout_ms=_FETCH_WAIT_MS, max_records=_RECORDS_MAX)
            for number in following & self._copies.keys():
                # Also where nothing came: the position moves over control records.
                tp = TopicPartition(self._spec.changelog, number)
                position: int = await reader.position(tp)
                self._take(reader, tp, rows_read(reader, tp, found.get(tp, []), position=position))

    async def _assign(self, reader: Any, numbers: Sequence[int]) -> None:
        tps = [TopicPartition(self._spec.changelog, number) for number in numbers]
        reader.assign(tps)
        if not tps:
            return
        starts, ends = await reader.beginning_offsets(tps), await reader.end_offsets(tps)
        ids, age_ms_max = await self._topic_ids.read(), await self._topic_ids.mark_age_ms_max()
        for tp in tps:
            if tp.partition in self._owned:
                continue  # taken while this was asked
            if tp.partition not in self._copies:
                bounds = (starts[tp], ends[tp])
                self._copies[tp.partition] = self._new_copy(tp.partition, bounds, ids, age_ms_max)
            reader.seek(tp, self._copies[tp.partition].position)

    def _new_copy(
        self, partition: int, bounds: tuple[int, int], ids: Mapping[str, str], age_ms_max: int
    ) -> Copy:
        spec = self._spec
        now = Mark(
            newest=None,
            position=0,
            changelog_id=ids[spec.changelog],
            source_id=ids[self._source],
            at_ms=now_ms(),
            fold_version=spec.fold_version,
            row_version=spec.row_version,
        )
        stage = cast("StatefulStage", spec.open(self._source, partition, self._counts))
        name = f"{self._source}-{partition}"
        try:
            return Copy(name, stage, now=now, bounds=bounds, age_ms_max=age_ms_max)
        except BaseException:
            _close(name, stage)
            raise

    def _take(self, reader: Any, tp: TopicPartition, found: RowsRead) -> None:
        # Looked up again: it may have been handed over meanwhile.
        copy = self._copies.get(tp.partition)
        if copy is None:
            return
        try:
            connects = copy.take(found)
        except NewerRows as fault:
            _log.warning("standby: %s", fault)
            _let_go(self._copies.pop(tp.partition))
            return
        if not connects:
            _log.warning("standby: %s does not connect, reading it anew", copy.name)
            reader.seek(tp, copy.position)


def _let_go(copy: Copy) -> None:
    _close(copy.name, copy.stage)


def _close(name: str, stage: StatefulStage) -> None:
    """Close a copy's store, and go on where its disk takes no more: it is let go all the same, the changelog has it."""
    try:
        stage.close()
    except Exception as error:  # noqa: BLE001 - RocksDB's are plain ones; the copies beside it are to be closed, too
        _log.error("standby: not all of %s is on disk: %r", name, error)

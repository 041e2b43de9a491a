"""One source partition that this worker owns: carries out on Kafka what the protocol asks for.

It decides nothing: what follows what, and what a fault means, is in ``protocol``. Here are
the producer, the reader, the stage, and one task that does what is awaited.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import monotonic
from typing import Any, cast
from typing import Protocol as Shape

from aiokafka.errors import IllegalStateError, KafkaError

from streams.engine import actions as act
from streams.engine.acquire import StateReader, now_ms
from streams.engine.batches import Batches
from streams.engine.chain import LogBounds
from streams.engine.counters import Counters
from streams.engine.faults import BrokerAway, StageStuck
from streams.engine.garbage import setting_aside
from streams.engine.options import EngineOptions
from streams.engine.pace import Pace, Turns
from streams.engine.protocol import Protocol
from streams.engine.stage import StageSpec, StatefulStage, StatelessStage
from streams.engine.taking import Traits
from streams.engine.topic_ids import TopicIds
from streams.engine.transaction import Transactions

__all__ = ["AnyStage", "OwnedPartition", "PartitionSource"]

_log = logging.getLogger(__name__)
_AWAY = (KafkaError, TimeoutError, OSError)
# They take their turn. What fences another owner does not: it follows at once on the look whether it is still wanted.
_IN_TURN = (act.LookAround, act.OpenStage, act.ReadChangelog)
AnyStage = StatelessStage | StatefulStage


class PartitionSource(Shape):
    """What a partition asks of the consumer."""

    async def open(self, topic: str, partition: int, *, position: int) -> int:
        """Deliver from `position` on, in a new epoch; ``IllegalStateError``: not assigned."""

    def shut(self, topic: str, partition: int) -> None:
        """Deliver nothing more."""

    def release(self, run: act.Run) -> None:
        """Let the next run come."""

    async def committed(self, topic: str, partition: int) -> int | None:
        """Read the group's committed offset."""

    async def rejoin(self) -> None:
        """Ask for a new assignment."""


class OwnedPartition:
    """See the module; `crash` is called with what only a person or a restart can mend."""

    def __init__(
        self,
        *,
        topic: str,
        partition: int,
        spec: StageSpec,
        group: str,
        bootstrap_servers: Sequence[str],
        source: PartitionSource,
        options: EngineOptions,
        counters: Counters,
        turns: Turns,
        topic_ids: TopicIds,
        open_stage: Callable[[str, int, Mapping[str, int]], AnyStage],
        crash: Callable[[BaseException], Awaitable[None]],
    ) -> None:
        self.name = f"{topic}-{partition}"
        self._topic, self._partition = topic, partition
        self._spec, self._group, self._options = spec, group, options
        self._bootstrap_servers = bootstrap_servers
        self._source, self._topic_ids = source, topic_ids
        self._counters, self._crash = counters, crash
        self._turns, self._pace = turns, Pace(records_max=options.records_per_run_max)
        self._transactions = Transactions(
            bootstrap_servers=bootstrap_servers,
            transactional_id=f"{group}-{spec.name}-{topic}-{partition}",
            options=options,
        )
        self._protocol = Protocol(_traits(self.name, spec, options), counters=counters)
        self._open_stage = open_stage
        self._stage: AnyStage | None = None
        self._reader: StateReader | None = None
        self._batches: Batches | None = None
        self._awaited: asyncio.Queue[act.Awaited] = asyncio.Queue()
        self._idle = asyncio.Event()
        self._idle.set()
        self._takers: deque[asyncio.Future[None]] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def owned(self) -> bool:
        """Whether there is a state that may be folded on."""
        return self._protocol.owned

    @property
    def paused(self) -> bool:
        """Whether too much was bad; it waits for a restart of the worker."""
        return self._protocol.paused

    @property
    def working(self) -> bool:
        """Whether it is being taken or folded, or has runs that wait."""
        return not (self._protocol.idle or self._protocol.paused)

    @property
    def uncommitted(self) -> tuple[int, str] | None:
        """See ``Protocol.uncommitted``."""
        return self._protocol.uncommitted

    # -- requests -------------------------------------------------------------

    async def take(self) -> None:
        """Take the partition; returns when it is open, or when somebody else has it.

        Raises:
            ChainBroken, FactsLost, NewerRows: see ``chain``.
            BrokerAway, OutcomeUnknown: the broker did not answer for long.
        """
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name=f"fold {self.name}")
        taker: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._takers.append(taker)
        self._carry_out(self._protocol.take())
        await taker

    async def revoke(self) -> None:
        """Begin nothing more, and wait for the step that is running."""
        self._carry_out(self._protocol.revoke())
        await self._idle.wait()

    async def drop(self) -> None:
        """Leave the partition; a transaction that is not finished is the next owner's to end."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        self._awaited = asyncio.Queue()
        self._carry_out(self._protocol.drop())
        while self._takers:
            self._answer_taker(None)
        self._idle.set()
        await self._close_reader()
        await self._transactions.close()

    def accept(self, run: act.Run) -> None:
        """Take a fetched run; it is folded after those before it."""
        self._carry_out(self._protocol.accept(run))

    # -- carrying out ---------------------------------------------------------

    def _carry_out(self, actions: Sequence[act.Action]) -> None:
        for action in actions:
            if isinstance(action, act.Awaited):
                self._idle.clear()
                self._awaited.put_nowait(action)
                return
            try:
                self._do(action)
            except Exception as fault:  # noqa: BLE001 - the protocol says what follows
                self._carry_out(self._protocol.failed(fault))
                return
        if self._protocol.idle:
            self._idle.set()

    async def _work(self) -> None:
        try:
            while True:
                action = await self._awaited.get()
                try:
                    answer = await self._perform(action)
                except Exception as fault:  # noqa: BLE001 - the protocol says what follows
                    self._carry_out(self._protocol.failed(fault))
                else:
                    self._carry_out(self._protocol.done(answer))
        except Exception as fault:  # noqa: BLE001 - a bug of ours, or nothing is left to close
            _log.critical("%s: %s: %s", self.name, type(fault).__name__, fault)
            await self._crash(fault)

    def _do(self, action: act.AtOnce) -> None:
        match action:
            case act.Notice(level, text):
                _log.log(level, "%s", text)
            case act.Taken():
                self._answer_taker(None)
            case act.NotTaken(fault):
                self._answer_taker(fault)
            case act.ShutSource():
                self._source.shut(self._topic, self._partition)
            case act.Release(run):
                self._source.release(run)
            case _:
                self._do_on_stage(action)

    def _do_on_stage(self, action: act.AtOnce) -> None:
        match action:
            case act.WipeStage():
                self._stateful.wipe()
            case act.Restore(rows, mark):
                self._stateful.restore(rows, mark=mark)
            case act.CommitStage(None):
                cast("StatelessStage", self._held_stage).commit()
            case act.CommitStage(mark):
                self._stateful.commit(mark=cast("bytes", mark))
            case act.DiscardStage():
                self._held_stage.discard()
            case act.CloseStage():
                stage, self._stage = self._stage, None
                if stage is not None and self._spec.changelog:
                    cast("StatefulStage", stage).close()
            case _:
                raise AssertionError(f"{self.name}: {action} is not known")

    async def _perform(self, action: act.Awaited) -> Any:
        answer: Any = None
        match action:
            case act.Fold():
                answer = await self._fold(action)
            case act.Commit():
                answer = await self._commit(action)
            case act.OpenSource(position):
                answer = await self._open_source(position)
            case act.Wait(seconds):
                await asyncio.sleep(seconds)
            case act.CloseReader():
                await self._close_reader()
            case act.CloseProducer():
                await self._close_reader()
                await self._transactions.close()
            case act.Rejoin():
                await self._source.rejoin()
            case act.Stop(fault):
                await self._crash(fault)
            case _:
                answer = await self._ask_broker(action)
        return answer

    async def _ask_broker(self, action: act.Awaited) -> Any:
        try:
            if isinstance(action, _IN_TURN):
                async with self._turns.asking():
                    return await self._ask(action)
            return await self._ask(action)
        except _AWAY as error:
            raise BrokerAway(f"{type(action).__name__}: {error!r}") from error

    async def _ask(self, action: act.Awaited) -> Any:
        """Do what changes nothing, and may be tried again when the broker is away."""
        match action:
            case act.InitProducer():
                await self._transactions.init()
            case act.ProveProducer():
                await self._transactions.prove(
                    topic=self._topic, partition=self._partition, group=self._group
                )
            case act.LookAround():
                return await self._look_around()
            case act.OpenStage():
                return await self._find_stage()
            case act.ReadChangelog(position):
                reader = await self._open_reader()
                return await reader.read(self._spec.changelog, self._partition, position=position)
            case act.CommitOffset(position):
                await self._transactions.commit(
                    [], offsets={(self._topic, self._partition): position}, group=self._group
                )
            case _:
                raise AssertionError(f"{self.name}: {action} is not known")
        return None

    # -- one by one -----------------------------------------------------------

    async def _look_around(self) -> act.Surroundings:
        offset = await self._source.committed(self._topic, self._partition)
        reader = await self._open_reader()
        source = await reader.bounds(self._topic, self._partition)
        changelog = self._spec.changelog
        if not changelog:
            await self._close_reader()
            return act.Surroundings(now_ms(), offset, source)
        bounds: LogBounds = await reader.bounds(changelog, self._partition)
        ids = await self._topic_ids.read()
        age_ms_max = await self._topic_ids.mark_age_ms_max()
        return act.Surroundings(
            now_ms(), offset, source, bounds, ids[self._topic], ids[changelog], age_ms_max
        )

    async def _find_stage(self) -> bytes | None:
        counts = {name: await self._transactions.partition_count(name) for name in self._spec.targets}
        self._stage = self._open_stage(self._topic, self._partition, counts)
        return self._stateful.mark() if self._spec.changelog else None

    async def _open_source(self, position: int) -> int:
        try:
            return await self._source.open(self._topic, self._partition, position=position)
        except IllegalStateError:
            return -1

    async def _fold(self, fold: act.Fold) -> act.Folded:
        """Fold, then encode and measure everything, before any transaction begins."""
        spec = self._spec
        async with self._turns.mine():
            head = fold.records[: self._pace.records]
            started = monotonic()
            with setting_aside():
                step = self._held_stage.step(head, cursor=fold.cursor)
            batches = self._new_batches()
            batches.add_outputs(step.outputs)
            if spec.changelog:
                batches.add_rows(spec.changelog, self._partition, rows=step.rows)
            self._pace.took(records=len(head), seconds=monotonic() - started)
        self._batches = batches
        return act.Folded(step.consumed, step.cursor, step.pause)

    async def _commit(self, commit: act.Commit) -> act.Committed:
        spec, link = self._spec, commit.link
        batches, self._batches = self._batches, None
        if batches is None or not commit.folded:
            batches = self._new_batches()
        if spec.changelog:
            batches.add_link(link, changelog=spec.changelog, chain=spec.chain, partition=self._partition)
        started = monotonic()
        ends = await self._transactions.commit(
            batches.done, offsets={(self._topic, self._partition): link.end}, group=self._group
        )
        self._counters.transaction_seconds += monotonic() - started
        return act.Committed(ends.get((spec.changelog, self._partition), 0), now_ms())

    # -- small parts ----------------------------------------------------------

    def _new_batches(self) -> Batches:
        return Batches(limits=self._spec.targets, new_builder=self._transactions.new_builder)

    async def _open_reader(self) -> StateReader:
        if self._reader is None:
            reader = StateReader(bootstrap_servers=self._bootstrap_servers, options=self._options)
            try:
                self._reader = await reader.start()
            except BaseException:
                await reader.stop()
                raise
        return self._reader

    async def _close_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.stop()

    def _answer_taker(self, fault: BaseException | None) -> None:
        taker = self._takers.popleft()
        if taker.done():
            return
        if fault is None:
            taker.set_result(None)
        else:
            taker.set_exception(fault)

    @property
    def _held_stage(self) -> AnyStage:
        if self._stage is None:
            raise StageStuck(f"{self.name} was lost while it was worked on")
        return self._stage

    @property
    def _stateful(self) -> StatefulStage:
        return cast("StatefulStage", self._held_stage)


def _traits(name: str, spec: StageSpec, options: EngineOptions) -> Traits:
    return Traits(
        name=name,
        stateful=bool(spec.changelog),
        fold_version=spec.fold_version,
        row_version=spec.row_version,
        failures_max=options.failures_max,
    )

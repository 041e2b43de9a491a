"""One source partition that this worker owns: its stage, its producer, its place in the log.

    lost ───take────► owned ──run──► folding ──committed──► owned
     ▲                  │               │ outcome unknown ─► settle: re-init, re-read ─► owned
     │                  │               │ fenced ─────────────────────────────────────► lost
     └─────drop─────────┘               │ a step asked for it ──► paused
                                        └ anything else ──► the worker stops

One task folds; a run is a transaction, or several when its stage takes it in slices.
Local state changes only after the commit.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic

from aiokafka.errors import IllegalStateError, KafkaError

from streams.engine.batches import Batch, Batches
from streams.engine.chain import Link
from streams.engine.counters import Counters
from streams.engine.faults import Fenced, OutcomeUnknown, StageStuck
from streams.engine.flow import Run
from streams.engine.options import EngineOptions
from streams.engine.pace import Pace, Turns
from streams.engine.place import PartitionSource, Place, find_place, newest_link
from streams.engine.stage import Record, StageSpec, Step
from streams.engine.transaction import Transactions

__all__ = ["PASSING", "OwnedPartition"]

_log = logging.getLogger(__name__)
_BACKOFF_S = (0.05, 0.2, 1.0, 2.0, 5.0)
_SETTLE_ATTEMPTS_MAX = 100
PASSING = (KafkaError, TimeoutError, OSError, OutcomeUnknown)


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
        crash: Callable[[BaseException], Awaitable[None]],
    ) -> None:
        self.name = f"{topic}-{partition}"
        self._topic, self._partition = topic, partition
        self._spec, self._group = spec, group
        self._bootstrap_servers = bootstrap_servers
        self._source = source
        self._options, self._counters, self._crash = options, counters, crash
        self._turns, self._pace = turns, Pace(records_max=options.records_per_run_max)
        self._transactions = Transactions(
            bootstrap_servers=bootstrap_servers,
            transactional_id=f"{group}-{spec.name}-{topic}-{partition}",
            options=options,
        )
        self._place: Place | None = None
        self._queue: asyncio.Queue[Run] = asyncio.Queue()
        self._lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._revoked = False
        self._paused = False
        self._epoch = -1
        self._seen = 0  # delivered up to here: the next run must not begin later
        self._failures = 0

    @property
    def owned(self) -> bool:
        """Whether there is a state that may be folded on."""
        return self._place is not None

    # -- taking and leaving ---------------------------------------------------

    async def take(self) -> None:
        """Take the partition: fence, read the state, find the position, open it.

        One that is owned already is only opened again: had another worker had it meanwhile,
        the next commit is fenced.

        Raises:
            ChainBroken, FactsLost: see ``chain.starting_point``.
        """
        async with self._lock:
            self._revoked = False
            if not self.owned:
                self._paused = False
                await self._transactions.init()
                await self._read_all()
            if not self._paused:
                await self._open()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._fold_runs(), name=f"fold {self.name}")

    async def revoke(self) -> None:
        """Begin nothing more, and wait for the step that is running."""
        self._revoked = True
        self._epoch = -1
        self._source.shut(self._topic, self._partition)
        async with self._lock:
            pass

    async def drop(self) -> None:
        """Leave the partition; a transaction that is not finished is the next owner's to end."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        await self._lose()

    def accept(self, run: Run) -> None:
        """Take a fetched run; it is folded after those before it."""
        self._queue.put_nowait(run)

    async def _lose(self) -> None:
        self._place = None
        self._epoch = -1
        await self._transactions.close()

    async def _open(self) -> None:
        position = self._owned_place.position
        try:
            self._epoch = await self._source.open(self._topic, self._partition, position=position)
        except IllegalStateError:
            self._epoch = -1  # not assigned at this moment: the rebalance opens or drops it
        self._seen = position

    async def _read_all(self) -> None:
        self._place = None
        self._place = await find_place(
            topic=self._topic,
            partition=self._partition,
            spec=self._spec,
            group=self._group,
            bootstrap_servers=self._bootstrap_servers,
            source=self._source,
            transactions=self._transactions,
            options=self._options,
        )
        self._counters.acquired += 1
        self._counters.rows_restored += self._place.rows_restored

    @property
    def _owned_place(self) -> Place:
        if self._place is None:
            raise StageStuck(f"{self.name} was lost while it was worked on")
        return self._place

    # -- folding --------------------------------------------------------------

    async def _fold_runs(self) -> None:
        while True:
            run = await self._queue.get()
            async with self._lock:
                if not self.owned or run.epoch != self._epoch:
                    self._counters.stale_runs += 1
                elif not await self._handled(run):
                    return
                else:
                    self._source.release(run)

    async def _handled(self, run: Run) -> bool:
        """Handle a run; False when the partition was lost by it."""
        try:
            await self._handle(run)
        except Fenced as fault:
            self._counters.fenced += 1
            _log.warning("%s: fenced, the partition is another's: %s", self.name, fault)
            await self._lose()
            await self._source.rejoin()
        except Exception as fault:  # noqa: BLE001 - whatever it is, it stops the worker
            _log.critical("%s: %s: %s", self.name, type(fault).__name__, fault)
            await self._lose()
            await self._crash(fault)
        return self.owned

    async def _handle(self, run: Run) -> None:
        if run.before > self._seen:
            self._counters.gaps += 1
            _log.warning("%s: expected %d, got a run at %d: sought back", self.name, self._seen, run.before)
            await self._open()
            return
        self._seen = max(self._seen, run.after)
        position = self._owned_place.position
        records = run.records
        if records and records[0].offset < position:
            records = [record for record in records if record.offset >= position]
        if not records and (not self._queue.empty() or self._seen == position):
            return  # only control records: the run that waits takes the position along
        try:
            await self._fold(records)
        except OutcomeUnknown as fault:
            await self._recover(fault)

    async def _fold(self, records: Sequence[Record]) -> None:
        """Fold all records, in as many steps as the stage wants."""
        place = self._owned_place
        while True:
            async with self._turns.mine():
                head = records[: self._pace.records]
                started = monotonic()
                step = place.stage.step(head, cursor=place.cursor) if head else _nothing(place.cursor)
                link = self._link(step, records)
                batches = self._encode(step, link)
                self._pace.took(records=len(head), seconds=monotonic() - started)
            await self._commit(step, link, batches)
            records = records[step.consumed :]
            if step.pause:
                await self._pause(step.pause)
                return
            if not records or self._revoked:
                return

    def _link(self, step: Step, records: Sequence[Record]) -> Link:
        place = self._owned_place
        if step.consumed == len(records):
            end = self._seen
        elif step.consumed:
            end = records[step.consumed - 1].offset + 1
        else:
            end = place.position
        if (end, step.cursor) == (place.position, place.cursor):
            raise StageStuck(f"{self.name}: the stage made no progress at {end}, cursor {step.cursor!r}")
        return Link(place.position, end, step.cursor, self._spec.fold_version, place.newest is None)

    def _encode(self, step: Step, link: Link) -> list[Batch]:
        """Encode and measure everything, before any transaction begins."""
        spec = self._spec
        batches = Batches(limits=spec.targets, new_builder=self._transactions.new_builder)
        batches.add_outputs(step.outputs)
        if spec.changelog:
            batches.add_rows(spec.changelog, self._partition, rows=step.rows)
            batches.add_link(link, changelog=spec.changelog, chain=spec.chain, partition=self._partition)
        return batches.done

    async def _commit(self, step: Step, link: Link, batches: Sequence[Batch]) -> None:
        place = self._owned_place
        place.trying = link
        written = await self._transactions.commit(
            batches, offsets={(self._topic, self._partition): link.end}, group=self._group
        )
        self._counters.transactions += 1
        self._counters.records += step.consumed
        place.advance(link)
        place.changelog_next = written.get((self._spec.changelog, self._partition), place.changelog_next)
        self._failures = 0

    async def _pause(self, reason: str) -> None:
        self._paused = True
        self._counters.paused += 1
        _log.error("%s: paused; restart the worker to go on: %s", self.name, reason)
        self._epoch = -1
        self._source.shut(self._topic, self._partition)

    # -- finding out ----------------------------------------------------------

    async def _recover(self, fault: OutcomeUnknown) -> None:
        """Settle what is unknown, as long as it takes the broker to come back."""
        self._counters.outcomes_unknown += 1
        self._failures += 1
        if self._failures > self._options.failures_max:
            raise StageStuck(f"{self.name}: one run failed {self._failures} times in a row") from fault
        _log.warning("%s: outcome unknown, finding it out: %s", self.name, fault)
        for attempt in range(_SETTLE_ATTEMPTS_MAX):
            if self._revoked:
                # Initialising now would fence the next owner; if that is us, all is read anew.
                await self._lose()
                return
            try:
                await self._settle()
            except PASSING as error:
                _log.warning("%s: could not settle: %r", self.name, error)
                await asyncio.sleep(_BACKOFF_S[min(attempt, len(_BACKOFF_S) - 1)])
            else:
                return
        raise StageStuck(f"{self.name}: the broker did not come back") from fault

    async def _settle(self) -> None:
        """Find out whether the last transaction is in the log; go on from there."""
        place = self._owned_place
        await self._transactions.init()
        newest = await newest_link(
            place,
            topic=self._topic,
            partition=self._partition,
            changelog=self._spec.changelog,
            bootstrap_servers=self._bootstrap_servers,
            source=self._source,
            options=self._options,
        )
        if newest is not None and newest == place.trying:
            place.advance(newest)
        elif newest == place.newest:
            place.stage.discard()
        else:
            _log.error(
                "%s: found %s where %s was tried; reading everything again", self.name, newest, place.trying
            )
            await self._read_all()
        await self._open()


def _nothing(cursor: str) -> Step:
    return Step((), (), 0, cursor)

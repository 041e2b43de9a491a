"""A worker: the real protocol of each partition, and what carries out its actions on the model.

What ``streams.engine.partition`` and ``worker`` do with tasks and sockets is done here with
events of the virtual clock. Nothing is decided here either.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from streams.engine import actions as act
from streams.engine.chain import LINK_KEY, LogBounds
from streams.engine.counters import Counters
from streams.engine.faults import BrokerAway, Fenced
from streams.engine.mark import Mark
from streams.engine.protocol import Protocol
from streams.engine.stage import StatefulStage
from streams.engine.standby import Copy
from streams.engine.taking import Traits
from tests.simulation.clock import Call, Host, Lost, Sleep, Steps, Task
from tests.simulation.cluster import Cluster
from tests.simulation.log import Entry, Fetched, NotYet, PartitionLog
from tests.simulation.producer import Batch, Producer
from tests.simulation.stage import Disk, SimulatedStage, Source

__all__ = ["Held", "Settings", "Worker"]

_RUNS_AHEAD_MAX = 2
_HEARTBEAT_S = 2.0
_HOLE = "links do not connect"  # of a full read; what was kept "does not connect"
_SESSION_S = 10.0
_LOST_RUNS = 0.02
_SILENCE = 0.1
_FROZEN_WHILE_TAKING = 0.1
_CLEANED_WHILE_TAKING = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a worker is made of; a canary replaces one of them, and may have its own share of `new_leader` takings."""

    protocol: type[Protocol] = Protocol
    producer: type[Producer] = Producer
    log_end: Callable[[PartitionLog], int] = PartitionLog.high_watermark
    new_leader: float = 0.3
    mark_age: float = 0.5  # how old what was kept may be, in times of the changelog's delete.retention.ms


class Held:
    """One partition of one worker: ``OwnedPartition`` in the model."""

    def __init__(self, worker: "Worker", partition: int) -> None:
        self.worker, self.partition = worker, partition
        self._world, self._cluster = worker.world, worker.cluster
        logs = self._cluster.logs
        self._source, self._rows = logs["src", partition], logs["rows", partition]
        self._chain, self._out = logs["chain", partition], logs["out", partition]
        settings = worker.settings
        self.protocol = settings.protocol(
            _traits(partition, stateful=self._cluster.stateful), counters=worker.counters
        )
        self._producer = settings.producer(self._world, self._cluster.transactional[partition])
        self.stage: SimulatedStage | None = None
        self._step: tuple[list[tuple[bytes, Any]], list[str]] = ([], [])
        self._read_end: int | None = None
        self._last_read: act.RowsRead | None = None
        self._answers = 0
        self._in_vain = 0
        self._task: Task | None = None
        self._fetching: Task | None = None
        self._epoch = 0
        self._ahead = 0
        self._is_fenced = False  # and has not asked the group since

    def carry_out(self, actions: list[act.Action]) -> None:
        """Do what the protocol asks for."""
        for action in actions:
            if isinstance(action, act.Awaited):
                self._task = self.worker.task(self._perform(action), self._performed)
                self._task.begin()
                return
            self._do(action)

    def drop(self) -> None:
        """Leave the partition in the middle of whatever."""
        if self._task is not None:
            self._task.cancel()
        self.carry_out(self.protocol.drop())

    def _performed(self, answer: Any, fault: Exception | None) -> None:
        self._is_fenced |= isinstance(fault, Fenced)
        more = self.protocol.done(answer) if fault is None else self.protocol.failed(fault)
        self.carry_out(more)

    def _do(self, action: act.AtOnce) -> None:
        match action:
            case act.Notice(_, text):
                self._world.trace(self.worker.name, text)
                self._cluster.holes += _HOLE in text
            case act.NotTaken(fault) if fault is not None:
                self.worker.stop_for(fault)
            case act.ShutSource():
                self._shut()
            case act.Release(run):
                self._ahead -= run.epoch == self._epoch
            case act.Taken() | act.NotTaken():
                pass
            case act.CloseStage():
                self.stage = None
            case _:
                self._do_on_stage(action)

    def _do_on_stage(self, action: act.AtOnce) -> None:
        stage = self.stage
        assert stage is not None
        match action:
            case act.WipeStage():
                stage.wipe()
            case act.Restore(rows, mark):
                stage.restore(rows, mark)
            case act.CommitStage(mark):
                stage.commit(mark)
            case _:
                assert isinstance(action, act.DiscardStage)
                stage.discard()

    @property
    def is_newest(self) -> bool:
        """Whether this is the producer that can commit next, and nothing is open."""
        return self.protocol.idle and self._producer.is_newest

    # -- what is awaited ------------------------------------------------------

    def _perform(self, action: act.Awaited) -> Steps[Any]:
        match action:
            case act.Fold():
                return (yield from self._fold(action))
            case act.Commit():
                return (yield from self._commit(action))
            case act.LookAround():
                return (yield from self._look_around())
            case act.ReadChangelog(position):
                return (yield from self._read(position))
            case act.OpenStage():
                self.stage = self.worker.hand_over(self.partition)
                return self.stage.mark()
            case _:
                return (yield from self._perform_more(action))

    def _perform_more(self, action: act.Awaited) -> Steps[int | None]:
        """Do what has no answer but that it is done, and open the source."""
        match action:
            case act.OpenSource(position):
                return self._open(position)
            case act.InitProducer():
                if self._is_fenced:
                    text = f"{self.worker.name} was fenced, and takes {self.partition} again of itself"
                    self._cluster.unsafe.append(text)
                yield from self._producer.init()
                self._disturb()
            case act.ProveProducer():
                yield from self._producer.prove()
            case act.CommitOffset(position):
                yield from self._producer.commit([], position)
            case act.Wait(seconds):
                yield Sleep(seconds)
            case act.CloseReader() | act.CloseProducer():
                self._read_end = self._last_read = None
            case act.Rejoin():
                self._is_fenced = False
                self.worker.rejoin_wanted = True
            case _:
                assert isinstance(action, act.Stop)
                self.worker.stop_for(action.fault)
        return None

    def _disturb(self) -> None:
        """Now and then change the changelog's leader, or compact it, while it is about to be read."""
        chance, world = self._world.chance, self._world
        if self._cluster.quiet:
            return
        if chance.random() < self.worker.settings.new_leader:
            world.after(chance.random() * 0.006, self._rows.fail_over, chance.random() * 0.8)
        if self._cluster.stateful and chance.random() < _CLEANED_WHILE_TAKING:
            # About as quick as the reader: links that it has seen connect to some that go meanwhile.
            after_s, segment = chance.random() * 0.03, chance.randrange(3, 8)
            world.after(after_s, self._cluster.clean, self.partition, segment, 0.004)

    def _ask(self, handler: Callable[..., Any], *args: Any) -> Steps[Any]:
        """Ask a few times what changes nothing."""
        for attempt in range(5):
            try:
                return (yield Call(handler, args))
            except (Lost, NotYet) as error:
                if attempt == 4:
                    raise BrokerAway(repr(error)) from error
                yield Sleep(0.1)
        raise AssertionError

    def _look_around(self) -> Steps[act.Surroundings]:
        offset: int | None = yield from self._ask(self._cluster.group.committed, self.partition)
        source: tuple[int, int] = yield from self._ask(self._source.bounds)
        rows: tuple[int, int] = yield from self._ask(self._rows.bounds)
        ids = ("source", self._cluster.changelog_id)
        age_ms_max = self.worker.mark_age_ms_max
        return act.Surroundings(
            self._now_ms(), offset, LogBounds(*source), LogBounds(*rows), *ids, age_ms_max
        )

    def _read(self, position: int | None) -> Steps[act.RowsRead]:
        if self._read_end is None:
            self._read_end = yield from self._ask(self.worker.settings.log_end, self._rows)
        last = self._last_read
        if last is not None and last.position == position and self._world.chance.random() < _SILENCE:
            self._in_vain = self._world.chance.randrange(1, 6)
        if last is not None and self._in_vain:
            self._in_vain -= 1
            yield Sleep(0.08)  # the answer comes later
            return last._replace(rows=[], links=[], at_ms=self._now_ms())
        count = self._world.chance.randrange(1, 12)
        found: Fetched = yield from self._ask(self._rows.fetch, position or self._rows.start, count)
        self._answers += 1
        read = rows_read(found, self._now_ms(), answer=self._answers)
        self._read_end = max(read.high, self._read_end or 0)
        self._last_read = read._replace(high=self._read_end)
        return self._last_read

    def _fold(self, fold: act.Fold) -> Steps[act.Folded]:
        assert self.stage is not None
        yield Sleep(self._world.chance.random() * 0.02)
        records: Any = fold.records[: self._world.chance.randrange(1, 9)]
        rows, said, consumed, cursor = self.stage.step(records, fold.cursor)
        self._step = (rows, said)
        return act.Folded(consumed, cursor)

    def _commit(self, commit: act.Commit) -> Steps[act.Committed]:
        rows, said = self._step if commit.folded else ([], [])
        changelog: list[tuple[Any, Any]] = [*rows, (LINK_KEY, commit.link)]
        batches: list[Batch] = [(self._out, [(None, text) for text in said])] if said else []
        if self._cluster.stateful:
            batches += [(self._rows, changelog), (self._chain, [(b"link", commit.link)])]
        offsets = yield from self._producer.commit(batches, commit.link.end)
        after_link = offsets[-2] + len(changelog) if self._cluster.stateful else 0
        return act.Committed(after_link, self._now_ms())

    # -- the source -----------------------------------------------------------

    def _open(self, position: int) -> int:
        if self.partition not in self.worker.assigned:
            return -1
        self._shut()
        self._epoch += 1
        self._ahead = 0
        self._fetching = self.worker.task(self._fetch(position, self._epoch))
        self._fetching.begin()
        return self._epoch

    def _shut(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            self._fetching = None

    def _fetch(self, position: int, epoch: int) -> Steps[None]:
        chance = self._world.chance
        while True:
            if self._ahead >= _RUNS_AHEAD_MAX:
                yield Sleep(0.05)
                continue
            try:
                found: Fetched = yield Call(self._source.fetch, (position, chance.randrange(1, 20)))
            except Lost:
                yield Sleep(0.2)
                continue
            if found.position == position:
                yield Sleep(0.3 + chance.random())
                continue
            records = [_record(entry) for entry in found.entries]
            run = act.Run("src", self.partition, records, position, found.position, epoch)
            position = found.position
            self._ahead += 1
            yield Sleep(0.0)  # by way of the loop: the protocol may shut the source
            if chance.random() < _LOST_RUNS and not self._cluster.quiet:
                self.worker.rejoin_wanted = True  # what loses runs is a rebalance, and it opens anew
            else:
                self.carry_out_run(run)

    def carry_out_run(self, run: act.Run) -> None:
        """Hand a run over, apart from the task that fetches: it may be ended by it."""
        self._world.after(0.0, self.worker.host.reach, self._accept, run)

    def _accept(self, run: act.Run) -> None:
        if self.worker.held.get(self.partition) is self:
            self.carry_out(self.protocol.accept(run))

    def _now_ms(self) -> int:
        return int(self._world.now * 1000)


class Worker:
    """A process: membership, and the partitions that it was given."""

    def __init__(
        self, cluster: Cluster, name: str, *, disks: list[Disk], settings: Settings, standby: bool
    ) -> None:
        self.cluster, self.world, self.name = cluster, cluster.world, name
        self.disks, self.settings = disks, settings
        self.host = Host(self.world, name)
        self.counters = Counters()
        self.held: dict[int, Held] = {}
        self.assigned: list[int] = []
        self.rejoin_wanted = False
        self.fault: BaseException | None = None
        self._generation = 0
        self._answers = 0
        self._copies: dict[int, Copy] = {}
        self.task(self._belong()).begin()
        if standby and cluster.stateful:
            self.task(self._copy_all()).begin()

    def task(self, steps: Steps[Any], end: Callable[[Any, Exception | None], None] | None = None) -> Task:
        """Make a task of this process."""
        return Task(self.host, steps, send=self.cluster.network.send, end=end)

    def stop_for(self, fault: BaseException) -> None:
        """Die of a fault; whoever runs the simulation sees it."""
        self.world.trace(self.name, "stops for", repr(fault))
        self.fault = self.fault or fault
        self.kill()

    def kill(self) -> None:
        """Die at once."""
        self.world.trace(self.name, "dies")
        self.host.alive = False

    def leave(self) -> None:
        """Stop in order: end what runs, say goodbye, die."""
        self.world.trace(self.name, "is told to stop")
        self.task(self._leave()).begin()

    @property
    def idle(self) -> bool:
        """Whether no partition is being worked on."""
        return all(held.protocol.idle for held in self.held.values())

    @property
    def mark_age_ms_max(self) -> int:
        """How old what was kept may be."""
        return int(self.cluster.retention_s * self.settings.mark_age * 1000)

    def hand_over(self, partition: int) -> SimulatedStage:
        """Give the stage of a copy, or a new one on the disk."""
        copy = self._copies.pop(partition, None)
        return SimulatedStage(self.disks[partition]) if copy is None else cast("SimulatedStage", copy.stage)

    def _copy_all(self) -> Steps[None]:
        """Be a standby: copy what others own, a fetch at a time."""
        while True:
            for partition in range(self.cluster.partitions):
                if partition not in self.held:
                    with contextlib.suppress(Lost, NotYet):
                        yield from self._copy(partition)
            yield Sleep(0.1 + self.world.chance.random() * 0.4)

    def _copy(self, partition: int) -> Steps[None]:
        log, traits = self.cluster.logs["rows", partition], _traits(partition, stateful=True)
        copy = self._copies.get(partition)
        if copy is None:
            bounds: tuple[int, int] = yield Call(log.bounds, ())
            if partition in self.held:
                return
            now = Mark(
                newest=None,
                position=0,
                changelog_id=self.cluster.changelog_id,
                source_id="source",
                at_ms=int(self.world.now * 1000),
                fold_version=1,
                row_version=1,
            )
            stage = cast("StatefulStage", SimulatedStage(self.disks[partition]))
            copy = Copy(traits.name, stage, now=now, bounds=bounds, age_ms_max=self.mark_age_ms_max)
            self._copies[partition] = copy
        found: Fetched = yield Call(log.fetch, (copy.position, self.world.chance.randrange(1, 30)))
        self._answers += 1
        if self._copies.get(partition) is copy and not copy.take(
            rows_read(found, int(self.world.now * 1000), answer=self._answers)
        ):
            self.world.trace(self.name, "copies anew", partition)

    def _belong(self) -> Steps[None]:
        """Be a member: join, take what is assigned, keep the session, join again."""
        while True:
            generation, assigned = yield from self._join()
            self._take(generation, assigned)
            while not self.rejoin_wanted:
                yield Sleep(_HEARTBEAT_S)
                try:
                    known: bool = yield Call(self.cluster.group.heartbeat, (self.name, generation))
                except Lost:
                    continue
                if not known:
                    break
            self.rejoin_wanted = False
            yield from self._revoke()

    def _join(self) -> Steps[tuple[int, list[int]]]:
        while True:
            answer: tuple[int, list[int]] | None = None
            with contextlib.suppress(Lost):
                answer = yield Call(self.cluster.group.join, (self.name, self._generation))
            if answer is not None:
                return answer
            yield Sleep(0.3)

    def _take(self, generation: int, assigned: list[int]) -> None:
        self._generation, self.assigned = generation, assigned
        for partition in [one for one in self.held if one not in assigned]:
            self.held.pop(partition).drop()
        for partition in assigned:
            if partition not in self.held:
                self.held[partition] = Held(self, partition)
            held = self.held[partition]
            held.carry_out(held.protocol.take())
        chance = self.world.chance
        if assigned and not self.cluster.quiet and chance.random() < _FROZEN_WHILE_TAKING:
            self.world.trace(self.name, "will freeze while it takes")
            self.world.after(chance.random() * 0.1, self.host.freeze, chance.uniform(10.0, 20.0))

    def _revoke(self) -> Steps[None]:
        for held in self.held.values():
            held.carry_out(held.protocol.revoke())
        deadline = self.world.now + _SESSION_S / 2
        while not self.idle and self.world.now < deadline:
            yield Sleep(0.1)

    def _leave(self) -> Steps[None]:
        yield from self._revoke()
        held, self.held = self.held, {}
        for one in held.values():
            one.drop()
        try:
            yield Call(self.cluster.group.leave, (self.name,))
        except Lost:
            self.world.trace(self.name, "leaves without goodbye")
        self.kill()


def rows_read(found: Fetched, at_ms: int, *, answer: int) -> act.RowsRead:
    """Tell rows from links."""
    rows = [(one.key, one.value) for one in found.entries if one.key != LINK_KEY]
    links = [one.value for one in found.entries if one.key == LINK_KEY]
    return act.RowsRead(rows, links, found.position, found.stable, found.high, at_ms, answer)


def _record(entry: Entry) -> Source:
    kind, number = entry.value
    return Source(entry.offset, entry.key, kind, number)


def _traits(partition: int, *, stateful: bool) -> Traits:
    return Traits(
        name=f"src-{partition}",
        stateful=stateful,
        fold_version=1,
        row_version=1,
        failures_max=20,
    )

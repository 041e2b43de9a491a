"""One seed: a load, what goes wrong, how it ends, and what must hold.

Safety is checked at every commit and at the end, of as much as was consumed. Liveness apart from it: after
the faults have stopped, everything must be consumed within a time. Neither hides the other.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from streams.engine.faults import BrokerAway, OutcomeUnknown, StageStuck
from streams.engine.mark import Mark, encode_mark
from tests.simulation.clock import World
from tests.simulation.cluster import TOPICS, Cluster
from tests.simulation.log import PartitionLog
from tests.simulation.stage import Disk, Source, Truth, fold_all, slices_said
from tests.simulation.worker import Settings, Worker

__all__ = ["Verdict", "run_seed"]

_FAULTS_S = 45.0
_LIVELY_S = 120.0  # sessions, transactions and requests time out after 10 to 24 s, some of them in a row
_STEP_S = 1.0
_ENDED_S = 15.0  # after the last worker has left
_TIMED_OUT_S = 40.0  # what is left open is aborted by then
_LONG_RETENTION_S = 62.0  # longer than all that goes wrong here
_BRIEF = 0.3  # seeds whose tombstones go while a worker with a disk is away
_MADE_ANEW = 0.2  # seeds on whose disks is what an earlier installation has left
_SHOWN = 3
# What a worker kept of a changelog that was deleted: nothing but its topic id speaks against it.
_LEFT_BEHIND = Mark(
    newest=None,
    position=0,
    changelog_id="rows 1",
    source_id="source",
    at_ms=0,
    fold_version=1,
    row_version=1,
)
_RESTARTS_FOR = (StageStuck, BrokerAway, OutcomeUnknown)  # the broker was away for too long


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a seed ended.

    Attributes:
        safety: what happened that must never happen; "": nothing.
        liveness: what was not done in time; "": all was.
        holes: full reads that showed links that do not connect.
        tombstones: how many the cleaner has taken away.
    """

    seed: int
    safety: str
    liveness: str
    holes: int
    tombstones: int
    fingerprint: str
    commits: int
    faults: int
    seconds: float
    events: int
    lines: Sequence[str] = ()

    @property
    def problem(self) -> str:
        """Say what is wrong; "" when all was well."""
        return "; ".join(filter(None, (self.safety and f"UNSAFE: {self.safety}", self.liveness)))


class Scenario:
    """A cluster, its workers, and the chance that plays with them."""

    def __init__(self, seed: int, *, settings: Settings, verbose: bool) -> None:
        self.seed = seed
        self.world = World(seed, verbose=verbose)
        chance = self.world.chance
        self.partitions = chance.choice((1, 2, 2, 3))
        self.is_brief = chance.random() < _BRIEF
        self.cluster = Cluster(
            self.world,
            partitions=self.partitions,
            loss=chance.choice((0.0, chance.uniform(0.02, 0.27))),
            stateful=chance.random() < 0.85,
            retention_s=chance.uniform(3.0, 8.0) if self.is_brief else _LONG_RETENTION_S,
            incarnation=2 if chance.random() < _MADE_ANEW else 1,
        )
        self.settings = settings
        self.names = [f"w{number}" for number in range(chance.choice((1, 2, 2, 3)))]
        self.disks = {name: self._new_disks() for name in self.names}
        self.standbys = [name for name in self.names if chance.random() < (0.6 if self.is_brief else 0.4)]
        self.workers: dict[str, Worker] = {}
        self.faults = 0
        self.liveness = ""
        self._sent = 0
        self._away_until: dict[str, float] = {}
        self._is_over = False

    def run(self) -> None:
        """Play it; what is wrong is in ``liveness`` and in the cluster's ``unsafe``."""
        for name in self.names:
            self.world.after(self.world.chance.random(), self._start, name)
        self.world.after(0.0, self._load)
        self.world.after(2.0, self._go_wrong)
        self.world.after(1.0, self._look)
        self.world.run(_FAULTS_S)
        self._heal()
        deadline = self.world.now + _LIVELY_S
        while not self._is_done() and not self.liveness:
            if self.world.now > deadline:
                self.liveness = f"not done {_LIVELY_S:.0f} s after the last fault: {self._standing()}"
            self.world.run(self.world.now + _STEP_S)
        self._check_owners()
        self._is_over = True
        for worker in self.workers.values():
            worker.leave()
        self.world.run(self.world.now + (_TIMED_OUT_S if self.liveness else _ENDED_S))
        self._check_logs()

    # -- load -----------------------------------------------------------------

    def _load(self) -> None:
        """Write some records to the source now and then, some of them in transactions."""
        chance = self.world.chance
        if self.cluster.quiet:
            return
        log = self.cluster.logs["src", chance.randrange(self.partitions)]
        sizes = (1, 1, 2) if self.is_brief else (1, 1, 2, 5, 20)
        items = [self._record() for _ in range(chance.choice(sizes))]
        if chance.random() < 0.3 and not log.has_open:
            log.append(items, producer=99)
            self.world.after(chance.random() * 2, self._end_load, log, chance.random() < 0.7)
        else:
            log.append(items)
        self.world.after(chance.expovariate(0.5 if self.is_brief else 1.5), self._load)

    def _end_load(self, log: PartitionLog, commit: bool) -> None:
        log.mark(99, 0, commit=commit)

    def _record(self) -> tuple[bytes, tuple[str, int]]:
        chance = self.world.chance
        self._sent += 1
        key = b"k%d" % chance.randrange(5)
        dice = chance.random()
        if dice < 0.04 and self.cluster.stateful:
            return key, ("slices", chance.randrange(1, 4))
        if dice < (0.5 if self.is_brief else 0.1):
            return key, ("forget", 0)
        return key, ("number", self._sent)

    # -- what goes wrong --------------------------------------------------------

    def _go_wrong(self) -> None:
        chance = self.world.chance
        if self.cluster.quiet:
            return
        self.faults += 1
        kinds: dict[Callable[[], None], int] = {
            self._kill: 5 if self.is_brief else 3,
            self._freeze: 3,
            self._stop: 1,
            self._cut_off: 4 if self.is_brief else 2,
            self._outage: 1,
            self._fail_over: 2,
            self._expire: 1,
            self._clean: 12 if self.is_brief else 4,
        }
        chance.choices(list(kinds), weights=list(kinds.values()))[0]()
        self.world.after(chance.expovariate(1 / 3.0), self._go_wrong)

    def _some_worker(self) -> Worker | None:
        running = [worker for worker in self.workers.values() if worker.host.alive]
        return self.world.chance.choice(running) if running else None

    def _kill(self) -> None:
        worker = self._some_worker()
        if worker is not None:
            worker.kill()
            if self.world.chance.random() < 0.3:
                for disk in self.disks[worker.name.partition(".")[0]]:
                    disk.lose_power(self.world.chance.randrange(4))
            elif self.is_brief:
                away_s = self.cluster.retention_s * self.world.chance.uniform(1.0, 3.0)
                self._away_until[worker.name] = self.world.now + away_s
            self._revive(worker)

    def _stop(self) -> None:
        worker = self._some_worker()
        if worker is not None:
            worker.leave()

    def _freeze(self) -> None:
        worker = self._some_worker()
        if worker is not None:
            seconds = self.world.chance.choice((1.0, 14.0)) * self.world.chance.uniform(0.3, 1.5)
            self.world.trace(worker.name, "freezes for", round(seconds, 3))
            worker.host.freeze(seconds)

    def _cut_off(self) -> None:
        worker = self._some_worker()
        if worker is not None:
            seconds = self.world.chance.uniform(0.5, 16.0)
            self.world.trace(worker.name, "is cut off for", round(seconds, 3))
            worker.host.cut_off_until = self.world.now + seconds

    def _outage(self) -> None:
        self.cluster.network.down_until = self.world.now + self.world.chance.uniform(0.5, 6.0)
        self.world.trace("broker away")

    def _fail_over(self) -> None:
        log = self.world.chance.choice(list(self.cluster.logs.values()))
        self.world.trace("fail-over of", log.name)
        log.fail_over(self.world.chance.random() * 0.8)

    def _expire(self) -> None:
        if not self.cluster.stateful:
            return
        self.cluster.group.expire(self.world.chance.randrange(self.partitions))
        self.world.trace("an offset expires")

    def _clean(self) -> None:
        number = self.world.chance.randrange(self.partitions)
        self.world.trace("the cleaner runs on", number)
        self.cluster.clean(
            number, self.world.chance.randrange(*((6, 24) if self.is_brief else (3, 12))), 0.05
        )

    # -- workers come and go ----------------------------------------------------

    def _new_disks(self) -> list[Disk]:
        keeps = self.world.chance.random() < 0.7
        disks = [Disk(keeps=keeps) for _ in range(self.partitions)]
        for disk in disks if self.cluster.incarnation > 1 else ():
            disk.write([(b"k0", (-1,))], encode_mark(_LEFT_BEHIND))
        return disks

    def _start(self, name: str) -> None:
        """Start a worker under a name, with what its disks hold."""
        before = self.workers.get(name)
        generation = 1 if before is None else int(before.name.partition(".")[2]) + 1
        self.workers[name] = Worker(
            self.cluster,
            f"{name}.{generation}",
            disks=self.disks[name],
            settings=self.settings,
            standby=name in self.standbys,
        )
        self.world.trace(self.workers[name].name, "starts")

    def _revive(self, worker: Worker) -> None:
        """Start another process in a dead one's place, after a while."""
        name = worker.name.partition(".")[0]
        if self.workers[name] is worker:
            self.world.after(self.world.chance.uniform(0.1, 4.0), self._start_again, name, worker)

    def _start_again(self, name: str, dead: Worker) -> None:
        is_away = self.world.now < self._away_until.get(dead.name, 0.0)
        if self.workers[name] is dead and not is_away and not self._is_over:
            self._start(name)

    def _look(self) -> None:
        """What goes on without anybody's doing: sessions expire, supervisors restart."""
        self.cluster.group.look()
        for worker in list(self.workers.values()):
            if worker.fault is not None and not isinstance(worker.fault, _RESTARTS_FOR):
                self.cluster.unsafe.append(f"{worker.name} stopped: {worker.fault!r}")
                worker.fault = None
            if not worker.host.alive:
                self._revive(worker)
        self.world.after(1.0, self._look)

    def _heal(self) -> None:
        self.world.trace("no more faults")
        self.cluster.quiet = True
        self.cluster.network.heal()
        for worker in self.workers.values():
            worker.host.cut_off_until = 0.0

    # -- what must hold -----------------------------------------------------------

    def _is_done(self) -> bool:
        """Say whether all is consumed, and ended everywhere; an offset that expired is absent until a take."""
        ends = [self.cluster.logs["src", number].end for number in range(self.partitions)]
        offsets = self.cluster.group.offsets
        return (
            self.cluster.positions() == ends
            and all(offsets.get(number, end) == end for number, end in enumerate(ends))
            and not any(transactional.busy for transactional in self.cluster.transactional)
        )

    def _standing(self) -> str:
        ends = [self.cluster.logs["src", number].end for number in range(self.partitions)]
        return f"links {self.cluster.positions()}, offsets {self.cluster.group.offsets}, ends {ends}"

    def truth(self, partition: int, position: int, cursor: str) -> Truth:
        """Fold the source without an engine, up to where it was consumed."""
        entries = self.cluster.logs["src", partition].committed()
        records = [Source(one.offset, one.key, *one.value) for one in entries]
        truth = fold_all(record for record in records if record.offset < position)
        if cursor:
            begun = next(record for record in records if record.offset >= position)
            truth.said.extend(slices_said(begun, int(cursor)))
        return truth

    def _check_owners(self) -> None:
        """Whoever could commit next has the true state of what he has consumed."""
        for worker in self.workers.values():
            for number, held in worker.held.items():
                position = held.protocol.position
                if not self.cluster.stateful or position is None or held.stage is None:
                    continue
                true = self.truth(number, position, "").state
                if worker.host.alive and held.is_newest and held.stage.state != true:
                    self.cluster.unsafe.append(
                        f"{worker.name} holds {held.stage.state} of {number}, not {true}"
                    )

    def _check_logs(self) -> None:
        for number, position in enumerate(self.cluster.positions()):
            newest = self.cluster.newest(number)
            truth = self.truth(number, position, newest.cursor if newest else "")
            self.cluster.unsafe += self._wrong_logs(number, truth)

    def _wrong_logs(self, number: int, truth: Truth) -> Iterator[str]:
        logs = {topic: self.cluster.logs[topic, number] for topic in TOPICS}
        said = [entry.value for entry in logs["out"].committed()]
        if said != truth.said:
            yield f"outputs of {number}: {_difference(truth.said, said)}"
        yield from (f"{log.name}: a transaction is still open" for log in logs.values() if log.has_open)
        if not self.cluster.stateful:
            return
        rows = {entry.key: entry.value for entry in logs["rows"].committed() if entry.key[:1] != b"\0"}
        state = {key: value for key, value in rows.items() if value is not None}
        if state != truth.state:
            yield f"state of {number}: {state}, not {truth.state}"


def _difference(expected: list[str], actual: list[str]) -> str:
    for place, (one, other) in enumerate(zip(expected, actual, strict=False)):
        if one != other:
            return f"number {place} is {other!r}, not {one!r}"
    return f"there are {len(actual)}, not {len(expected)}"


def run_seed(seed: int, *, settings: Settings | None = None, verbose: bool = False) -> Verdict:
    """Play one seed to its end."""
    scenario = Scenario(seed, settings=settings or Settings(), verbose=verbose)
    scenario.run()
    world, cluster = scenario.world, scenario.cluster
    safety = "; ".join(cluster.unsafe[:_SHOWN])
    world.trace("end", safety, scenario.liveness)
    return Verdict(
        seed=seed,
        safety=safety,
        liveness=scenario.liveness,
        holes=cluster.holes,
        tombstones=cluster.tombstones_removed,
        fingerprint=world.fingerprint,
        commits=cluster.commits,
        faults=scenario.faults,
        seconds=world.now,
        events=world.events,
        lines=world.lines or (),
    )

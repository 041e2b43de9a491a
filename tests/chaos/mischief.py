"""The faults of a schedule, done one after the other; and cuts and lost answers all the while.

What cannot be done now is done later; what was not done in the end makes the verdict bad.
"""

import math
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Final

from infra.kafka.cluster import LocalCluster
from tests.chaos.beside import Beside
from tests.chaos.fleet import Fleet
from tests.chaos.profile import Fault, FaultKind, Profile, moments
from tests.chaos.wire import Wire

__all__ = ["Cutter", "Mischief", "asked"]

_POLL_S: Final = 0.05
_CUT_S: Final = 0.25
_STALLED_S_MAX: Final = 180.0
_AT_WORK_S_MAX: Final = 20.0
_DONE_S_MAX: Final = 120.0
_OF_WORKERS: Final = ("kill", "disk_loss", "term", "zombie")
# More in hand would meet one run again and again: then it is not a passing fault any more.
_TO_LOSE_MAX: Final = 4
_SAID: Final[dict[FaultKind, str]] = {
    "kill": "kill -9",
    "term": "terms",
    "disk_loss": "kill -9 with the disk lost",
    "zombie": "zombies",
    "broker_kill": "broker kills",
    "broker_freeze": "broker freezes",
    "sender_kill": "notifier kills",
}
_CUTS: Final = "dropped connections"
_LOSSES: Final = "lost commit answers"


def asked(profile: Profile) -> Counter[str]:
    """Name what a run is to do, and how often, as ``Verdict.done`` names it."""
    counts = Counter({_SAID[kind]: count for kind, count in profile.counts.items()})
    return counts + Counter({_CUTS: profile.drops, _LOSSES: profile.lost_answers})


class Mischief:
    """Does faults to workers and brokers.

    Args:
        fleet, cluster: to whom.
        kill_sender: kills the notifier, which its supervisor starts again; gives its pid, None if it did not run.
        lose_disk: removes what a worker keeps on its disk.
        say: told of each.
    """

    def __init__(
        self,
        *,
        fleet: Fleet,
        cluster: LocalCluster,
        kill_sender: Callable[[], int | None],
        lose_disk: Callable[[str], object],
        say: Callable[[str], None],
    ) -> None:
        self.done: Counter[str] = Counter()
        self._fleet, self._cluster = fleet, cluster
        self._kill_sender, self._lose_disk = kill_sender, lose_disk
        self._say = say
        self._ways: dict[FaultKind, Callable[[Fault], bool]] = {
            "kill": self._kill,
            "term": self._term,
            "disk_loss": self._disk_loss,
            "zombie": self._zombie,
            "broker_kill": self._broker_kill,
            "broker_freeze": self._broker_freeze,
            "sender_kill": self._sender,
        }

    def do(self, faults: Sequence[Fault], *, progress: Callable[[], float]) -> None:
        """Do each when the run is so far, `progress` from 0 to 1; ``TimeoutError`` when it stalls.

        One whose victim has just ended of itself is done when that one is back.
        """
        for fault in faults:
            self._await(fault.at, progress=progress)
            self._await_victim(fault)
            self._say(f"{fault.at:4.0%} {_SAID[fault.kind]} {self._victim(fault)}, {fault.pause_s:.1f} s")
            self.done[_SAID[fault.kind]] += self._done(fault)

    def _done(self, fault: Fault) -> bool:
        deadline = time.monotonic() + _DONE_S_MAX
        while not self._ways[fault.kind](fault):
            self._fleet.look()
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        return True

    def _await(self, at: float, *, progress: Callable[[], float]) -> None:
        moved_at, before = time.monotonic(), -1.0
        while (now := progress()) < at:
            self._fleet.look()
            if now != before:
                before, moved_at = now, time.monotonic()
            elif time.monotonic() - moved_at > _STALLED_S_MAX:
                raise TimeoutError(f"nothing moved for {_STALLED_S_MAX:g} s at {now:.0%} of the run")
            time.sleep(_POLL_S)

    def _await_victim(self, fault: Fault) -> None:
        """Let a worker that has only come back begin to commit: one without a transaction is no victim."""
        deadline = time.monotonic() + _AT_WORK_S_MAX
        while fault.kind in _OF_WORKERS and not self._fleet.is_at_work(fault.worker):
            self._fleet.look()
            if time.monotonic() > deadline:
                return  # the backlog may be done with, and nothing be left to commit
            time.sleep(_POLL_S)

    def _victim(self, fault: Fault) -> str:
        if fault.kind == "sender_kill":
            return ""
        return f"node {fault.node}" if fault.kind.startswith("broker") else fault.worker

    def _kill(self, fault: Fault) -> bool:
        if not self._fleet.kill(fault.worker):
            return False
        self._pause(fault)
        self._fleet.start(fault.worker)
        return True

    def _disk_loss(self, fault: Fault) -> bool:
        if not self._fleet.kill(fault.worker):
            return False
        self._lose_disk(fault.worker)
        self._pause(fault)
        self._fleet.start(fault.worker)
        return True

    def _term(self, fault: Fault) -> bool:
        self._fleet.stop(fault.worker)
        self._pause(fault)
        self._fleet.start(fault.worker)
        return True

    def _zombie(self, fault: Fault) -> bool:
        if not self._fleet.freeze(fault.worker):
            return False
        self._pause(fault)
        self._fleet.thaw(fault.worker)
        return True

    def _broker_kill(self, fault: Fault) -> bool:
        self._cluster.kill(fault.node)
        self._pause(fault)
        self._cluster.restart(fault.node)
        if self._cluster.nodes > 1:
            self._cluster.await_whole()
        return True

    def _broker_freeze(self, fault: Fault) -> bool:
        self._cluster.freeze(fault.node)
        self._pause(fault)
        self._cluster.thaw(fault.node)
        return True

    def _sender(self, fault: Fault) -> bool:
        if self._kill_sender() is None:
            return False
        self._pause(fault)
        return True

    def _pause(self, fault: Fault) -> None:
        """Let the fault last; the other workers are looked after meanwhile."""
        until = time.monotonic() + fault.pause_s
        while (left_s := until - time.monotonic()) > 0:
            self._fleet.look()
            time.sleep(min(_POLL_S, left_s))


class Cutter(Beside):
    """Cuts connections and loses answers at the moments of a seed, in a thread; a context."""

    def __init__(self, wires: Sequence[Wire], *, profile: Profile) -> None:
        super().__init__(name="cutter")
        self._wires = wires
        self._wanted = {_CUTS: profile.drops, _LOSSES: profile.lost_answers}
        self._all_due = threading.Event()
        self._chance = random.Random(profile.seed * 104_729 + 2)  # noqa: S311 - moments, no secret
        cuts = moments(profile.drops, duration_s=profile.duration_s, chance=self._chance)
        losses = moments(profile.lost_answers, duration_s=profile.duration_s, chance=self._chance)
        self._moments = sorted([(at, _CUTS) for at in cuts] + [(at, _LOSSES) for at in losses])

    @property
    def done(self) -> Counter[str]:
        """What was done so far, on all wires."""
        return Counter(
            {
                _CUTS: sum(wire.dropped for wire in self._wires),
                _LOSSES: sum(wire.lost for wire in self._wires),
            }
        )

    def finish(self) -> bool:
        """Let what is left be done as soon as it can be; say whether all of it was done."""
        self._all_due.set()
        done = self.done
        return all(done[what] >= wanted for what, wanted in self._wanted.items())

    def _run(self) -> None:
        started = time.monotonic()
        due: Counter[str] = Counter()
        moments_left = deque(self._moments)
        while not self._stop.wait(_CUT_S):
            passed_s = math.inf if self._all_due.is_set() else time.monotonic() - started
            while moments_left and moments_left[0][0] <= passed_s:
                due[moments_left.popleft()[1]] += 1
            # What cannot be done now, because a worker is away or commits seldom, is done later, one at
            # a time: or whoever comes back would meet all of it at once. An answer that was to be lost
            # when its worker died was not lost: another one is.
            under_way = Counter({_LOSSES: sum(wire.to_lose for wire in self._wires)})
            for what in due - self.done - under_way:
                self._do(what)

    def _do(self, what: str) -> None:
        """Do it to one of the workers' wires, to the other one if the first has no connection."""
        for wire in self._chance.sample(self._wires, k=len(self._wires)):
            if wire.drop() if what == _CUTS else wire.lose(at_most=_TO_LOSE_MAX):
                return

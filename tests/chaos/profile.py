"""What is done to the ledger in one run, derived from a seed: how much, how often, when and to whom.

Pure: the same profile gives the same schedule.
"""

import random
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["WORKERS", "Fault", "FaultKind", "Profile", "moments", "schedule"]

FaultKind = Literal["kill", "disk_loss", "term", "zombie", "broker_kill", "broker_freeze", "sender_kill"]
WORKERS: Final = ("a", "b")
# How much longer than its pause a fault keeps the schedule busy, in times of ``Profile.restart_s``.
_COST: Final[dict[FaultKind, float]] = {
    "kill": 1.0,
    "disk_loss": 1.0,
    "term": 1.0,
    "zombie": 1.0,
    "broker_kill": 1.4,
    "broker_freeze": 0.4,
    "sender_kill": 0.4,
}
_COST_OF_THREE: Final = 2.5  # a broker of three, until all replicas are in sync again


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One run.

    Attributes:
        seed: of business, schedule and moments.
        events: journal entries about accounts.
        rate: events a second, unless the faults need a longer run.
        kills: workers killed with -9; after three of ten the other worker takes over meanwhile.
        disk_losses: workers killed whose local store is gone as well.
        terms: workers told to stop, and started again.
        zombies: workers stopped beyond their session, then woken.
        drops: connections between workers and brokers that are cut.
        lost_answers: commits whose answer the worker never gets.
        broker_kills: brokers killed with -9 and started again, one after the other.
        broker_freezes: brokers stopped and woken.
        sender_kills: notifiers killed with -9; makes the run one with sendings.
        brokers: 1, or 3 with replication factor 3.
        backlog: all events are in the journal before the workers start.
        cleaner: the changelog has 1 MiB segments and a cleaner that never rests.
        sendings: intake, projector and notifiers run as well, and what was sent is judged.
        static: workers keep their group membership over a restart.
        session_s: a worker that is silent so long loses its partitions.
        restart_s: how long a worker may need to be at work again; makes the run long enough.
        run_max: records of one partition in a transaction, at most; fewer make more transactions.
        partitions, accounts, ticks: of the journal and of the business.
    """

    seed: int = 1
    events: int = 50_000
    rate: float = 2_000.0
    kills: int = 10
    disk_losses: int = 0
    terms: int = 0
    zombies: int = 0
    drops: int = 0
    lost_answers: int = 0
    broker_kills: int = 0
    broker_freezes: int = 0
    sender_kills: int = 0
    brokers: int = 1
    backlog: bool = False
    cleaner: bool = True
    sendings: bool = False
    static: bool = True
    session_s: float = 6.0
    restart_s: float = 10.0
    run_max: int = 8_000
    partitions: int = 4
    accounts: int = 0
    ticks: int = 24

    @property
    def accounts_made(self) -> int:
        """How many accounts: as said, else one for 25 events, 20,000 at most."""
        return self.accounts or min(20_000, max(40, self.events // 25))

    @property
    def counts(self) -> dict[FaultKind, int]:
        """How many of each kind of fault."""
        return {
            "kill": self.kills,
            "term": self.terms,
            "disk_loss": self.disk_losses,
            "zombie": self.zombies,
            "broker_kill": self.broker_kills,
            "broker_freeze": self.broker_freezes,
            "sender_kill": self.sender_kills,
        }

    @property
    def duration_s(self) -> float:
        """How long the load lasts: as the rate says, or as the faults need."""
        faults = schedule(self)
        costs = [_COST_OF_THREE if self._of_three(one) else _COST[one.kind] for one in faults]
        needed_s = sum(one.pause_s for one in faults) + self.restart_s * sum(costs)
        return max(self.events / self.rate, needed_s * 1.1)

    def _of_three(self, fault: "Fault") -> bool:
        return self.brokers > 1 and fault.kind == "broker_kill"

    @property
    def needs_wire(self) -> bool:
        """Whether something must stand between workers and brokers."""
        return bool(self.drops or self.lost_answers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: at which share of the run, to whom, and for how long."""

    at: float
    kind: FaultKind
    worker: str
    node: int
    pause_s: float


def schedule(profile: Profile) -> list[Fault]:
    """Give the faults in their order, spread over the run with jitter; none in its last twentieth."""
    chance = random.Random(profile.seed * 7919 + 1)  # noqa: S311 - a schedule, no secret
    kinds = [kind for kind, count in profile.counts.items() for _ in range(count)]
    chance.shuffle(kinds)
    faults = []
    for index, kind in enumerate(kinds):
        at = 0.03 + 0.92 * (index + chance.uniform(0.1, 0.9)) / len(kinds)
        faults.append(
            Fault(
                at=at,
                kind=kind,
                worker=chance.choice(WORKERS),
                node=index % profile.brokers,
                pause_s=_pause_s(kind, profile=profile, chance=chance),
            )
        )
    return faults


def _pause_s(kind: FaultKind, *, profile: Profile, chance: random.Random) -> float:
    """How long a fault lasts: a killed worker's absence, a frozen one's sleep."""
    if kind == "kill":
        takeover = chance.random() < 0.3
        return profile.session_s + chance.uniform(0.5, 2.5) if takeover else chance.uniform(0.0, 0.5)
    if kind == "zombie":
        return profile.session_s + chance.uniform(1.5, 4.0)
    if kind == "broker_freeze":
        return chance.uniform(0.5, 4.0)
    return chance.uniform(0.0, 1.5)


def moments(count: int, *, duration_s: float, chance: random.Random) -> list[float]:
    """Give `count` times in the first nine tenths of a run, one in each of so many equal parts."""
    part_s = 0.9 * duration_s / max(1, count)
    return [(index + chance.random()) * part_s for index in range(count)]

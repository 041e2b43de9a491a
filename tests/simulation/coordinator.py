"""The transaction coordinator and the group's: epochs, fencing, markers, offsets, generations.

Modelled after Kafka's first transaction protocol, which aiokafka speaks: the epoch changes
with ``InitProducerId`` and with a time-out only, so that an ``EndTxn`` that arrives late may
end a later transaction of the same epoch (KAFKA-17754). Markers are written some time after
the decision; until then the transactional id answers "not yet". Produced batches are checked
against the open transaction (KIP-890, first part), as brokers do since 3.6.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.clock import World
from tests.simulation.log import NotYet, Outdated, PartitionLog, Refused

__all__ = ["Group", "Transactional", "UnknownState"]

TRANSACTION_TIMEOUT_S = 10.0
SESSION_TIMEOUT_S = 10.0
REBALANCE_TIMEOUT_S = 20.0


class UnknownState(Refused):
    """No transaction is open that this could belong to."""


@dataclass(slots=True)
class _Open:
    logs: list[PartitionLog] = field(default_factory=list)
    offset: int | None = None
    began: int = 0


class Transactional:
    """One transactional id; `decided` is told of every transaction that will commit."""

    def __init__(
        self, world: World, group: "Group", partition: int, *, number: int, decided: Callable[..., None]
    ) -> None:
        self._world, self._group, self._partition = world, group, partition
        self.producer, self.epoch = number, -1
        self._decided = decided
        self._current: _Open | None = None
        self._ending = 0
        self._transactions = 0
        self._committed_last = False

    @property
    def busy(self) -> bool:
        """Whether a transaction is open, or not ended everywhere."""
        return self._current is not None or self._ending > 0

    def init(self) -> tuple[int, int]:
        """Take the id: abort what is open, then give a new epoch."""
        if self._current is not None:
            self.epoch += 1
            self._end(commit=False)
        if self._ending:
            raise NotYet("transaction")
        self.epoch += 1
        self._world.trace("init", self._partition, self.epoch)
        return self.producer, self.epoch

    def add(self, epoch: int, logs: Sequence[PartitionLog]) -> None:
        """Take partitions into the transaction; the first ones open it."""
        self._check(epoch)
        if self._ending:
            raise NotYet("transaction")
        current = self._begun()
        current.logs += [log for log in logs if log not in current.logs]

    def produce(self, epoch: int, log: PartitionLog, items: list[tuple[Any, Any]], number: int) -> int:
        """Write a batch."""
        self._check(epoch)
        if self._current is None or log not in self._current.logs:
            raise UnknownState(log.name)
        return log.append_once(items, producer=self.producer, epoch=epoch, number=number)

    def commit_offset(self, epoch: int, offset: int) -> None:
        """Take the group's offset into the transaction."""
        self._check(epoch)
        if self._ending:
            raise NotYet("transaction")
        self._begun().offset = offset

    def end(self, epoch: int) -> None:
        """Commit; what has been committed already, with nothing open since, is well."""
        self._check(epoch)
        if self._current is None:
            if self._ending:
                raise NotYet("transaction")
            if not self._committed_last:
                raise UnknownState("nothing to commit")
            return
        self._end(commit=True)

    def abort(self, epoch: int) -> None:
        """Abort what is open, if anything is."""
        self._check(epoch)
        if self._current is not None:
            self._end(commit=False)

    def _check(self, epoch: int) -> None:
        if epoch != self.epoch:
            raise Outdated(f"epoch {epoch}, it is {self.epoch}")

    def _begun(self) -> _Open:
        if self._current is None:
            self._transactions += 1
            self._current = _Open(began=self._transactions)
            self._world.after(TRANSACTION_TIMEOUT_S, self._time_out, self._transactions)
        return self._current

    def _time_out(self, number: int) -> None:
        if self._current is not None and self._current.began == number:
            self.epoch += 1
            self._end(commit=False)

    def _end(self, *, commit: bool) -> None:
        current = self._current
        assert current is not None
        self._current = None
        self._committed_last = commit
        self._world.trace("commit" if commit else "abort", self._partition, self.epoch, current.offset)
        if commit:
            self._decided(self._partition, self.producer, current.offset)
        for log in current.logs:
            self._ending += 1
            self._world.after(self._soon(), self._write_marker, log, self.epoch, commit)
        if commit and current.offset is not None:
            self._ending += 1
            self._world.after(self._soon(), self._write_offset, current.offset)

    def _write_marker(self, log: PartitionLog, epoch: int, commit: bool) -> None:
        log.mark(self.producer, epoch, commit=commit)
        self._ending -= 1

    def _write_offset(self, offset: int) -> None:
        self._group.offset_after(self._world.chance.random() ** 4 * 0.1, self._partition, offset)
        self._ending -= 1

    def _soon(self) -> float:
        chance = self._world.chance
        return chance.random() * (0.005 if chance.random() < 0.9 else 0.5)


class Group:
    """The group: members, generations, who has which partition, and the offsets."""

    def __init__(self, world: World, *, partitions: int, is_late: bool) -> None:
        self._world = world
        self._partitions = partitions
        self._is_late = is_late
        self.offsets: dict[int, int] = {}
        self.generation = 0
        self._highest: dict[int, int] = {}
        self._members: dict[str, float] = {}  # by name: when heard of last
        self._joined: dict[str, float] | None = None  # while it rebalances
        self._assignment: dict[str, list[int]] = {}
        self._began = 0.0

    # -- offsets --------------------------------------------------------------

    def committed(self, partition: int) -> int | None:
        """Read an offset."""
        return self.offsets.get(partition)

    def offset_after(self, seconds: float, partition: int, offset: int) -> None:
        """Let an offset be seen a moment after its transaction has ended, as before Kafka 4."""
        if self._is_late:
            self._world.after(seconds, self._set_offset, partition, offset)
        else:
            self._set_offset(partition, offset)

    def _set_offset(self, partition: int, offset: int) -> None:
        if offset >= self._highest.get(partition, -1):
            self.offsets[partition] = self._highest[partition] = offset

    def expire(self, partition: int) -> None:
        """Forget an offset, as after days without a member."""
        self.offsets.pop(partition, None)

    # -- membership -----------------------------------------------------------

    def join(self, member: str, known: int) -> tuple[int, list[int]] | None:
        """Join, or ask again; the assignment once all have joined, None until then.

        `known` is the generation that the member knows of already.
        """
        self._expire_members()
        if self._joined is None:
            if self.generation > known and member in self._assignment and member in self._members:
                self._members[member] = self._world.now
                return self.generation, self._assignment[member]
            self._begin()
        assert self._joined is not None
        self._joined[member] = self._world.now
        self._complete()
        return None

    def heartbeat(self, member: str, generation: int) -> bool:
        """Say whether the member may go on as it is."""
        self._expire_members()
        if self._joined is not None or generation != self.generation or member not in self._members:
            if member in self._members:
                self._members[member] = self._world.now
            return False
        self._members[member] = self._world.now
        return True

    def leave(self, member: str) -> None:
        """Go."""
        if self._members.pop(member, None) is not None and self._joined is None:
            self._begin()

    def look(self) -> None:
        """Find who was silent for too long; to be called from time to time."""
        self._expire_members()
        self._complete()

    def _expire_members(self) -> None:
        limit = self._world.now - SESSION_TIMEOUT_S
        gone = [name for name, heard in self._members.items() if heard < limit]
        for name in gone:
            del self._members[name]
        if gone and self._joined is None:
            self._begin()

    def _begin(self) -> None:
        self._joined = {}
        self._began = self._world.now

    def _complete(self) -> None:
        joined = self._joined
        if not joined:
            return
        late = self._world.now > self._began + REBALANCE_TIMEOUT_S
        if not late and any(name not in joined for name in self._members):
            return
        self._joined = None
        self.generation += 1
        names = sorted(joined)
        self._members = dict.fromkeys(names, self._world.now)
        self._assignment = {
            name: list(range(number, self._partitions, len(names))) for number, name in enumerate(names)
        }
        self._world.trace("generation", self.generation, self._assignment)

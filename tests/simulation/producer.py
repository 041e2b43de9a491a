"""The transactional producer as the engine uses aiokafka's: what is sent again, and what never is.

``init``, adding partitions and batches are sent again when an answer is lost; the offset and
``EndTxn`` are not, the outcome is unknown then. The two methods at the end are what a canary
replaces.
"""

from collections.abc import Sequence
from typing import Any

from streams.engine.faults import BrokerAway, Fenced, OutcomeUnknown
from tests.simulation.clock import Call, Lost, Sleep, Steps, World
from tests.simulation.coordinator import Transactional
from tests.simulation.log import NotYet, Outdated, PartitionLog, Refused
from tests.simulation.network import REQUEST_TIMEOUT_S

__all__ = ["Batch", "Producer"]

Batch = tuple[PartitionLog, list[tuple[Any, Any]]]
_BACKOFF_S = 0.01


class Producer:
    """One partition's producer; after a fault it is initialised anew or left."""

    def __init__(self, world: World, coordinator: Transactional) -> None:
        self._world = world
        self._coordinator = coordinator
        self._epoch = -1
        self._numbers: dict[str, int] = {}

    @property
    def is_newest(self) -> bool:
        """Whether nobody has taken the transactional id since."""
        return self._epoch == self._coordinator.epoch

    def init(self) -> Steps[None]:
        """Take the transactional id."""
        try:
            _, self._epoch = yield from self._insist(self._coordinator.init, limit_s=2 * REQUEST_TIMEOUT_S)
        except (Lost, Refused) as error:
            raise BrokerAway(f"init: {error!r}") from error
        self._numbers = {}

    def commit(self, batches: Sequence[Batch], offset: int) -> Steps[list[int]]:
        """Write everything in one transaction; give each batch's first offset."""
        coordinator, epoch = self._coordinator, self._epoch
        try:
            if batches:
                yield from self._insist(coordinator.add, epoch, [log for log, _ in batches])
            offsets = []
            for log, items in batches:
                number = self._numbers.get(log.name, -1) + 1
                self._numbers[log.name] = number
                offsets.append((yield from self.send(log, items, number)))
            yield from self._commit_offset(offset)
            yield from self.end()
        except Outdated as error:
            raise Fenced(str(error)) from error
        except (Lost, Refused) as error:
            raise OutcomeUnknown(repr(error)) from error
        return offsets

    def prove(self) -> Steps[None]:
        """See ``Transactions.prove``."""
        try:
            yield from self._commit_offset(0)
            yield from self._insist(self._coordinator.abort, self._epoch)
        except Outdated as error:
            raise Fenced(str(error)) from error
        except (Lost, Refused) as error:
            raise OutcomeUnknown(repr(error)) from error

    def _insist(self, handler: Any, *args: Any, limit_s: float = REQUEST_TIMEOUT_S) -> Steps[Any]:
        """Ask until there is an answer, within a time."""
        deadline = self._world.now + limit_s
        while True:
            try:
                return (yield Call(handler, args))
            except (Lost, NotYet):
                if self._world.now > deadline:
                    raise
                yield Sleep(_BACKOFF_S)

    def _commit_offset(self, offset: int) -> Steps[None]:
        """Put the offset into the transaction: not sent again when its answer is lost."""
        deadline = self._world.now + REQUEST_TIMEOUT_S
        while True:
            try:
                yield Call(self._coordinator.commit_offset, (self._epoch, offset), once=True)
            except NotYet:
                if self._world.now > deadline:
                    raise
                yield Sleep(_BACKOFF_S)
            else:
                return

    def send(self, log: PartitionLog, items: list[tuple[Any, Any]], number: int) -> Steps[int]:
        """Write a batch and wait until it is written."""
        offset: int = yield from self._insist(self._coordinator.produce, self._epoch, log, items, number)
        return offset

    def end(self) -> Steps[None]:
        """Commit: asked once."""
        yield Call(self._coordinator.end, (self._epoch,), once=True)

"""What the engine asks of a stage, and what it gives it: records in, a step out.

The engine calls, per partition and in this order::

    restore*  (stateful only)   rows read back, before the first step
    step ──► commit             the step's transaction is in the log
         └─► discard            it is not, and the same records come again

``step`` is pure in effect: it may keep its result in memory until ``commit`` or
``discard``, and it must not do anything else. A raise is a bug and stops the worker.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

__all__ = ["NO_HEADERS", "Headers", "Output", "Record", "Stage", "StageSpec", "StatefulStage", "Step"]

Headers = list[tuple[str, bytes]]  # aiokafka takes no other sequence
NO_HEADERS: Headers = []


class Record(Protocol):
    """A consumed record; Kafka clients' records have this shape."""

    @property
    def offset(self) -> int:
        """Position in the partition."""

    @property
    def timestamp(self) -> int:
        """Milliseconds since the epoch: created or log-append time, as the topic is set."""

    @property
    def key(self) -> bytes | None:
        """The record's key."""

    @property
    def value(self) -> bytes | None:
        """The record's value; None is a tombstone."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """Pairs of name and bytes."""


class Output(NamedTuple):
    """A record to write to any topic."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers = NO_HEADERS


class Step(NamedTuple):
    """What one transaction holds.

    ``consumed`` records of the run are done with it. A stage that needs several
    transactions for one record consumes 0 of it and leaves a new ``cursor`` each time; it
    is handed back with the same record, also after a crash. ``pause`` (a reason) stops
    this partition after the step, until the worker is started again.
    """

    rows: Sequence[tuple[bytes, bytes | None]]
    outputs: Sequence[Output]
    consumed: int
    cursor: str = ""
    pause: str = ""


class Stage(Protocol):
    """The fold of one partition of one source topic."""

    def step(self, records: Sequence[Record], *, cursor: str) -> Step:
        """Fold some records from the first on; ``cursor`` is what the last step left."""

    def commit(self) -> None:
        """Make the last step the state."""

    def discard(self) -> None:
        """Forget the last step."""


class StatefulStage(Stage, Protocol):
    """A stage whose state is rows on a compacted changelog."""

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Take one row back (None: a tombstone), in log order; repeats are harmless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSpec:
    """A stage as it is wired: names are physical, that is, with the installation's prefix.

    Attributes:
        name: part of the transactional id, with group, topic and partition.
        sources: the topics that are read.
        targets: every topic that is written to, with the largest record each takes (bytes).
        open: makes the stage of (source topic, partition), given how many partitions each
            target has.
        changelog: the compacted topic of rows and newest link; "" for a stateless stage.
        chain: the topic that every link is appended to; "" for a stateless stage.
        fold_version: the version of the code that folds; written into each link.
    """

    name: str
    sources: tuple[str, ...]
    targets: Mapping[str, int]
    open: Callable[[str, int, Mapping[str, int]], Stage | StatefulStage]
    changelog: str = ""
    chain: str = ""
    fold_version: int = 1

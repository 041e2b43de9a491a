"""What the engine asks of a stage, and what it gives it: records in, a step out.

The engine calls, per partition and in this order::

    mark ──► wipe, restore*     (stateful only) nothing usable is there: everything is read
         └─► restore*           what was written since the mark is read
    step ──► commit             the step's transaction is in the log
         └─► discard            it is not, and the same records come again
    close                       (stateful only) the partition is dropped, or the worker stops

``step`` is pure in effect: it may keep its result in memory until ``commit`` or
``discard``, and it must not do anything else. A raise is a bug and stops the worker.

A mark is the engine's note of what a state holds. A stage keeps it with the state, in the
same write, and does not look into it; one without a local store forgets both together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

__all__ = [
    "NO_HEADERS",
    "Headers",
    "Output",
    "Record",
    "Row",
    "Stage",
    "StageSpec",
    "StatefulStage",
    "StatelessStage",
    "Step",
]

Headers = list[tuple[str, bytes]]  # aiokafka takes no other sequence
NO_HEADERS: Headers = []
Row = tuple[bytes, bytes | None]  # a value of None is a tombstone


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

    rows: Sequence[Row]
    outputs: Sequence[Output]
    consumed: int
    cursor: str = ""
    pause: str = ""


class Stage(Protocol):
    """The fold of one partition of one source topic: what both kinds have."""

    def step(self, records: Sequence[Record], *, cursor: str) -> Step:
        """Fold some records from the first on; ``cursor`` is what the last step left."""

    def discard(self) -> None:
        """Forget the last step."""


class StatelessStage(Stage, Protocol):
    """A stage that only passes on; what it remembers may be lost."""

    def commit(self) -> None:
        """Make the last step the state."""


class StatefulStage(Stage, Protocol):
    """A stage whose state is rows on a compacted changelog, with a copy of its own."""

    def mark(self) -> bytes | None:
        """Give the mark kept with the state; None: it is empty, or incomplete and must be wiped."""

    def restore(self, rows: Sequence[Row], *, mark: bytes | None) -> None:
        """Take rows back in log order, in bulk; repeats are harmless.

        ``mark`` is kept in the same write as the rows; None: the state is not complete yet.
        """

    def commit(self, *, mark: bytes) -> None:
        """The last step is in the log: make it the state, and keep the mark in the same write."""

    def wipe(self) -> None:
        """Forget all state and the mark."""

    def close(self) -> None:
        """Release what is held on disk; nothing is called after it."""


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
        row_version: the version of the rows' form; written into each link. A worker refuses a
            partition whose newest link has a higher one of either.
    """

    name: str
    sources: tuple[str, ...]
    targets: Mapping[str, int]
    open: Callable[[str, int, Mapping[str, int]], StatelessStage | StatefulStage]
    changelog: str = ""
    chain: str = ""
    fold_version: int = 1
    row_version: int = 1

"""What the protocol asks for and what it is told: plain values, the same live and simulated.

An action is either done at once (``AtOnce``: nothing comes back, it cannot fail for reasons
outside) or awaited (``Awaited``: an answer or a fault comes back, and until then the protocol
asks for no other). Each class says what answers it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from streams.engine.chain import Link, LogBounds
from streams.engine.stage import Record, Row

__all__ = [
    "Action",
    "AtOnce",
    "Awaited",
    "CloseProducer",
    "CloseReader",
    "CloseStage",
    "Commit",
    "CommitOffset",
    "CommitStage",
    "Committed",
    "DiscardStage",
    "Fold",
    "Folded",
    "InitProducer",
    "LookAround",
    "NotTaken",
    "Notice",
    "OpenSource",
    "OpenStage",
    "ProveProducer",
    "ReadChangelog",
    "Rejoin",
    "Release",
    "Restore",
    "RowsRead",
    "Run",
    "ShutSource",
    "Stop",
    "Surroundings",
    "Taken",
    "Wait",
    "WipeStage",
]


class Run(NamedTuple):
    """Records of one partition that were fetched in one go; none: control records only."""

    topic: str
    partition: int
    records: list[Any]
    before: int
    after: int
    epoch: int


# -- answers ------------------------------------------------------------------


class Surroundings(NamedTuple):
    """What is found around a partition; from ``changelog`` on only of a stage that has one.

    ``mark_age_ms_max``: half of the changelog's own ``delete.retention.ms``, see ``mark.unfit``.
    """

    at_ms: int
    group_offset: int | None
    source: LogBounds
    changelog: LogBounds = LogBounds(0, 0)
    source_id: str = ""
    changelog_id: str = ""
    mark_age_ms_max: int = 0


class RowsRead(NamedTuple):
    """One fetch of the changelog: committed rows and links, in order, and where it stands.

    ``position`` is where the next fetch goes on, ``stable`` up to where no transaction is
    open, ``high`` the high watermark. ``answer`` is another one for each answer of the
    broker: a read that gave up waiting shows the one before again.
    """

    rows: Sequence[Row]
    links: Sequence[Link]
    position: int
    stable: int
    high: int
    at_ms: int
    answer: int


class Folded(NamedTuple):
    """A step is ready, encoded and measured: see ``stage.Step``."""

    consumed: int
    cursor: str = ""
    pause: str = ""


class Committed(NamedTuple):
    """A transaction is in the log; ``changelog_next`` is the offset after its link."""

    changelog_next: int
    at_ms: int


# -- at once ------------------------------------------------------------------


class AtOnce:
    """Done at once, in the order given; nothing comes back."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Notice(AtOnce):
    """Log a line; ``level`` is that of ``logging``."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Taken(AtOnce):
    """What was asked for by ``take`` is done."""


@dataclass(frozen=True, slots=True)
class NotTaken(AtOnce):
    """It is not; ``fault`` None: somebody else has it, or it was asked back meanwhile."""

    fault: BaseException | None


@dataclass(frozen=True, slots=True)
class ShutSource(AtOnce):
    """Deliver nothing more."""


@dataclass(frozen=True, slots=True)
class Release(AtOnce):
    """A run is done with: the next may come."""

    run: Run


@dataclass(frozen=True, slots=True)
class WipeStage(AtOnce):
    """Forget all state and its mark."""


@dataclass(frozen=True, slots=True)
class Restore(AtOnce):
    """Put rows back into the stage; see ``StatefulStage.restore``."""

    rows: Sequence[Row]
    mark: bytes | None


@dataclass(frozen=True, slots=True)
class CommitStage(AtOnce):
    """Make the last step the state; `mark` is None for a stage without a changelog."""

    mark: bytes | None


@dataclass(frozen=True, slots=True)
class DiscardStage(AtOnce):
    """Forget the last step."""


@dataclass(frozen=True, slots=True)
class CloseStage(AtOnce):
    """Let the stage go."""


# -- awaited ------------------------------------------------------------------


class Awaited:
    """An answer, or a fault, comes back."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class InitProducer(Awaited):
    """Take the transactional id: fences whoever had it, ends his transaction. → None."""


@dataclass(frozen=True, slots=True)
class ProveProducer(Awaited):
    """Find out whether the transactional id is still ours; nothing is committed. → None, or ``Fenced``."""


@dataclass(frozen=True, slots=True)
class LookAround(Awaited):
    """→ ``Surroundings``."""


@dataclass(frozen=True, slots=True)
class OpenStage(Awaited):
    """Make or find the stage. → its mark, None when it has none."""


@dataclass(frozen=True, slots=True)
class ReadChangelog(Awaited):
    """Fetch committed records from `position` on (None: from the log's start). → ``RowsRead``."""

    position: int | None


@dataclass(frozen=True, slots=True)
class CloseReader(Awaited):
    """Nothing more is read for now. → None."""


@dataclass(frozen=True, slots=True)
class CommitOffset(Awaited):
    """Commit the group's offset, nothing else, in a transaction. → None."""

    position: int


@dataclass(frozen=True, slots=True)
class OpenSource(Awaited):
    """Deliver records from `position` on. → the epoch of the runs to come, -1: not assigned now."""

    position: int


@dataclass(frozen=True, slots=True)
class Fold(Awaited):
    """Fold some of the records, from the first on. → ``Folded``."""

    records: Sequence[Record]
    cursor: str


@dataclass(frozen=True, slots=True)
class Commit(Awaited):
    """Write the last step, the link and the offset in one transaction. → ``Committed``.

    ``folded`` False: there is no step, the position moves over control records only.
    """

    link: Link
    folded: bool


@dataclass(frozen=True, slots=True)
class Wait(Awaited):
    """→ None, after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class CloseProducer(Awaited):
    """Close the connections; a transaction that is open is the next owner's to end. → None."""


@dataclass(frozen=True, slots=True)
class Rejoin(Awaited):
    """Ask the group for a new assignment. → None."""


@dataclass(frozen=True, slots=True)
class Stop(Awaited):
    """Stop the worker: only a person or a restart can mend this. → None."""

    fault: BaseException


Action = AtOnce | Awaited

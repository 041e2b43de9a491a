"""What is folded here: numbers by key, in order, each of them said once; and the disk it is kept on.

A record's value is ``(kind, number)``: ``number`` is appended to its key's list, ``forget``
empties it (a tombstone), ``slices`` takes that many transactions. Rows are ``(key, list)``.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

__all__ = ["Disk", "SimulatedStage", "Source", "Truth", "fold_all", "slices_said"]


class Source(NamedTuple):
    """A record of the source; what the protocol looks at is its offset."""

    offset: int
    key: bytes
    kind: str
    number: int


class Truth(NamedTuple):
    """What must come of a partition's records."""

    state: dict[bytes, tuple[int, ...]]
    said: list[str]


def fold_all(records: Iterable[Source]) -> Truth:
    """Fold records without any engine."""
    state: dict[bytes, tuple[int, ...]] = {}
    said = []
    for record in records:
        if record.kind == "number":
            state[record.key] = (*state.get(record.key, ()), record.number)
            said.append(f"{record.key.decode()}={record.number}")
        elif record.kind == "forget":
            state.pop(record.key, None)
            said.append(f"{record.key.decode()} forgotten")
        else:
            said += slices_said(record, record.number)
    return Truth(state, said)


def slices_said(record: Source, count: int) -> list[str]:
    """Give what the first `count` slices of a record say."""
    return [f"slice {n} of {record.offset}" for n in range(1, count + 1)]


class Disk:
    """What a worker keeps of one partition: state and mark, always of the same moment."""

    def __init__(self, *, keeps: bool) -> None:
        self.keeps = keeps
        self.state: dict[bytes, tuple[int, ...]] = {}
        self.mark: bytes | None = None
        self._before: deque[tuple[dict[bytes, tuple[int, ...]], bytes | None]] = deque(maxlen=4)

    def write(self, rows: Iterable[tuple[bytes, Any]], mark: bytes | None) -> None:
        """Change rows and mark in one write."""
        self._before.append((self.state, self.mark))
        self.state = dict(self.state)
        for key, value in rows:
            if value is None:
                self.state.pop(key, None)
            else:
                self.state[key] = value
        self.mark = mark

    def wipe(self) -> None:
        """Forget everything."""
        self._before.append((self.state, self.mark))
        self.state, self.mark = {}, None

    def lose_power(self, writes: int) -> None:
        """Go back by some writes: the last ones had not reached the disk."""
        for _ in range(min(writes, len(self._before))):
            self.state, self.mark = self._before.pop()


class SimulatedStage:
    """A ``StatefulStage`` on a disk."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        if not disk.keeps:
            disk.wipe()
        self._changed: dict[bytes, Any] = {}

    @property
    def state(self) -> dict[bytes, tuple[int, ...]]:
        """The committed state."""
        return self._disk.state

    def mark(self) -> bytes | None:
        """See ``StatefulStage``."""
        return self._disk.mark

    def restore(self, rows: Sequence[tuple[bytes, Any]], mark: bytes | None) -> None:
        """See ``StatefulStage``."""
        self._disk.write(rows, mark)

    def commit(self, mark: bytes | None) -> None:
        """See ``StatefulStage``."""
        self._disk.write(self._changed.items(), mark)
        self._changed = {}

    def discard(self) -> None:
        """See ``StatefulStage``."""
        self._changed = {}

    def wipe(self) -> None:
        """See ``StatefulStage``."""
        self._disk.wipe()
        self._changed = {}

    def step(
        self, records: Sequence[Source], cursor: str
    ) -> tuple[list[tuple[bytes, Any]], list[str], int, str]:
        """Give rows, outputs, how many records are done with, and the cursor."""
        said: list[str] = []
        for index, record in enumerate(records):
            if record.kind == "slices":
                done = int(cursor or 0) + 1
                said.append(f"slice {done} of {record.offset}")
                if done < record.number:
                    return list(self._changed.items()), said, index, str(done)
                cursor = ""
                continue
            now = self._changed.get(record.key, self.state.get(record.key)) or ()
            forget = record.kind == "forget"
            self._changed[record.key] = None if forget else (*now, record.number)
            said.append(
                f"{record.key.decode()} forgotten" if forget else f"{record.key.decode()}={record.number}"
            )
        return list(self._changed.items()), said, len(records), cursor

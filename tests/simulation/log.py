"""One partition's log as Kafka keeps it: offsets, control records, open transactions, compaction.

Modelled: markers take offsets; a read of committed records stops at the last stable offset,
which trails the high watermark, also for a moment after a marker is written; right after a
fail-over the high watermark itself is shown too low; the cleaner replaces a log segment by
segment, from low to high, under the eyes of readers.
"""

from bisect import bisect_left
from typing import Any, NamedTuple

from tests.simulation.clock import World

__all__ = ["Entry", "Fetched", "NotYet", "OutOfOrder", "Outdated", "PartitionLog", "Refused"]


class Refused(Exception):  # noqa: N818 - what the broker said
    """The broker did not do it."""


class Outdated(Refused):
    """The producer's epoch is an old one."""


class OutOfOrder(Refused):
    """A batch before this one is missing."""


class NotYet(Refused):
    """Try again: a transaction is being ended, or a leader is new."""


class _Part:
    """One transaction's records in one log, and how they ended."""

    __slots__ = ("first", "outcome")

    def __init__(self, first: int) -> None:
        self.first = first
        self.outcome: bool | None = None


class Entry(NamedTuple):
    """A record; ``control`` is a transaction's marker."""

    offset: int
    key: Any
    value: Any
    part: _Part | None
    at: float
    control: bool = False


class Fetched(NamedTuple):
    """What one fetch showed."""

    entries: list[Entry]
    position: int
    stable: int
    high: int


class _Cleaning(NamedTuple):
    """One pass of the cleaner: offsets a segment, where it ends, the newest offset of each key below that."""

    segment: int
    limit: int
    newest: dict[Any, int]
    tombstones_before: float
    pause_s: float


class PartitionLog:
    """A log with one leader."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self.name = name
        self.entries: list[Entry] = []
        self.start = 0
        self.end = 0
        self.tombstones_removed = 0
        self._open: dict[int, _Part] = {}
        self._batches: dict[int, tuple[int, int, int]] = {}  # producer: epoch, last number, its offset
        self._unmarked: tuple[float, int] = (0.0, 0)  # until when, from which offset on
        self._unknown: tuple[float, int] = (0.0, 0)

    # -- writing --------------------------------------------------------------

    def append(self, items: list[tuple[Any, Any]], *, producer: int | None = None) -> int:
        """Append records, transactional with a producer; give the first one's offset."""
        first = self.end
        part = None
        if producer is not None:
            part = self._open.setdefault(producer, _Part(first))
        for key, value in items:
            self.entries.append(Entry(self.end, key, value, part, self._world.now))
            self.end += 1
        return first

    def append_once(self, items: list[tuple[Any, Any]], *, producer: int, epoch: int, number: int) -> int:
        """Append a producer's batch unless it is there already; give its offset."""
        known, last, offset = self._batches.get(producer, (-1, -1, -1))
        if epoch < known:
            raise Outdated(self.name)
        if epoch > known:
            last = -1
        if number == last:
            return offset
        if number != last + 1:
            raise OutOfOrder(self.name)
        offset = self.append(items, producer=producer)
        self._batches[producer] = (epoch, number, offset)
        return offset

    def mark(self, producer: int, epoch: int, *, commit: bool) -> None:
        """End a producer's transaction here; his older epochs write nothing more."""
        if epoch > self._batches.get(producer, (-1, -1, -1))[0]:
            self._batches[producer] = (epoch, -1, -1)
        part = self._open.pop(producer, None)
        if part is not None:
            part.outcome = commit
            self._unmarked = self._hidden(self._unmarked, self._world.chance.random() ** 3 * 0.3, part.first)
        self.entries.append(Entry(self.end, None, None, None, self._world.now, control=True))
        self.end += 1

    def fail_over(self, seconds: float) -> None:
        """Change the leader: the new one does not know for a moment how far all have come."""
        first = max(self.start, self.end - self._world.chance.randrange(6))
        self._unknown = self._hidden(self._unknown, seconds, first)

    def _hidden(self, before: tuple[float, int], seconds: float, offset: int) -> tuple[float, int]:
        now = self._world.now
        return (max(before[0], now + seconds), min(before[1], offset) if before[0] > now else offset)

    # -- reading --------------------------------------------------------------

    @property
    def stable(self) -> int:
        """Up to where readers of committed records may see."""
        stable = min((part.first for part in self._open.values()), default=self.end)
        until, first = self._unmarked
        return min(stable, self.high, first) if until > self._world.now else min(stable, self.high)

    @property
    def high(self) -> int:
        """Give the high watermark, as its leader knows it."""
        until, first = self._unknown
        return min(self.end, first) if until > self._world.now else self.end

    def pending(self, producer: int) -> list[Any]:
        """Give the values of a producer's open transaction."""
        part = self._open.get(producer)
        return [entry.value for entry in self.entries if part is not None and entry.part is part]

    @property
    def has_open(self) -> bool:
        """Whether a transaction has not ended here."""
        return bool(self._open)

    def bounds(self) -> tuple[int, int]:
        """Give start and end; a new leader that does not know the end yet says so."""
        if self._unknown[0] > self._world.now:
            raise NotYet(self.name)
        return self.start, self.stable

    def high_watermark(self) -> int:
        """Give the end; a new leader that does not know it yet says so."""
        if self._unknown[0] > self._world.now:
            raise NotYet(self.name)
        return self.high

    def fetch(self, position: int, count: int) -> Fetched:
        """Read committed records from `position` on."""
        stable = self.stable
        found: list[Entry] = []
        at = bisect_left(self.entries, position, key=_offset)
        for entry in self.entries[at:]:
            if entry.offset >= stable or len(found) == count:
                break
            position = entry.offset + 1
            if not entry.control and (entry.part is None or entry.part.outcome):
                found.append(entry)
        return Fetched(found, position, stable, self.high)

    def committed(self) -> list[Entry]:
        """Give all committed records, also those that readers are not shown yet."""
        return [one for one in self.entries if not one.control and (one.part is None or one.part.outcome)]

    # -- compacting -----------------------------------------------------------

    def clean(self, *, segment: int, tombstones_before: float, pause_s: float) -> None:
        """Let the cleaner begin: of what is stable now, the newest of each key will stay; `pause_s` a segment at most."""
        limit = max(self.start, self.stable - self._world.chance.randrange(2 * segment))
        newest = {entry.key: entry.offset for entry in self.committed() if entry.offset < limit}
        self._clean_segment(self.start, _Cleaning(segment, limit, newest, tombstones_before, pause_s))

    def _clean_segment(self, start: int, cleaning: "_Cleaning") -> None:
        end = min(start + cleaning.segment, cleaning.limit)
        first, last = (bisect_left(self.entries, offset, key=_offset) for offset in (start, end))
        before = self.entries[first:last]
        stay = [entry for entry in before if _stays(entry, cleaning)]
        self.entries[first:last] = stay
        self.tombstones_removed += sum(
            entry.value is None and cleaning.newest.get(entry.key) == entry.offset and not entry.control
            for entry in before
        ) - sum(entry.value is None for entry in stay)
        if end < cleaning.limit:
            wait_s = self._world.chance.random() * cleaning.pause_s
            self._world.after(wait_s, self._clean_segment, end, cleaning)


def _offset(entry: Entry) -> int:
    return entry.offset


def _stays(entry: Entry, cleaning: _Cleaning) -> bool:
    if entry.control or (entry.part is not None and not entry.part.outcome):
        return False
    if cleaning.newest.get(entry.key) != entry.offset:
        return False
    return entry.value is not None or entry.at >= cleaning.tombstones_before

"""Which rows of an account may be forgotten from which day on: a heap with lazy deletion.

Filled when it is first asked for, since most accounts never need it while
they are in memory; from then on kept up by what happens. Derived from rows;
never written.
"""

import datetime
import heapq
import zoneinfo
from collections.abc import Callable, Iterable

from processors.calendar import business_day
from processors.subjects import subject_of
from schemas.rows import SeenRow

__all__ = ["Entry", "PurgeIndex", "seen_until"]

_NOTHING = datetime.timedelta()
_UTC = zoneinfo.ZoneInfo("UTC")  # asked for by name, it is looked up for each account

Entry = tuple[datetime.date, str, str]  # from when on, kind of row, its key


class PurgeIndex:
    """Rows by the day from which they may be forgotten, and remembered events by what they speak of."""

    __slots__ = ("_heap", "_keep", "_seen", "_zone")

    def __init__(self) -> None:
        self._heap: list[Entry] | None = None
        self._seen: dict[str, list[str]] = {}
        self._keep = _NOTHING
        self._zone = _UTC

    @property
    def is_filled(self) -> bool:
        """Say whether all rows have been entered."""
        return self._heap is not None

    def clear(self) -> None:
        """Forget all: it is filled again when it is asked for."""
        self._heap = None
        self._seen = {}

    def fill(
        self,
        entries: Iterable[Entry],
        *,
        seen: Iterable[SeenRow],
        keep: datetime.timedelta,
        zone: zoneinfo.ZoneInfo,
    ) -> None:
        """Enter all rows there are."""
        self._keep, self._zone = keep, zone
        self._heap = list(entries)
        for row in seen:
            self.add_seen(row)
        heapq.heapify(self._heap)

    def enter(self, day: datetime.date, *, kind: str, key: str) -> None:
        """Enter a row; an earlier entry of it holds no more."""
        if self._heap is not None:
            heapq.heappush(self._heap, (day, kind, key))

    def add_seen(self, row: SeenRow) -> None:
        """Enter a remembered event: under what it speaks of, else by its own day."""
        if self._heap is None:
            return
        subject = subject_of(row.event)
        if subject:
            self._seen.setdefault(subject, []).append(row.key)
        else:
            heapq.heappush(self._heap, (seen_until(row, keep=self._keep, zone=self._zone), "seen", row.key))

    def take_seen(self, subject: str) -> list[str]:
        """List, and forget, the keys of the events that speak of a document or credit."""
        return self._seen.pop(subject, [])

    def pop(self, day: datetime.date) -> Entry | None:
        """Take the first entry out that is of ``day`` or before."""
        heap = self._heap
        return heapq.heappop(heap) if heap and heap[0][0] <= day else None

    def first(self, *, holds: Callable[[Entry], bool]) -> datetime.date | None:
        """Give the day of the first entry that still holds."""
        heap = self._heap
        while heap and not holds(heap[0]):
            heapq.heappop(heap)
        return heap[0][0] if heap else None


def seen_until(row: SeenRow, *, keep: datetime.timedelta, zone: zoneinfo.ZoneInfo) -> datetime.date:
    """Give the day until which an event that speaks of no document is remembered."""
    return business_day(row.event.occurred_at, zone) + keep

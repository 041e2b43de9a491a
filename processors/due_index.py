"""Which item of an account has its next step due first: a heap with lazy deletion.

Entries that no longer hold are dropped when they reach the top, so an event
costs O(log n) however many items are open. Derived from rows; never written.
"""

import datetime
import heapq

__all__ = ["DueIndex"]

_STALE_MAX = (
    64  # entries that no longer hold: more than this and than the live ones, and the heap is made anew
)


class DueIndex:
    """Next due day per item. ``ready`` is False until all items have been entered once."""

    __slots__ = ("_heap", "_next", "ready")

    def __init__(self) -> None:
        self._heap: list[tuple[datetime.date, str]] = []
        self._next: dict[str, datetime.date] = {}
        self.ready = False

    @property
    def is_set(self) -> bool:
        """Say whether anything has a day."""
        return bool(self._next)

    def set(self, item: str, due_on: datetime.date | None) -> None:
        """Enter an item's next due day, or that it has none."""
        if due_on is None:
            self._next.pop(item, None)
        elif self._next.get(item) != due_on:
            self._next[item] = due_on
            heapq.heappush(self._heap, (due_on, item))
            if len(self._heap) > 2 * len(self._next) + _STALE_MAX:
                self._heap = [(day, name) for name, day in self._next.items()]
                heapq.heapify(self._heap)

    def first(self) -> datetime.date | None:
        """Give the earliest next due day of all items."""
        heap, known = self._heap, self._next
        while heap:
            day, item = heap[0]
            if known.get(item) == day:
                return day
            heapq.heappop(heap)
        return None

    def until(self, day: datetime.date) -> list[str]:
        """List the items whose next step is due on or before ``day``, in order of (day, item)."""
        due = self._pop(day)
        self._push(due)
        return [item for _, item in due]

    def after(self, day: datetime.date) -> datetime.date | None:
        """Give the earliest next due day later than ``day``; costs what is due by then."""
        due = self._pop(day)
        later = self.first()
        self._push(due)
        return later

    def _pop(self, day: datetime.date) -> list[tuple[datetime.date, str]]:
        due: dict[tuple[datetime.date, str], None] = {}  # an item may have been entered twice for one day
        first = self.first()
        while first is not None and first <= day:
            due[heapq.heappop(self._heap)] = None
            first = self.first()
        return list(due)

    def _push(self, entries: list[tuple[datetime.date, str]]) -> None:
        for entry in entries:
            heapq.heappush(self._heap, entry)

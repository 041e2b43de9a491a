"""Which item of an account has its next step due first: a heap with lazy deletion.

Entries that no longer hold are dropped when they reach the top, so an event
costs O(log n) however many items are open.
"""

import datetime
import heapq

__all__ = ["DueIndex"]


class DueIndex:
    """Next due day per item. ``ready`` is False until all items have been entered once."""

    __slots__ = ("_heap", "_next", "ready")

    def __init__(self) -> None:
        self._heap: list[tuple[datetime.date, str]] = []
        self._next: dict[str, datetime.date] = {}
        self.ready = False

    def set(self, item: str, due_on: datetime.date | None) -> None:
        """Enter an item's next due day, or that it has none."""
        if due_on is None:
            self._next.pop(item, None)
        elif self._next.get(item) != due_on:
            self._next[item] = due_on
            heapq.heappush(self._heap, (due_on, item))

    def first(self) -> datetime.date | None:
        """Give the earliest next due day of all items."""
        heap = self._heap
        while heap and self._next.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def until(self, day: datetime.date) -> list[str]:
        """List the items whose next step is due on or before ``day``, in order of (day, item)."""
        due: list[tuple[datetime.date, str]] = []
        seen: set[str] = set()
        while self._heap and self._heap[0][0] <= day:
            entry = heapq.heappop(self._heap)
            if self._next.get(entry[1]) == entry[0] and entry[1] not in seen:
                seen.add(entry[1])
                due.append(entry)
        for entry in due:
            heapq.heappush(self._heap, entry)
        return [item for _, item in due]

    def after(self, day: datetime.date) -> datetime.date | None:
        """Give the earliest next due day later than ``day``."""
        return min((due_on for due_on in self._next.values() if due_on > day), default=None)

"""Names in the order of a number each has, such as its next time: a heap with lazy deletion.

A walk costs what it yields, not what there is (DESIGN 7).
"""

import heapq
from collections.abc import Iterator

__all__ = ["WakeIndex"]

_STALE_MAX = (
    64  # entries that no longer hold: more than this and than the live ones, and the heap is made anew
)


class WakeIndex:
    """One number a name: epoch seconds UTC for wakes."""

    __slots__ = ("_heap", "_wakes")

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        self._wakes: dict[str, int] = {}

    def set(self, name: str, number: int | None) -> None:
        """Enter a name's number, or that it has none."""
        if number is None:
            self._wakes.pop(name, None)
        elif self._wakes.get(name) != number:
            self._wakes[name] = number
            heapq.heappush(self._heap, (number, name))
            if len(self._heap) > 2 * len(self._wakes) + _STALE_MAX:
                self._heap = [(number, name) for name, number in self._wakes.items()]
                heapq.heapify(self._heap)

    def until(self, last: int) -> Iterator[tuple[int, str]]:
        """Walk (number, name) up to and including ``last``, in that order; not to be changed meanwhile."""
        walked: dict[tuple[int, str], None] = {}  # a name may have been entered twice with one number
        try:
            while (entry := self._first()) is not None and entry[0] <= last:
                heapq.heappop(self._heap)
                if entry not in walked:
                    walked[entry] = None
                    yield entry
        finally:
            for entry in walked:
                heapq.heappush(self._heap, entry)

    def _first(self) -> tuple[int, str] | None:
        heap = self._heap
        while heap and self._wakes.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0] if heap else None

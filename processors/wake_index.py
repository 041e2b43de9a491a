"""Which accounts of a partition a tick must look at: a heap with lazy deletion.

A tick costs what is due, not what there is (DESIGN 7).
"""

import heapq

__all__ = ["WakeIndex"]


class WakeIndex:
    """Wake times by account, in epoch seconds UTC."""

    __slots__ = ("_heap", "_wakes")

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        self._wakes: dict[str, int] = {}

    def set(self, account: str, wake_at_s: int | None) -> None:
        """Enter an account's wake time, or that it has none."""
        if wake_at_s is None:
            self._wakes.pop(account, None)
        elif self._wakes.get(account) != wake_at_s:
            self._wakes[account] = wake_at_s
            heapq.heappush(self._heap, (wake_at_s, account))

    def any_due(self, now_s: int) -> bool:
        """Say whether an account is to be looked at by ``now_s``."""
        self._drop_stale()
        return bool(self._heap) and self._heap[0][0] <= now_s

    def due(self, now_s: int, *, limit: int) -> list[str]:
        """List up to ``limit`` accounts due by ``now_s``, by (wake, account)."""
        entries: dict[str, tuple[int, str]] = {}
        while self.any_due(now_s) and len(entries) < limit:
            entry = heapq.heappop(self._heap)
            entries[entry[1]] = entry
        for entry in entries.values():
            heapq.heappush(self._heap, entry)
        return list(entries)

    def _drop_stale(self) -> None:
        heap = self._heap
        while heap and self._wakes.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)

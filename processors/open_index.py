"""Which open items of an account are overdue, which fall due next, and which have a sent level.

Filled at the account's first evaluation in memory, then kept up by what
changes, so that a tick costs what is overdue or due, not what is open.
Derived from rows; never written.
"""

import datetime
import heapq
from collections.abc import Callable, Mapping

from schemas.rows import ItemRow

__all__ = ["OpenIndex"]

_STALE_MAX = (
    64  # entries that no longer hold: more than this and than the live ones, and the heap is made anew
)


class OpenIndex:
    """Open items by due date.

    Attributes:
        is_filled: all items have been entered.
        levelled: open items of which a level was sent.
    """

    __slots__ = ("_coming", "_due", "_overdue", "is_filled", "levelled")

    def __init__(self) -> None:
        self._due: dict[str, datetime.date] = {}
        self._coming: list[tuple[datetime.date, str]] = []  # a heap with lazy deletion
        self._overdue: dict[str, None] = {}  # was overdue when last asked
        self.levelled: set[str] = set()
        self.is_filled = False

    def fill(self, items: Mapping[str, ItemRow], *, is_owed: Callable[[ItemRow], bool]) -> None:
        """Enter all items, once; ``is_owed``: what is open of it is no mere residual."""
        if not self.is_filled:
            self.is_filled = True
            for item in items.values():
                self.set(item, is_owed=is_owed(item))

    def set(self, item: ItemRow, *, is_owed: bool) -> None:
        """Enter an item as it stands now."""
        if not self.is_filled:
            return
        name = item.item
        if item.status != "open" or not is_owed:
            self._due.pop(name, None)
            self._overdue.pop(name, None)
            self.levelled.discard(name)
            return
        if self._due.get(name) != item.due_on:
            self._due[name] = item.due_on
            self._overdue.pop(name, None)
            heapq.heappush(self._coming, (item.due_on, name))
            if len(self._coming) > 2 * len(self._due) + _STALE_MAX:
                self._coming = [(day, each) for each, day in self._due.items() if each not in self._overdue]
                heapq.heapify(self._coming)
        if item.sent_level_on is not None:
            self.levelled.add(name)
        else:
            self.levelled.discard(name)  # it was given back (R19)

    def overdue(self, day: datetime.date) -> list[str]:
        """List what was due before ``day``."""
        coming, due = self._coming, self._due
        while coming and coming[0][0] < day:
            on, name = heapq.heappop(coming)
            if due.get(name) == on:
                self._overdue[name] = None
        # Its day is later than this one only where the company's zone has changed.
        return [name for name in self._overdue if due[name] < day]

    def next_due(self) -> datetime.date | None:
        """Give the first due date of what was not overdue when last asked."""
        coming, due = self._coming, self._due
        while coming and due.get(coming[0][1]) != coming[0][0]:
            heapq.heappop(coming)
        return coming[0][0] if coming else None

    def first_coming(self, day: datetime.date, *, is_wanted: Callable[[str], bool]) -> datetime.date | None:
        """Give the due date of the first item due on ``day`` or after that is wanted; costs what comes before it."""
        walked: dict[tuple[datetime.date, str], None] = {}
        found = None
        while self._coming and found is None:
            entry = heapq.heappop(self._coming)
            on, name = entry
            if self._due.get(name) == on and entry not in walked:
                walked[entry] = None
                if on >= day and is_wanted(name):
                    found = on
        for entry in walked:
            heapq.heappush(self._coming, entry)
        return found

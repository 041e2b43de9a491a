"""Live accounts in memory, within a number of rows: who was not needed for long is let go.

Two generations: what is asked for moves to the young one; when that is full, it becomes
the old one, and what was old and not asked for is gone. The store has it all. The partitions
of a worker share one budget, and turn their generations together. No account counts for more
than a quarter of a generation, so that a very large one does not drive all others out: memory
is bounded by the limit and by the largest accounts in use.
"""

from typing import Final
from weakref import WeakSet

from processors.account import Account

__all__ = ["CACHED_ROW_BYTES", "CACHE_ROWS_MAX", "AccountCache", "RowsBudget"]

# What a counted row takes: an account of one item, its objects and indexes, by tracemalloc (CPython 3.11).
CACHED_ROW_BYTES: Final = 3_060
CACHE_ROWS_MAX: Final = 170_000  # about 520 MB


class RowsBudget:
    """How many rows of live accounts the caches that share it hold together.

    Args:
        rows_max: of them all; each takes about ``CACHED_ROW_BYTES``.
    """

    def __init__(self, *, rows_max: int = CACHE_ROWS_MAX) -> None:
        self.half_max = max(1, rows_max // 2)
        # Weak: a cache whose partition is gone has nothing in memory either.
        self._caches: WeakSet[AccountCache] = WeakSet()

    @property
    def live_rows(self) -> int:
        """Count what is held now, both generations of all caches."""
        return sum(cache.weigh() for cache in self._caches)

    def share(self, cache: "AccountCache") -> None:
        """Let a cache count against this budget, until it is gone."""
        self._caches.add(cache)

    def keep(self) -> None:
        """Let go of what is old in every cache when there are too many rows."""
        if sum(cache.counted for cache in self._caches) <= self.half_max:
            return
        # Most written rows were there before: what there really is, is counted only now.
        if sum(cache.recount() for cache in self._caches) > self.half_max * 3 // 4:
            for cache in self._caches:
                cache.turn()


class AccountCache:
    """Live accounts by name; ``young`` are those that were asked for lately.

    Args:
        budget: what it shares with the caches of other partitions; one of its own when not given.
    """

    __slots__ = ("__weakref__", "_budget", "_old", "counted", "let_go", "young")

    def __init__(self, budget: RowsBudget | None = None) -> None:
        self._budget = budget or RowsBudget()
        self.young: dict[str, Account] = {}
        self._old: dict[str, Account] = {}
        self.counted = 0  # rows of the young, at most
        self.let_go = 0
        self._budget.share(self)

    def get(self, name: str) -> Account | None:
        """Give a live account; None: it must be built from its rows."""
        account = self.young.get(name)
        if account is None and self._old:
            account = self._old.pop(name, None)
            if account is not None:
                self.put(name, account)
        return account

    def put(self, name: str, account: Account) -> None:
        """Keep a live account."""
        self.young[name] = account
        self.counted += self._weight(account)

    def grow(self, rows: int) -> None:
        """Count rows that were written, and let go of the old when there are too many.

        Not to be called while a step of this partition holds accounts: they would be built a
        second time. A step of another partition that waits for its commit may hold some: it
        reads none before it is over, and then they come from their rows.
        """
        self.counted += rows
        self._budget.keep()

    def recount(self) -> int:
        """Count the rows of the young as they are."""
        self.counted = sum(map(self._weight, self.young.values()))
        return self.counted

    def turn(self) -> None:
        """Let go of the old; the young are old now."""
        self.let_go += len(self._old)
        self._old, self.young, self.counted = self.young, {}, 0

    def weigh(self) -> int:
        """Count the rows that are held, young and old."""
        return sum(map(self._weight, self.young.values())) + sum(map(self._weight, self._old.values()))

    def _weight(self, account: Account) -> int:
        return 1 + min(account.size(), self._budget.half_max // 4)

    def drop(self, name: str) -> None:
        """Forget one account: it is built from its rows again."""
        self.young.pop(name, None)
        self._old.pop(name, None)

    def clear(self) -> None:
        """Forget all accounts."""
        self.young, self._old, self.counted = {}, {}, 0

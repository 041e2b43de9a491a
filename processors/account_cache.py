"""Live accounts in memory, within a number of rows: who was not needed for long is let go.

Two generations: what is asked for moves to the young one; when that is full, it becomes
the old one, and what was old and not asked for is gone. The store has it all. No account
counts for more than a quarter of a generation, so that a very large one does not drive all
others out: memory is bounded by the limit and by the largest accounts in use.
"""

from processors.account import Account

__all__ = ["CACHE_ROWS_MAX", "AccountCache"]

CACHE_ROWS_MAX = 500_000  # about 1 KB each, with indexes


class AccountCache:
    """Live accounts by name; ``young`` are those that were asked for lately."""

    __slots__ = ("_counted", "_half_max", "_old", "let_go", "young")

    def __init__(self, *, rows_max: int = CACHE_ROWS_MAX) -> None:
        self._half_max = max(1, rows_max // 2)
        self.young: dict[str, Account] = {}
        self._old: dict[str, Account] = {}
        self._counted = 0
        self.let_go = 0

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
        self._counted += self._weight(account)

    def grow(self, rows: int) -> None:
        """Count rows that were written, and let go of the old when there are too many.

        Not to be called while a step holds accounts: they would be built a second time.
        """
        self._counted += rows
        if self._counted <= self._half_max:
            return
        # Most written rows were there before: what there really is, is counted only now.
        self._counted = sum(map(self._weight, self.young.values()))
        if self._counted > self._half_max * 3 // 4:
            self.let_go += len(self._old)
            self._old, self.young, self._counted = self.young, {}, 0

    def _weight(self, account: Account) -> int:
        return 1 + min(account.size(), self._half_max // 4)

    def drop(self, name: str) -> None:
        """Forget one account: it is built from its rows again."""
        self.young.pop(name, None)
        self._old.pop(name, None)

    def clear(self) -> None:
        """Forget all accounts."""
        self.young, self._old, self._counted = {}, {}, 0

"""What an audit must remember of a partition and cannot keep in memory: rows and sums, in a file of its own.

One SQLite file per partition in a temporary folder, thrown away afterwards: memory does not grow
with the number of accounts. It knows keys and numbers and nothing of what they mean.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["Sheet", "Sum"]

Sum = tuple[str, str, str, int]  # account, what, currency, amount in minor units

_TABLES = """
    PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -32000; PRAGMA temp_store = FILE;
    CREATE TABLE row (key BLOB PRIMARY KEY, kind TEXT NOT NULL, owner TEXT NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE sum (
        account TEXT, what TEXT, currency TEXT, amount INTEGER NOT NULL, PRIMARY KEY (account, what, currency)
    ) WITHOUT ROWID;
    CREATE TABLE sequence (account TEXT PRIMARY KEY, said INTEGER NOT NULL) WITHOUT ROWID;
"""


class Sheet:
    """A context; the file is gone when it ends."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "sheet.db"
        self._path.unlink(missing_ok=True)
        self._database = sqlite3.connect(self._path, isolation_level=None)
        self._database.executescript(_TABLES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
        self._path.unlink(missing_ok=True)

    # -- rows -----------------------------------------------------------------

    def put_rows(self, rows: Iterable[tuple[bytes, str, str, bytes | None]]) -> None:
        """Take rows (key, kind, owner, value) in log order; a value of None takes the row away."""
        newest = {row[0]: row for row in rows}
        kept = [row for row in newest.values() if row[3] is not None]
        gone = [row[:1] for row in newest.values() if row[3] is None]
        self._database.executemany("INSERT OR REPLACE INTO row VALUES (?, ?, ?, ?)", kept)
        self._database.executemany("DELETE FROM row WHERE key = ?", gone)

    def row(self, key: bytes) -> bytes | None:
        """Give a row's value."""
        found = self._database.execute("SELECT value FROM row WHERE key = ?", (key,)).fetchone()
        return None if found is None else bytes(found[0])

    def rows(self) -> Iterator[tuple[bytes, str, bytes]]:
        """Give all rows (key, owner, value), by key."""
        yield from self._database.execute("SELECT key, owner, value FROM row ORDER BY key")

    def count_rows(self) -> int:
        """Count the rows."""
        found: int = self._database.execute("SELECT count(*) FROM row").fetchone()[0]
        return found

    # -- sums -----------------------------------------------------------------

    def add(self, sums: Iterable[Sum]) -> None:
        """Add amounts to what is there."""
        self._database.executemany(
            "INSERT INTO sum VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount",
            sums,
        )

    def sums(self) -> Iterator[Sum]:
        """Give all sums, by account."""
        yield from self._database.execute("SELECT account, what, currency, amount FROM sum ORDER BY account")

    def money_rows(self) -> Iterator[tuple[str, bytes, bytes]]:
        """Give (owner, key, value) of rows of accounts, items and credits, by owner."""
        yield from self._database.execute(
            "SELECT owner, key, value FROM row WHERE kind IN ('account', 'item', 'credit') ORDER BY owner"
        )

    # -- sequences ------------------------------------------------------------

    def said(self, account: str) -> int:
        """Give the highest sequence number that a movement of the account had."""
        found = self._database.execute("SELECT said FROM sequence WHERE account = ?", (account,)).fetchone()
        return 0 if found is None else int(found[0])

    def say(self, numbers: Iterable[tuple[str, int]]) -> None:
        """Note the highest sequence number of accounts."""
        self._database.executemany("INSERT OR REPLACE INTO sequence VALUES (?, ?)", numbers)

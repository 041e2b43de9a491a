"""What one SQL transaction writes: the last word on each key, gathered from many records.

It owns order within a batch; it refuses to know what the rows mean: of items alone the sums beside them are
kept (``infra.projection.owed``).
"""

from collections import Counter, defaultdict
from typing import Any

from sqlalchemy import Column, Connection, Table

from infra.database import tables
from infra.database.bulk import Known, Values, remove, write
from infra.projection.owed import items_before, keep_owed, move_days

__all__ = ["Batch"]


class Batch:
    """Rows to write and keys to delete, deduplicated, applied together.

    Attributes:
        records: how many records it was made of, internal ones included.
        skipped: records that leave no row, by reason.
    """

    __slots__ = ("_facts", "_gone", "_rows", "records", "skipped")

    def __init__(self) -> None:
        self.records = 0
        self.skipped: Counter[str] = Counter()
        self._rows: defaultdict[Table, dict[Values, Values]] = defaultdict(dict)
        self._facts: defaultdict[Table, dict[Values, Values]] = defaultdict(dict)
        self._gone: defaultdict[tuple[Column[Any], ...], set[Values]] = defaultdict(set)

    def put(self, table: Table, *, key: Values, row: Values) -> None:
        """Write a row of state: the last one in a batch, and over what is there."""
        self._rows[table][key] = row

    def add(self, table: Table, *, key: Values, row: Values) -> None:
        """Write a fact: the first one stays, in the batch and in the table."""
        self._facts[table].setdefault(key, row)

    def forget(self, table: Table, *, key: Values) -> None:
        """Delete the rows whose primary key starts with `key`; later rows of the batch come after it."""
        columns = tuple(table.primary_key)[: len(key)]
        self._gone[columns].add(key)
        for rows in (self._rows[table], self._facts[table]):
            if len(columns) == len(table.primary_key):
                rows.pop(key, None)
            else:
                for known in [each for each in rows if each[: len(key)] == key]:
                    del rows[known]

    def rows(self, table: Table) -> list[Values]:
        """Give the rows of state that it writes to a table."""
        return list(self._rows[table].values())

    def apply(self, connection: Connection) -> None:
        """Delete, then write; tables in one order, so that two writers cannot wait for each other."""
        before = items_before(connection, keys=self._item_keys())
        for columns, keys in sorted(self._gone.items(), key=lambda each: each[0][0].table.name):
            remove(connection, columns=columns, keys=keys)
        self._write(connection, self._rows, "replaced")
        self._write(connection, self._facts, "left")
        keep_owed(connection, before=before, rows=self.rows(tables.items))
        if self._rows[tables.clocks] or self._rows[tables.companies]:
            move_days(connection)

    def _item_keys(self) -> set[Values]:
        gone = self._gone[tuple(tables.items.primary_key)]
        return {*gone, *self._rows[tables.items]}

    @staticmethod
    def _write(connection: Connection, written: dict[Table, dict[Values, Values]], known: Known) -> None:
        for table, rows in sorted(written.items(), key=lambda each: each[0].name):
            write(connection, table=table, rows=list(rows.values()), known=known)

"""What a row takes in a worker's memory: of a live account, and kept without a local store.

    python -m benchmarks.row_memory

Invoices are folded as the ledger does it, and Python's own allocator is asked (tracemalloc): objects, bytes and
indexes count, RocksDB's memory and the interpreter's own do not. docs/operations.md does its sums with these two.
"""

import argparse
import gc
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, save
from benchmarks.records import PlainRecord
from infra.local_rows import LocalRows
from processors.account_cache import RowsBudget
from processors.partition import Partition
from processors.row_store import MemoryRows
from schemas.events import InvoiceIssued
from schemas.fields import account_id
from schemas.journal import JournalEntry, encode_entry

__all__ = ["main"]

_RUN_RECORDS: Final = 500
_ITEMS: Final = 3  # of an account whose rows are kept


def main(arguments: Sequence[str] | None = None) -> None:
    """Print bytes per row of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=20_000)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    save([_live(chosen.accounts), _kept(chosen.accounts)], file=chosen.json)


def _live(accounts: int) -> Figure:
    """Keep accounts of one item live; their rows are on disk."""
    with tempfile.TemporaryDirectory() as folder:
        store = LocalRows(Path(folder) / "rows")
        budget = RowsBudget(rows_max=1_000 * accounts)
        partition = Partition(number=0, store=store, budget=budget)
        octets = _taken(lambda: _fold(partition, accounts=accounts, items=1))
        rows = budget.live_rows
        partition.close()
    return Figure(
        name="memory of a row of a live account",
        unit="bytes",
        values=[octets / rows],
        note=f"{accounts:,} accounts of one item",
    )


def _kept(accounts: int) -> Figure:
    """Keep rows in memory, and next to no account live."""
    store = MemoryRows()
    partition = Partition(number=0, store=store, budget=RowsBudget(rows_max=1))
    octets = _taken(lambda: _fold(partition, accounts=accounts, items=_ITEMS))
    rows = sum(1 for _ in store.items())
    return Figure(
        name="memory of a row without a local store",
        unit="bytes",
        values=[octets / rows],
        note=f"{accounts:,} accounts of {_ITEMS} items, {rows / accounts:.1f} rows each",
    )


def _taken(work: Callable[[], None]) -> int:
    """Give the bytes that are there after some work and were not before."""
    gc.collect()
    tracemalloc.start()
    work()
    gc.collect()
    octets, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return octets


def _fold(partition: Partition, *, accounts: int, items: int) -> None:
    records = _invoices(accounts, items=items)
    while run := list(islice(records, _RUN_RECORDS)):
        partition.step(run, cursor="")
        partition.commit(mark=b"m")


def _invoices(accounts: int, *, items: int) -> Iterator[PlainRecord]:
    for number in range(accounts * items):
        customer = f"C-{number // items}"
        event = InvoiceIssued(
            company="acme",
            customer=customer,
            occurred_at="2026-01-15",
            document=f"INV-{number}",
            currency="EUR",
            amount="100.00",
        )
        entry = JournalEntry(event, f"e-{number}", "/billing")
        yield PlainRecord(number, 0, account_id("acme", customer).encode(), encode_entry(entry))


if __name__ == "__main__":
    main()

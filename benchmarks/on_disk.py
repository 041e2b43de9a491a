"""A million accounts on disk: what they take of memory and disk, and how fast they come and go.

A partition with its rows in RocksDB takes the rows of all accounts back as from a
changelog; then a tick passes of which one account in a hundred is due, then events come to
accounts that are not in memory. Each figure is of one process with bounded caches.
"""

import argparse
import datetime
import gc
import random
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.core import account_rows, fold, pass_day
from benchmarks.figures import Figure, save
from benchmarks.workload import COMPANY, PLAN, PROFILE
from infra.local_rows import LocalRows, RowsMemory
from processors.account_cache import RowsBudget
from processors.partition import Partition
from schemas.events import PaymentReceived
from streams.settings import StreamSettings

__all__ = ["main"]

_ISSUED_ON = datetime.date(2026, 1, 5)
_DUE_DAYS, _LATER_DAYS = 10, 40
_DUE_EVERY = 100
_NAME = b"C-0000000"
_BATCH_ACCOUNTS = 5_000
_COLD_EVENTS = 20_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Print rows/s, decisions/s and events/s on accounts from disk, with the memory and disk they took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--cached-rows", type=int, default=StreamSettings().cached_rows_max)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    limits = StreamSettings()
    with tempfile.TemporaryDirectory() as folder:
        store = LocalRows(
            Path(folder),
            memory=RowsMemory(blocks_mib=limits.cached_blocks_mib, writes_mib=limits.unwritten_mib),
        )
        partition = Partition(number=0, store=store, budget=RowsBudget(rows_max=chosen.cached_rows))
        save(_figures(partition, accounts=chosen.accounts, folder=Path(folder)), file=chosen.json)
        partition.close()


def _figures(partition: Partition, *, accounts: int, folder: Path) -> list[Figure]:
    before_mib = _resident_mib()
    fold(partition, PROFILE, PLAN)
    rows, seconds = _take_back(partition, accounts=accounts)
    size = f"{accounts:,} accounts, {rows:,} rows in one partition"
    figures = [
        Figure(
            name="rows taken back onto disk",
            unit="rows/s",
            values=[rows / seconds],
            budget=200_000,
            note=size,
        )
    ]
    pass_day(partition, on=_ISSUED_ON)
    idle, _ = pass_day(partition, on=_ISSUED_ON + datetime.timedelta(days=1))
    figures.append(
        Figure(name="tick with nothing due, rows on disk", unit="ms", values=[idle * 1_000], note=size)
    )
    seconds, decisions = pass_day(partition, on=_ISSUED_ON + datetime.timedelta(days=_DUE_DAYS))
    note = f"{size}; {decisions:,} reminders decided in {seconds:.2f} s"
    figures.append(
        Figure(
            name="tick of which 1 % are due, rows on disk",
            unit="decisions/s",
            values=[decisions / seconds],
            note=note,
        )
    )
    seconds = _pay_at_random(partition, accounts=accounts)
    figures.append(
        Figure(
            name="payments to accounts that are not in memory",
            unit="events/s",
            values=[_COLD_EVENTS / seconds],
            note=size,
        )
    )
    note = f"{size}; the process, at most {before_mib:,.0f} MiB of it before the first row"
    figures.append(
        Figure(name="memory with rows on disk, at most", unit="MiB", values=[_resident_mib()], note=note)
    )
    on_disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    figures.append(
        Figure(name="disk of the local rows", unit="bytes/row", values=[on_disk / rows], note=size)
    )
    return figures


def _take_back(partition: Partition, *, accounts: int) -> tuple[int, float]:
    """Take the rows of all accounts back; give how many, and the seconds that the partition took."""
    count, seconds = 0, 0.0
    for rows in _batches(accounts):
        started = time.perf_counter()
        partition.restore(rows, mark=b"taken back")
        seconds += time.perf_counter() - started
        count += len(rows)
    return count, seconds


def _batches(accounts: int) -> Iterator[list[tuple[bytes, bytes]]]:
    due = account_rows(issued_on=_ISSUED_ON, due_days=_DUE_DAYS)
    later = account_rows(issued_on=_ISSUED_ON, due_days=_LATER_DAYS)
    for first in range(0, accounts, _BATCH_ACCOUNTS):
        rows = []
        for number in range(first, min(first + _BATCH_ACCOUNTS, accounts)):
            name = b"C-%07d" % number
            kind = later if number % _DUE_EVERY else due
            rows += [(key.replace(_NAME, name), value.replace(_NAME, name)) for key, value in kind]
        yield rows


def _pay_at_random(partition: Partition, *, accounts: int) -> float:
    chance = random.Random(7)  # noqa: S311 - a workload, no secret
    payments = [
        PaymentReceived(
            company=COMPANY,
            customer=f"C-{chance.randrange(accounts):07d}",
            occurred_at="2026-01-20",
            payment=f"PAY-{number}",
            currency="USD",
            amount="20.00",
        )
        for number in range(_COLD_EVENTS)
    ]
    gc.collect()
    started = time.perf_counter()
    for first in range(0, _COLD_EVENTS, 2_000):
        fold(partition, *payments[first : first + 2_000])
    return time.perf_counter() - started


def _resident_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()

"""What the parts without Kafka do: a tick over very many accounts, and letters (``letters.py``).

The tick's accounts are one account's rows, written by the fold, under as many names: one in
a hundred has an invoice that is due, the others one that is due in some weeks.
"""

import argparse
import datetime
import gc
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure, save
from benchmarks.letters import letters
from benchmarks.records import PlainRecord
from benchmarks.workload import COMPANY, PLAN, PROFILE
from processors.partition import Partition
from schemas.events import Contact, InvoiceIssued
from schemas.facts import ReminderDecided
from schemas.journal import JournalEntry, JournalEvent, TickPassed, encode_entry

__all__ = ["account_rows", "fold", "main", "pass_day"]

_ISSUED_ON = datetime.date(2026, 1, 5)
_DUE_DAYS, _LATER_DAYS = 10, 40
_NAME = "C-0000000"
_DUE_EVERY = 100


def main(arguments: Sequence[str] | None = None) -> None:
    """Print decisions/s of a tick, what a tick with nothing due costs, and letters/s."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    save([*_ticks(chosen.accounts), *letters()], file=chosen.json)


def _ticks(accounts: int) -> list[Figure]:
    partition = Partition(number=0)
    fold(partition, PROFILE, PLAN)
    # Each kind in a partition that only makes its rows.
    due, later = (account_rows(issued_on=_ISSUED_ON, due_days=days) for days in (_DUE_DAYS, _LATER_DAYS))
    for first in range(0, accounts, 10_000):
        rows = []
        for number in range(first, min(first + 10_000, accounts)):
            name = f"C-{number:07d}".encode()
            kind = later if number % _DUE_EVERY else due
            rows += [
                (key.replace(_NAME.encode(), name), value.replace(_NAME.encode(), name))
                for key, value in kind
            ]
        partition.restore(rows)
    gc.collect()
    gc.freeze()
    gc.disable()
    due_on = _ISSUED_ON + datetime.timedelta(days=_DUE_DAYS)
    # The first tick after a takeover looks at every account's company version: not what is measured.
    pass_day(partition, on=_ISSUED_ON)
    idle, none = pass_day(partition, on=_ISSUED_ON + datetime.timedelta(days=1))
    seconds, decisions = pass_day(partition, on=due_on)
    gc.enable()
    assert (none, decisions) == (0, -(-accounts // _DUE_EVERY)), (none, decisions)
    size = f"{accounts:,} accounts in one partition"
    return [
        Figure(
            name="tick of which 1 % of accounts are due",
            unit="decisions/s",
            values=[decisions / seconds],
            budget=20_000,
            note=f"{size}, {decisions:,} reminders decided in {seconds:.2f} s, encoded rows included",
        ),
        Figure(name="tick with nothing due", unit="ms", values=[idle * 1_000], note=size),
    ]


def account_rows(*, issued_on: datetime.date, due_days: int) -> list[tuple[bytes, bytes]]:
    """Fold one invoice of account ``C-0000000``, whose first step is due after ``due_days``; give its rows."""
    partition = Partition(number=0)
    fold(partition, PROFILE, PLAN)
    before = partition.rows()
    invoice = InvoiceIssued(
        company=COMPANY,
        customer=_NAME,
        occurred_at=issued_on.isoformat(),
        document="INV-1",
        currency="USD",
        amount="120.50",
        due_date=issued_on + datetime.timedelta(days=due_days + 3),  # the courtesy is 3 days before
        contact=Contact(email="payables@customer.example"),
    )
    fold(partition, invoice)
    return [(key, value) for key, value in partition.rows().items() if key not in before]


def pass_day(partition: Partition, *, on: datetime.date) -> tuple[float, int]:
    """Let a day pass; give seconds and reminders decided."""
    at = datetime.datetime.combine(on, datetime.time(18), datetime.UTC)
    started = time.perf_counter()
    decided = fold(partition, TickPassed(at=at, mode="played"))
    return time.perf_counter() - started, decided


def fold(partition: Partition, *events: JournalEvent) -> int:
    """Fold events as one run; give how many reminders were decided."""
    records = [
        PlainRecord(place, 0, b"", encode_entry(JournalEntry(event, f"e-{place}", "bench")))
        for place, event in enumerate(events)
    ]
    cursor, decided = "", 0
    while records:
        step = partition.step(records, cursor=cursor)
        if step.poison:
            raise RuntimeError(f"the fold raised: {step.poison[0]}")
        partition.commit()
        decided += sum(isinstance(fact, ReminderDecided) for fact in step.facts)
        records, cursor = records[step.consumed :], step.cursor
    return decided


if __name__ == "__main__":
    main()

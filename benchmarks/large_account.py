"""What one event costs on an account with very many open items, beside the same event on an account with one.

Each event is a step of its own: decoding, folding, deciding, encoding of rows, and the
commit to state in memory. Measured is processor time, since it is one thread's work; the
garbage collector is off, as in the worker between its own pauses.
"""

import argparse
import contextlib
import datetime
import gc
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.core import fold
from benchmarks.figures import Figure, save
from benchmarks.workload import COMPANY, PLAN, PROFILE
from infra.local_rows import LocalRows, RowsMemory
from processors.partition import Partition
from schemas.events import InvoiceIssued, ItemOpened, PaymentLine, PaymentReceived, PaymentReversed
from schemas.fields import account_id
from schemas.journal import JournalEvent, TickPassed
from schemas.outcomes import OutcomeReported
from schemas.rows import ReminderRow

__all__ = ["main", "measured"]

_CUSTOMER = "C-0000001"
_START = datetime.date(2026, 1, 5)
_FAR = datetime.date(2027, 12, 1)
_LONG_AGO = datetime.date(2025, 1, 10)
_TICK = "tick with few due"
_ROUNDS, _TICKS = 300, 40
_DUE_A_TICK = 3
_READS = 5


def main(arguments: Sequence[str] | None = None) -> None:
    """Print, per kind of event, how many times as much it costs on the large account."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    save(_figures(chosen.items), file=chosen.json)


def _figures(items: int) -> list[Figure]:
    small, large = measured(1, items)
    with _measuring():
        overdue = statistics.median(_ticks([_opened(_overdue(items))])[0])
    several = Figure(
        name=f"tick with few due on an account with {items:,} overdue items, which its reminder sums up",
        unit="ms",
        values=[overdue * 1e3],
    )
    back = statistics.median(_read_back(items))
    first = Figure(
        name=f"first event on an account with {items:,} open items that is not in memory",
        unit="ms",
        values=[back * 1e3],
        note="its rows are on disk, and are read whole (decision 0011)",
    )
    return [*_ratios(small, large, items=items), several, first]


def _ratios(small: dict[str, float], large: dict[str, float], *, items: int) -> list[Figure]:
    return [
        Figure(
            name=f"account with {items:,} open items: {kind}",
            unit="× one item",
            values=[large[kind] / small[kind]],
            budget=2,
            at_most=True,
            note=f"{large[kind] * 1e6:,.0f} µs against {small[kind] * 1e6:,.0f} µs",
        )
        for kind in small
    ]


def measured(*sizes: int) -> list[dict[str, float]]:
    """Give the median seconds of each kind of event on accounts with so many open items, none of them due.

    The accounts take turns with each event, so that what else the machine does meets all of them.
    """
    partitions = [
        _opened([_invoice(f"OLD-{number:06d}", due=_FAR) for number in range(size)]) for size in sizes
    ]
    with _measuring():
        return _costs(partitions)


def _read_back(items: int) -> list[float]:
    """Give the seconds of an event that finds the account on disk only, several times."""
    with tempfile.TemporaryDirectory() as folder:
        store = LocalRows(Path(folder), memory=RowsMemory(blocks_mib=64, writes_mib=64))
        partition = Partition(number=0, store=store)
        _fill(partition, [_invoice(f"OLD-{number:06d}", due=_FAR) for number in range(items)])
        seconds = []
        for number in range(_READS):
            partition.restore([], mark=b"forgotten")
            started = time.process_time()
            fold(partition, _invoice(f"COLD-{number}", due=_FAR))
            seconds.append(time.process_time() - started)
        partition.close()
    return seconds


def _overdue(items: int) -> list[JournalEvent]:
    """Make items that have all been reminded of to the end of their plan."""
    return [
        ItemOpened(
            company=COMPANY,
            customer=_CUSTOMER,
            occurred_at=_START.isoformat(),
            document=f"OLD-{number:06d}",
            currency="USD",
            amount="100.00",
            open_amount="100.00",
            issue_date=_LONG_AGO,
            due_date=_LONG_AGO,
            level="third",
            last_reminder_on=_LONG_AGO,
        )
        for number in range(items)
    ]


def _opened(events: Sequence[JournalEvent]) -> Partition:
    """Give an account that has heard some events, and passed a tick."""
    partition = Partition(number=0)
    _fill(partition, events)
    fold(partition, _tick(_START))
    return partition


def _fill(partition: Partition, events: Sequence[JournalEvent]) -> None:
    fold(partition, PROFILE, PLAN)
    for first in range(0, len(events), 5_000):
        fold(partition, *events[first : first + 5_000])


@contextlib.contextmanager
def _measuring() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def _costs(partitions: Sequence[Partition]) -> list[dict[str, float]]:
    """Measure one kind after the other; each leaves as many open items as there were before, about."""
    soon = _START + datetime.timedelta(days=10)
    kinds: dict[str, Callable[[int], JournalEvent]] = {
        "new invoice": lambda number: _invoice(f"NEW-{number}", due=soon),
        "payment that names its invoice": lambda number: _payment(f"P-{number}", f"NEW-{number}"),
        "reversal": lambda number: _reversal(f"P-{number}"),
        "payment, oldest first": lambda number: _payment(f"Q-{number}"),
    }
    costs: list[dict[str, float]] = [{} for _ in partitions]
    for kind, make in kinds.items():
        rounds = [[_seconds(each, make(number)) for each in partitions] for number in range(_ROUNDS)]
        for place, seconds in enumerate(zip(*rounds, strict=True)):
            costs[place][kind] = statistics.median(seconds)
    for place, ticks in enumerate(_ticks(partitions)):
        costs[place][_TICK] = statistics.median(ticks)
    return costs


def _ticks(partitions: Sequence[Partition]) -> list[list[float]]:
    """Let days pass on each of which a few invoices are due, reminded of, and paid before the next."""
    seconds: list[list[float]] = [[] for _ in partitions]
    for count in range(_TICKS):
        day = _START + datetime.timedelta(days=30 + 4 * count)
        for partition, ticks in zip(partitions, seconds, strict=True):
            ticks.append(
                _day(partition, day, names=[f"DUE-{count}-{number}" for number in range(_DUE_A_TICK)])
            )
    return seconds


def _day(partition: Partition, day: datetime.date, *, names: list[str]) -> float:
    """Give the seconds of a day's tick, at which some invoices are due."""
    fold(partition, *(_invoice(name, due=day) for name in names))
    seconds = _seconds(partition, _tick(day))
    account = partition.account(account_id(COMPANY, _CUSTOMER))
    reminder = account.reminders[account.row.open_reminder]
    assert [each.item for each in reminder.items] == names
    fold(partition, *(_accepted(reminder, channel=each, on=day) for each in reminder.deliveries))
    fold(partition, *(_payment(f"R-{name}", name) for name in names))
    return seconds


def _seconds(partition: Partition, event: JournalEvent) -> float:
    started = time.process_time()
    fold(partition, event)
    return time.process_time() - started


def _invoice(document: str, *, due: datetime.date) -> InvoiceIssued:
    return InvoiceIssued(
        company=COMPANY,
        customer=_CUSTOMER,
        occurred_at=_START.isoformat(),
        document=document,
        currency="USD",
        amount="100.00",
        due_date=due,
    )


def _payment(payment: str, *documents: str) -> PaymentReceived:
    return PaymentReceived(
        company=COMPANY,
        customer=_CUSTOMER,
        occurred_at=_START.isoformat(),
        payment=payment,
        currency="USD",
        amount="100.00",
        lines=tuple(PaymentLine(document=each) for each in documents),
    )


def _reversal(payment: str) -> PaymentReversed:
    return PaymentReversed(
        company=COMPANY, customer=_CUSTOMER, occurred_at=_START.isoformat(), payment=payment
    )


def _accepted(reminder: ReminderRow, *, channel: str, on: datetime.date) -> OutcomeReported:
    return OutcomeReported(
        company=COMPANY,
        customer=_CUSTOMER,
        occurred_at=on.isoformat(),
        reminder=reminder.reminder,
        channel=channel,  # type: ignore[arg-type]  # the delivery's own
        status="accepted",
    )


def _tick(day: datetime.date) -> TickPassed:
    at = datetime.datetime.combine(day, datetime.time(18), datetime.UTC)
    return TickPassed(at=at, mode="played")


if __name__ == "__main__":
    main()

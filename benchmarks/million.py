"""A million accounts in four partitions of one worker: its memory and disk, in a process as users start it.

    python -m benchmarks.million

An invoice for each account, days of which one account in a hundred has a step due, payments to accounts at random:
`cobranza worker ledger --member` works it off with the limits that are shipped. The memory is the most that the
process ever had, as the operating system has counted it, and not what a cache believes to hold.
"""

import argparse
import datetime
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, save
from benchmarks.workload import COMPANY, PLAN, PROFILE
from infra.kafka import consumers, topics
from infra.kafka.broker import LocalBroker
from infra.metrics.scrape import Answer, ask
from infra.ports import free_port
from infra.settings import Settings
from schemas.events import InvoiceIssued, PaymentReceived
from schemas.fields import account_id
from schemas.journal import BROADCAST_KEY, JournalEntry, JournalEvent, TickPassed, encode_entry

__all__ = ["main"]

_PARTITIONS: Final = 4
_FIRST_DAY: Final = datetime.date(2026, 1, 5)
_DUE_DAYS, _LATER_DAYS, _DUE_EVERY = 10, 60, 100
_PAYMENTS_PER_ACCOUNT: Final = 0.05
_STALLED_S_MAX: Final = 120.0
_POLL_S: Final = 0.2
_STOP_S_MAX: Final = 60.0

_Place = tuple[bytes, int | None, JournalEvent]  # key, partition (None: all), event


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the memory, the disk and the rate of a worker with so many accounts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, LocalBroker(Path(folder) / "kafka", heap="1g") as broker:
        settings = Settings(
            bootstrap_servers=broker.bootstrap_servers, partitions=_PARTITIONS, data_dir=Path(folder) / "data"
        )
        topics.apply(settings)
        records = _publish(settings, accounts=chosen.accounts)
        figures = _figures(
            settings, broker=broker.bootstrap_servers, accounts=chosen.accounts, records=records
        )
    save(figures, file=chosen.json)


def _publish(settings: Settings, *, accounts: int) -> int:
    """Write the journal; give how many records it has."""
    count = 0
    with consumers.producer(bootstrap_servers=settings.brokers(), linger_ms=50) as producer:
        for number, (key, partition, event) in enumerate(_business(accounts)):
            value = encode_entry(JournalEntry(event, f"e-{number}", "bench"))
            for each in range(_PARTITIONS) if partition is None else (partition,):
                producer.send(settings.topic("ledger.journal"), key=key, value=value, partition=each)
                count += 1
    return count


def _business(accounts: int) -> Iterator[_Place]:
    yield BROADCAST_KEY, None, PROFILE
    yield BROADCAST_KEY, None, PLAN
    yield _tick(0)
    for number in range(accounts):
        yield _of(number, _invoice(number))
    yield _tick(1)
    yield _tick(_DUE_DAYS)
    chance = random.Random(7)  # noqa: S311 - a workload, no secret
    for number in range(int(accounts * _PAYMENTS_PER_ACCOUNT)):
        payer = chance.randrange(accounts)
        yield _of(payer, _payment(payer, name=f"PAY-{number}"))
    yield _tick(_DUE_DAYS + 1)


def _tick(day: int) -> _Place:
    at = datetime.datetime.combine(_FIRST_DAY + datetime.timedelta(days=day), datetime.time(18), datetime.UTC)
    return BROADCAST_KEY, None, TickPassed(at=at, mode="played")


def _of(number: int, event: InvoiceIssued | PaymentReceived) -> _Place:
    return account_id(COMPANY, event.customer).encode(), number % _PARTITIONS, event


def _invoice(number: int) -> InvoiceIssued:
    terms = _LATER_DAYS if number % _DUE_EVERY else _DUE_DAYS
    return InvoiceIssued(
        company=COMPANY,
        customer=f"C-{number:07d}",
        occurred_at=_FIRST_DAY.isoformat(),
        document=f"INV-{number}",
        currency="USD",
        amount="120.50",
        due_date=_FIRST_DAY + datetime.timedelta(days=terms),
    )


def _payment(number: int, *, name: str) -> PaymentReceived:
    return PaymentReceived(
        company=COMPANY,
        customer=f"C-{number:07d}",
        occurred_at=(_FIRST_DAY + datetime.timedelta(days=_DUE_DAYS)).isoformat(),
        payment=name,
        currency="USD",
        amount="20.00",
    )


def _figures(settings: Settings, *, broker: str, accounts: int, records: int) -> list[Figure]:
    """Let a worker work it off, and look at it from outside."""
    port = free_port()
    environment = {
        **os.environ,
        "COBRANZA_BOOTSTRAP_SERVERS": broker,
        "COBRANZA_DATA_DIR": str(settings.data_dir),
        "COBRANZA_METRICS_PORT": str(port),
    }
    command = [sys.executable, "-m", "console", "worker", "ledger", "--member", "million"]
    log = settings.data_dir.parent / "log"
    with (
        log.open("wb") as text,
        subprocess.Popen(command, env=environment, stdout=text, stderr=text) as worker,
    ):
        try:
            first, begun_s = _await(worker, port, records=1, log=log)
            last, ended_s = _await(worker, port, records=records, log=log)
            most_mib = _most_mib(worker.pid)
        finally:
            worker.terminate()
            worker.wait(_STOP_S_MAX)
    rate = (last - first) / (ended_s - begun_s)
    on_disk = sum(file.stat().st_size for file in settings.data_dir.rglob("*") if file.is_file())
    note = f"{accounts:,} accounts in {_PARTITIONS} partitions of one `cobranza worker ledger --member`"
    return [
        Figure(
            name="memory of a worker with all accounts on disk, at most",
            unit="MiB",
            values=[most_mib],
            note=f"{note}, limits as shipped",
        ),
        Figure(
            name="its disk",
            unit="bytes/account",
            values=[on_disk / accounts],
            note=note,
        ),
        Figure(
            name="its events, an invoice for each account and payments at random",
            unit="events/s",
            values=[rate],
            note=f"{note}; {records:,} records, the broker on the same cores",
        ),
    ]


def _await(worker: "subprocess.Popen[bytes]", port: int, *, records: int, log: Path) -> tuple[float, float]:
    """Wait until the worker has committed so many records; give how many, and when.

    Raises:
        RuntimeError: it ended or stood still, with the end of its log.
    """
    seen, changed_s = 0.0, time.monotonic()
    while True:
        answer: Answer = ask(f"127.0.0.1:{port}")
        now_s, found = time.monotonic(), answer.total("cobranza_records_total")
        if found >= records:
            return found, now_s
        if found != seen:
            seen, changed_s = found, now_s
        if worker.poll() is not None or now_s - changed_s > _STALLED_S_MAX:
            raise RuntimeError(
                f"the worker stopped at {seen:,.0f} records\n{log.read_text(errors='replace')[-1500:]}"
            )
        time.sleep(_POLL_S)


def _most_mib(process: int) -> float:
    """Give the most memory that a process has had, as Linux counts it (proc(5): VmHWM)."""
    status = Path(f"/proc/{process}/status").read_text()
    [line] = [each for each in status.splitlines() if each.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()

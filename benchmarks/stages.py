"""How fast the stages are: events/s of intake and ledger through a real Kafka, exactly once.

Invoices and payments that name them, on many accounts. Publishing them is not measured;
measured is, per stage, from when a worker has its partitions until everything is
committed: fetching, folding, encoding, transactions.
"""

import argparse
import asyncio
import contextlib
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

from infra.kafka import consumers, topics
from infra.kafka.broker import LocalBroker
from infra.settings import Settings
from schemas.codec import TOPIC_OF_TYPE, encode, type_of
from schemas.envelope import Envelope, to_headers
from schemas.events import InvoiceIssued, PaymentLine, PaymentReceived
from streams.app import StageName, build_app
from streams.engine.garbage import collecting_by_hand
from streams.engine.serving import serve
from streams.engine.worker import EngineApp

__all__ = ["main"]

_WARM_UP_EVENTS = 10_000
_STALLED_S_MAX = 120.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure both stages and print the median and the range of their events/s."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000, help="per run, half invoices, half payments")
    parser.add_argument("--accounts", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, LocalBroker(Path(folder), heap="1g") as broker:
        measured: dict[StageName, list[float]] = {"intake": [], "ledger": []}
        for run in range(chosen.runs + 1):
            settings = Settings(bootstrap_servers=broker.bootstrap_servers, topic_prefix=f"bench{run}.")
            topics.apply(settings)
            events = chosen.events if run else _WARM_UP_EVENTS
            _publish(settings, events=events, accounts=chosen.accounts)
            for stage, rates in measured.items():
                rate = events / asyncio.run(_seconds(settings, stage=stage, events=events))
                if run:
                    rates.append(rate)
    for stage, rates in measured.items():
        _print(stage, rates=rates, events=chosen.events, accounts=chosen.accounts)


def _print(stage: str, *, rates: list[float], events: int, accounts: int) -> None:
    print(
        f"{stage:<8} {statistics.median(rates):>9,.0f} events/s "
        f"({min(rates):,.0f}–{max(rates):,.0f}; {len(rates)} runs of {events:,} events on {accounts:,} accounts)"
    )


def _publish(settings: Settings, *, events: int, accounts: int) -> None:
    with consumers.producer(bootstrap_servers=settings.brokers(), linger_ms=50) as producer:
        for number, event in enumerate(_events(events=events, accounts=accounts)):
            kind = type_of(event)
            headers = to_headers(Envelope(id=f"e-{number}", source="bench", type=kind))
            producer.send(
                settings.topic(TOPIC_OF_TYPE[kind]),
                key=event.customer.encode(),
                value=encode(event),
                headers=headers,
            )


def _events(*, events: int, accounts: int) -> Iterator[InvoiceIssued | PaymentReceived]:
    for number in range(events // 2):
        customer = f"C-{number * 7919 % accounts}"
        yield InvoiceIssued(
            company="acme",
            customer=customer,
            occurred_at="2026-01-15",
            document=f"INV-{number:08d}",
            currency="USD",
            amount="120.50",
        )
        yield PaymentReceived(
            company="acme",
            customer=customer,
            occurred_at="2026-02-10",
            payment=f"PAY-{number:08d}",
            currency="USD",
            amount="120.50",
            lines=(PaymentLine(document=f"INV-{number:08d}"),),
        )


async def _seconds(settings: Settings, *, stage: StageName, events: int) -> float:
    """Let a worker work off what there is; give the seconds that it took."""
    async with collecting_by_hand(), _working(build_app(settings, stage=stage)) as app:
        counters = app.engine.counters
        await _until_working(app)
        started = time.monotonic()
        deadline = started + _STALLED_S_MAX
        while counters.records < events:
            if time.monotonic() > deadline or app.crash_reason is not None:
                raise RuntimeError(f"{stage} stopped at {counters}") from app.crash_reason
            await asyncio.sleep(0.005)
        return time.monotonic() - started


async def _until_working(app: EngineApp) -> None:
    assigned = asyncio.Event()

    async def assign(*_: object, **__: object) -> None:
        assigned.set()

    app.on_rebalance_complete.connect(assign, weak=False)
    await assigned.wait()


@contextlib.asynccontextmanager
async def _working(app: EngineApp) -> AsyncIterator[EngineApp]:
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(app, stop=stop))
    try:
        yield app
    finally:
        stop.set()
        await serving


if __name__ == "__main__":
    main()

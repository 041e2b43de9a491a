"""How fast intake is: events/s through a real Kafka, exactly once.

Invoices and payments that name them, on many accounts. Publishing them is not measured;
measured is from when a worker has its partitions until everything is committed: fetching,
validation, re-keying, transactions.
"""

import argparse
import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from benchmarks.figures import Figure, save
from benchmarks.workload import journal
from infra.kafka import consumers, topics
from infra.kafka.broker import LocalBroker
from infra.settings import Settings
from schemas.codec import TOPIC_OF_TYPE, encode, type_of
from schemas.envelope import Envelope, to_headers
from schemas.events import InvoiceIssued, PaymentReceived
from streams.app import build_app
from streams.engine.garbage import collecting_by_hand
from streams.engine.serving import serve
from streams.engine.worker import EngineApp

__all__ = ["main", "until_folded", "working"]

_WARM_UP_EVENTS = 10_000
_STALLED_S_MAX = 120.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Print intake's events/s."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000, help="per run")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    rates: list[float] = []
    with tempfile.TemporaryDirectory() as folder, LocalBroker(Path(folder), heap="1g") as broker:
        for run in range(chosen.runs + 1):
            settings = Settings(
                bootstrap_servers=broker.bootstrap_servers, topic_prefix=f"bench{run}.", data_dir=Path(folder)
            )
            topics.apply(settings)
            events = chosen.events if run else _WARM_UP_EVENTS
            _publish(settings, events=events)
            rate = events / asyncio.run(_seconds(settings, events=events))
            if run:
                rates.append(rate)
    figure = Figure(
        name="intake: validate, re-key, exactly once",
        unit="events/s",
        values=rates,
        budget=60_000,
        note=f"{chosen.events:,} events each",
    )
    save([figure], file=chosen.json)


def _publish(settings: Settings, *, events: int) -> None:
    with consumers.producer(bootstrap_servers=settings.brokers(), linger_ms=50) as producer:
        for _, entry in journal(events=events):
            event = entry.event
            if not isinstance(event, InvoiceIssued | PaymentReceived):
                continue
            kind = type_of(event)
            producer.send(
                settings.topic(TOPIC_OF_TYPE[kind]),
                key=event.customer.encode(),
                value=encode(event),
                headers=to_headers(Envelope(id=entry.id, source="bench", type=kind)),
            )


async def _seconds(settings: Settings, *, events: int) -> float:
    """Let a worker work off what there is; give the seconds that it took."""
    async with collecting_by_hand(), working(build_app(settings, stage="intake")) as app:
        await _until_working(app)
        started = time.monotonic()
        await until_folded(app, records=events, within_s=_STALLED_S_MAX)
        return time.monotonic() - started


async def until_folded(app: EngineApp, *, records: int, within_s: float) -> None:
    """Wait until a worker has committed so many records.

    Raises:
        RuntimeError: it crashed, or has not in that time.
    """
    counters = app.engine.counters
    deadline = time.monotonic() + within_s
    while counters.records < records:
        if time.monotonic() > deadline or app.crash_reason is not None:
            raise RuntimeError(f"the worker stopped at {counters}") from app.crash_reason
        await asyncio.sleep(0.005)


async def _until_working(app: EngineApp) -> None:
    assigned = asyncio.Event()

    async def assign(*_: object, **__: object) -> None:
        assigned.set()

    app.on_rebalance_complete.connect(assign, weak=False)
    await assigned.wait()


@contextlib.asynccontextmanager
async def working(app: EngineApp) -> AsyncIterator[EngineApp]:
    """Let a worker serve for the duration."""
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(app, stop=stop))
    try:
        yield app
    finally:
        stop.set()
        await serving


if __name__ == "__main__":
    main()

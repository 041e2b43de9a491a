"""What four ideas for a faster ledger would bring, each by itself and small.

    python -m benchmarks.ideas

Rows that are changed instead of made anew, events that are decoded only when they are asked for, the way between
the thread that fetches and the loop that folds, and how long the engine waits before it asks again after a
commit (real Kafka). None of it is a budget.
"""

import argparse
import asyncio
import datetime
import tempfile
import threading
import timeit
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.figures import Figure, save
from benchmarks.workload import journal
from infra.kafka import topics
from infra.kafka.broker import LocalBroker
from infra.settings import Settings
from schemas.events import InvoiceIssued
from schemas.journal import decode_entry, encode_entry
from schemas.rows import ItemRow
from streams.engine.batches import Batch
from streams.engine.options import EngineOptions
from streams.engine.stage import Output
from streams.engine.transaction import Transactions

__all__ = ["main"]

_EVENTS: Final = 2_000
_ROUNDS: Final = 20
_HOPS: Final = 5_000
_RUN: Final = 2_500  # records of a run in the comparison, about


class _Lazy(msgspec.Struct, array_like=True, frozen=True):
    """A journal entry whose event is left as it is."""

    event: msgspec.Raw
    id: str
    source: str


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what each idea costs or saves, in µs an event, and ms a transaction."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transactions", type=int, default=200)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    figures = [*_rows(), *_decoding(), asyncio.run(_hop())]
    with tempfile.TemporaryDirectory() as folder, LocalBroker(Path(folder), heap="512m") as broker:
        settings = Settings(bootstrap_servers=broker.bootstrap_servers, data_dir=Path(folder))
        topics.apply(settings)
        figures += [
            asyncio.run(_transactions(settings, backoff_ms=each, count=chosen.transactions))
            for each in (3, 100)
        ]
    save(figures, file=chosen.json)


def _rows() -> list[Figure]:
    """Change a row in place, as the fold does; make it anew."""
    day = datetime.date(2026, 1, 2)
    document = next(entry.event for _, entry in journal(events=10) if isinstance(entry.event, InvoiceIssued))
    row = ItemRow(
        account="acme:C1",
        item="F-1",
        document=document,
        currency="EUR",
        amount_minor=10_000,
        open_minor=10_000,
        issued_on=day,
        due_on=day,
    )

    def in_place() -> None:
        row.open_minor = 5_000

    return [
        _timed("a row is changed in place", in_place, events=1),
        _timed("a row is made anew", lambda: msgspec.structs.replace(row, open_minor=5_000), events=1),
    ]


def _decoding() -> list[Figure]:
    """Decode entries whole; leave their events for later; decode these, too."""
    values = [encode_entry(entry) for _, entry in journal(events=_EVENTS)]
    lazy = msgspec.json.Decoder(_Lazy)

    def whole() -> None:
        for value in values:
            decode_entry(value)

    def left() -> None:
        for value in values:
            lazy.decode(value)

    return [
        _timed("an entry is decoded whole", whole, events=len(values)),
        _timed("an entry is decoded, its event left", left, events=len(values)),
    ]


async def _hop() -> Figure:
    """Ask a loop in another thread for something, and wait for its answer, as the fold asks for its next run."""
    other = asyncio.new_event_loop()
    thread = threading.Thread(target=other.run_forever)
    thread.start()

    async def nothing() -> None:
        return

    started = timeit.default_timer()
    for _ in range(_HOPS):
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(nothing(), other))
    seconds = timeit.default_timer() - started
    other.call_soon_threadsafe(other.stop)
    thread.join()
    other.close()
    return Figure(
        name="the way to the consumer's thread and back",
        unit="µs",
        values=[seconds / _HOPS * 1e6],
        note=f"once a run: {seconds / _HOPS / _RUN * 1e6:.3f} µs an event in runs of {_RUN:,}",
    )


async def _transactions(settings: Settings, *, backoff_ms: int, count: int) -> Figure:
    """Commit transactions of one record and the offset, as the engine does, one right after the other."""
    target, source = settings.topic("ledger.movement"), settings.topic("ledger.journal")
    producer = Transactions(
        bootstrap_servers=[settings.brokers()],
        transactional_id=f"ideas-{backoff_ms}",
        options=EngineOptions(retry_backoff_ms=backoff_ms),
    )

    async def transact(offset: int) -> None:
        builder = producer.new_builder()
        builder.fill([Output(target, 0, None, b"one")], start=0)
        await producer.commit([Batch(target, 0, builder)], offsets={(source, 0): offset}, group="ideas")

    await producer.init()
    try:
        await transact(0)
        started = timeit.default_timer()
        for number in range(count):
            await transact(number)
        seconds = timeit.default_timer() - started
    finally:
        await producer.close()
    return Figure(
        name=f"a transaction of one record, asked again after {backoff_ms} ms",
        unit="ms",
        values=[seconds / count * 1e3],
        note=f"{count} one after the other, by the engine's producer",
    )


def _timed(name: str, work: "timeit._Stmt", *, events: int) -> Figure:
    repeats = max(1, 20_000 // events)
    best = min(timeit.repeat(work, number=repeats, repeat=_ROUNDS)) / repeats / events
    return Figure(name=name, unit="µs", values=[best * 1e6], note="least of several rounds")


if __name__ == "__main__":
    main()

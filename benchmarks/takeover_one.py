"""Taking over one partition with more than a million rows: into memory, onto disk, the tail where a local store is, a warm copy.

    python -m benchmarks.takeover_one

A ledger of one partition works a journal off and leaves its changelog and its local store. Then workers take the
partition over, one after the other: one without a name, whose rows are in memory; one with a name and an empty
folder; the one that had it, which reads what it has not; and one that has kept a copy beside it (a warm standby).
Measured by the engine itself, from the assignment to the moment when it may fold: that the group notices that a
worker is gone comes before it, and is the session timeout (`make pauses`).
"""

import argparse
import asyncio
import contextlib
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, save
from benchmarks.intake import until_folded, working
from benchmarks.takeover import heard_taking, take
from benchmarks.workload import encoded
from infra.kafka import consumers, topics
from infra.kafka.broker import LocalBroker
from infra.settings import Settings
from streams.app import build_app
from streams.engine.garbage import collecting_by_hand
from streams.engine.worker import EngineApp
from streams.settings import StreamSettings

__all__ = ["main"]

_ROWS_PER_S: Final = 200_000
_STALLED_S_MAX: Final = 600.0
_POLL_S: Final = 0.05


def main(arguments: Sequence[str] | None = None) -> None:
    """Print rows/s of a whole taking, and the seconds of a tail."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, LocalBroker(Path(folder) / "kafka", heap="1g") as broker:
        settings = Settings(
            bootstrap_servers=broker.bootstrap_servers, partitions=1, data_dir=Path(folder) / "first"
        )
        topics.apply(settings)
        count = _publish(settings, events=chosen.events)
        asyncio.run(_work(settings, records=count))
        fresh = {
            name: settings.model_copy(update={"data_dir": Path(folder) / name}) for name in ("memory", "disk")
        }
        figures = [
            _whole("one partition taken over into memory", fresh["memory"], member=None),
            _whole("one partition taken over onto disk", fresh["disk"], member="second"),
            _tail(settings),
            asyncio.run(_from_copy(settings, folder=Path(folder) / "standby")),
        ]
    save(figures, file=chosen.json)


def _publish(settings: Settings, *, events: int) -> int:
    count = 0
    with consumers.producer(bootstrap_servers=settings.brokers(), linger_ms=50) as producer:
        for partition, key, value in encoded(events=events, partitions=1):
            producer.send(settings.topic("ledger.journal"), key=key, value=value, partition=partition)
            count += 1
    return count


async def _work(settings: Settings, *, records: int) -> None:
    """Let a worker with a local store work the journal off."""
    async with collecting_by_hand(), working(build_app(settings, stage="ledger", member="first")) as app:
        await until_folded(app, records=records, within_s=_STALLED_S_MAX)


def _whole(name: str, settings: Settings, *, member: str | None) -> Figure:
    rows, _, seconds = asyncio.run(take(settings, member=member))
    return Figure(
        name=name,
        unit="rows/s",
        values=[rows / seconds],
        budget=_ROWS_PER_S,
        note=f"{rows:,} rows in {seconds:.2f} s, through Kafka",
    )


def _tail(settings: Settings) -> Figure:
    rows, _, seconds = asyncio.run(take(settings, member="first"))
    return Figure(
        name="one partition taken over where a local store is",
        unit="ms",
        values=[seconds * 1e3],
        note=f"{rows:,} rows were read: the tail",
    )


async def _from_copy(settings: Settings, *, folder: Path) -> Figure:
    """Let a second worker copy what the first one has, and then the first one end."""
    limits = StreamSettings(standby=True)
    second = build_app(
        settings.model_copy(update={"data_dir": folder}), stage="ledger", limits=limits, member="standby"
    )
    async with collecting_by_hand(), contextlib.AsyncExitStack() as held:
        first = contextlib.AsyncExitStack()
        await held.enter_async_context(first)
        await first.enter_async_context(working(build_app(settings, stage="ledger", member="first")))
        begun = time.monotonic()
        await held.enter_async_context(working(second))
        await _until_copied(second)
        copied_s = time.monotonic() - begun
        before, heard = second.engine.counters.rows_restored, heard_taking()
        await first.aclose()
        async with asyncio.timeout(_STALLED_S_MAX):
            _, seconds = await heard
        rows = second.engine.counters.rows_restored - before
    return Figure(
        name="one partition taken over from a warm standby",
        unit="ms",
        values=[seconds * 1e3],
        note=f"{rows:,} rows were read; the copy was complete {copied_s:.0f} s after its worker's start",
    )


async def _until_copied(app: EngineApp) -> None:
    """Wait until a spare worker has all its copies: what ``/readyz`` says of it."""
    deadline = time.monotonic() + _STALLED_S_MAX
    while app.engine.lacks or not app.engine.copied:
        if time.monotonic() > deadline or app.crash_reason is not None:
            raise RuntimeError(f"no copy: {app.engine.lacks}") from app.crash_reason
        await asyncio.sleep(_POLL_S)


if __name__ == "__main__":
    main()

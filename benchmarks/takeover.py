"""How fast a worker takes over partitions whose state it has not: rows/s from the changelog.

It runs on what a ledger worker of the comparison has left: all four partitions at once, on
one worker with an empty data folder. Measured by the engine itself, from the assignment to
the moment when it may fold.
"""

import argparse
import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, save
from infra.settings import Settings
from streams.app import build_app
from streams.engine.counters import Counters
from streams.engine.garbage import collecting_by_hand
from streams.engine.serving import serve

__all__ = ["heard_taking", "main", "take"]

_DEADLINE_S = 180.0


class _Listener(logging.Handler):
    """Hears the engine say how many partitions it took, and in how many seconds."""

    def __init__(self, heard: "asyncio.Future[tuple[int, float]]") -> None:
        super().__init__()
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        said = record.args
        if isinstance(said, tuple) and len(said) == 4 and isinstance(said[-1], Counters):
            _, partitions, seconds, _ = said
            if int(str(partitions)) and not self._heard.done():
                self._heard.set_result((int(str(partitions)), float(str(seconds))))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print rows/s."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("broker")
    parser.add_argument("prefix", help="of the topics that a ledger worker has written")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    settings = Settings(bootstrap_servers=chosen.broker, topic_prefix=chosen.prefix, data_dir=chosen.folder)
    rows, partitions, seconds = asyncio.run(take(settings))
    takeover = Figure(
        name="taking over partitions from the changelog",
        unit="rows/s",
        values=[rows / seconds],
        budget=200_000,
        note=f"{rows:,} rows of {partitions} partitions in {seconds:.2f} s, no local state",
    )
    save([takeover], file=chosen.json)


async def take(settings: Settings, *, member: str | None = None) -> tuple[int, int, float]:
    """Let a worker take over all partitions; give the rows that it read, how many partitions, and the seconds.

    With a name (``member``) it keeps its rows on disk, and finds again what it has left there.
    """
    heard = heard_taking()
    stop = asyncio.Event()
    async with collecting_by_hand():
        app = build_app(settings, stage="ledger", member=member)
        serving = asyncio.create_task(serve(app, stop=stop))
        either: list[asyncio.Future[Any]] = [heard, serving]
        await asyncio.wait(either, timeout=_DEADLINE_S, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await serving
    if not heard.done():
        raise TimeoutError(f"the worker took nothing in {_DEADLINE_S:g} s")
    partitions, seconds = heard.result()
    return app.engine.counters.rows_restored, partitions, seconds


def heard_taking() -> "asyncio.Future[tuple[int, float]]":
    """Give the next taking that a worker of this process tells of: how many partitions, in how many seconds."""
    heard: asyncio.Future[tuple[int, float]] = asyncio.get_running_loop().create_future()
    log = logging.getLogger("streams.engine.worker")
    log.setLevel(logging.INFO)
    log.addHandler(_Listener(heard))
    return heard


if __name__ == "__main__":
    main()

"""Where the ledger's processor time goes, step by step: the journal of the comparison, one partition of it, without a broker.

    python -m benchmarks.steps

A stage with its rows on disk folds the records in runs, its rows and facts are put into record batches, and the
step is kept. What a named step takes is measured around its calls, which costs a tenth of a microsecond
for each of them; the rest is what a run takes beside. Fetching and committing are not in it.
"""

import argparse
import contextlib
import gc
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.figures import Figure, save
from benchmarks.records import PlainRecord
from benchmarks.workload import encoded
from infra.local_rows import LocalRows
from processors import partition as core
from processors.partition import Partition
from streams import ledger as stage
from streams.engine.batches import Batches, Filling
from streams.engine.options import EngineOptions
from streams.ledger import Ledger, fact_topics

__all__ = ["main", "measured"]

_PARTITIONS: Final = 4  # of which one is folded
_RUN: Final = 2_500  # records of a run in the comparison, about
_CHANGELOG: Final = "ledger.account"
# What is called where it is looked up; none of them calls another one of them.
_STEPS: Final = (
    ("decoding", core, "until_tick"),
    ("fold: settlement, movements, conservation", core, "fold"),
    ("wake times, closing days, trust", core, "reschedule"),
    ("ticks: decisions, reminders, withheld ones", Partition, "_tick"),
    ("rows and their keys as JSON", Partition, "_encode_rows"),
    ("movements and other facts as JSON", stage, "encode_all"),
    ("record batches of facts", Batches, "add_outputs"),
    ("record batches of rows", Batches, "add_rows"),
    ("rows and wakes into the local store", LocalRows, "write"),
)
_REST: Final = "the rest: accounts, companies, headers, loops"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print µs an event of each step, the largest first, and of all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--events", type=int, default=160_000, help="of four partitions, one of which is folded"
    )
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    save(_figures(events=chosen.events), file=chosen.json)


def _figures(*, events: int) -> list[Figure]:
    seconds, folded = measured(events=events)
    whole_s = sum(seconds.values())
    note = f"{folded:,} events of one partition, {_RUN:,} records a run, no broker"
    return [
        Figure(name=f"ledger, µs an event: {name}", unit="µs", values=[took_s / folded * 1e6], note=note)
        for name, took_s in (*sorted(seconds.items(), key=lambda one: -one[1]), ("all of it", whole_s))
    ]


def measured(*, events: int) -> tuple[dict[str, float], int]:
    """Fold a partition of the journal; give the seconds that each step took in all, and how many events it were."""
    log = [
        PlainRecord(offset, 0, key, value)
        for offset, (key, value) in enumerate(
            (key, value)
            for number, key, value in encoded(events=events, partitions=_PARTITIONS)
            if number == 0
        )
    ]
    seconds = dict.fromkeys((name for name, _, _ in _STEPS), 0.0)
    with tempfile.TemporaryDirectory() as folder, _measuring(seconds):
        ledger = Ledger(
            partition=Partition(number=0, store=LocalRows(Path(folder) / "rows")),
            journal="ledger.journal",
            topics={name: name for name in fact_topics()},
            dead_letters=("ledger.journal.dlq", 0),
        )
        with _without_collector():
            started = time.perf_counter()
            _fold(ledger, log)
            whole_s = time.perf_counter() - started
        ledger.close()
    return {**seconds, _REST: whole_s - sum(seconds.values())}, len(log)


def _fold(ledger: Ledger, log: Sequence[PlainRecord]) -> None:
    """Do what a worker does between two transactions, again and again."""
    limits = dict.fromkeys((_CHANGELOG, *fact_topics()), 1_000_000)
    bytes_max = EngineOptions().batch_bytes_max
    at, cursor = 0, ""
    while at < len(log):
        step = ledger.step(log[at : at + _RUN], cursor=cursor)
        batches = Batches(limits=limits, new_builder=lambda: Filling(bytes_max))
        batches.add_outputs(step.outputs)
        batches.add_rows(_CHANGELOG, 0, rows=step.rows)
        ledger.commit(mark=b"")
        at, cursor = at + step.consumed, step.cursor


@contextlib.contextmanager
def _measuring(seconds: dict[str, float]) -> Iterator[None]:
    """Put a clock around each step, and take it away again."""
    with contextlib.ExitStack() as back:
        for name, owner, attribute in _STEPS:
            plain = getattr(owner, attribute)
            setattr(owner, attribute, _clocked(plain, seconds, name))
            back.callback(setattr, owner, attribute, plain)
        yield


def _clocked(function: Callable[..., Any], seconds: dict[str, float], name: str) -> Callable[..., Any]:
    clock = time.perf_counter

    def call(*positional: Any, **named: Any) -> Any:
        started = clock()
        try:
            return function(*positional, **named)
        finally:
            seconds[name] += clock() - started

    return call


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Let the collector rest, as in a worker."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


if __name__ == "__main__":
    main()

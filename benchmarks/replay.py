"""The core without Kafka: how fast the fold of the comparison's journal is, and what it comes to.

One process, records in memory, runs as long as the worker's; measured is everything of a
step: decoding, folding, decisions, encoding of rows, the commit to local state (not the
encoding of facts, which is the stage's). Its balances are what every system is held to.
"""

import argparse
import gc
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, json

from benchmarks.figures import Figure, save
from benchmarks.records import PlainRecord
from benchmarks.workload import encoded
from processors.partition import Partition
from schemas.rows import CreditRow, ItemRow, decode_row
from streams.engine.options import EngineOptions

__all__ = ["Balances", "main"]

PARTITIONS = 4


class Balances(Struct):
    """What is open of each item, and left of each payment."""

    items: dict[str, int] = {}
    credits: dict[str, int] = {}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print events/s of one core; with ``--balances`` write what it comes to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--balances", type=Path)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    balances, seconds = replayed(events=chosen.events)
    if chosen.balances:
        chosen.balances.write_bytes(json.encode(balances))
    else:
        replay = Figure(
            name="replay of the core without Kafka, one core",
            unit="events/s",
            values=[chosen.events / seconds],
            budget=60_000,
            note=f"{chosen.events:,} events",
        )
        save([replay], file=chosen.json)


def replayed(*, events: int) -> tuple[Balances, float]:
    """Fold the journal; give the balances and the seconds that the steps took."""
    logs: list[list[PlainRecord]] = [[] for _ in range(PARTITIONS)]
    for number, key, value in encoded(events=events, partitions=PARTITIONS):
        logs[number].append(PlainRecord(len(logs[number]), 0, key, value))
    balances, seconds = Balances(), 0.0
    gc.collect()
    gc.freeze()
    gc.disable()
    for number, log in enumerate(logs):
        partition = Partition(number=number)
        started = time.perf_counter()
        _fold(partition, log)
        seconds += time.perf_counter() - started
        _take(partition, balances)
    gc.enable()
    return balances, seconds


def _fold(partition: Partition, log: list[PlainRecord]) -> None:
    length = EngineOptions().records_per_run_max
    at, cursor = 0, ""
    while at < len(log):
        step = partition.step(log[at : at + length], cursor=cursor)
        if step.poison:
            raise RuntimeError(f"the fold raised: {step.poison[0]}")
        partition.commit()
        at, cursor = at + step.consumed, step.cursor


def _take(partition: Partition, balances: Balances) -> None:
    for value in partition.rows().values():
        match decode_row(value):
            case ItemRow() as row:
                balances.items[row.item] = row.open_minor
            case CreditRow() as row:
                balances.credits[row.credit.removeprefix("payment/")] = row.rest_minor
            case _:
                pass


if __name__ == "__main__":
    main()

"""What an event, an account and an item weigh: on the topics, as rows, on a worker's disk.

The journal of the comparison is folded by the ledger's stage into rows on disk. Sizes are of
records as they lie in a log: key, value, headers and the dozen bytes of a record's frame
(nothing is compressed; what gzip would leave of batches is told). Rows are then taken back into an empty store, as in a takeover.
"""

import argparse
import resource
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

from benchmarks.figures import Figure, save
from benchmarks.records import PlainRecord
from benchmarks.workload import ACCOUNTS, encoded
from infra.local_rows import LocalRows
from processors.partition import Partition
from schemas.rows import decode_key
from streams.engine.chain import LINK_HEADERS, Link, encode_link
from streams.engine.stage import Headers, Record
from streams.ledger import Ledger, fact_topics

__all__ = ["main"]

_RUN_RECORDS = 2_000
_TAKEN_BACK = 10_000
_FRAME_BYTES = 12

Thing = TypeVar("Thing")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print bytes per event by topic, rows and bytes per account, and rows/s taken back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        save(_measured(Path(folder), events=chosen.events, accounts=chosen.accounts), file=chosen.json)


def _measured(folder: Path, *, events: int, accounts: int) -> list[Figure]:
    store = LocalRows(folder / "rows")
    records, octets, left = _folded(store, events=events, accounts=accounts)
    note = f"{events:,} events on {accounts:,} accounts"
    per_event = (
        [
            Figure(name=f"{topic}: bytes per event", unit="bytes", values=[octets[topic] / events], note=note)
            for topic in sorted(octets)
        ]
        + [
            Figure(name=f"{topic}: records per event", unit="records", values=[records[topic] / events])
            for topic in sorted(records)
        ]
        + [
            Figure(name=f"{topic}: left by gzip of a run's values", unit="of 1", values=[share])
            for topic, share in sorted(left.items())
        ]
    )
    rows = list(store.items())
    kinds = Counter(decode_key(key).kind for key, _ in rows)
    live = sum(_size(key, value, []) for key, value in rows)
    store.close()
    on_disk = sum(path.stat().st_size for path in (folder / "rows").iterdir() if path.suffix == ".sst")
    link = encode_link(Link(1_000_000_000, 1_000_002_000, "", 1))
    started = time.perf_counter()
    again = LocalRows(folder / "again")
    partition = Partition(number=0, store=again)
    for batch in _batches(iter(rows), _TAKEN_BACK):
        partition.restore(batch)
    seconds = time.perf_counter() - started
    partition.close()
    return [
        *per_event,
        Figure(name="bytes of a link, on changelog and chain each", unit="bytes",
               values=[_size(b"0000", link, LINK_HEADERS)]),
        *(
            Figure(name=f"live {kind} rows per account", unit="rows", values=[count / accounts])
            for kind, count in sorted(kinds.items())
        ),
        Figure(name="bytes of a live row, as on the changelog", unit="bytes", values=[live / len(rows)]),
        Figure(name="bytes in the local store per live row", unit="bytes", values=[on_disk / len(rows)]),
        Figure(name="rows taken back into the local store, without Kafka", unit="rows/s",
               values=[len(rows) / seconds]),
        Figure(name="peak memory of this process", unit="MiB",
               values=[resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024],
               note=f"{len(rows):,} rows in its lists, too"),
    ]  # fmt: skip


def _folded(
    store: LocalRows, *, events: int, accounts: int
) -> tuple[Counter[str], Counter[str], dict[str, float]]:
    """Fold the journal; give records and bytes by topic, and the share that gzip leaves of a batch."""
    names = {name: name for name in fact_topics()}
    stage = Ledger(
        partition=Partition(number=0, store=store), journal="j", topics=names, dead_letters=("dlq", 0)
    )
    records: Counter[str] = Counter()
    octets: Counter[str] = Counter()
    journal = (
        PlainRecord(offset, 0, key, value)
        for offset, (_, key, value) in enumerate(encoded(events=events, partitions=1, accounts=accounts))
    )
    cursor = ""
    left: dict[str, float] = {}
    for run in _batches(journal, _RUN_RECORDS):
        octets["ledger.journal"] += sum(_size(one.key, one.value, []) for one in run)
        left["ledger.journal"] = _left([one.value for one in run])
        rest: Sequence[Record] = run
        while rest:
            step = stage.step(rest, cursor=cursor)
            stage.commit(mark=b"")
            for key, value in step.rows:
                records["ledger.account"] += 1
                octets["ledger.account"] += _size(key, value, [])
            for output in step.outputs:
                records[output.topic] += 1
                octets[output.topic] += _size(output.key, output.value, output.headers)
            left["ledger.account"] = _left([value for _, value in step.rows if value])
            moved = [
                output.value for output in step.outputs if output.topic == "ledger.movement" and output.value
            ]
            left["ledger.movement"] = _left(moved) if moved else left["ledger.movement"]
            rest, cursor = rest[step.consumed :], step.cursor
    return records, octets, left


def _left(values: Sequence[bytes]) -> float:
    whole = b"".join(values)
    return len(zlib.compress(whole, 1)) / len(whole)


def _size(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    of_headers = sum(len(name) + len(content) + 2 for name, content in headers)
    return len(key or b"") + len(value or b"") + of_headers + _FRAME_BYTES


def _batches(things: Iterator[Thing], size: int) -> Iterator[list[Thing]]:
    while batch := list(islice(things, size)):
        yield batch


if __name__ == "__main__":
    main()

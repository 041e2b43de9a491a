"""Counts what a system has written, and sums up the accounts that its changelog holds.

Reads whole topics, committed records only, in the peers' environment (librdkafka is the
fastest reader there is from Python). Rows of peers and of the ledger have the same names
for what is compared: open amounts of items, what is left of payments, both per account.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition  # type: ignore[import-not-found]
from msgspec import Struct, json

from schemas.rows import CreditRow, ItemRow, decode_row

__all__ = ["Tally", "main"]

_SILENCE_S = 30.0
_LOOK_S = 0.2


class Written(Struct):
    """What a topic holds: keys, values and headers count, what batches add does not."""

    records: int = 0
    octets: int = 0


class Tally(Struct):
    """What was written, by topic; what is open of items and left of payments; outputs by id."""

    topics: dict[str, Written] = {}
    items: dict[str, int] = {}
    credits: dict[str, int] = {}
    outputs: int = 0
    doubled: int = 0


def main() -> None:
    """Write a tally as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("broker")
    parser.add_argument("file", type=Path)
    parser.add_argument("--changelog", required=True)
    parser.add_argument("--output", default="", help="of which each record must have an id of its own")
    parser.add_argument("--more", nargs="*", default=[], help="topics that are only counted")
    parser.add_argument("--ledger", action="store_true", help="rows are the ledger's own")
    given = parser.parse_args()
    found = Tally()
    rows = _last_values(given.broker, given.changelog, found)
    _take(rows, found, decode=_ledger_row if given.ledger else _peer_row)
    if given.output:
        ids = {_output(value).id for _, value in _read(given.broker, given.output, found)}
        found.outputs = len(ids)
        found.doubled = found.topics[given.output].records - len(ids)
    for topic in given.more:
        for _ in _read(given.broker, topic, found):
            pass
    given.file.write_bytes(json.encode(found))


def _last_values(broker: str, topic: str, found: Tally) -> list[bytes]:
    rows = {key: value for key, value in _read(broker, topic, found) if not key.startswith(b"\0")}
    return [value for value in rows.values() if value]


def _take(rows: list[bytes], found: Tally, *, decode: Callable[[bytes], Any]) -> None:
    for value in rows:
        row = decode(value)
        if type(row) is ItemRow or getattr(row, "kind", "") == "item":
            found.items[row.item] = row.open_minor
        elif type(row) is CreditRow or getattr(row, "kind", "") == "credit":
            found.credits[row.credit.removeprefix("payment/")] = row.rest_minor


class _PeerRow(Struct, gc=False):
    kind: str
    account: str
    item: str = ""
    credit: str = ""
    open_minor: int = 0
    rest_minor: int = 0


class _Output(Struct, gc=False):
    id: str


_output = json.Decoder(_Output).decode
_peer = json.Decoder(_PeerRow)


def _peer_row(value: bytes) -> _PeerRow:
    return _peer.decode(value)


def _ledger_row(value: bytes) -> Any:
    return decode_row(value)


def _read(broker: str, topic: str, found: Tally) -> Iterator[tuple[bytes, bytes]]:
    """Read a topic from its beginning to its present end."""
    reader = Consumer(
        {
            "bootstrap.servers": broker,
            "group.id": "tally",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
        }
    )
    written = found.topics[topic] = Written()
    metadata = reader.list_topics(topic, timeout=_SILENCE_S).topics[topic]
    left = set(metadata.partitions)
    reader.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in sorted(left)])
    deadline = time.monotonic() + _SILENCE_S
    while left:
        # It waits for so many records or for all of its timeout, so that must be short.
        records = reader.consume(10_000, timeout=_LOOK_S)
        if records:
            deadline = time.monotonic() + _SILENCE_S
        elif time.monotonic() > deadline:
            raise TimeoutError(f"{topic} cannot be read to its end: {left} is open")
        for record in records:
            if record.error():
                left.discard(record.partition())
                continue
            key, value, headers = record.key() or b"", record.value() or b"", record.headers() or ()
            written.records += 1
            written.octets += (
                len(key) + len(value) + sum(len(name) + len(text or b"") for name, text in headers)
            )
            yield key, value
    reader.close()


if __name__ == "__main__":
    main()

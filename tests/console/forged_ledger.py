"""A ledger's topics as a worker would have left them, written by the test, so that one thing in them can be wrong."""

import datetime
from collections.abc import Callable, Iterator

from kafka import KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata

from infra.kafka.consumers import admin, producer
from infra.settings import Settings
from processors.partition import Partition
from schemas.commands import ConfigureCompany
from schemas.events import InvoiceIssued, PaymentReceived
from schemas.journal import BROADCAST_KEY, JournalEntry, JournalEvent, TickPassed, encode_entry
from streams.engine.chain import LINK_HEADERS, LINK_KEY, Link, encode_link
from streams.engine.stage import Output
from streams.ledger import FOLD_VERSION, Ledger, fact_topics
from streams.names import CHAIN, CHANGELOG, JOURNAL
from tests.streams.records import FakeRecord

__all__ = ["CUSTOMERS", "SLICE", "Damage", "Forge", "events"]

CUSTOMERS = ("C-1", "C-2", "C-3", "C-4", "C-5")
SLICE = 2  # accounts of a tick in one transaction
_RUN = 4

# What a worker would write, by logical topic; what the function gives is written instead.
Damage = Callable[[Output], list[Output]]


def events() -> Iterator[JournalEvent]:
    """Give a small history: a company, two invoices and a payment per customer, two ticks."""
    yield ConfigureCompany(
        company="acme", occurred_at="2026-01-01", command="p", name="A", time_zone="UTC", currency="USD"
    )
    for number, customer in enumerate(CUSTOMERS):
        for part in ("a", "b"):
            yield InvoiceIssued(
                company="acme",
                customer=customer,
                occurred_at="2026-01-02",
                document=f"F-{number}{part}",
                currency="USD",
                amount="10",
                due_date=datetime.date(2026, 1, 31),
            )
        yield PaymentReceived(
            company="acme",
            customer=customer,
            occurred_at="2026-01-10",
            payment=f"P-{number}",
            currency="USD",
            amount="12.50",
        )
    for day in (1, 20):
        yield TickPassed(at=datetime.datetime(2026, 2, day, 9, tzinfo=datetime.UTC), mode="played")


def _keyed(event: JournalEvent) -> bytes:
    customer = getattr(event, "customer", None)
    return BROADCAST_KEY if customer is None else f"acme:{customer}".encode()


class Forge:
    """Writes partitions of an installation whose topics exist; a context."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._plain = producer(bootstrap_servers=settings.brokers())
        self._transactions: KafkaProducer = producer(
            bootstrap_servers=settings.brokers(), transactional_id=settings.group("forge")
        )
        self._transactions.init_transactions()

    def close(self) -> None:
        """Give the connections back."""
        self._plain.close()
        self._transactions.close()

    def journal(self, partition: int) -> list[FakeRecord]:
        """Write the history to a partition of the journal."""
        records = []
        for offset, event in enumerate(events()):
            value = encode_entry(JournalEntry(event, f"e-{offset}", "test"))
            records.append(FakeRecord(offset, 0, _keyed(event), value, []))
        for record in records:
            topic = self.settings.topic(JOURNAL)
            self._plain.send(topic, key=record.key, value=record.value, partition=partition)
        self._plain.flush()
        return records

    def fold(
        self,
        partition: int,
        *,
        damage: Damage = lambda output: [output],
        steps_max: int = 1_000,
        version: Callable[[int], int] = lambda _: FOLD_VERSION,
    ) -> Link:
        """Write what a worker would write for the history, a transaction per step, and give the last link."""
        records = self.journal(partition)
        core = Partition(number=partition, slice_accounts_max=SLICE)
        names = {name: name for name in (*fact_topics(), JOURNAL)}
        stage = Ledger(partition=core, journal=JOURNAL, topics=names, dead_letters=(f"{JOURNAL}.dlq", 0))
        at, cursor, link = 0, "", Link(0, 0, "", 1)
        for number in range(steps_max):
            run = records[at : at + _RUN]
            if not run:
                break
            step = stage.step(run, cursor=cursor)
            stage.commit(mark=b"")
            cursor = step.cursor
            link = Link(at, at + step.consumed, cursor, version(number), number == 0)
            at = link.end
            rows = [Output(CHANGELOG, partition, key, value) for key, value in step.rows]
            links = [
                Output(CHANGELOG, partition, LINK_KEY, encode_link(link), LINK_HEADERS),
                Output(CHAIN, partition, b"%d" % partition, encode_link(link), LINK_HEADERS),
            ]
            self._commit([*rows, *step.outputs, *links], damage=damage, partition=partition, end=at)
        return link

    def append(self, topic: str, partition: int, *, key: bytes, value: bytes) -> None:
        """Write one record past every worker."""
        name = self.settings.topic(topic)
        self._plain.send(name, key=key, value=value, partition=partition).get(timeout=30)

    def move_offset(self, partition: int, *, to: int) -> None:
        """Commit another offset for the ledger's group."""
        place = TopicPartition(self.settings.topic(JOURNAL), partition)
        with admin(bootstrap_servers=self.settings.brokers()) as client:
            client.alter_group_offsets(self.settings.group("ledger"), {place: OffsetAndMetadata(to, "", -1)})

    def _commit(self, outputs: list[Output], *, damage: Damage, partition: int, end: int) -> None:
        transactions = self._transactions
        transactions.begin_transaction()
        for output in (kept for each in outputs for kept in damage(each)):
            transactions.send(
                self.settings.topic(output.topic),
                key=output.key,
                value=output.value,
                headers=output.headers,
                partition=output.partition,
            )
        place = TopicPartition(self.settings.topic(JOURNAL), partition)
        transactions.send_offsets_to_transaction(
            {place: OffsetAndMetadata(end, "", -1)}, self.settings.group("ledger")
        )
        transactions.commit_transaction()

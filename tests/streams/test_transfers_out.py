"""What accounts tell each other leaves the ledger for the journal, once, where the other account lives (SEMANTICS 2.6)."""

from processors.partition import Partition
from schemas.codec import type_of
from schemas.commands import TransferItem
from schemas.facts import TransferSent
from schemas.fields import account_id
from schemas.journal import JournalEntry, JournalEvent, decode_entry, encode_entry
from schemas.transfers import TransferReceived
from streams.intake import place
from streams.ledger import SOURCE, Ledger, fact_topics
from tests.streams.records import FakeRecord, invoice

JOURNAL = "x.ledger.journal"
PARTITIONS = 7


def _record(number: int, event: JournalEvent) -> FakeRecord:
    value = encode_entry(JournalEntry(event, f"e-{number}", "billing/test"))
    return FakeRecord(number, 1_000, b"acme:C-1", value, [])


def test_what_another_account_is_told_is_written_to_its_place_in_the_journal() -> None:
    """In the same step as the fact: key and partition are as intake would choose, the id is the fact's."""
    ledger = Ledger(
        partition=Partition(number=2),
        journal=JOURNAL,
        topics={name: f"x.{name}" for name in fact_topics()},
        dead_letters=("x.ledger.journal.dlq", 0),
        journal_partitions=PARTITIONS,
    )
    issued = invoice(1)
    transfer = TransferItem(
        company=issued.company,
        customer=issued.customer,
        occurred_at="2026-02-01",
        command="c1",
        document=issued.document,
        to_customer="C-77",
    )
    step = ledger.step([_record(1, issued), _record(2, transfer)], cursor="")
    (told,) = [each for each in step.outputs if each.topic == JOURNAL]
    target = account_id(issued.company, "C-77")
    assert (place(target, partitions=PARTITIONS), target.encode()) == (told.partition, told.key)
    assert [] == told.headers
    entry = decode_entry(told.value or b"")
    assert isinstance(entry.event, TransferReceived)
    assert (SOURCE, entry.event.transfer) == (entry.source, entry.id)
    sent = type_of(TransferSent).encode()
    assert [2] == [each.partition for each in step.outputs if sent in (each.value or b"")]

"""The ledger's stage around the fold: where rows, facts and poison go; no broker."""

from collections.abc import Sequence

import pytest

from processors.partition import JournalRecord, Partition, PartitionStep, Poison
from schemas.codec import FACT_TYPES, encode, type_of
from schemas.dead_letters import read_dead_letter
from schemas.envelope import from_headers
from schemas.facts import ExceptionRaised, Movement
from schemas.journal import JournalEntry, encode_entry
from streams.ledger import Ledger, fact_topics
from tests.streams.records import FakeRecord, invoice


def _record(number: int) -> FakeRecord:
    value = encode_entry(JournalEntry(invoice(number), f"e-{number}", "billing/test"))
    return FakeRecord(number, 1_000, b"acme:C-1", value, [])


def _ledger(partition: Partition) -> Ledger:
    return Ledger(
        partition=partition,
        journal="x.ledger.journal",
        topics={name: f"x.{name}" for name in fact_topics()},
        dead_letters=("x.ledger.journal.dlq", 0),
    )


def test_facts_go_to_the_topic_of_their_type_as_cloudevents() -> None:
    """Same partition number as the journal's, keyed by account, id of the fact."""
    step = _ledger(Partition(number=2)).step([_record(1)], cursor="")
    (output,) = step.outputs
    envelope, data = from_headers(output.headers, output.value)
    assert ("x.ledger.movement", 2, b"acme:C-1") == (output.topic, output.partition, output.key)
    assert ("cobranza/ledger", "ledger.movement.v1") == (envelope.source, envelope.type)
    assert envelope.id.encode() in data
    assert 1 == step.consumed


def test_rows_are_the_state_that_a_second_ledger_goes_on_from() -> None:
    """What one writes, the other restores: folding on gives what one alone would have given."""
    alone, first, second = (Partition(number=0) for _ in range(3))
    whole = _ledger(alone)
    whole.step([_record(1), _record(2)], cursor="")
    whole.commit(mark=b"")
    before, after = _ledger(first), _ledger(second)
    after.restore(before.step([_record(1)], cursor="").rows, mark=b"1")
    assert b"1" == after.mark()
    after.step([_record(2)], cursor="")
    after.commit(mark=b"2")
    assert b"2" == after.mark()
    assert alone.rows() == second.rows()


def test_a_discarded_step_leaves_no_trace() -> None:
    """The same records give the same step again."""
    ledger = _ledger(Partition(number=0))
    once = ledger.step([_record(1)], cursor="")
    ledger.discard()
    assert once == ledger.step([_record(1)], cursor="")


class _Poisoned(Partition):
    def step(self, records: Sequence[JournalRecord], *, cursor: str) -> PartitionStep:
        return PartitionStep([], [], [Poison(1, "acme:C-1", "KeyError: 'x'")], len(records), "")


def test_poison_goes_to_the_journals_dead_letters() -> None:
    """The record as it is, and headers that name account and error (DESIGN 3.6)."""
    step = _ledger(_Poisoned(number=3)).step([_record(1), _record(2)], cursor="")
    (letter,) = step.outputs
    found = read_dead_letter(letter.headers)
    assert ("x.ledger.journal.dlq", 0, b"acme:C-1", _record(2).value) == letter[:4]
    assert ("fold_failed", "ledger", "x.ledger.journal", 3, 2) == (
        found.reason,
        found.stage,
        found.topic,
        found.partition,
        found.offset,
    )
    assert "account acme:C-1: KeyError: 'x'" == found.detail


@pytest.mark.parametrize("name", sorted(FACT_TYPES))
def test_every_fact_has_a_topic(name: str) -> None:
    """A fact without a route would stop the worker when it is said for the first time."""
    ledger = _ledger(Partition(number=0))
    assert ledger._routes[FACT_TYPES[name]][0].startswith("x.")


def test_the_account_of_a_refused_tick_is_a_key_too() -> None:
    """``*`` as account: it concerns the partition."""
    fact = ExceptionRaised(id="tick/0/1", account="*", reason="tick_refused", key="tick/x")
    assert b'"account":"*"' in encode(fact)
    assert "ledger.movement.v1" == type_of(Movement)

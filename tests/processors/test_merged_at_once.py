"""SEMANTICS 2.6: two customers are merged into each other at one moment, neither having heard of the other's merger."""

import datetime
from itertools import permutations
from pathlib import Path

import pytest
from msgspec.structs import replace

from schemas.events import CustomerMerged, InvoiceIssued
from schemas.facts import AccountTold, LedgerFact, ReminderDecided, TransferSent
from schemas.journal import JournalEntry, SourceEvent, TickPassed, encode_entry
from tests.scenarios.language import read_script
from tests.scenarios.on_core import Record, Stage, run

_STORY = """# two customers, each with an invoice and money that names nothing of his
company auto-apply off
customer email ana@c1.test
customer @C2 email eva@c2.test
plan default
    first 0 email
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-01-02  payment P-1 5.00
2026-01-02  invoice INV-2 50.00 due 2026-02-02 @C2
2026-01-02  payment P-2 7.00 @C2
2026-01-03  tick
"""
_DAY = "2026-01-10"


def _merged(customer: str, *, into: str) -> CustomerMerged:
    return CustomerMerged(company="acme", customer=customer, occurred_at=_DAY, into=into)


def _invoiced(customer: str) -> InvoiceIssued:
    return InvoiceIssued(
        company="acme", customer=customer, occurred_at=_DAY, document=f"NEW-{customer}", amount="1.00", currency="USD",
        due_date=datetime.date(2026, 2, 2),
    )  # fmt: skip


def _at_once(stage: Stage, events: list[SourceEvent]) -> None:
    """Fold events before anything that they have accounts tell each other is heard."""
    sent: list[LedgerFact] = []
    for event in events:
        offset = len(stage.records)
        value = encode_entry(JournalEntry(event=event, id=f"event-{offset}", source="story"))
        record = Record(offset, 0, value)
        stage.records.append(record)
        step = stage.partition.step([record], cursor="")
        assert [] == step.poison
        stage.partition.commit()
        sent += step.facts
    for fact in sent:
        if isinstance(fact, TransferSent | AccountTold):
            stage.fold(fact.event, event_id=fact.id)


def _owed(stage: Stage, account: str) -> dict[str, int]:
    live = stage.partition.account(account)
    return {item.item: item.open_minor for item in live.items.values() if item.open_minor}


@pytest.mark.parametrize("order", list(permutations(("C1", "C2"))), ids=str)
@pytest.mark.parametrize("is_billed_meanwhile", [False, True])
def test_one_of_them_lives_and_has_all_that_is_open(
    tmp_path: Path, order: tuple[str, str], *, is_billed_meanwhile: bool
) -> None:
    """Whichever was merged first, and also where each is billed before he has heard: nothing is with both, or with neither."""
    path = tmp_path / "story.txt"
    path.write_text(_STORY, encoding="utf-8")
    stage = Stage()
    run(read_script(path), stage=stage)
    first, second = order
    events: list[SourceEvent] = [_merged(first, into=second), _merged(second, into=first)]
    if is_billed_meanwhile:
        events += [_invoiced(first), _invoiced(second)]
    _at_once(stage, events)
    living, gone = (stage.partition.account(f"acme:{each}") for each in ("C1", "C2"))
    assert ("", "C1") == (living.row.merged_into, gone.row.merged_into)
    billed = {"NEW-C1": 100, "NEW-C2": 100} if is_billed_meanwhile else {}
    assert {"INV-1": 10_000, "INV-2": 5_000, **billed} == _owed(stage, "acme:C1")
    assert {} == _owed(stage, "acme:C2")
    assert [0, 1_200] == [each.balance("USD").credit_minor for each in (gone, living)]
    # What comes later stays with the one who lives, or goes to him; one reminder goes out, to one of them.
    stage.fold(replace(_invoiced("C2"), document="LATE"))
    assert 100 == _owed(stage, "acme:C1")["LATE"]
    facts = stage.take(TickPassed(at=datetime.datetime(2026, 2, 2, 9, tzinfo=datetime.UTC), mode="played"))
    written = {fact.account for fact in facts if isinstance(fact, ReminderDecided)}
    assert {"acme:C1"} == written

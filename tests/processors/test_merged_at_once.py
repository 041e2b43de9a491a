"""SEMANTICS 2.6: two customers are merged into each other at one moment, neither having heard of the other's merger."""

import datetime
from itertools import permutations
from pathlib import Path
from typing import Literal

import pytest
from msgspec.structs import replace

from schemas.arrangement_facts import PromiseJudged
from schemas.events import CustomerMerged, InvoiceIssued, PaymentReceived, PaymentStateChanged
from schemas.facts import AccountTold, LedgerFact, ReminderDecided, TransferSent
from schemas.journal import JournalEntry, SourceEvent, TickPassed, encode_entry
from tests.scenarios.language import read_script
from tests.scenarios.on_core import Record, Stage, run
from tests.scenarios.playing import played

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
_PROMISED = (
    _STORY
    + """2026-01-04  promise 100.00 by 2026-02-10 named PR-1 items INV-1
    expect promised INV-1 until 2026-02-12
2026-01-04  promise 50.00 by 2026-02-10 named PR-2 items INV-2 @C2
    expect promised INV-2 until 2026-02-12 @C2
"""
)
_CHEQUE = (
    _STORY
    + """2026-01-04  invoice INV-3 100.00 due 2026-02-03
2026-01-05  conditional CH-1 100.00 cheque received payable 2026-02-20
    expect conditional CH-1 received INV-1
"""
)
_ORDERS = pytest.mark.parametrize("order", list(permutations(("C1", "C2"))), ids=str)
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


@_ORDERS
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


def _merged_at_once(story: str, order: tuple[str, str]) -> Stage:
    stage = played(story)
    first, second = order
    _at_once(stage, [_merged(first, into=second), _merged(second, into=first)])
    return stage


def _ticked(stage: Stage, month: int, day: int) -> list[LedgerFact]:
    return stage.take(
        TickPassed(at=datetime.datetime(2026, month, day, 9, tzinfo=datetime.UTC), mode="played")
    )


def _promises(stage: Stage, account: str) -> list[str]:
    arranged = stage.partition.account(account).arranged()
    return [row.status for _, row in sorted(arranged.promises.items())]


@_ORDERS
def test_what_was_promised_is_promised_by_the_one_who_lives(order: tuple[str, str]) -> None:
    """R35: nobody is written to before the day, each promise is judged once, and it counts once against the limit."""
    stage = _merged_at_once(_PROMISED, order)
    assert ["open", "open"] == _promises(stage, "acme:C1")
    assert ["moved", "moved"][: len(_promises(stage, "acme:C2"))] == _promises(stage, "acme:C2")
    assert 2 == stage.partition.account("acme:C1").row.promises
    assert [] == [fact for fact in _ticked(stage, 2, 2) if isinstance(fact, ReminderDecided)]
    judged = [fact for fact in _ticked(stage, 2, 13) if isinstance(fact, PromiseJudged)]
    assert [("acme:C1", "broken"), ("acme:C1", "broken")] == [(each.account, each.status) for each in judged]


@_ORDERS
def test_a_promise_that_went_to_and_fro_is_kept_by_its_money(order: tuple[str, str]) -> None:
    """R35: 100.00 of the one and 50.00 of the other, paid in time."""
    stage = _merged_at_once(_PROMISED, order)
    for customer, amount in (("C1", "100.00"), ("C2", "50.00")):
        stage.fold(
            PaymentReceived(
                company="acme", customer=customer, occurred_at="2026-02-05", payment=f"PAID-{customer}", amount=amount,
                currency="USD",
            )
        )  # fmt: skip
    judged = [fact for fact in _ticked(stage, 2, 13) if isinstance(fact, PromiseJudged)]
    assert [("acme:C1", "kept"), ("acme:C1", "kept")] == [(each.account, each.status) for each in judged]


def _asleep_minor(stage: Stage, account: str) -> int:
    conditional = stage.partition.account(account).arranged().conditional
    return sum(minor for covers in conditional.values() for minor in covers.values())


@_ORDERS
@pytest.mark.parametrize("state", ["cleared", "returned"])
def test_a_cheque_that_comes_home_lets_its_amount_sleep_once(
    order: tuple[str, str], state: Literal["cleared", "returned"]
) -> None:
    """S1-20, S1-21: a cheque of 100.00 lets 100.00 of 200.00 and more sleep, is asked about, and ends where the bank says so."""
    stage = _merged_at_once(_CHEQUE, order)
    living, gone = (stage.partition.account(f"acme:{each}").arranged() for each in ("C1", "C2"))
    assert (["CH-1"], []) == (list(living.instruments), list(gone.instruments))
    assert 10_000 == _asleep_minor(stage, "acme:C1")
    assert living.instruments["CH-1"].alarm_on is not None
    written = [fact for fact in _ticked(stage, 2, 3) if isinstance(fact, ReminderDecided)]
    assert [("acme:C1", ["INV-2", "INV-3"])] == [
        (each.account, sorted(item.item for item in each.items)) for each in written
    ]
    before_minor = stage.partition.account("acme:C1").balance("USD").credit_minor
    stage.fold(
        PaymentStateChanged(
            company="acme", customer="C1", occurred_at="2026-02-21", payment="CH-1", state=state
        )
    )
    came_minor = stage.partition.account("acme:C1").balance("USD").credit_minor - before_minor
    assert (10_000 if state == "cleared" else 0) == came_minor
    assert 0 == _asleep_minor(stage, "acme:C1")


def test_a_cheque_that_clears_while_the_mergers_are_on_their_way_is_money_once() -> None:
    """S1-21: the bank's word is heard before what the other customer sends back: no cheque is left beside its money."""
    stage = played(_CHEQUE)
    cleared = PaymentStateChanged(
        company="acme", customer="C1", occurred_at=_DAY, payment="CH-1", state="cleared"
    )
    _at_once(stage, [_merged("C1", into="C2"), _merged("C2", into="C1"), cleared])
    for account in ("acme:C1", "acme:C2"):
        assert {} == stage.partition.account(account).arranged().instruments
    assert 11_200 == stage.partition.account("acme:C1").balance("USD").credit_minor

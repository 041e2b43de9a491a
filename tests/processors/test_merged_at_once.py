"""SEMANTICS 2.6: customers are merged into each other at one moment, straight or in a ring, none having heard of the others' mergers."""

import datetime
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.arrangement_facts import PromiseJudged
from schemas.commands import PlaceHold, ReleaseHold
from schemas.events import CustomerMerged, InvoiceIssued, PaymentReceived, PaymentStateChanged
from schemas.facts import AccountTold, ExceptionRaised, LedgerFact, ReminderDecided, TransferSent
from schemas.journal import JournalEntry, JournalEvent, SourceEvent, TickPassed, encode_entry
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


_THREE = """# three customers, each with an invoice and money that names nothing of his
company auto-apply off
customer email ana@c1.test
customer @C2 email eva@c2.test
customer @C3 email ida@c3.test
plan default
    first 0 email
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-01-02  payment P-1 5.00
2026-01-02  invoice INV-2 50.00 due 2026-02-02 @C2
2026-01-02  payment P-2 7.00 @C2
2026-01-02  invoice INV-3 30.00 due 2026-02-02 @C3
2026-01-02  payment P-3 3.00 @C3
2026-01-03  tick
"""
_NOTHING_OWED = """# three customers, one of whom owes something
customer email ana@c1.test
customer @C2 email eva@c2.test
customer @C3 email ida@c3.test
plan default
    first 0 email
2026-01-02  invoice INV-1 100.00 due 2026-02-02 @C2
2026-01-03  tick
"""
# Who is merged into whom, in the order of the mergers.
_RINGS = [list(zip(order, order[1:] + order[:1], strict=True)) for order in permutations(("C1", "C2", "C3"))]


def _on_their_way(stage: Stage, events: list[SourceEvent], *, draw: Callable[[int], int]) -> list[LedgerFact]:
    """Fold events, and what accounts tell each other in any order that keeps what one tells another."""
    facts: list[LedgerFact] = []
    waiting: dict[tuple[str, str], list[TransferSent | AccountTold]] = {}

    def fold(event: JournalEvent, name: str) -> None:
        offset = len(stage.records)
        value = encode_entry(JournalEntry(event=event, id=name, source="story"))
        stage.records.append(Record(offset, 0, value))
        step = stage.partition.step([stage.records[-1]], cursor="")
        assert [] == step.poison
        stage.partition.commit()
        facts.extend(step.facts)
        for fact in step.facts:
            if isinstance(fact, TransferSent | AccountTold):
                waiting.setdefault((fact.account, fact.event.customer), []).append(fact)

    for number, event in enumerate(events):
        fold(event, f"merger-{number}")
    while waiting:
        assert len(facts) < 2_000, "it goes round"
        lane = sorted(waiting)[draw(len(waiting))]
        fact = waiting[lane].pop(0)
        if not waiting[lane]:
            del waiting[lane]
        fold(fact.event, fact.id)
    return facts


@pytest.mark.parametrize("ring", _RINGS, ids=str)
@pytest.mark.parametrize("is_billed_meanwhile", [False, True])
@given(data=st.data())
@settings(max_examples=15)
def test_three_in_a_ring_at_one_moment_have_one_who_lives(
    ring: list[tuple[str, str]], data: st.DataObject, *, is_billed_meanwhile: bool
) -> None:
    """It ends, the first id has all that is open and all money, and it is told which merger is over."""
    stage = played(_THREE)
    events: list[SourceEvent] = [_merged(each, into=into) for each, into in ring]
    if is_billed_meanwhile:
        events += [_invoiced(each) for each, _ in ring]
    facts = _on_their_way(stage, events, draw=lambda count: data.draw(st.integers(0, count - 1)))
    billed = {f"NEW-{each}": 100 for each, _ in ring} if is_billed_meanwhile else {}
    assert {"INV-1": 10_000, "INV-2": 5_000, "INV-3": 3_000, **billed} == _owed(stage, "acme:C1")
    assert 1_500 == stage.partition.account("acme:C1").balance("USD").credit_minor
    assert "" == stage.partition.account("acme:C1").row.merged_into
    for gone in ("acme:C2", "acme:C3"):
        assert ({}, 0) == (_owed(stage, gone), stage.partition.account(gone).balance("USD").credit_minor)
        assert stage.partition.account(gone).row.merged_into
    told = [each.detail for each in facts if isinstance(each, ExceptionRaised)]
    assert told
    assert all(
        each.startswith("C1, C2, C3 were merged into each other at one moment: C1 lives") for each in told
    )
    # What comes later at one who is gone comes to the one who lives; one reminder goes out.
    _on_their_way(stage, [replace(_invoiced("C2"), document="LATE-2"), replace(_invoiced("C3"), document="LATE-3")], draw=lambda _: 0)  # fmt: skip
    assert {"LATE-2", "LATE-3"} <= _owed(stage, "acme:C1").keys()
    decided = stage.take(TickPassed(at=datetime.datetime(2026, 2, 2, 9, tzinfo=datetime.UTC), mode="played"))
    assert {"acme:C1"} == {fact.account for fact in decided if isinstance(fact, ReminderDecided)}


@pytest.mark.parametrize("ring", _RINGS, ids=str)
def test_three_in_a_ring_of_whom_two_owe_nothing_have_one_who_lives(ring: list[tuple[str, str]]) -> None:
    """Who is who is heard all around the ring, also by way of one who owes nothing."""
    stage = played(_NOTHING_OWED)
    _on_their_way(stage, [_merged(each, into=into) for each, into in ring], draw=lambda _: 0)
    assert {"INV-1": 10_000} == _owed(stage, "acme:C1")
    assert "" == stage.partition.account("acme:C1").row.merged_into


_HELD = """# a customer under a legal hold, and another one
customer email ana@c1.test
customer @C2 email eva@c2.test
plan default
    first 0 email
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-01-03  hold legal_hold because "insolvency filed"
2026-01-03  tick
"""


def _lifted(customer: str) -> ReleaseHold:
    return ReleaseHold(
        company="acme", customer=customer, occurred_at=_DAY, command=f"lift-{customer}", author="ana",
        kind="legal_hold",
    )  # fmt: skip


def test_a_hold_that_is_lifted_while_the_merger_is_on_its_way_does_not_rise_again() -> None:
    """R15: who lifts it cannot know that it has left: it ends where it arrives."""
    stage = played(_HELD)
    _on_their_way(stage, [_merged("C1", into="C2"), _lifted("C1")], draw=lambda _: 0)
    assert "legal_hold" not in stage.partition.account("acme:C2").holds
    written = [fact for fact in _ticked(stage, 2, 2) if isinstance(fact, ReminderDecided)]
    assert ["acme:C2"] == [each.account for each in written]


@_ORDERS
@pytest.mark.parametrize("lifted_by", ["C1", ""])
def test_a_hold_of_two_who_are_merged_into_each_other_is_in_force_until_it_is_lifted(
    order: tuple[str, str], lifted_by: str
) -> None:
    """R15: neither is it lost on its way there and back, nor does it come back after it was lifted."""
    stage = played(_HELD)
    first, second = order
    events: list[SourceEvent] = [_merged(first, into=second), _merged(second, into=first)]
    _on_their_way(stage, events + ([_lifted(lifted_by)] if lifted_by else []), draw=lambda _: 0)
    assert (not lifted_by) == ("legal_hold" in stage.partition.account("acme:C1").holds)


_APART = """# a customer who is merged into another one, nothing is held
customer email ana@c1.test
customer @C2 email eva@c2.test
plan default
    first 0 email
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-01-05  merge into C2
    expect transferred INV-1
2026-01-06  tick
"""


@pytest.mark.parametrize("is_lifted", [False, True])
def test_a_hold_that_is_on_its_way_is_in_force_where_he_lives_again(*, is_lifted: bool) -> None:
    """R15: who merges him back has not heard of it; nobody is written to until that comes back, nor is it lost, nor risen."""
    stage = played(_APART)
    held = PlaceHold(
        company="acme", customer="C1", occurred_at=_DAY, command="hold", author="ana", kind="legal_hold", reason="filed"
    )  # fmt: skip
    events: list[SourceEvent] = [held, _invoiced("C1"), _merged("C2", into="C1")]
    kept: list[bool] = []

    def the_merger_back_first(count: int) -> int:
        kept.append("legal_hold" in stage.partition.account("acme:C1").holds)
        return count - 1

    _on_their_way(stage, events, draw=the_merger_back_first)
    assert len(kept) > 1
    assert all(kept)
    if is_lifted:
        _on_their_way(stage, [_lifted("C1")], draw=the_merger_back_first)
    assert {"INV-1": 10_000, "NEW-C1": 100} == _owed(stage, "acme:C1")
    written = [fact.account for fact in _ticked(stage, 2, 2) if isinstance(fact, ReminderDecided)]
    assert (["acme:C1"] if is_lifted else []) == written

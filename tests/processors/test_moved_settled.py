"""An item that has moved between customers is judged as a whole (SEMANTICS 2.6, R22, R30): what settled it there, and here."""

import datetime
from functools import cache
from typing import Any

from processors.moved_settled import settled_here
from processors.partition import Partition
from schemas.commands import TransferItem
from schemas.events import (
    CustomerMerged,
    InvoiceCancelled,
    ItemOpened,
    PaymentLine,
    PaymentReceived,
    PaymentReversed,
)
from schemas.facts import AccountTold, ExceptionRaised, LedgerFact, ReminderWasWrong
from schemas.transfers import ItemSettledElsewhere
from tests.scenarios.on_core import Stage
from tests.scenarios.playing import played

STORY = """# R22: claims of 5 July 2024 on invoices of two customers; a third one owes nothing.
company currency EUR charges claim
customer @C1 email ana@c1.test kind business country DE
customer @C2 email eva@c2.test kind business country DE
customer @C3 email ida@c3.test kind business country DE
law eu_business
plan default
    first  +15 email fee 5.00 EUR
2024-05-02  invoice INV-1 1000.00 due 2024-06-20 @C1
2024-05-02  invoice INV-1 1000.00 due 2024-06-20 @C2
2024-07-05  tick
    expect reminder first INV-1 by email @C1
    expect claim INV-1/interest/2024-07-05 5.10 @C1
    expect claim INV-1/fixed_sum 40.00 @C1
    expect claim INV-1/fee/first 5.00 @C1
    expect finished INV-1 @C1
    expect reminder first INV-1 by email @C2
    expect claim INV-1/interest/2024-07-05 5.10 @C2
    expect claim INV-1/fixed_sum 40.00 @C2
    expect claim INV-1/fee/first 5.00 @C2
    expect finished INV-1 @C2
"""


@cache
def _rows() -> tuple[tuple[bytes, bytes], ...]:
    return tuple(played(STORY).partition.rows().items())


def _told() -> Stage:
    stage = Stage(partition=Partition(number=0))
    stage.partition.restore(list(_rows()))
    return stage


def _who(customer: str, *, on: str) -> dict[str, Any]:
    return {"company": "acme", "customer": customer, "occurred_at": on}


def _pay(stage: Stage, customer: str, name: str, amount: str, *, on: str, document: str) -> list[LedgerFact]:
    lines = (PaymentLine(document=document),)
    event = PaymentReceived(**_who(customer, on=on), payment=name, currency="EUR", amount=amount, lines=lines)
    return stage.fold(event)


def _move(stage: Stage, customer: str, to: str, *, on: str = "2024-07-08") -> list[LedgerFact]:
    event = TransferItem(
        **_who(customer, on=on), command=f"{customer}-{to}", document="INV-1", to_customer=to
    )
    return stage.fold(event)


def _claims(stage: Stage, customer: str) -> dict[str, int]:
    rows = stage.partition.account(f"acme:{customer}").claims
    return {name: row.amount_minor for name, row in rows.items()}


def test_what_had_been_paid_of_a_claim_stays_paid_when_its_customer_is_merged() -> None:
    """R22: 25.00 of the fixed sum and 1.00 of the interest were paid before; what is left is corrected, what was waived is not asked again."""
    stage = _told()
    _pay(stage, "C1", "P-1", "25.00", on="2024-07-06", document="INV-1/fixed_sum")
    _pay(stage, "C1", "P-2", "1.00", on="2024-07-06", document="INV-1/interest/2024-07-05")
    stage.fold(CustomerMerged(**_who("C1", on="2024-07-08"), into="C3"))
    assert {"INV-1/fee/first": 500, "INV-1/fixed_sum": 1500, "INV-1/interest/2024-07-05": 410} == _claims(
        stage, "C3"
    )
    _pay(stage, "C3", "P-3", "1000.00", on="2024-07-01", document="INV-1")
    assert {"INV-1/fee/first": 0, "INV-1/fixed_sum": 1500, "INV-1/interest/2024-07-05": 276} == _claims(
        stage, "C3"
    )
    stage.fold(PaymentReversed(**_who("C3", on="2024-07-10"), payment="P-3"))
    assert {"INV-1/fee/first": 500, "INV-1/fixed_sum": 1500, "INV-1/interest/2024-07-05": 410} == _claims(
        stage, "C3"
    )
    _pay(stage, "C3", "P-4", "1000.00", on="2024-06-20", document="INV-1")
    assert {0} == set(_claims(stage, "C3").values())


def test_two_invoices_of_one_number_keep_their_own_claims() -> None:
    """SEMANTICS 2.2: a document that two customers have: money for the one lowers what was claimed of that one only."""
    stage = _told()
    stage.fold(CustomerMerged(**_who("C1", on="2024-07-08"), into="C2"))
    _pay(stage, "C2", "P-1", "1000.00", on="2024-06-20", document="INV-1")
    found = _claims(stage, "C2")
    assert 6 == len(found)
    assert {0} == {amount for name, amount in found.items() if not name.endswith("@C1")}
    assert [500, 4000, 510] == [found[name] for name in sorted(found) if name.endswith("@C1")]
    _pay(stage, "C2", "P-2", "1000.00", on="2024-06-20", document="INV-1 @C1")
    assert {0} == set(_claims(stage, "C2").values())
    stage = _told()
    stage.fold(CustomerMerged(**_who("C1", on="2024-07-08"), into="C2"))
    _pay(stage, "C2", "P-2", "1000.00", on="2024-06-20", document="INV-1 @C1")
    found = _claims(stage, "C2")
    assert [500, 4000, 510] == [found[name] for name in sorted(found) if not name.endswith("@C1")]
    assert [0, 0, 0] == [found[name] for name in sorted(found) if name.endswith("@C1")]


def test_each_is_told_by_the_name_that_the_invoice_has_with_him() -> None:
    """SEMANTICS 2.6: it was INV-1 at first, `INV-1 @C1` beside another one of that number, and is INV-1 again."""
    stage = _told()
    stage.fold(CustomerMerged(**_who("C1", on="2024-07-08"), into="C2"))
    event = TransferItem(**_who("C2", on="2024-07-09"), command="on", document="INV-1 @C1", to_customer="C3")
    stage.fold(event)
    facts = _pay(stage, "C3", "P-1", "1000.00", on="2024-06-20", document="INV-1")
    told = [each.event for each in facts if isinstance(each, AccountTold)]
    assert [("C2", "INV-1 @C1"), ("C1", "INV-1")] == [
        (each.customer, getattr(each, "item", "")) for each in told
    ]
    assert ["acme:C1"] == [each.account for each in facts if isinstance(each, ReminderWasWrong)]
    assert [0, 0, 0] == [minor for name, minor in _claims(stage, "C2").items() if name.endswith("@C1")]


def test_what_is_heard_at_the_third_customer_comes_back_to_the_first() -> None:
    """R30: re-assigned twice; who was written to is corrected, and each is told once, and again only when that changes."""
    stage = _told()
    _move(stage, "C1", "C3")
    stage.fold(CustomerMerged(**_who("C3", on="2024-07-09"), into="C4"))
    facts = _pay(stage, "C4", "P-1", "1000.00", on="2024-06-20", document="INV-1")
    assert [("acme:C4", "C3"), ("acme:C3", "C1")] == [
        (each.account, each.event.customer) for each in facts if isinstance(each, AccountTold)
    ]
    assert ["acme:C1"] == [each.account for each in facts if isinstance(each, ReminderWasWrong)]
    assert {0} == set(_claims(stage, "C1").values())
    again = _pay(stage, "C4", "P-2", "10.00", on="2024-07-10", document="INV-1")
    again += stage.fold(PaymentReversed(**_who("C4", on="2024-07-11"), payment="P-2"))
    assert [] == [each for each in again if isinstance(each, AccountTold)]
    facts = stage.fold(PaymentReversed(**_who("C4", on="2024-07-12"), payment="P-1"))
    assert 2 == len([each for each in facts if isinstance(each, AccountTold)])
    assert [500, 4000, 510] == [_claims(stage, "C1")[name] for name in sorted(_claims(stage, "C1"))]


def test_nobody_is_told_of_an_item_that_never_moved() -> None:
    """An item that was opened at going live has a day of coming in, too, and is nobody else's."""
    stage = _told()
    _move(stage, "C1", "C3")
    opened = ItemOpened(
        **_who("C3", on="2024-07-08"), document="OLD", issue_date=datetime.date(2024, 1, 2), due_date=datetime.date(2024, 2, 2),
        currency="EUR", amount="50.00", open_amount="50.00",
    )  # fmt: skip
    stage.fold(opened)
    facts = _pay(stage, "C3", "P-1", "50.00", on="2024-03-01", document="OLD")
    assert [] == [each for each in facts if isinstance(each, AccountTold | ExceptionRaised)]


def test_a_part_that_came_in_time_leaves_the_reminder_right() -> None:
    """R30: half of it was paid before the letter; the other half was owed."""
    stage = _told()
    _move(stage, "C1", "C3")
    facts = _pay(stage, "C3", "P-1", "500.00", on="2024-06-20", document="INV-1")
    assert [] == [each for each in facts if isinstance(each, ReminderWasWrong)]
    facts = _pay(stage, "C3", "P-2", "500.00", on="2024-07-05", document="INV-1")
    assert [] == [each for each in facts if isinstance(each, ReminderWasWrong)]
    assert 500 == _claims(stage, "C1")["INV-1/fee/first"]


def test_a_cancelled_invoice_takes_its_claims_along_wherever_they_are() -> None:
    """R13: cancelled under the old customer: nothing is claimed at the new one; what had been paid there is his credit."""
    stage = _told()
    stage.fold(CustomerMerged(**_who("C1", on="2024-07-08"), into="C3"))
    _pay(stage, "C3", "P-1", "300.00", on="2024-07-09", document="INV-1")
    stage.fold(InvoiceCancelled(**_who("C1", on="2024-07-10"), document="INV-1"))
    account = stage.partition.account("acme:C3")
    assert {0} == set(_claims(stage, "C3").values())
    assert ("cancelled", 0, 30_000) == (
        account.items["INV-1"].status,
        account.row.balances["EUR"].open_minor,
        account.row.balances["EUR"].credit_minor,
    )


def test_a_second_part_of_a_payment_counts_from_the_payments_own_day() -> None:
    """R22, R30: money of days before an invoice moved, sent in two parts: the customer that it came from is told of both."""
    stage = played(
        """# an invoice moves, and a payment of before is sent after it, in two parts
customer email ana@c1.test
plan default
    first 0 email
customer @C2 email eva@c2.test
2026-01-02  invoice INV-2 40.00 due 2026-02-03 @C2
2026-01-03  invoice INV-1 60.00 due 2026-02-02
2026-01-08  transfer INV-1 to C2
    expect transferred INV-1
2026-01-09  payment P-1 100.00 dated 2026-01-05
2026-01-10  transfer-payment P-1 40.00 to C2 items INV-2
    expect transferred
2026-01-11  transfer-payment P-1 60.00 to C2
    expect transferred
"""
    )
    account = stage.partition.account("acme:C2")
    assert {"payment/P-1@C1+2"} == set(account.applications["INV-1"])
    day = datetime.date(2026, 1, 5)
    assert [(day, 6_000)] == [
        (each.on, each.amount_minor) for each in settled_here(account, account.items["INV-1"])
    ]
    told = [each for each in stage.told if isinstance(each, ItemSettledElsewhere)]
    assert [(day, 6_000)] == [(each.on, each.amount_minor) for each in told[-1].settled]

"""What goes along between customers of a company, and what does not, beside what the stories ``s26_*`` show (SEMANTICS 2.6)."""

import datetime
from typing import Any

from msgspec import structs

from schemas.events import CustomerMerged, PaymentReceived
from schemas.facts import ExceptionRaised, Movement
from schemas.moved_rows import SettledOn
from schemas.transfers import TransferReceived
from tests.scenarios.on_core import Stage
from tests.scenarios.playing import played

_CUSTOMERS = """# SEMANTICS 2.6: three customers.
customer email ana@c1.test
customer @C2 email eva@c2.test
customer @C3 email ida@c3.test
plan default
    first 0 email
2026-01-02  invoice INV-1 100.00 due 2026-02-02
"""


def received(stage: Stage) -> list[TransferReceived]:
    """List what accounts were told by others."""
    return [event for event in stage.told if isinstance(event, TransferReceived)]


def open_minor(stage: Stage, customer: str) -> dict[str, int]:
    """Give what a customer owes, by item."""
    return {name: row.open_minor for name, row in stage.partition.account(f"acme:{customer}").items.items()}


def test_a_transfer_that_comes_twice_counts_once() -> None:
    """SEMANTICS 2.2: it is known by its own id."""
    stage = played(f"{_CUSTOMERS}2026-01-10 transfer INV-1 to C2\n    expect transferred INV-1\n")
    before = stage.partition.rows()
    assert [] == stage.fold(received(stage)[0])
    assert before == stage.partition.rows()


def test_a_dispute_and_an_exclusion_go_along_as_they_are() -> None:
    """R15, R29: with reason, author and review, so that whoever looks after it there knows what was agreed."""
    stage = played(
        f"""{_CUSTOMERS}2026-01-03 dispute INV-1 40.00 because "two boxes short" review 2026-03-01
    expect disputed INV-1
2026-01-04 exclude INV-1 because "the court"
2026-01-10 transfer INV-1 to C2
    expect transferred INV-1
"""
    )
    here, there = (stage.partition.account(f"acme:{each}") for each in ("C1", "C2"))
    was, is_now = (structs.asdict(each.arranged().disputes["dispute-INV-1"]) for each in (here, there))
    assert 4_000 == was.pop("sent_minor")  # what went along
    assert was | {"account": "acme:C2", "order": is_now["order"], "sent_minor": None} == is_now
    hold = there.holds["excluded/INV-1"]
    assert ("acme:C2", "excluded", "INV-1", "the court", "2026-01-04") == (
        hold.account,
        hold.hold,
        hold.item,
        hold.reason,
        hold.placed_at,
    )


def test_a_deposit_of_a_merged_customer_is_applied_to_nothing() -> None:
    """Section 3: an order's deposit waits for its order, also with another customer; money without a name does not."""
    stage = played(f"{_CUSTOMERS}2026-01-05 invoice INV-2 100.00 due 2026-02-02 @C2\n")
    whose: dict[str, Any] = {"company": "acme", "customer": "C1", "occurred_at": "2026-01-06"}
    stage.fold(CustomerMerged(**whose, into="C2"))
    stage.fold(PaymentReceived(**whose, payment="D-1", currency="USD", amount="30.00", order_reference="O-1"))
    there = stage.partition.account("acme:C2")
    assert 3000 == there.credits["payment/D-1@C1"].rest_minor
    moved = [each for each in stage.log if isinstance(each, Movement) and each.kind == "transferred_in"]
    assert {datetime.date(2026, 1, 6)} == {each.business_date for each in moved}


def test_money_that_a_cancellation_frees_there_goes_to_what_it_names_next() -> None:
    """R13: the invoice moved and was paid there; cancelled where it was issued, its money serves the payment's next name."""
    stage = played(
        f"""{_CUSTOMERS}2026-01-05 invoice INV-2 50.00 due 2026-02-02 @C2
2026-01-10 transfer INV-1 to C2
    expect transferred INV-1
2026-01-11 payment P-1 110.00 for INV-1 INV-2 @C2
2026-01-12 cancel INV-1
    expect transferred INV-1
"""
    )
    assert {"INV-1": 0, "INV-2": 0} == open_minor(stage, "C2")
    assert 6000 == stage.partition.account("acme:C2").credits["payment/P-1"].rest_minor


def test_an_item_is_known_by_its_name_where_it_came_from() -> None:
    """It came under another name, since that customer has one of its own: what is told back names it so."""
    stage = played(
        f"""{_CUSTOMERS}2026-01-05 invoice INV-1 50.00 due 2026-02-02 @beta:C2
2026-01-05 debit-note INV-1 50.00 @C2
2026-01-10 transfer INV-1 to C2
    expect transferred INV-1
2026-01-11 transfer "INV-1 @C1" to C3 @C2
    expect transferred INV-1 @C2
"""
    )
    moved = stage.partition.account("acme:C3").items["INV-1"]
    assert moved.elsewhere is not None
    assert "INV-1 @C1" == moved.elsewhere.item


def test_what_is_taken_off_an_item_that_is_forgotten_is_said() -> None:
    """It cannot be booked; a person must know."""
    stage = played(f"{_CUSTOMERS}2026-01-10 transfer INV-1 to C2\n    expect transferred INV-1\n")
    event = received(stage)[0]
    (item,) = event.items
    less = structs.replace(event, customer="C3", items=(structs.replace(item, amount_minor=-100),))
    (said,) = stage.fold(less)
    assert isinstance(said, ExceptionRaised)
    assert ("too_old", f"transfer/{event.transfer}") == (said.reason, said.key)


def test_what_had_settled_an_item_with_claims_goes_along_with_it() -> None:
    """R22: what is claimed on it later is of what had been owed, day by day, also before it moved."""
    stage = played(
        """# R22: a fixed sum was claimed, then a part was paid, then the invoice moved.
company currency EUR charges claim
customer @C1 email ana@c1.test kind business country DE
customer @C2 email eva@c2.test kind business country DE
law eu_business
plan default
    first    0 email
    second +15 email
2024-05-02  invoice INV-1 1000.00 due 2024-06-20
2024-06-20  tick
    expect reminder first INV-1 by email charges ""
2024-07-05  tick
    expect reminder second INV-1 by email
    expect claim INV-1/interest/2024-07-05 5.10
    expect claim INV-1/fixed_sum 40.00
    expect finished INV-1
2024-07-06  payment P-1 400.00 for INV-1
2024-07-08  transfer INV-1 to C2
    expect transferred INV-1
"""
    )
    was, moved = (stage.partition.account(f"acme:{each}").items["INV-1"] for each in ("C1", "C2"))
    names = (
        "plan",
        "step",
        "sent_level_on",
        "sent_on",
        "pay_by_on",
        "claimed_through",
        "charged",
        "costs_minor",
    )
    assert [getattr(was, name) for name in names] == [getattr(moved, name) for name in names]
    assert moved.claimed_through is not None
    assert moved.elsewhere is not None
    assert (SettledOn(on=datetime.date(2024, 7, 6), amount_minor=40000),) == moved.elsewhere.before


def test_parts_of_a_payment_go_to_several_other_customers() -> None:
    """What each has is known by itself; of what is not left the second is refused, and said how much is."""
    stage = played(
        f"""{_CUSTOMERS}2026-01-05 payment P-1 150.00 for INV-1
2026-01-06 transfer-payment P-1 10.00 to C2
    expect transferred
2026-01-07 transfer-payment P-1 30.00 to C3
    expect transferred
2026-01-08 transfer-payment P-1 20.00 to C2
    expect exception request_refused
"""
    )
    said = [each.detail for each in stage.log if isinstance(each, ExceptionRaised)]
    assert ["1000 minor units are left of payment/P-1, not 2000"] == said
    credit = stage.partition.account("acme:C1").credits["payment/P-1"]
    assert (4000, "C3", {"C2": 1000}) == (credit.moved_minor, credit.moved_to, credit.moved_also)


def test_an_invoice_that_was_settled_when_it_moved_is_told_of_when_it_is_open() -> None:
    """Until then the other customer knows nothing of it, whatever is amended."""
    story = f"""{_CUSTOMERS}2026-01-05 payment P-1 100.00 for INV-1
2026-01-06 transfer INV-1 to C2
2026-01-07 amend INV-1 due 2026-03-02
"""
    assert {} == open_minor(played(story), "C2")
    bounced = f"{story}2026-01-08 reverse P-1\n    expect transferred INV-1\n"
    assert {"INV-1": 10000} == open_minor(played(bounced), "C2")
    assert datetime.date(2026, 3, 2) == played(bounced).partition.account("acme:C2").items["INV-1"].due_on


def test_what_was_paid_of_instalments_there_is_credit_when_the_invoice_is_worth_less() -> None:
    """R25: amended where it was issued: beyond the new amount the money is the customer's who paid."""
    stage = played(
        f"""{_CUSTOMERS}2026-01-10 transfer INV-1 to C2
    expect transferred INV-1
2026-01-11 payment-plan INV-1 2 first 2026-03-01 @C2
    expect split INV-1 "50.00 on 2026-03-01; 50.00 on 2026-04-01" @C2
2026-01-12 payment P-1 50.00 for INV-1 @C2
2026-01-13 amend INV-1 amount 30.00
    expect transferred INV-1
    expect payment-plan INV-1 cancelled returned 50.00 @C2
"""
    )
    there = stage.partition.account("acme:C2")
    assert {"INV-1": 0, "INV-1 1/2": 0, "INV-1 2/2": 0} == open_minor(stage, "C2")
    assert 2000 == there.credits["payment/P-1"].rest_minor


def test_an_opt_out_of_unknown_time_goes_along_and_is_in_force() -> None:
    """R15: of an older version only that he wants none is known: who is merged does not bring it to an end, and it is not lost."""
    stage = played(f"{_CUSTOMERS}2026-01-05 opt-in email\n2026-01-06 opt-in email @C3\n")
    stage.partition.account("acme:C2").row.opted_out = ("email",)
    for customer, into in (("C1", "C2"), ("C2", "C3")):
        stage.fold(CustomerMerged(company="acme", customer=customer, occurred_at="2026-01-10", into=into))
        assert ("email",) == stage.partition.account(f"acme:{into}").row.opted_out

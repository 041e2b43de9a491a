"""Claims follow what is known (R22, R30): whatever is heard late, each is what it would have been, and never more than was told."""

import datetime
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.account import Account
from processors.partition import Partition
from schemas.charges import ClaimCorrected, ClaimDocument
from schemas.events import (
    CreditNoteCancelled,
    CreditNoteIssued,
    InvoiceAmended,
    InvoiceCancelled,
    InvoiceIssued,
    PaymentLine,
    PaymentReceived,
    PaymentReversed,
)
from schemas.facts import Movement
from schemas.journal import SourceEvent
from tests.scenarios.on_core import Stage
from tests.scenarios.playing import played

STORY = """# R22: a claim of interest, fixed sum and fee on 1000.00, of 5 July 2024.
company currency EUR charges claim
customer email ana@c1.test kind business country DE
law eu_business
plan default
    first  +15 email fee 5.00 EUR
2024-05-02  invoice INV-1 1000.00 due 2024-06-20
2024-07-05  tick
    expect reminder first INV-1 by email
    expect claim INV-1/interest/2024-07-05 5.10
    expect claim INV-1/fixed_sum 40.00
    expect claim INV-1/fee/first 5.00
    expect finished INV-1
"""
DUE, SENT = datetime.date(2024, 6, 20), datetime.date(2024, 7, 5)
DAY = datetime.timedelta(days=1)
acts = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(1, 250), st.integers(-10, 40)),
        st.tuples(st.just("reverse"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("cancel"), st.just(0), st.just(0)),
    ),
    max_size=6,
)


@cache
def _rows() -> tuple[tuple[bytes, bytes], ...]:
    return tuple(played(STORY).partition.rows().items())


def _played(done: list[tuple[str, int, int]]) -> tuple[Account, list[tuple[datetime.date, int]], bool]:
    """Play acts after the claims; give the account, (day, amount) of the payments that stand, and whether it is cancelled."""
    stage = Stage(partition=Partition(number=0))
    stage.partition.restore(list(_rows()))
    whose: dict[str, Any] = {"company": "acme", "customer": "C1"}
    paid: dict[str, tuple[datetime.date, int]] = {}
    cancelled, left = False, 1000
    for number, (act, amount, days) in enumerate(done):
        event: SourceEvent
        if act == "pay" and amount <= left and not cancelled:
            on, name, left = DUE + days * DAY, f"P-{number}", left - amount
            line = PaymentLine(document="INV-1")
            event = PaymentReceived(
                **whose, occurred_at=str(on), payment=name, currency="EUR", amount=str(amount), lines=(line,)
            )
            paid[name] = on, amount * 100
        elif act == "reverse" and amount < len(paid):
            name = list(paid)[amount]
            event = PaymentReversed(**whose, occurred_at="2024-08-01", payment=name)
            left += paid.pop(name)[1] // 100
        elif act == "cancel":
            event = InvoiceCancelled(**whose, occurred_at="2024-08-02", document="INV-1")
            cancelled = True
        else:
            continue
        stage.fold(event)
    return stage.partition.account("acme:C1"), list(paid.values()), cancelled


def _interest_minor(paid: list[tuple[datetime.date, int]]) -> int:
    """Compute the interest day by day: on what was owed in the morning, at the rate of the day; rounded half up."""
    exact = 0
    for number in range(1, (SENT - DUE).days + 1):
        day = DUE + number * DAY
        owed = 100_000 - sum(minor for on, minor in paid if on < day)
        exact += owed * (1250 if day < datetime.date(2024, 7, 1) else 1225)
    return (2 * exact + 3_650_000) // 7_300_000


@given(acts)
@settings(deadline=None)  # the first of them tells the story
def test_a_claim_is_what_it_would_have_been(done: list[tuple[str, int, int]]) -> None:
    """By brute force over the days: payments in any order, backdated or not, taken back or not; cancelled, nothing is left."""
    account, paid, cancelled = _played(done)
    claims = {name.partition("/")[2].partition("/")[0]: row for name, row in account.claims.items()}
    assert {"interest", "fixed_sum", "fee"} == claims.keys()
    expected = 0 if cancelled else min(510, _interest_minor(paid))
    assert expected == claims["interest"].amount_minor
    all_paid_on = max((on for on, _ in paid), default=None) if sum(m for _, m in paid) == 100_000 else None
    in_time = all_paid_on is not None and all_paid_on <= DUE
    before_level = all_paid_on is not None and all_paid_on < SENT
    assert (0 if cancelled or in_time else 4000) == claims["fixed_sum"].amount_minor
    assert (0 if cancelled or before_level else 500) == claims["fee"].amount_minor
    for row in claims.values():
        assert isinstance(row.document, ClaimDocument)
        assert 0 <= row.corrected_minor
        assert row.amount_minor + row.corrected_minor in (510, 4000, 500)


def test_what_was_paid_of_a_claim_goes_where_it_was_named_next() -> None:
    """Section 3: a cancelled invoice's fixed sum had been paid; the money goes to the payment's next name, and the rest is credit."""
    stage = Stage(partition=Partition(number=0))
    stage.partition.restore(list(_rows()))
    whose: dict[str, Any] = {"company": "acme", "customer": "C1", "occurred_at": "2024-07-08"}
    stage.fold(
        InvoiceIssued(
            **whose, document="INV-2", currency="EUR", amount="30.00", due_date=datetime.date(2024, 12, 1)
        )
    )
    lines = (PaymentLine(document="INV-1/fixed_sum"), PaymentLine(document="INV-2"))
    stage.fold(PaymentReceived(**whose, payment="P-1", currency="EUR", amount="40.00", lines=lines))
    account = stage.partition.account("acme:C1")
    assert (0, 3000) == (account.items["INV-1/fixed_sum"].open_minor, account.items["INV-2"].open_minor)
    stage.fold(InvoiceCancelled(**whose, document="INV-1"))
    account = stage.partition.account("acme:C1")
    assert (0, 0) == (account.items["INV-1/fixed_sum"].amount_minor, account.items["INV-2"].open_minor)
    assert 1000 == account.credits["payment/P-1"].rest_minor


def test_a_restored_claim_has_its_payment_back() -> None:
    """Names last: credited in full, the fixed sum falls away, and what paid it is free; the note taken back, it is paid again."""
    stage = Stage(partition=Partition(number=0))
    stage.partition.restore(list(_rows()))
    whose: dict[str, Any] = {"company": "acme", "customer": "C1", "occurred_at": "2024-07-08"}
    lines = (PaymentLine(document="INV-1/fixed_sum"),)
    stage.fold(PaymentReceived(**whose, payment="P-1", currency="EUR", amount="40.00", lines=lines))
    stage.fold(CreditNoteIssued(**whose, document="CN-1", currency="EUR", amount="1000.00", invoice="INV-1"))
    assert 4000 == stage.partition.account("acme:C1").credits["payment/P-1"].rest_minor
    stage.fold(CreditNoteCancelled(**whose, document="CN-1"))
    account = stage.partition.account("acme:C1")
    claim = account.items["INV-1/fixed_sum"]
    assert (4000, 0, 0) == (claim.amount_minor, claim.open_minor, account.credits["payment/P-1"].rest_minor)


def _told() -> Stage:
    stage = Stage(partition=Partition(number=0))
    stage.partition.restore(list(_rows()))
    return stage


def _payment(name: str, amount: str, *, on: str, document: str = "") -> PaymentReceived:
    lines = (PaymentLine(document=document),) if document else ()
    return PaymentReceived(
        company="acme",
        customer="C1",
        occurred_at=on,
        payment=name,
        currency="EUR",
        amount=amount,
        lines=lines,
    )


def _amounts(stage: Stage) -> dict[str, int]:
    claims = stage.partition.account("acme:C1").claims
    return {name.split("/")[1]: row.amount_minor for name, row in claims.items()}


def test_only_what_is_too_much_is_given_back_of_a_claim_that_was_paid() -> None:
    """R22: 0.84 of the interest, and the fee; money that nobody named goes nowhere else by itself, and costs of the cap go down."""
    stage = _told()
    assert 4500 == stage.partition.account("acme:C1").items["INV-1"].costs_minor
    stage.fold(_payment("P-1", "1000.00", on="2024-07-08", document="INV-1"))
    stage.fold(_payment("P-2", "49.60", on="2024-07-08"))
    stage.fold(PaymentReversed(company="acme", customer="C1", occurred_at="2024-07-09", payment="P-1"))
    stage.fold(_payment("P-3", "1000.00", on="2024-07-01", document="INV-1"))
    account = stage.partition.account("acme:C1")
    interest = account.items["INV-1/interest/2024-07-05"]
    assert (376, 0, 584) == (
        interest.amount_minor,
        interest.open_minor,
        account.credits["payment/P-2"].rest_minor,
    )
    assert 4000 == account.items["INV-1"].costs_minor
    stage.fold(PaymentReversed(company="acme", customer="C1", occurred_at="2024-07-10", payment="P-3"))
    assert 4500 == stage.partition.account("acme:C1").items["INV-1"].costs_minor


def test_a_claim_is_never_corrected_before_its_own_day() -> None:
    """Figures of a past day: money of 1 July is heard later; on the 4th there was no claim that could be less."""
    facts = _told().fold(_payment("P-1", "400.00", on="2024-07-01", document="INV-1"))
    days = {each.on for each in facts if isinstance(each, ClaimCorrected)}
    days |= {each.business_date for each in facts if isinstance(each, Movement) and each.kind == "waived"}
    assert {SENT} == days


def test_paid_on_the_day_of_the_level_is_not_before_it() -> None:
    """R22: the letter was right on its day, and so was its fee; the fixed sum was due anyway."""
    stage = _told()
    stage.fold(_payment("P-1", "1000.00", on=str(SENT), document="INV-1"))
    assert {"interest": 510, "fixed_sum": 4000, "fee": 500} == _amounts(stage)


def test_a_due_date_that_moves_takes_its_days_off_the_interest() -> None:
    """R22: from the day after the new due date; due on the day of the level itself, nothing was overdue (R6)."""
    found = []
    for due_on in (datetime.date(2024, 7, 1), SENT):
        stage = _told()
        event = InvoiceAmended(
            company="acme",
            customer="C1",
            occurred_at="2024-07-08",
            document="INV-1",
            revision=1,
            due_date=due_on,
        )
        stage.fold(event)
        found.append(_amounts(stage))
    assert [
        {"interest": 134, "fixed_sum": 4000, "fee": 500},
        {"interest": 0, "fixed_sum": 0, "fee": 0},
    ] == found

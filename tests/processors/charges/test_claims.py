"""Claims beside what the stories ``r22_*`` show: what a waiver says in the books."""

import datetime

from schemas.facts import Movement
from tests.scenarios.playing import played


def test_a_waiver_is_a_movement_of_its_own_day() -> None:
    """R22: aging and statement of the days before show the claim; not before it was there."""
    stage = played(
        """# R22: a fee is claimed, and a part of it waived; whoever tells it says a day before the claim.
company charges claim
customer email ana@c1.test
plan default
    first    0 email
    second  +9 email fee 20.00
2026-01-02  invoice INV-1 1000.00 due 2026-02-02
2026-02-02  tick
    expect reminder first INV-1 by email
2026-02-11  tick
    expect reminder second INV-1 by email
    expect claim INV-1/fee/second 20.00
    expect finished INV-1
2026-02-12  waive INV-1/fee/second 5.00 dated 2026-02-03
2026-02-13  waive INV-1/fee/second 6.00
"""
    )
    waived = [each for each in stage.log if isinstance(each, Movement) and each.kind == "waived"]
    assert [(-500, datetime.date(2026, 2, 11)), (-600, datetime.date(2026, 2, 13))] == [
        (each.amount_minor, each.business_date) for each in waived
    ]
    item = stage.partition.account("acme:C1").items["INV-1"]
    assert (2000, ("fee/second",)) == (item.costs_minor, item.charged)

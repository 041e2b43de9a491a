"""What lateness costs where the law changes between an approval and the sending (R19, R22, section 5)."""

import datetime

import pytest

from processors.charges.weighing import Weighed, charges_of
from schemas.commands import SetLaw
from schemas.law import CostBand, CostCap, FixedSum, LawChoice, LawEdition, LawProfile
from schemas.plans import Action, Step
from tests.scenarios.playing import played

_READ, _SENT = datetime.date(2026, 3, 1), datetime.date(2026, 3, 3)
_STORY = """# R22: an invoice is a month late.
company charges claim min-days 0
customer email ana@c1.test kind business
plan default
    first 0 email
2026-01-02  invoice INV-1 1000.00 due 2026-02-02
2026-02-02  tick
    expect reminder first INV-1 by email
    expect finished INV-1
"""


def _edition(start_on: datetime.date, *, percent: str) -> LawEdition:
    cap = CostCap(bands=(CostBand(percent=percent),)) if percent else None
    return LawEdition(
        start_on=start_on, sources=("the story",), fixed_sums=(FixedSum(amount="40.00"),), cost_cap=cap
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [("", "1", 1000), ("3", "1", 1000), ("1", "3", 1000), ("1", "", 1000), ("", "", 4000)],
)
def test_costs_keep_to_the_law_that_was_read_and_to_that_of_the_day_of_sending(
    old: str, new: str, expected: int
) -> None:
    """Section 5: approved under one edition and sent under the next, a debtor pays no more than the stricter one allows."""
    stage = played(_STORY)
    law = SetLaw(
        company="acme", occurred_at="2026-02-03", command="own law", choices=(LawChoice(profile="own"),),
        profiles=(LawProfile(id="own", editions=(
            _edition(datetime.date(1970, 1, 1), percent=old), _edition(_SENT, percent=new),
        )),),
    )  # fmt: skip
    stage.fold(law)
    account = stage.partition.account("acme:C1")
    step = Step(name="second", offset_days=20, actions=(Action(channel="email"),))
    company = stage.partition.company("acme")
    charges = charges_of(
        account, [Weighed(account.items["INV-1"], step)], company=company, day=_READ, sent_on=_SENT
    )
    assert [("fixed_sum", expected)] == [(each.kind, each.amount_minor) for each in charges]

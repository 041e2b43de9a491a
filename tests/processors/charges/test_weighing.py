"""What lateness costs where the law changes: between an approval and the sending, and between two days (R19, R22, section 5)."""

import datetime
from typing import Literal

import pytest

from processors.charges.weighing import Weighed, charges_of
from schemas.commands import SetLaw
from schemas.law import CostBand, CostCap, FixedSum, Interest, LawChoice, LawEdition, LawProfile, Rate
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


def _bearing(start_on: datetime.date, *, percent: str, days_in_year: Literal[360, 365] = 365) -> LawEdition:
    rates = (Rate(start_on=datetime.date(1970, 1, 1), percent=percent),)
    interest = (Interest(days_in_year=days_in_year, rates=rates),) if percent else ()
    return LawEdition(start_on=start_on, sources=("the story",), interest=interest)


_LONG_AGO = datetime.date(1970, 1, 1)
_DAY = datetime.date(2026, 3, 5)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # 28 days of the old edition; 3 of the new one, which begins on 3 March.
        (_bearing(_LONG_AGO, percent="10"), _bearing(_SENT, percent=""), [("2026-02-03", "2026-03-02", 767)]),
        (
            _bearing(_LONG_AGO, percent="10"),
            _bearing(_SENT, percent="20"),
            [("2026-02-03", "2026-03-05", 932)],
        ),
        (_bearing(_LONG_AGO, percent=""), _bearing(_SENT, percent="20"), [("2026-03-03", "2026-03-05", 164)]),
        (
            _bearing(_LONG_AGO, percent="10", days_in_year=360),
            _bearing(_SENT, percent="10"),
            [("2026-02-03", "2026-03-02", 778), ("2026-03-03", "2026-03-05", 82)],
        ),
    ],
    ids=["abolished", "another rate", "introduced", "another year"],
)
def test_each_day_bears_the_interest_of_the_law_that_was_in_force_on_it(
    old: LawEdition, new: LawEdition, expected: list[tuple[str, str, int]]
) -> None:
    """R22, section 5: an edition says nothing of the days before it, neither more nor less; no day is charged twice."""
    stage = played(_STORY)
    stage.fold(
        SetLaw(
            company="acme", occurred_at="2026-02-03", command="own law", choices=(LawChoice(profile="own"),),
            profiles=(LawProfile(id="own", editions=(old, new)),),
        )
    )  # fmt: skip
    account = stage.partition.account("acme:C1")
    item, company = account.items["INV-1"], stage.partition.company("acme")
    step = Step(name="second", offset_days=20, actions=(Action(channel="email"),))

    def charged() -> list[tuple[str, str, int]]:
        found = charges_of(account, [Weighed(item, step)], company=company, day=_DAY)
        return [(str(each.from_on), str(each.until_on), each.amount_minor) for each in found]

    assert expected == charged()
    item.claimed_through = _DAY
    assert [] == charged()


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        # Nothing was in force before 3 March but the default: what ships has no interest.
        (None, [("2026-03-03", "2026-03-05", 164)]),
        # A default of the company's own holds until then: 10 % for 8 days, 20 % for 20, and 20 % for 3 more of the profile itself.
        (
            (
                _bearing(datetime.date(2026, 2, 3), percent="10"),
                _bearing(datetime.date(2026, 2, 11), percent="20"),
            ),
            [("2026-02-03", "2026-03-05", 1479)],
        ),
    ],
    ids=["shipped default", "a default of its own"],
)
def test_days_before_a_laws_first_edition_bear_what_the_default_says(
    default: tuple[LawEdition, ...] | None, expected: list[tuple[str, str, int]]
) -> None:
    """R22, section 5: a law that begins today asks for nothing for the days before it, however long an invoice is overdue."""
    stage = played(_STORY)
    profiles = [LawProfile(id="own", editions=(_bearing(_SENT, percent="20"),))]
    profiles += [] if default is None else [LawProfile(id="plain", editions=default)]
    stage.fold(
        SetLaw(
            company="acme", occurred_at="2026-02-03", command="own law", choices=(LawChoice(profile="own"),),
            profiles=tuple(profiles),
        )
    )  # fmt: skip
    account, company = stage.partition.account("acme:C1"), stage.partition.company("acme")
    step = Step(name="second", offset_days=20, actions=(Action(channel="email"),))
    found = charges_of(account, [Weighed(account.items["INV-1"], step)], company=company, day=_DAY)
    assert expected == [(str(each.from_on), str(each.until_on), each.amount_minor) for each in found]

"""Fixed sums and caps of collection costs, as the shipped profiles have them (R22, section 5)."""

import datetime

import pytest

from processors.charges.costs import cap_minor, fixed_sum_minor
from processors.law.shipped import shipped_profiles
from schemas.law import CostBand, CostCap, LawEdition

DUE = datetime.date(2026, 1, 1)
UF = {"UF": "39000"}


def law(name: str) -> LawEdition:
    """Give the newest rules of a shipped profile."""
    return shipped_profiles()[name].editions[-1]


@pytest.mark.parametrize(
    ("amount_minor", "expected"), [(99_999, 4000), (100_000, 7000), (999_999, 7000), (1_000_000, 10_000)]
)
def test_uk_sums_grow_with_the_debt(amount_minor: int, expected: int) -> None:
    """UK: 40, from 1,000 GBP 70, from 10,000 GBP 100."""
    sums = law("uk_business").fixed_sums
    assert expected == fixed_sum_minor(sums, amount_minor=amount_minor, currency="GBP")


def test_other_currencies_have_no_fixed_sum_but_a_percentage() -> None:
    """40 EUR are not 40 USD; CL business: 1 % of any currency."""
    assert 0 == fixed_sum_minor(law("eu_business").fixed_sums, amount_minor=10_000, currency="USD")
    assert 1235 == fixed_sum_minor(law("cl_business").fixed_sums, amount_minor=123_456, currency="CLP")


def cap(
    debt: int, *, days: int, units: dict[str, str] | None = None, of: CostCap | None = None
) -> int | None:
    """Give what collection may cost a Chilean consumer so many days after the due date."""
    return cap_minor(
        of or law("cl_consumer").cost_cap,
        debt_minor=debt,
        currency="CLP",
        unit_values=UF if units is None else units,
        due_on=DUE,
        on=DUE + datetime.timedelta(days=days),
    )


@pytest.mark.parametrize(
    ("debt", "days", "expected"),
    [
        (100_000, 20, 0),  # nothing in the first 20 days
        (100_000, 21, 9000),  # 9 % up to 10 UF
        (390_000, 21, 35_100),  # 10 UF exactly
        (1_000_000, 21, 35_100 + 36_600),  # and 6 % of the 610,000 above
        (2_950_000, 21, 35_100 + 93_600 + 30_000),  # 3 % of the million above 50 UF
    ],
)
def test_cl_consumer_bands(debt: int, days: int, expected: int) -> None:
    """CL consumer: 9/6/3 %, each of its part of the debt."""
    assert expected == cap(debt, days=days)


def test_without_the_units_value_the_lowest_percentage_holds() -> None:
    """Nobody published the UF: no more than the law allows in any case."""
    assert 3000 == cap(100_000, days=21, units={})


def test_no_cap_and_a_cap_without_unit() -> None:
    """No cap is None, which is not nothing; a single band needs no unit."""
    assert cap_minor(None, debt_minor=1, currency="EUR", unit_values={}, due_on=DUE, on=DUE) is None
    assert 500 == cap(10_000, days=1, of=CostCap(bands=(CostBand(percent="5"),)))

"""Simple interest by segments and dated rates (R22): exact in between, rounded once."""

import datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.charges.interest import interest_minor, rates_between, segments
from schemas.law import Interest, Rate

DAY = datetime.timedelta(days=1)
START = datetime.date(2024, 1, 1)
LAW = Interest(
    currency="EUR",
    rates=(
        Rate(start_on=datetime.date(2024, 1, 1), percent="12.50"),
        Rate(start_on=datetime.date(2024, 7, 1), percent="12.25"),
    ),
)


def charged(*, balance: int, settled: list[tuple[datetime.date, int]], from_on: str, until_on: str) -> int:
    """Charge interest under the law of these tests."""
    days = [datetime.date.fromisoformat(each) for each in (from_on, until_on)]
    found = segments(balance, settled=settled, rates=LAW.rates, from_on=days[0], until_on=days[1])
    return interest_minor(found, days_in_year=365)


@pytest.mark.parametrize(
    ("from_on", "until_on", "expected"),
    [
        ("2024-06-21", "2024-06-21", 34),  # one day late: 0.342…
        ("2024-06-21", "2024-07-10", 678),  # ten days at each rate: 3.4246… + 3.3561…
        ("2024-07-01", "2024-06-30", 0),  # no day to charge
        ("2023-12-01", "2023-12-31", 0),  # a day before the first rate has none
        ("2023-12-31", "2024-01-01", 34),
    ],
)
def test_days_bear_the_rate_that_holds_on_them(from_on: str, until_on: str, expected: int) -> None:
    """1000.00 at 12.50 %, from July at 12.25 %."""
    assert expected == charged(balance=100_000, settled=[], from_on=from_on, until_on=until_on)


def test_the_day_of_a_payment_still_bears_interest_on_it() -> None:
    """Paid in full on the third day: three days; and nothing from then on."""
    settled = [(datetime.date(2024, 3, 3), 100_000)]
    assert 103 == charged(balance=100_000, settled=settled, from_on="2024-03-01", until_on="2024-06-30")


def test_the_last_day_bears_what_is_owed_in_its_own_morning() -> None:
    """Paid in full on the day before the last: two days, not three; a new rate on the last day holds for that day."""
    settled = [(datetime.date(2024, 3, 2), 100_000)]
    assert 68 == charged(balance=100_000, settled=settled, from_on="2024-03-01", until_on="2024-03-03")
    assert 678 == charged(balance=1_000_000, settled=[], from_on="2024-06-30", until_on="2024-07-01")


def test_a_claim_keeps_the_rates_of_its_days() -> None:
    """What it is computed by again: a rate that begins on its first day, or on its last one, is among them."""
    january, july = LAW.rates
    found = [
        rates_between(
            LAW.rates, from_on=datetime.date.fromisoformat(first), until_on=datetime.date.fromisoformat(last)
        )
        for first, last in (
            ("2024-07-01", "2024-07-10"),
            ("2024-06-20", "2024-07-01"),
            ("2024-01-01", "2024-06-30"),
        )
    ]
    assert [(july,), (january, july), (january,)] == found


days = st.integers(0, 400).map(lambda number: START + number * DAY)
payments = st.lists(st.tuples(days, st.integers(1, 500)), max_size=4)


@given(st.integers(1, 1000), payments, days, days, days)
def test_a_claim_and_the_next_are_the_same_as_one(
    balance: int,
    settled: list[tuple[datetime.date, int]],
    first: datetime.date,
    cut: datetime.date,
    last: datetime.date,
) -> None:
    """Cut anywhere, no day is charged twice and none is left out: the exact sums are equal."""
    first, cut, last = sorted((first, cut, last))

    def exact(from_on: datetime.date, until_on: datetime.date) -> Fraction:
        found = segments(balance, settled=settled, rates=LAW.rates, from_on=from_on, until_on=until_on)
        return sum(
            (Fraction(each.balance_minor * each.rate_micro * each.days) for each in found), Fraction(0)
        )

    assert exact(first, last) == exact(first, cut) + exact(cut + DAY, last)


@given(st.integers(1, 1000), payments, days, days)
def test_segments_are_what_each_day_says(
    balance: int, settled: list[tuple[datetime.date, int]], first: datetime.date, last: datetime.date
) -> None:
    """Day by day, by brute force: what was owed in the morning, at the rate of the day."""
    expected = 0
    for number in range((last - first).days + 1):
        day = first + number * DAY
        owed = balance - sum(amount for on, amount in settled if on < day)
        rate = 12_500_000 if day < datetime.date(2024, 7, 1) else 12_250_000
        expected += max(0, owed) * rate
    found = segments(balance, settled=settled, rates=LAW.rates, from_on=first, until_on=last)
    assert expected == sum(each.balance_minor * each.rate_micro * each.days for each in found)

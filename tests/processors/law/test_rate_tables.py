"""Tables of interest rates (R22): nobody goes by one that has ended without being told, and the next rate is easily added."""

import datetime

import pytest

from processors.law.rate_tables import RateError, edition_on, speaks_through, with_rate
from processors.law.shipped import shipped_profiles
from schemas.law import Rate


def rates(*days: str) -> list[Rate]:
    """Make a table."""
    return [Rate(start_on=datetime.date.fromisoformat(day), percent="10") for day in days]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (("2025-07-01", "2026-01-01"), "2026-06-30"),  # half-years
        (("2026-01-01", "2026-07-01"), "2026-12-31"),
        (("2026-09-01", "2026-10-01", "2026-11-01"), "2026-11-30"),  # each month, as the CMF does
        (("2026-01-01",), "2026-06-30"),  # one alone: no law fixes a rate for longer
        (("2020-01-01", "2026-01-01"), "2026-06-30"),
        (("2026-03-15", "2026-03-29"), "2026-03-31"),
        (("2025-08-01", "2025-12-01"), "2026-03-31"),
    ],
)
def test_a_table_speaks_for_as_long_as_its_rates_usually_hold(days: tuple[str, ...], expected: str) -> None:
    """After that its newest rate is used all the same, and readiness says so."""
    assert datetime.date.fromisoformat(expected) == speaks_through(rates(*days))


def test_a_table_without_rates_speaks_of_no_day() -> None:
    """Chile's current interest is published by the month: the company's own."""
    assert None is speaks_through([])


def test_the_next_half_year_is_added_and_nothing_else_changes() -> None:
    """What ships stays as it was (a replay meets it); the company's copy has one more rate, and one of the same day is replaced."""
    shipped = shipped_profiles()["eu_business"]
    grown = with_rate(shipped, currency="EUR", rate=Rate(start_on=datetime.date(2026, 7, 1), percent="9.99"))
    mended = with_rate(grown, currency="EUR", rate=Rate(start_on=datetime.date(2026, 7, 1), percent="10.01"))
    (before,), (after,) = shipped.editions[0].interest, mended.editions[0].interest
    assert (*before.rates, Rate(start_on=datetime.date(2026, 7, 1), percent="10.01")) == after.rates
    assert shipped.editions[0].contacting == mended.editions[0].contacting
    assert datetime.date(2026, 12, 31) == speaks_through(after.rates)


@pytest.mark.parametrize(
    ("profile", "currency", "day", "percent", "expected"),
    [
        ("eu_business", "CLP", "2026-07-01", "9", "no interest in CLP"),
        ("eu_business", "EUR", "2012-01-01", "9", "no rules of 2012-01-01"),
        ("eu_business", "EUR", "2026-07-01", "nine", "nine"),
    ],
)
def test_a_rate_that_does_not_fit_is_refused(
    profile: str, currency: str, day: str, percent: str, expected: str
) -> None:
    """It says why."""
    rate = Rate(start_on=datetime.date.fromisoformat(day), percent=percent)
    with pytest.raises(RateError, match=expected):
        with_rate(shipped_profiles()[profile], currency=currency, rate=rate)


def test_an_edition_that_has_ended_holds_no_more() -> None:
    """Its day is the first without it."""
    shipped = shipped_profiles()["eu_business"]
    assert shipped.editions[0] == edition_on(shipped, on=datetime.date(2026, 7, 1))
    assert None is edition_on(shipped, on=datetime.date(2013, 3, 15))

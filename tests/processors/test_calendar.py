"""Company days: dates are days as they stand, instants belong to a zone, business days to a country."""

import datetime
import subprocess
import sys

import holidays
import pytest

from processors.calendar import (
    business_day,
    epoch_s,
    instant_of,
    is_business_day,
    known_countries,
    local_day,
    local_hour,
    next_business_day,
    zone_of,
)

SANTIAGO = zone_of("America/Santiago")


def day(text: str) -> datetime.date:
    """Read a day."""
    return datetime.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-01-31", "2026-01-31"),
        ("2026-02-01T01:00:00Z", "2026-01-31"),
        ("2026-02-01T03:00:00+00:00", "2026-02-01"),
        ("2026-01-31T23:59:59-03:00", "2026-01-31"),
    ],
)
def test_business_time_belongs_to_a_company_day(when: str, expected: str) -> None:
    """SEMANTICS 2.4: a date is that day; an instant is the day that the company's calendar shows."""
    assert day(expected) == business_day(when, SANTIAGO)


@pytest.mark.parametrize("when", ["2026-W01-1", "2026-02-30", "2026-01-31T10:00:00", "yesterday", "20260131"])
def test_what_is_no_business_time_is_refused(when: str) -> None:
    """A time without an offset could be two days."""
    with pytest.raises(ValueError, match=r".+"):
        business_day(when, SANTIAGO)


def test_unknown_zone_is_refused() -> None:
    """A misspelt zone is told, and no path is read."""
    for name in ("America/Santiagoo", "../etc/passwd", ""):
        with pytest.raises(ValueError, match="no such time zone"):
            zone_of(name)


def test_local_hour_of_a_day_is_an_instant() -> None:
    """08:00 in Santiago is 11:00 UTC in summer, 12:00 in winter, also on the days of the change."""
    hours = {each: instant_of(day(each), hour=8, zone=SANTIAGO).hour for each in ("2026-01-15", "2026-07-15")}
    assert {"2026-01-15": 11, "2026-07-15": 12} == hours
    # On 6 September 2026 the clocks go from 00:00 to 01:00: midnight does not exist.
    gap = instant_of(day("2026-09-06"), hour=0, zone=SANTIAGO)
    assert (day("2026-09-06"), 1) == (local_day(gap, SANTIAGO), local_hour(gap, SANTIAGO))


def test_epoch_seconds_round_down() -> None:
    """A wake time is never before its instant's second."""
    assert 0 == epoch_s(datetime.datetime(1970, 1, 1, 0, 0, 0, 999_999, tzinfo=datetime.UTC))
    assert -1 == epoch_s(datetime.datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=datetime.UTC))


def test_next_business_day_leaps_over_weekends_and_holidays() -> None:
    """R6: 18 September is a holiday in Chile; in 2026 it is a Friday, and the 19th is one, too."""
    assert day("2026-09-21") == next_business_day(day("2026-09-18"), country="CL")
    assert day("2026-09-18") == next_business_day(day("2026-09-18"))
    assert day("2026-09-17") == next_business_day(day("2026-09-17"), country="CL")


def test_unknown_country_has_weekends_only() -> None:
    """An empty or unknown country is no error: Monday to Friday."""
    assert [True, False] == [
        is_business_day(day(each), country="ZZ") for each in ("2026-12-25", "2026-12-26")
    ]


def test_no_country_needs_no_calendars() -> None:
    """The library loads all of its calendars with the first, a second's work: not where nobody has a country."""
    script = (
        "import datetime, sys; from processors.calendar import is_business_day;"
        "is_business_day(datetime.date(2026, 3, 2)); print('holidays.countries' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "False" == said.strip()


def test_countries_are_those_that_the_library_says() -> None:
    """Two and three letters, as it lists them itself."""
    assert {*holidays.list_supported_countries()} == known_countries()

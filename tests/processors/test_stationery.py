"""Letters are set for the paper and the envelopes that a company has (S0-07)."""

import pytest

from processors.stationery import letter_layout_of
from schemas.commands import ConfigureCompany
from schemas.fields import LetterLayout


def company(country: str = "", layout: str = "by_country") -> ConfigureCompany:
    """Make a profile."""
    return ConfigureCompany(
        company="acme",
        occurred_at="2026-01-05",
        command="c1",
        name="Acme",
        time_zone="UTC",
        currency="EUR",
        country=country,
        letter_layout=layout,  # type: ignore[arg-type]  # a parameter is any text
    )


@pytest.mark.parametrize(
    ("country", "expected"),
    [
        ("US", "us_10"),
        ("CL", "us_10"),
        ("MX", "us_10"),
        ("DE", "din_5008_b"),
        ("ES", "din_5008_b"),
        ("", "din_5008_b"),
    ],
)
def test_the_country_says_it(country: str, expected: LetterLayout) -> None:
    """US Letter where offices have it, A4 elsewhere and where nobody knows."""
    assert expected == letter_layout_of(company(country))


@pytest.mark.parametrize("country", ["US", "DE"])
def test_the_company_says_it_first(country: str) -> None:
    """A setting stands before the country."""
    assert "din_5008_a" == letter_layout_of(company(country, "din_5008_a"))

"""Letters are set for the paper and the envelopes that a company has (S0-07)."""

import pytest

from processors.stationery import Letterhead, letter_layout_of, letterhead
from schemas.commands import ConfigureCompany
from schemas.facts import ReminderDecided
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


def test_a_letterhead_is_what_a_message_has_of_its_company() -> None:
    """Each field of a message that speaks of the company is there: a preview cannot have less than what is sent."""
    of_message = {
        each
        for each in ReminderDecided.__struct_fields__
        if each.startswith(("company_", "sender_", "payment_"))
    }
    assert of_message <= set(Letterhead.__annotations__) == set(letterhead(company("US")))
    assert "us_10" == letterhead(company("US"))["letter_layout"]

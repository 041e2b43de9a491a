"""Amounts and days as readers of a language write them."""

import datetime
import re
from decimal import Decimal

import pytest
from babel.numbers import format_currency
from hypothesis import given
from hypothesis import strategies as st

from notifiers.writing.figures import amount_text, day_text, locale_of, short_day_text

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("minor", "currency", "language", "text"),
    [
        (5594, "USD", "en", "$55.94"),
        (123456789, "USD", "es", f"1.234.567,89{NBSP}US$"),
        (55940, "CLP", "es-CL", "$55.940"),
        (55940, "CLP", "en", f"CLP{NBSP}55,940"),
        (1234567, "KWD", "en", f"KWD{NBSP}1,234.567"),
        (100, "HUF", "en", f"HUF{NBSP}1.00"),
        (12345, "CLF", "en", f"CLF{NBSP}1.2345"),
        (-5, "EUR", "es", f"-0,05{NBSP}€"),
        (10**15 + 1, "EUR", "en", "€10,000,000,000,000.01"),
    ],
)
def test_amounts_have_the_decimals_of_iso_4217(minor: int, currency: str, language: str, text: str) -> None:
    """No more and no fewer, whatever cash habits are; exact however large."""
    assert text == amount_text(minor, currency=currency, language=language)


def test_days_are_written_so_that_all_read_the_same() -> None:
    """The month is a word."""
    day = datetime.date(2012, 3, 4)
    assert ["March 4, 2012", "4 de marzo de 2012"] == [day_text(day, language=each) for each in ("en", "es")]
    assert ["Mar 4, 2012", "4 mar 2012"] == [short_day_text(day, language=each) for each in ("en", "es")]


def test_an_unknown_language_is_said() -> None:
    """A region may be unknown, a language not."""
    assert "es" == str(locale_of("es-XX"))
    with pytest.raises(ValueError, match="'xx'"):
        locale_of("xx")


@given(
    st.integers(-(10**17), 10**17),
    st.sampled_from(["USD", "EUR", "BRL", "MXN", "ARS", "PEN"]),
    st.sampled_from(
        ["es", "es-CL", "es-MX", "es-CR", "en", "en-IN", "en-ZA", "pt", "pt-PT", "hi", "fr-CH", "pl", "tr"]
    ),
)
def test_amounts_are_grouped_as_babel_does(minor: int, currency: str, language: str) -> None:
    """Whatever the language's separators, groups, signs and sides are; where both have two decimals."""
    theirs = format_currency(Decimal(minor) / 100, currency, locale=language.replace("-", "_"))
    spaced = re.sub("([A-Za-z])([0-9])", rf"\1{NBSP}\2", theirs)
    assert spaced == amount_text(minor, currency=currency, language=language)

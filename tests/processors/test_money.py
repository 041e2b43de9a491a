"""Decimal text and minor units: exponents of ISO 4217, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.money import MoneyError, exponent, to_minor, to_text


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("1250.00", "USD", 125000),
        ("1250", "USD", 125000),
        ("1250.5", "USD", 125050),
        ("0.07", "EUR", 7),
        ("-3.10", "EUR", -310),
        ("-0.05", "EUR", -5),
        ("19990", "CLP", 19990),
        ("1.234", "KWD", 1234),
        ("0.0001", "CLF", 1),
        ("999999999999999.99", "USD", 99999999999999999),
    ],
)
def test_decimal_text_becomes_minor_units(amount: str, currency: str, expected: int) -> None:
    """Fewer decimals than the currency has are fine (SEMANTICS 3)."""
    assert expected == to_minor(amount, currency=currency)


@pytest.mark.parametrize(
    ("amount", "currency", "reason"),
    [
        ("1.001", "USD", "too_many_decimals"),
        ("1.000", "USD", "too_many_decimals"),
        ("1.0", "CLP", "too_many_decimals"),
        ("1", "XXX", "unknown_currency"),
        ("1", "usd", "unknown_currency"),
        ("", "USD", "not_decimal"),
        (".5", "USD", "not_decimal"),
        ("5.", "USD", "not_decimal"),
        ("-", "USD", "not_decimal"),
        ("--1", "USD", "not_decimal"),
        ("+1", "USD", "not_decimal"),
        ("1e3", "USD", "not_decimal"),
        ("1_000", "USD", "not_decimal"),
        ("1,000.00", "USD", "not_decimal"),
        (" 1", "USD", "not_decimal"),
        ("1.-5", "USD", "not_decimal"),
        ("١٢", "USD", "not_decimal"),
        ("NaN", "USD", "not_decimal"),
        ("1000000000000000", "USD", "not_decimal"),
    ],
)
def test_what_is_no_amount_is_refused(amount: str, currency: str, reason: str) -> None:
    """The reason is a label; nothing is rounded or guessed."""
    with pytest.raises(MoneyError) as refused:
        to_minor(amount, currency=currency)
    assert reason == refused.value.reason


def test_exponents_are_those_of_iso_4217() -> None:
    """Four classes of currencies (S2: CLP 0, USD 2, KWD 3, CLF 4)."""
    assert (0, 2, 3, 4) == tuple(exponent(code) for code in ("CLP", "USD", "KWD", "CLF"))


@given(st.integers(-(10**14), 10**14), st.sampled_from(("CLP", "USD", "KWD", "CLF")))
def test_text_and_minor_units_are_the_same_money(amount_minor: int, currency: str) -> None:
    """Writing and reading give the amount back."""
    assert amount_minor == to_minor(to_text(amount_minor, currency=currency), currency=currency)


def test_text_has_all_decimals() -> None:
    """People see the decimals that the currency has."""
    texts = [to_text(5, currency="USD"), to_text(-5, currency="USD"), to_text(5, currency="CLP")]
    assert ["0.05", "-0.05", "5"] == texts

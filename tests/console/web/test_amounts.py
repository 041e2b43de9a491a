"""Amounts are read as their writers mean them, by the habits of the page's language, and never by a factor of a thousand wrong."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.web.amounts import AmountError, read_amount, typed_text
from notifiers.writing.figures import amount_text
from processors.money import exponent, to_minor, to_text


@pytest.mark.parametrize(
    ("language", "currency", "typed", "meant"),
    [
        ("es", "USD", "1.250,50", "1250.50"),
        ("es", "USD", "1,250.50", "1250.50"),
        ("en", "USD", "1.250,50", "1250.50"),
        ("en", "USD", "1,250.50", "1250.50"),
        ("pt", "BRL", "1 250,50", "1250.50"),
        ("pt", "BRL", "R$ 1.250,50", "1250.50"),
        ("en", "CHF", "1'250.50", "1250.50"),
        ("en", "USD", "1250", "1250"),
        ("en", "USD", "50", "50"),
        ("es", "USD", "50,5", "50.5"),
        ("es", "USD", "1.250", "1250"),
        ("pt", "USD", "1.250.000", "1250000"),
        ("en", "USD", "1,250", "1250"),
        ("en", "USD", "1,250,000.5", "1250000.5"),
        ("es-CL", "CLP", "$1.250", "1250"),
        ("en", "CLP", "1.250", "1250"),
        ("es", "CLP", "1,250", "1250"),
        ("es", "KWD", "1,250", "1.250"),
        ("es", "KWD", "1.250", "1250"),
        ("en", "KWD", "1.250", "1.250"),
        ("en", "USD", "0.25", "0.25"),
        ("en", "USD", "USD 12.50", "12.50"),
        ("en", "USD", "12.50 usd", "12.50"),
        ("en", None, "1,250", "1250"),
        ("es", None, "0012,5", "12.5"),
    ],
)
def test_an_amount_is_read_as_its_writer_means_it(
    language: str, currency: str | None, typed: str, meant: str
) -> None:
    """S1-18: with point, comma or blank, between thousands or before decimals."""
    assert meant == read_amount(typed, currency=currency, language=language)


@pytest.mark.parametrize(
    ("language", "currency", "typed", "word"),
    [
        ("es", "USD", "1,250", "ambiguous_amount"),
        ("pt", "BRL", "1,250", "ambiguous_amount"),
        ("en", "USD", "1.250", "ambiguous_amount"),
        ("en", None, "1.250", "ambiguous_amount"),
        ("es", "USD", "0", "not_above_zero"),
        ("es", "USD", "0,00", "not_above_zero"),
        ("es", "USD", "-5", "not_above_zero"),
        ("es", "USD", "−1.250,50", "not_above_zero"),
        ("es", "USD", "12,345,6", "no_amount"),
        ("es", "USD", "12.345,678", "too_many_decimals"),
        ("en", "USD", "1250.505", "too_many_decimals"),
        ("en", "USD", "0.250", "too_many_decimals"),
        ("es", "CLP", "1250,50", "no_decimals"),
        ("es", "CLP", "1.250,5", "no_decimals"),
        ("en", "CLP", "1250.0", "no_decimals"),
        ("en", "USD", "", "no_amount"),
        ("en", "USD", "mil", "no_amount"),
        ("en", "USD", "1e3", "no_amount"),
        ("en", "USD", "12 50", "no_amount"),
        ("en", "USD", "1.25.0", "no_amount"),
        ("en", "USD", "1.,5", "no_amount"),
        ("en", "USD", "1,250.500.000", "no_amount"),
        ("en", "USD", "٣", "no_amount"),
        ("en", "USD", "9" * 13, "amount_too_large"),
    ],
)
def test_what_is_no_amount_is_refused_with_why(
    language: str, currency: str | None, typed: str, word: str
) -> None:
    """None of them is taken for another one."""
    with pytest.raises(AmountError) as caught:
        read_amount(typed, currency=currency, language=language)
    assert word == caught.value.word


@given(
    minor=st.integers(min_value=1, max_value=10**11),
    currency=st.sampled_from(("USD", "CLP", "KWD", "BRL", "CLF")),
    language=st.sampled_from(("en", "es", "pt")),
)
def test_what_a_page_shows_is_read_as_it_is_meant(minor: int, currency: str, language: str) -> None:
    """An amount that is copied from the page, or stands in a form, is the same amount again."""
    typed = typed_text(to_text(minor, currency=currency), language=language)
    shown = amount_text(minor, currency=currency, language=language)
    for text in (typed, shown):
        read = read_amount(text, currency=currency, language=language)
        assert minor == to_minor(read, currency=currency), text


@given(text=st.text(alphabet="0123456789., '-", max_size=12), language=st.sampled_from(("en", "es", "pt")))
def test_whatever_is_typed_has_the_figures_that_were_typed(text: str, language: str) -> None:
    """What is read is one of the two ways to read it: nothing is added, and nothing left out."""
    for currency in ("USD", "CLP", "KWD"):
        try:
            read = read_amount(text, currency=currency, language=language)
        except AmountError:
            continue
        figures = "".join(each for each in text if each.isdecimal())
        assert figures.lstrip("0") == read.replace(".", "").lstrip("0")
        assert Decimal(read) > 0
        assert len(read.partition(".")[2]) <= exponent(currency)

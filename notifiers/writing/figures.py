"""Amounts and days as a reader of a language expects them; nothing is rounded or added up here."""

import copy
import datetime
import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import NamedTuple

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import NumberPattern, format_decimal, format_percent, get_decimal_symbol, get_group_symbol

from processors.money import exponent

__all__ = ["amount_text", "day_text", "decimal_text", "locale_of", "share_text", "short_day_text"]

_DECIMALS = ("#,##0", "#,##0.0#######", "#,##0.00######")
_SHARE = Decimal("0.001")
_CODE_TOUCHES_FIGURE = re.compile("([A-Za-z])([0-9])")


class _Form(NamedTuple):
    """How amounts of one currency are written in one language.

    ``around`` is what stands before and after the figures, of a positive and of a negative amount.
    """

    around: tuple[tuple[str, str], tuple[str, str]]
    groups: tuple[int, int]
    separator: str
    point: str


@lru_cache(maxsize=64)
def locale_of(language: str) -> Locale:
    """Give the locale of 'es', 'en' or, with a region, 'es-CL'; an unknown region is dropped.

    Raises:
        ValueError: the language itself is unknown.
    """
    try:
        return Locale.parse(language, sep="-")
    except UnknownLocaleError:
        stem, dash, _ = language.partition("-")
        if not dash:
            raise ValueError(f"language {language!r} is unknown") from None
        return locale_of(stem)


def amount_text(amount_minor: int, *, currency: str, language: str) -> str:
    """Write an amount with its currency and all the decimals that ISO 4217 gives it.

    Babel's own decimals are not used: the cash habits in its data differ from
    ISO 4217, and an amount of a claim is written in full.
    """
    digits = exponent(currency)
    form = _form(currency, language)
    whole, part = divmod(abs(amount_minor), 10**digits)
    before, after = form.around[amount_minor < 0]
    return (
        before
        + _grouped(str(whole), form=form)
        + (f"{form.point}{part:0{digits}d}" if digits else "")
        + after
    )


def _grouped(figures: str, *, form: _Form) -> str:
    """Put the separators of thousands into the figures of a whole number."""
    last, others = form.groups
    parts = []
    size = last
    while len(figures) > size:
        parts.append(figures[-size:])
        figures = figures[:-size]
        size = others
    return form.separator.join([figures, *reversed(parts)])


@lru_cache(maxsize=1_024)
def _form(currency: str, language: str) -> _Form:
    """Read off from amounts of one that Babel writes: to let it write each takes a hundred times as long."""
    digits, locale = exponent(currency), locale_of(language)
    pattern, point = _pattern(locale, digits), get_decimal_symbol(locale)
    one = f"1{point}{'0' * digits}" if digits else "1"
    around = []
    for value in (1, -1):
        text = pattern.apply(Decimal(value), locale, currency=currency, currency_digits=False)
        # CLDR's spacing rule, which Babel leaves out: a code such as CHF does not touch its figure.
        text = _CODE_TOUCHES_FIGURE.sub("\\1\N{NO-BREAK SPACE}\\2", text)
        before, found, after = text.partition(one)
        if not found:
            raise AssertionError(f"{text!r} does not hold {one!r}")
        around.append((before, after))
    return _Form((around[0], around[1]), pattern.grouping, get_group_symbol(locale), point)


def decimal_text(value: Decimal, *, language: str) -> str:
    """Write a figure of somebody else's document: two decimals where it has them, and eight at most."""
    exponent_of = value.as_tuple().exponent
    fewest = min(2, -exponent_of) if isinstance(exponent_of, int) and exponent_of < 0 else 0
    return format_decimal(value, format=_DECIMALS[fewest], locale=locale_of(language))


def share_text(value: Decimal, *, language: str) -> str:
    """Write a share of one as a percentage with one decimal: '62,5 %'; the rest is dropped half up.

    Shares are measures, not claims: what was paid late, what was collected.
    """
    rounded = value.quantize(_SHARE, ROUND_HALF_UP)
    return format_percent(rounded, format=_one_decimal(language), locale=locale_of(language))


@lru_cache(maxsize=4_096)  # a day is named in most messages of its week
def day_text(day: datetime.date, *, language: str) -> str:
    """Write a day in words: '31 de marzo de 2012', 'March 31, 2012'."""
    return format_date(day, format="long", locale=locale_of(language))


@lru_cache(maxsize=4_096)
def short_day_text(day: datetime.date, *, language: str) -> str:
    """Write a day for a table: '31 mar 2012', 'Mar 31, 2012'; never 3/4/12, which two people read twice."""
    return format_date(day, format="medium", locale=locale_of(language))


@lru_cache(maxsize=64)
def _one_decimal(language: str) -> str:
    """Give a language's pattern of percentages ('#,##0 %' in Spanish) with a decimal."""
    return str(locale_of(language).percent_formats[None].pattern).replace("#,##0", "#,##0.0")


@lru_cache(maxsize=256)
def _pattern(locale: Locale, digits: int) -> NumberPattern:
    pattern: NumberPattern = copy.copy(locale.currency_formats["standard"])
    pattern.frac_prec = (digits, digits)
    return pattern

"""Amounts as people type them: with point or comma, grouped or not, read as events have them, or refused with what is wrong.

Pure. Nobody guesses by a factor of a thousand: what can be read in two ways is read by the rule of the page's
language, and where that makes no amount of the currency it is refused.
"""

import re
from typing import Final

from processors.money import MoneyError, exponent

__all__ = ["AmountError", "read_amount", "typed_text"]

_SIGNED: Final = re.compile(
    r"(?P<before>US\$|R\$|[$€£])?\s*(?P<figures>.*?)\s*(?P<behind>US\$|R\$|[$€£])?", re.DOTALL
)
_WHOSE: Final = {"US$": "USD", "R$": "BRL", "€": "EUR", "£": "GBP"}  # '$' is that of many
_FIGURES: Final = re.compile(r"[0-9](?:[0-9.,'’\s]*[0-9])?")
_SEPARATOR: Final = re.compile(r"[^0-9]+")
_CHARACTERS_MAX: Final = 40
_WHOLE_DIGITS_MAX: Final = 12
_GROUP: Final = 3
_USUAL_DECIMALS: Final = 2  # of a currency that is not known


class AmountError(ValueError):
    """What was typed is no amount above zero: ``word`` is a key of [form_faults], ``values`` fill it in."""

    def __init__(self, word: str, **values: str) -> None:
        super().__init__(word)
        self.word = word
        self.values = values


def read_amount(text: str, *, currency: str | None, language: str, may_be_zero: bool = False) -> str:
    """Read an amount as plain decimal text, with the decimals that were typed: '1.250,5' is '1250.5'.

    Args:
        text: what was typed.
        currency: whose decimals it may have; None, or one that is unknown: others look at its decimals.
        language: of the page: 'es', 'en' or, with a region, 'es-CL'. '1.250' is a thousand in Spanish and
            Portuguese; in English it is refused unless the currency has three decimals, or none.
        may_be_zero: nothing at all is an amount, too.

    Raises:
        AmountError: it is none, it can be read in two ways, or it has more decimals than the currency.
    """
    if len(text) > _CHARACTERS_MAX:
        raise AmountError("no_amount")
    point = _point(language)
    plain = _without_sign(text.strip(), currency=currency)
    if plain[:1] in ("-", "−") and _FIGURES.fullmatch(plain[1:].lstrip()):
        raise AmountError("not_above_zero")
    if not _FIGURES.fullmatch(plain):
        raise AmountError("no_amount")
    decimals = _decimals(currency)
    whole, fraction = _parts(plain, point=point, decimals=decimals)
    whole = whole.lstrip("0") or "0"
    if len(whole) > _WHOLE_DIGITS_MAX:
        raise AmountError("amount_too_large")
    if decimals is not None and len(fraction) > decimals:
        word = "too_many_decimals" if decimals else "no_decimals"
        raise AmountError(word, decimals=str(decimals), currency=str(currency))
    if not may_be_zero and not (whole + fraction).strip("0"):
        raise AmountError("not_above_zero")
    return f"{whole}.{fraction}" if fraction else whole


def typed_text(amount: str, *, language: str) -> str:
    """Write plain decimal text as a person who reads this language types it: '1250.50' is '1250,50' in Spanish."""
    return amount.replace(".", _point(language))


def _point(language: str) -> str:
    return "." if language.partition("-")[0] == "en" else ","


def _decimals(currency: str | None) -> int | None:
    try:
        return None if currency is None else exponent(currency)
    except MoneyError:
        return None


def _without_sign(text: str, *, currency: str | None) -> str:
    if currency and text.upper().startswith(currency):
        text = text[len(currency) :].lstrip()
    elif currency and text.upper().endswith(currency):
        text = text[: -len(currency)].rstrip()
    found = _SIGNED.fullmatch(text)
    if found is None:
        return text
    for sign in (found["before"], found["behind"]):
        if currency and sign in _WHOSE and _WHOSE[sign] != currency:
            raise AmountError("no_amount")
    return found["figures"]


def _parts(plain: str, *, point: str, decimals: int | None) -> tuple[str, str]:
    """Tell whole figures from decimals."""
    figures = _SEPARATOR.split(plain)
    marks = [" " if each.isspace() else "'" if each == "’" else each for each in _SEPARATOR.findall(plain)]
    if not marks:
        return plain, ""
    if any(len(each) > 1 for each in marks):
        raise AmountError("no_amount")
    last = marks[-1]
    if len(set(marks)) == 1 and (len(marks) > 1 or last not in ".,"):
        return _grouped(figures), ""
    if len(marks) == 1:
        is_group = _is_group(figures, mark=last, point=point, decimals=decimals)
        return ("".join(figures), "") if is_group else (figures[0], figures[1])
    if last not in ".," or len(set(marks[:-1])) > 1 or last in marks[:-1]:
        raise AmountError("no_amount")
    return _grouped(figures[:-1]), figures[-1]


def _grouped(figures: list[str]) -> str:
    first, *others = figures
    is_grouped = len(first) <= _GROUP and first[0] != "0" and all(len(each) == _GROUP for each in others)
    if not is_grouped:
        raise AmountError("no_amount")
    return "".join(figures)


def _is_group(figures: list[str], *, mark: str, point: str, decimals: int | None) -> bool:
    """Say whether the only point or comma of an amount stands between thousands, not before decimals."""
    whole, behind = figures
    if len(behind) != _GROUP or len(whole) > _GROUP or whole[0] == "0":
        return False
    if mark != point or decimals == 0:  # no decimals: there is but one way to read it
        return True
    if decimals is not None and decimals >= _GROUP:
        return False
    typed, most = f"{whole}{mark}{behind}", decimals or _USUAL_DECIMALS
    raise AmountError("ambiguous_amount", typed=typed, thousands=whole + behind, decimals=str(most))

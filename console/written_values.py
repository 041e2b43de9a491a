"""Dates and amounts as people write them, read by a declared format.

Nothing is guessed: 3/4/2012 is a date in two countries, and 1.250 two amounts.
Leading zeros of days and months may be there or not.
"""

import datetime
import re
from functools import lru_cache
from typing import Literal

from msgspec import Struct

__all__ = ["AmountFormat", "DateFormatError", "WrittenAmount", "WrittenDate"]

_TOKENS = {
    "YYYY": r"(?P<year>[0-9]{4})",
    "YY": r"(?P<short_year>[0-9]{2})",
    "MM": r"(?P<month>[0-9]{1,2})",
    "M": r"(?P<month>[0-9]{1,2})",
    "DD": r"(?P<day>[0-9]{1,2})",
    "D": r"(?P<day>[0-9]{1,2})",
}
_TOKEN = re.compile("|".join(_TOKENS))


class DateFormatError(ValueError):
    """A format that does not say year, month and day, each once."""


class WrittenDate:
    """A way of writing dates: ``M/D/YYYY``, ``D.M.YY``, ``YYYYMMDD`` …

    Raises:
        DateFormatError: the format cannot be read without doubt.
    """

    def __init__(self, written: str) -> None:
        self._written = written
        tokens = sorted(token[0] for token in _TOKEN.findall(written))
        if tokens != ["D", "M", "Y"]:
            raise DateFormatError(f"{written!r} must have D, M and YYYY (or YY), each once: as in M/D/YYYY")
        self._pattern = re.compile(self._as_pattern(written))
        self.read = lru_cache(maxsize=4096)(self._read)

    def _as_pattern(self, written: str) -> str:
        pieces, last = [], 0
        # Where nothing stands between the numbers, only their widths tell them apart.
        fixed = not re.search("[^DMY]", written)
        for match in _TOKEN.finditer(written):
            token = _TOKENS[match[0]]
            pieces += [re.escape(written[last : match.start()]), _fixed(token) if fixed else token]
            last = match.end()
        return "".join([*pieces, re.escape(written[last:])])

    def _read(self, text: str) -> datetime.date:
        """Read a date.

        Raises:
            ValueError: the text is no date of this format; says both.
        """
        match = self._pattern.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no date written {self._written}")
        parts = match.groupdict()
        year = int(parts["year"]) if parts.get("year") else 2000 + int(parts["short_year"])
        try:
            return datetime.date(year, int(parts["month"]), int(parts["day"]))
        except ValueError as error:
            raise ValueError(f"{text!r} is no date written {self._written}: {error}") from error


def _fixed(token: str) -> str:
    return token.replace("{1,2}", "{2}")


class AmountFormat(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How amounts are written: the decimal mark, and what groups thousands."""

    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""


class WrittenAmount:
    """A way of writing amounts; groups must be of three, so that a decimal is never taken for one."""

    def __init__(self, written: AmountFormat) -> None:
        self._written = written
        group = re.escape(written.thousands)
        whole = rf"[0-9]{{1,3}}(?:{group}[0-9]{{3}})+|[0-9]+" if group else "[0-9]+"
        self._pattern = re.compile(rf"-?(?:{whole})(?:{re.escape(written.decimal)}[0-9]+)?")

    def read(self, text: str) -> str:
        """Give the amount as decimal text with a point.

        Raises:
            ValueError: the text is no amount of this format.
        """
        if not self._pattern.fullmatch(text):
            example = f"1{self._written.thousands}250{self._written.decimal}00"
            raise ValueError(f"{text!r} is no amount written like {example}")
        plain = text.replace(self._written.thousands, "") if self._written.thousands else text
        return plain.replace(self._written.decimal, ".")

"""A report as a sheet: columns that know what they hold, and rows that come one after the other.

A cell is a value, never a text for a reader: that is made of it where it is shown (``cells``).
"""

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from processors.money import exponent

__all__ = ["Cell", "Column", "Kind", "Money", "Page", "Row", "Sheet", "Sums", "chosen_columns", "page_of"]

# `share` is a share of one, `word` an id that the words of the console have a text for.
Kind = Literal["text", "money", "day", "number", "count", "share", "word"]


class Money(Struct, frozen=True, kw_only=True):
    """An amount with its currency; never summed over currencies (R23)."""

    minor: int
    currency: str

    def decimal(self) -> Decimal:
        """Give it in major units."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))


Cell = str | int | Decimal | datetime.date | Money | None


class Column(Struct, frozen=True, kw_only=True):
    """A column; ``name`` is for programs, the words of the console have its heading.

    ``heading`` instead of the words where it is made of figures ('31–60'); ``words`` names the
    table of the words of a ``word``. ``is_summed``: amounts that mean something when they are added up;
    balances of one account one after the other do not.
    """

    name: str
    kind: Kind = "text"
    heading: str = ""
    words: str = ""
    is_summed: bool = True

    @property
    def is_figure(self) -> bool:
        """Say whether it is set to the right."""
        return self.kind in ("money", "number", "count", "share")


class Row(Struct, frozen=True, kw_only=True):
    """A line; ``links`` by column: paths of the console, or the web address of a document (S1-26).

    ``place`` is where it stands in the report's order, for the page that goes on behind it; lines of one
    place are not parted.
    """

    cells: Mapping[str, Cell]
    links: Mapping[str, str] = {}
    place: str = ""


class Sheet(Struct, frozen=True, kw_only=True):
    """A report's columns, and its rows, which are read once."""

    columns: tuple[Column, ...]
    rows: Iterable[Row]


class Page(Struct, frozen=True, kw_only=True):
    """Some rows of a sheet; ``next_place`` is what the page behind it begins after, '' where nothing follows."""

    rows: tuple[Row, ...]
    next_place: str = ""


class Sums:
    """Adds up money and counts of rows as they go by, currency by currency."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._money = [each.name for each in columns if each.kind == "money" and each.is_summed]
        self._sums: dict[str, dict[str, int]] = {}
        self.count = 0

    def over(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Give the rows, added up."""
        for row in rows:
            self.count += 1
            for name in self._money:
                value = row.cells.get(name)
                if isinstance(value, Money):
                    of = self._sums.setdefault(value.currency, {})
                    of[name] = of.get(name, 0) + value.minor
            yield row

    def rows(self) -> list[Row]:
        """Give a row for each currency."""
        return [
            Row(cells={name: Money(minor=minor, currency=currency) for name, minor in of.items()})
            for currency, of in sorted(self._sums.items())
        ]


def chosen_columns(columns: Sequence[Column], names: Sequence[str]) -> tuple[Column, ...]:
    """Give the columns with these names, in the report's order; none of them named: all."""
    return tuple(each for each in columns if each.name in names) or tuple(columns)


def page_of(rows: Iterable[Row], *, rows_max: int) -> Page:
    """Take rows for a page, whole places: a customer's currencies stay together."""
    taken: list[Row] = []
    for row in rows:
        if len(taken) >= rows_max and row.place != taken[-1].place:
            return Page(rows=tuple(taken), next_place=taken[-1].place)
        taken.append(row)
    return Page(rows=tuple(taken))

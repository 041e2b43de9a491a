"""Cells as a reader of a language expects them: amounts, days, shares and words (``notifiers.writing.figures``)."""

import datetime
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from console.web.inside.reporting.sheets import Cell, Column, Money, Row
from notifiers.writing.figures import amount_text, decimal_text, share_text, short_day_text

__all__ = ["heading_of", "shown_cell", "shown_row", "word_of"]

_DAYS: Final = Decimal("0.1")  # of a measure in days a tenth is read, not more


def heading_of(column: Column, *, words: Mapping[str, Any]) -> str:
    """Give a column's heading."""
    return column.heading or str(words["columns"][column.name])


def word_of(column: Column, value: Cell, *, words: Mapping[str, Any]) -> str:
    """Say an id in the reader's words; one without a word stays as it is."""
    text = str(value)
    return str(words[column.words].get(text, text)) if text else ""


def shown_row(columns: Sequence[Column], row: Row, *, words: Mapping[str, Any]) -> list[str]:
    """Write a row's cells."""
    return [shown_cell(column, row.cells.get(column.name), words=words) for column in columns]


def shown_cell(column: Column, value: Cell, *, words: Mapping[str, Any]) -> str:
    """Write a cell; nothing is ''."""
    language = words["language"]
    match value:
        case None:
            text = ""
        case Money():
            text = amount_text(value.minor, currency=value.currency, language=language)
        case datetime.date():
            text = short_day_text(value, language=language)
        case Decimal() if column.kind == "share":
            text = share_text(value, language=language)
        case Decimal():
            text = decimal_text(value.quantize(_DAYS, ROUND_HALF_UP), language=language)
        case int():
            text = decimal_text(Decimal(value), language=language)
        case _:
            text = word_of(column, value, words=words) if column.kind == "word" else value
    return text

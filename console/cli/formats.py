"""Rows on the terminal or for the next program: one function for table, json and csv.

Text that came from outside is never let through to the terminal as control characters.
"""

import csv
import datetime
import decimal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TextIO, get_args

import click
import msgspec

__all__ = ["Cell", "OutputFormat", "format_option", "print_rows", "printable"]

OutputFormat = Literal["table", "json", "csv"]
Cell = str | int | float | decimal.Decimal | datetime.date | None

# Output that is not read by a person at a terminal is never folded or cut.
_UNFOLDED: Final = 100_000

format_option = click.option(
    "--format",
    "output_format",
    type=click.Choice(get_args(OutputFormat)),
    default="table",
    show_default=True,
    help="How rows are written.",
)


def print_rows(
    rows: Iterable[Mapping[str, Cell]],
    *,
    columns: Sequence[str],
    output_format: OutputFormat,
    file: TextIO | None = None,
    row_style: Callable[[Mapping[str, Cell]], str] | None = None,
) -> None:
    """Write rows to standard output (or `file`).

    Args:
        rows: by column name; a column that a row lacks is empty.
        columns: which ones, in which order.
        output_format: ``table`` for people; ``json``, an array of objects (decimals and
            dates as text); ``csv`` with a header line.
        file: where to, instead of standard output.
        row_style: gives the style (``red``, or '' for none) of a row of a table on a terminal.
    """
    target = file or sys.stdout
    chosen = [{name: row.get(name) for name in columns} for row in rows]
    if output_format == "json":
        target.write(msgspec.json.format(msgspec.json.encode(chosen), indent=2).decode() + "\n")
    elif output_format == "csv":
        writer = csv.DictWriter(target, fieldnames=columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(chosen)
    else:
        _print_table(chosen, columns=columns, file=target, row_style=row_style)


def printable(text: str) -> str:
    """Return text that is safe on a terminal: control characters are shown, not obeyed."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def _print_table(
    rows: Sequence[Mapping[str, Cell]],
    *,
    columns: Sequence[str],
    file: TextIO,
    row_style: Callable[[Mapping[str, Cell]], str] | None,
) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in columns:
        numbers = all(_is_number(row[name]) for row in rows)
        table.add_column(name.replace("_", " "), justify="right" if rows and numbers else "left")
    for row in rows:
        style = row_style(row) if row_style else ""
        table.add_row(*(Text(_shown(row[name])) for name in columns), style=style or None)
    console = Console(file=file, width=None if file.isatty() else _UNFOLDED, highlight=False)
    console.print(table)


def _is_number(cell: Any) -> bool:
    return cell is None or (isinstance(cell, int | float | decimal.Decimal) and not isinstance(cell, bool))


def _shown(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, decimal.Decimal):
        return f"{cell:,}"
    return printable(str(cell))

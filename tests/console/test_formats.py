"""Rows as table, json or csv: the same content, safe on a terminal."""

import datetime
import decimal
import io
import json

import pytest

from console.cli.formats import OutputFormat, print_rows, printable

ROWS = [
    {
        "name": "Árbol, S.A.",
        "open": decimal.Decimal("1234567.80"),
        "day": datetime.date(2013, 6, 30),
        "level": 1,
    },
    {"name": 'say "x"', "open": decimal.Decimal("-0.5"), "level": None},
]
COLUMNS = ("name", "open", "day", "level")


def _printed(output_format: OutputFormat, rows: list[dict[str, object]] = ROWS) -> str:
    target = io.StringIO()
    print_rows(rows, columns=COLUMNS, output_format=output_format, file=target)  # type: ignore[arg-type]
    return target.getvalue()


def test_json_is_an_array_of_objects() -> None:
    """Decimals and dates are text (no float is near money), numbers stay numbers, gaps are null."""
    assert json.loads(_printed("json")) == [
        {"name": "Árbol, S.A.", "open": "1234567.80", "day": "2013-06-30", "level": 1},
        {"name": 'say "x"', "open": "-0.5", "day": None, "level": None},
    ]


def test_csv_has_a_header_and_quotes() -> None:
    """What has commas or quotes is quoted."""
    assert _printed("csv").splitlines() == [
        "name,open,day,level",
        '"Árbol, S.A.",1234567.80,2013-06-30,1',
        '"say ""x""",-0.5,,',
    ]


def test_the_table_is_for_people() -> None:
    """Numbers have separators and stand to the right; nothing is cut when piped."""
    long = "x" * 300
    lines = _printed("table", [*ROWS, {"name": long}]).splitlines()
    assert any(line.rstrip().endswith("1") and "1,234,567.80" in line for line in lines)
    assert any(long in line for line in lines)


@pytest.mark.parametrize("output_format", ["table", "json", "csv"])
def test_no_rows_are_no_error(output_format: OutputFormat) -> None:
    """An empty report is a report."""
    assert "name" in _printed(output_format, []) or _printed(output_format, []) == "[]\n"


def test_text_from_outside_cannot_command_the_terminal() -> None:
    """Escape sequences are shown, not obeyed."""
    assert "a\\x1b[2Jb\\n" == printable("a\x1b[2Jb\n")
    assert "\x1b" not in _printed("table", [{"name": "\x1b[31mred"}])
    assert "[bold]" in _printed("table", [{"name": "[bold]x"}])

"""Which journey in a browser shows which row of the capabilities, as the journeys themselves say it.

A journey names its rows in its docstring ("S0-21", "S1-18 … S1-21"); ``python -m tests.system.journeys`` prints the table.
Nothing here is run in a browser: the files are read.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["NOT_ON_A_SCREEN", "journeys", "on_a_screen", "rows_in"]

_HERE: Final = Path(__file__).parent
_CAPABILITIES: Final = _HERE.parents[1] / "docs" / "capabilities.md"
# What the five descriptions do on a screen (issue 7).
_RANGES: Final = (
    "S0-01 … S0-29",
    "S1-07 … S1-27",
    "S2-11 … S2-23",
    "S3-02 … S3-09",
    "S4-01 … S4-24",
)
NOT_ON_A_SCREEN: Final = {
    "S0-08": "a print-and-post service is set up by whoever runs the installation; letters then go there by themselves",
    "S4-02": "sending is unattended: what it did is seen under Reminders (S4-20, S4-22)",
    "S4-16": "is made while a mail is written, of an XML without a PDF",
}
_ROW: Final = re.compile(r"\b([SBU]\d?)-(\d+)(?:\s*…\s*\1-(\d+))?")


def rows_in(text: str) -> Iterator[str]:
    """Walk the rows that a text names, those of ranges one by one."""
    for kind, first, last in _ROW.findall(text):
        width = len(first)
        for number in range(int(first), int(last or first) + 1):
            yield f"{kind}-{number:0{width}}"


def on_a_screen() -> list[str]:
    """List the rows that a person does on a screen: those of issue 7, and those that name the console where they are."""
    named = {row for text in _RANGES for row in rows_in(text)}
    for line in _CAPABILITIES.read_text(encoding="utf-8").splitlines():
        cells = [each.strip() for each in line.split("|")]
        if len(cells) > 4 and "console" in cells[4].lower():
            named |= set(rows_in(cells[1]))
    return sorted(named)


def journeys() -> dict[str, list[str]]:
    """Give the journeys of each row, as "file: name of the test"."""
    found: dict[str, list[str]] = {}
    for path in sorted(_HERE.glob("test_*.py")):
        for each in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(each, ast.FunctionDef) and each.name.startswith("test_") and _has_browser(each):
                for row in rows_in(ast.get_docstring(each) or ""):
                    found.setdefault(row, []).append(f"{path.name}: {each.name}")
    return found


def _has_browser(test: ast.FunctionDef) -> bool:
    return bool({"desk", "browser", "page"} & {each.arg for each in test.args.args})


if __name__ == "__main__":
    known = journeys()
    for row in on_a_screen():
        for line in known.get(row) or [f"({NOT_ON_A_SCREEN[row]})" if row in NOT_ON_A_SCREEN else "-"]:
            print(f"{row}  {line}")  # noqa: T201 - it is what it is run for

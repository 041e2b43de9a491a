"""The language of scenarios: a line that cannot be read is refused with its number."""

from pathlib import Path

import pytest

from tests.scenarios.language import read_script
from tests.scenarios.on_core import run
from tests.scenarios.words import ScenarioError


def written(tmp_path: Path, *lines: str) -> Path:
    """Write a scenario."""
    path = tmp_path / "story.txt"
    path.write_text("\n".join(["# R1: a promise.", *lines]), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("2026-01-02  invoic INV-1 100.00", "line 3: not understood: 'invoic'"),
        ("2026-01-02  invoice INV-1 many", "line 3: 'many' is no amount"),
        ("2026-01-02  invoice INV-1 1.00 due tomorrow", "line 3: 'tomorrow' is no day"),
        ("2026-01-02  invoice INV-1 1.00 owed 2026-01-03", "line 3: not understood: 'owed'"),
        ("2025-12-31  tick", "line 3: 2025-12-31 is before 2026-01-01 of the line above"),
        ("2026-01-02..2026-01-04  note x", "line 3: only ticks happen on a range of days"),
        ("    expect remindr first", "line 3: nothing says 'remindr'"),
        ("    expect reminder first INV-1", "line 3: say by which channels"),
        ("    expect withheld INV-1 first", "line 3: say why"),
        ("    first 0 email", "line 3: an indented line is an expectation"),
        ("2026-01-02  hold friendly", "line 3: 'friendly' is no hold"),
        ("2026-01-02  notifier email sings", "line 3: a notifier accepts"),
        ("2026-01-02  note 'open", "line 3: No closing quotation"),
    ],
)
def test_error_has_its_line(tmp_path: Path, line: str, expected: str) -> None:
    """A credit controller mends the line that is named."""
    with pytest.raises(ScenarioError, match=expected):
        read_script(written(tmp_path, "2026-01-01  tick", line))


def test_promise_comes_first(tmp_path: Path) -> None:
    """A story without a promise is no test."""
    path = tmp_path / "story.txt"
    path.write_text("2026-01-01  tick\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match="line 1: a scenario begins with its promise"):
        read_script(path)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("    expect nothing", "said, and not expected: kind reminder"),
        (
            "    expect reminder first INV-1 by letter",
            "line 6: not said: expect reminder first INV-1 by letter",
        ),
        ("    expect reminder first INV-2 by task", "line 6: not said"),
        ("    expect reminder first INV-1 by task total '2.00 USD'", "line 6: not said"),
    ],
)
def test_story_that_goes_otherwise_fails(tmp_path: Path, line: str, expected: str) -> None:
    """What is expected and not said, or said and not expected, is an error with its line."""
    path = written(
        tmp_path,
        "plan default",
        "    first 0 task Call",
        "2026-01-01  invoice INV-1 1.00 due 2026-01-02",
        "2026-01-02  tick",
        line,
    )
    with pytest.raises(AssertionError, match=expected):
        run(read_script(path))

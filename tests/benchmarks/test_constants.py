"""From measurements to the capacity model and its page: nothing is carried over by hand."""

from pathlib import Path

import msgspec

from benchmarks.constants import computed, figures_of, with_tables, with_values
from benchmarks.figures import Figure
from benchmarks.race import Standing
from benchmarks.report import Results
from console.sizing.measured import Constant

ROOT = Path(__file__).parents[2]
CONSTANTS = (ROOT / "console" / "sizing" / "constants.toml").read_text(encoding="utf-8")


def _results(**values: float) -> Results:
    return Results(
        environment={},
        quick=True,
        standings=[
            Standing(name="ledger", title="ledger", exactly_once=True, rates=[40_000, 60_000, 50_000])
        ],
        figures=[Figure(name=name, unit="x", values=[value]) for name, value in values.items()],
    )


def test_page_has_the_table_of_the_constants() -> None:
    """``docs/scale.md`` says what the model says; python -m benchmarks.constants writes it."""
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    assert [] == [line for line in computed() if line not in page]


def test_constants_are_found_by_the_figures_names() -> None:
    """Medians; some are computed from several figures, what was not measured is left out."""
    found = figures_of(
        _results(
            **{
                "ledger.journal: bytes per event": 239.4,
                "live item rows per account": 2.0,
                "live credit rows per account": 2.0,
                "live application rows per account": 3.0,
                "live account rows per account": 1.0,
            }
        )
    )
    expected = {
        "ledger_events_per_s": 50_000,
        "journal_bytes": 239.4,
        "rows_per_item": 3.5,
        "rows_per_account": 2.0,
    }
    assert expected == found


def test_a_measured_constant_is_not_assumed_any_more() -> None:
    """Only its table of the file changes."""
    text = with_values(CONSTANTS, found={"takeover_rows_per_s": 312_345.6, "rows_per_event": 3.456})
    before = msgspec.toml.decode(CONSTANTS, type=dict[str, Constant])
    after = msgspec.toml.decode(text, type=dict[str, Constant])
    assert (312_346, 3.46) == (after["takeover_rows_per_s"].value, after["rows_per_event"].value)
    said = after["takeover_rows_per_s"]
    assert ("make bench (taking over partitions from the changelog)", "") == (said.measured, said.assumed)
    changed = {name for name, constant in after.items() if constant != before[name]}
    assert {"takeover_rows_per_s", "rows_per_event"} == changed


def test_tables_stand_between_their_marks() -> None:
    """What is around them stays, and so do the marks."""
    marks = [
        ("<!-- capacity: python -m benchmarks.constants -->", "<!-- end of capacity -->"),
        ("<!-- hot partition: python -m benchmarks.constants -->", "<!-- end of hot partition -->"),
    ]
    page = "above\n" + "\nbetween\n".join(f"{begin}\nold\n{end}" for begin, end in marks) + "\nbelow\n"
    once = with_tables(page, capacity=["| a |"], hot=["| b |"])
    assert once == with_tables(once, capacity=["| a |"], hot=["| b |"])
    assert "old" not in once
    assert ["above", "between", "below"] == [
        line for line in once.split("\n") if line and line[0] in "ab" and not line.startswith("|")
    ]

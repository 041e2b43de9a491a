"""``docs/scale.md`` says what the model says: its table is computed again, line by line."""

from collections.abc import Iterator
from pathlib import Path

from console.sizing.measured import read_constants
from console.sizing.model import Demand, estimate

DOCUMENT = Path(__file__).parents[2] / "docs" / "scale.md"
_SIZES = ((1e6, 1e3), (1e8, 2e4), (1e9, 1e5))
_SHOWN = (
    "rows",
    "reminders a day",
    "ledger workers",
    "intake workers",
    "projectors",
    "partitions",
    "installations",
    "from the changelog",
    "from the local tail",
    "from a standby",
    "written",
    "disk: journal",
    "disk: movements",
    "disk: rows",
    "disk of brokers",
    "disk of workers",
    "brokers",
    "memory of workers",
)


def table() -> Iterator[str]:
    """Give the table's lines, for whoever changes a constant."""
    constants, _ = read_constants()
    estimates = [
        estimate(
            Demand(accounts=accounts, items_per_account=3, events_per_s=events, average_share=0.05),
            constants=constants,
        )
        for accounts, events in _SIZES
    ]
    yield "| | 1 million, 1,000/s | 100 million, 20,000/s | 1 billion, 100,000/s |"
    yield "|---|---|---|---|"
    for name in _SHOWN:
        lines = [each.lines[name] for each in estimates]
        unit = lines[0].unit.partition(",")[0]
        cells = [f"{_plain(line.value)}{f' ({line.binds})' if line.binds else ''}" for line in lines]
        yield f"| {name}, {unit} | {' | '.join(cells)} |"


def test_table_is_what_the_model_says() -> None:
    """A constant that was measured anew changes the page, or this fails with the new lines."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert [] == [line for line in table() if line not in text]


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2g}"

"""What ``make bench`` has measured, into the constants of the capacity model and the tables of ``docs/scale.md``.

    make bench WRITE=1  ─►  results/DATE.json  ─►  python -m benchmarks.constants results/DATE.json

A constant that the results do not have stays as it is, and is named. The page's tables are
computed and simulated anew, so that page, model and measurements say the same.
"""

import argparse
import re
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import json

from benchmarks.hot_partition import table as simulated
from benchmarks.report import Results
from console.sizing.measured import read_constants
from console.sizing.model import Demand, Estimate, Prices, estimate

__all__ = ["computed", "figures_of", "main", "with_tables", "with_values"]

_ROOT = Path(__file__).resolve().parent.parent
_CONSTANTS = _ROOT / "console" / "sizing" / "constants.toml"
_PAGE = _ROOT / "docs" / "scale.md"
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
    "memory of brokers",
    "cores of workers",
    "a month",
)
# Not measured and of nobody's list: round sums that show what the cost is made of. The page says so.
_PRICES = Prices(core=25, memory_gib=3, disk_gib=0.08)
# Constant -> the figure that it is, by its name in the results.
_FIGURES = {
    "intake_events_per_s": "intake: validate, re-key, exactly once",
    "projector_rows_per_s": "projector into PostgreSQL",
    "decisions_per_s": "tick of which 1 % of accounts are due",
    "takeover_rows_per_s": "taking over partitions from the changelog",
    "journal_bytes": "ledger.journal: bytes per event",
    "changelog_bytes": "ledger.account: bytes per event",
    "rows_per_event": "ledger.account: records per event",
    "movement_bytes": "ledger.movement: bytes per event",
    "movements_per_event": "ledger.movement: records per event",
    "link_bytes": "bytes of a link, on changelog and chain each",
    "row_bytes": "bytes of a live row, as on the changelog",
    "local_row_bytes": "bytes in the local store per live row",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the constants (with a results file) and the page's tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.constants", description=__doc__)
    parser.add_argument("results", type=Path, nargs="?", help="none: only the tables, from the constants")
    chosen = parser.parse_args(arguments)
    if chosen.results:
        found = figures_of(json.decode(chosen.results.read_bytes(), type=Results))
        text = _CONSTANTS.read_text(encoding="utf-8")
        _CONSTANTS.write_text(with_values(text, found=found), encoding="utf-8")
        for name in sorted(_known(text) - found.keys()):
            print(f"{name}: not in the results, stays as it is")
    page = with_tables(_PAGE.read_text(encoding="utf-8"), capacity=computed(), hot=simulated())
    _PAGE.write_text(page, encoding="utf-8")


def figures_of(results: Results) -> dict[str, float]:
    """Give the constants that these results have."""
    measured = {figure.name: figure.median for figure in results.figures}
    found = {name: measured[figure] for name, figure in _FIGURES.items() if figure in measured}
    for standing in results.standings:
        if standing.name == "ledger" and standing.rates:
            found["ledger_events_per_s"] = statistics.median(standing.rates)
    octets = measured.get("collections.reminder.v1: bytes per event")
    if octets:
        found["reminder_bytes"] = octets / measured["collections.reminder.v1: records per event"]
    live = {kind: measured.get(f"live {kind} rows per account", 0.0) for kind in _KINDS}
    if live["item"]:
        found["rows_per_item"] = (live["item"] + live["credit"] + live["application"]) / live["item"]
        # One more for the customer's data, which the workload does not have.
        found["rows_per_account"] = live["account"] + live["reminder"] + 1
    return found


# Constants that are computed from several figures.
_DERIVED = {
    "ledger_events_per_s": "ledger, beside its peers",
    "reminder_bytes": "collections.reminder.v1: bytes per event by its records per event",
    "rows_per_item": "live item, credit and application rows per item",
    "rows_per_account": "live account and reminder rows per account, and one for the customer's data",
}
_SHORT_UNITS = ("s", "MiB/s", "GiB", "TiB")
_KINDS = ("account", "item", "credit", "application", "reminder")


def with_values(text: str, *, found: dict[str, float]) -> str:
    """Put values into the text of ``constants.toml``; what is measured is not assumed any more."""
    for name, value in found.items():
        number = f"{value:_.0f}" if value >= 100 else f"{value:.3g}"
        text = re.sub(rf"(?m)(^\[{name}\]\nvalue = ).+$", rf"\g<1>{number}", text)
        measured = f'measured = "make bench ({_FIGURES.get(name, _DERIVED.get(name, name))})"'
        text = re.sub(
            rf"(?m)(^\[{name}\]\nvalue = .+\nunit = .+\n)(?:assumed|measured) = .+$",
            rf"\g<1>{measured}",
            text,
        )
    return text


def with_tables(page: str, *, capacity: Sequence[str], hot: Sequence[str]) -> str:
    """Put tables into the page, between their marks."""
    for mark, lines in (("capacity", capacity), ("hot partition", hot)):
        begin, end = f"<!-- {mark}: python -m benchmarks.constants -->", f"<!-- end of {mark} -->"
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = "\n".join([before + begin, "", *lines, "", end + after])
    return page


def computed() -> list[str]:
    """Give the page's table of what three sizes need, by the constants as they are."""
    constants, _ = read_constants()
    estimates = [
        estimate(
            Demand(accounts=accounts, items_per_account=3, events_per_s=events, average_share=0.05),
            constants=constants,
            prices=_PRICES,
        )
        for accounts, events in _SIZES
    ]
    return [
        "| | 1 million, 1,000/s | 100 million, 20,000/s | 1 billion, 100,000/s |",
        "|---|---|---|---|",
        *(f"| {name} | {' | '.join(_cells(name, estimates))} |" for name in _SHOWN),
    ]


def _cells(name: str, estimates: Sequence[Estimate]) -> Iterator[str]:
    for each in estimates:
        line = each.lines[name]
        value = line.value
        number = f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2g}"
        unit = f" {line.unit}" if line.unit in _SHORT_UNITS else ""
        yield f"{number}{unit}{f' ({line.binds})' if line.binds else ''}"


def _known(text: str) -> set[str]:
    """Name the constants of which a measurement is known."""
    names = re.findall(r"(?m)^\[(\w+)\]$", text)
    return {*names} & {*_FIGURES, *_DERIVED}


if __name__ == "__main__":
    main()

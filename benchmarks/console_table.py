"""The console's pages as a table: the slowest ones of each database beside the budget, and how many are not shown."""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from benchmarks.figures import Figure

__all__ = ["console_table", "is_of_console"]

_NAME: Final = re.compile(r"^console (?P<page>.+) on (?P<database>\w+), (?P<share>p\d+)$")
_SHOWN: Final = 16
_Measured = dict[tuple[str, str], Figure]  # (database, p50 …) -> figure


def is_of_console(figure: Figure) -> bool:
    """Say whether a figure is of a page of the console."""
    return _NAME.match(figure.name) is not None


def console_table(figures: list[Figure]) -> list[str]:
    """Give the lines of a table, the page with the slowest p95 first; nothing when no page was measured."""
    pages: defaultdict[str, _Measured] = defaultdict(dict)
    for each in figures:
        if match := _NAME.match(each.name):
            pages[match["page"]][match["database"], match["share"]] = each
    if not pages:
        return []
    databases = sorted({database for measured in pages.values() for database, _ in measured}, reverse=True)
    ranked = sorted(pages.items(), key=lambda item: -_slowest(item[1]))
    budget = max(each.budget for measured in pages.values() for each in measured.values())
    left = ranked[_SHOWN:]
    lines = [
        "",
        f"| page of the console (budget of p95: {budget:.0f} ms) | "
        + " | ".join(f"{database}: p50 / p95 / p99, ms" for database in databases)
        + " |",
        "|---|" + "---|" * len(databases),
        *(
            f"| `{page}` | " + " | ".join(_cell(measured, database) for database in databases) + " |"
            for page, measured in ranked[:_SHOWN]
        ),
    ]
    if left:
        lines.append(
            f"| {len(left)} others | "
            + " | ".join(_rest(dict(left), database) for database in databases)
            + " |"
        )
    return lines


def _slowest(measured: _Measured) -> float:
    return max((each.median for (_, share), each in measured.items() if share == "p95"), default=0)


def _cell(measured: _Measured, database: str) -> str:
    found = [measured.get((database, share)) for share in ("p50", "p95", "p99")]
    return " / ".join("–" if each is None else _short(each.median) for each in found)


def _rest(pages: Mapping[str, _Measured], database: str) -> str:
    tails = [measured[database, "p95"].median for measured in pages.values() if (database, "p95") in measured]
    return f"p95 at most {_short(max(tails))}" if tails else "–"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"

"""The table of the console's pages: the slowest first, what is not shown is bounded by a figure."""

from benchmarks.console_table import console_table, is_of_console
from benchmarks.figures import Figure


def _measured(page: str, database: str, p95_ms: float) -> list[Figure]:
    values = {"p50": p95_ms / 2, "p95": p95_ms, "p99": p95_ms * 2}
    return [
        Figure(
            name=f"console {page} on {database}, {share}",
            unit="ms",
            values=[value],
            budget=150 if share == "p95" else 0,
            at_most=share == "p95",
        )
        for share, value in values.items()
    ]


def test_the_slowest_page_of_either_database_comes_first() -> None:
    """A page that is slow on one database is not hidden by the other one."""
    figures = [
        *_measured("/", "SQLite", 20), *_measured("/", "PostgreSQL", 90),
        *_measured("/tasks", "SQLite", 40), *_measured("/tasks", "PostgreSQL", 3.2),
    ]  # fmt: skip
    assert all(map(is_of_console, figures))
    assert [
        "",
        "| page of the console (budget of p95: 150 ms) | SQLite: p50 / p95 / p99, ms | PostgreSQL: p50 / p95 / p99, ms |",
        "|---|---|---|",
        "| `/` | 10 / 20 / 40 | 45 / 90 / 180 |",
        "| `/tasks` | 20 / 40 / 80 | 1.6 / 3.2 / 6.4 |",
    ] == console_table(figures)


def test_pages_that_are_not_shown_are_bounded() -> None:
    """Of the others it is said how many they are, and how slow the slowest of them is."""
    figures = [each for number in range(20) for each in _measured(f"/{number:02}", "SQLite", 100 - number)]
    assert "| 4 others | p95 at most 84 |" == console_table(figures)[-1]


def test_other_figures_make_no_table() -> None:
    """Where no page was measured there is no table."""
    assert [] == console_table([Figure(name="intake", unit="events/s", values=[1.0])])

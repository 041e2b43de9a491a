"""The tables of the benchmarks' page say of what each figure is."""

from benchmarks.figures import Figure
from benchmarks.report import _figure_tables


def test_memory_and_disk_say_of_how_many_accounts() -> None:
    """Issue 4, point 5: so many MB say nothing without the accounts that they hold."""
    figure = Figure(name="memory at most", unit="MiB", values=[352.0], note="1,000,000 accounts")
    assert "| memory at most | 352 MiB | 1,000,000 accounts |" in _figure_tables([figure])

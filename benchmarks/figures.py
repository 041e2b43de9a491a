"""What a benchmark has measured: a name, a unit, one value per run, and what it should at least be."""

import statistics
from pathlib import Path

from msgspec import Struct, json

__all__ = ["Figure", "load", "save"]


class Figure(Struct, kw_only=True, omit_defaults=True):
    """One line of the results.

    Attributes:
        name: what was measured.
        unit: what the values are in.
        values: one per run.
        budget: what DESIGN 7 asks for, 0 where it asks for nothing.
        at_most: the budget is an upper limit.
        note: sizes, and what is needed to read the value right.
    """

    name: str
    unit: str
    values: list[float]
    budget: float = 0
    at_most: bool = False
    note: str = ""

    @property
    def median(self) -> float:
        """The value that stands for all runs."""
        return statistics.median(self.values)

    def __str__(self) -> str:
        several = f" ({_plain(min(self.values))}–{_plain(max(self.values))}, {len(self.values)} runs)"
        budget = f"; budget {'≤' if self.at_most else '≥'} {_plain(self.budget)}" if self.budget else ""
        value = f"{_plain(self.median)} {self.unit}{several if len(self.values) > 1 else ''}"
        return f"{self.name}: {value}{budget}{'; ' + self.note if self.note else ''}"


def save(figures: list[Figure], *, file: Path | None) -> None:
    """Print figures, and add them to a file of figures if one is named."""
    for figure in figures:
        print(figure, flush=True)
    if file is not None:
        file.write_bytes(json.encode([*load(file), *figures]))


def load(file: Path) -> list[Figure]:
    """Read a file of figures; none when there is no such file yet."""
    return json.decode(file.read_bytes(), type=list[Figure]) if file.exists() else []


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

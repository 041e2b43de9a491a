"""Bars per day as ECharts takes them: stacked by kind, the day's total on top. Figures only: no code is in an option."""

import datetime
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from notifiers.writing.figures import short_day_text

__all__ = ["Bars", "bars_option"]

# Told apart in the light, in the dark and without colour vision (Okabe and Ito); further kinds begin anew.
_COLOURS: Final = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#f0e442", "#999999")


class Bars(Struct, frozen=True, kw_only=True):
    """Counts by day and kind; ``days`` are drawn all, whether something happened or not."""

    name: str
    title: str
    days: list[datetime.date]
    counts: Counter[tuple[datetime.date, str]]
    note: str = ""

    def kinds(self) -> list[str]:
        """List the kinds, the most frequent first."""
        sums: Counter[str] = Counter()
        for (_, kind), count in self.counts.items():
            sums[kind] += count
        return [kind for kind, _ in sorted(sums.items(), key=lambda each: (-each[1], each[0]))]

    def total(self, day: datetime.date) -> int:
        """Sum up a day."""
        return sum(self.counts[day, kind] for kind in self.kinds())

    def filled(self) -> list[datetime.date]:
        """List the days on which something happened: the table has these."""
        return [day for day in self.days if self.total(day)]


def bars_option(bars: Bars, *, language: str) -> Mapping[str, Any]:
    """Write the option: a stacked series for each kind, and one without marks that carries the totals."""
    kinds, days = bars.kinds(), bars.days
    totals = [bars.total(day) for day in days]
    series: list[dict[str, Any]] = [
        {
            "name": kind,
            "type": "bar",
            "stack": "all",
            "itemStyle": {"color": _COLOURS[number % len(_COLOURS)]},
            "data": [bars.counts[day, kind] for day in days],
        }
        for number, kind in enumerate(kinds)
    ]
    series.append(
        {
            "name": "",
            "type": "line",
            "symbol": "circle",
            "symbolSize": 6,
            "lineStyle": {"width": 0},
            "itemStyle": {"color": "transparent"},
            "label": {"show": True, "position": "top"},
            "silent": True,
            "tooltip": {"show": False},
            "data": [total or None for total in totals],
        }
    )
    return {
        "aria": {"enabled": True, "label": {"description": bars.title}},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "legend": {"data": kinds, "bottom": 0, "type": "scroll"},
        "grid": {"left": 8, "right": 8, "top": 24, "bottom": 36, "containLabel": True},
        "xAxis": {"type": "category", "data": [short_day_text(day, language=language) for day in days]},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": series,
    }

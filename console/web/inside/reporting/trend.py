"""How figures went from month to month: receivables by age, days outstanding, and shares, as charts over their tables.

Each point is computed as of the end of its day, as the report is. One company in one currency at a time:
currencies are never added, and companies sell on terms of their own.
"""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from console.web.inside.reporting.asking import ReportAsked
from console.web.inside.reporting.cells import heading_of, shown_row
from console.web.inside.reporting.owed import bucket_columns
from console.web.inside.reporting.sheets import Cell, Column, Money, Row
from infra.database.queries.aged import AgedRow, aged_totals
from infra.database.queries.figures import Figures, figures, places
from notifiers.writing.figures import short_day_text

__all__ = [
    "MONTHS",
    "Chart",
    "Point",
    "charts_of",
    "month_ends",
    "places_of",
    "points_of",
    "trend_columns",
    "trend_lines",
]

MONTHS: Final = 6
_DAYS: Final = ("dso", "best_dso", "days_delinquent")
_SHARES: Final = ("effectiveness", "paid_late", "promises_kept")
Place = tuple[str, str]  # (company, currency)


class Point(Struct, frozen=True, kw_only=True):
    """A day: the figures of the window that ends with it, and what was open by age; None: nothing was."""

    on: datetime.date
    figures: Figures | None
    aged: AgedRow | None


class Chart(Struct, frozen=True, kw_only=True):
    """A chart: what ECharts is given, and its table as it is shown."""

    name: str
    option: dict[str, Any]
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def month_ends(on: datetime.date, *, months: int) -> list[datetime.date]:
    """Give the last days of the months before a day, and the day itself, the oldest first."""
    days = [on]
    for _ in range(months - 1):
        days.append(days[-1].replace(day=1) - datetime.timedelta(days=1))
    return days[::-1]


def places_of(connection: Connection, asked: ReportAsked) -> list[Place]:
    """List the companies and currencies that there may be figures of."""
    wanted = asked.filters.currency
    return [
        (company, currency)
        for company, currency in places(connection, company=asked.filters.company or None)
        if asked.sees(company) and wanted in ("", currency)
    ]


def points_of(connection: Connection, asked: ReportAsked, *, place: Place, months: int) -> list[Point]:
    """Compute the points of one company in one currency."""
    company, currency = place
    found = []
    for on in month_ends(asked.on, months=months):
        told = figures(connection, as_of=on, days=asked.filters.days, company=company)
        totals = aged_totals(connection, as_of=on, scope=(company, None), edges=asked.filters.edges)
        found.append(
            Point(
                on=on,
                figures=next((each for each in told if each.currency == currency), None),
                aged=next((each for each in totals if each.currency == currency), None),
            )
        )
    return found


def trend_columns(asked: ReportAsked) -> tuple[Column, ...]:
    """Give the columns of the same figures as a report: what is drawn, a line for each day."""
    buckets = tuple(replace(each, is_summed=False) for each in bucket_columns(asked))
    return (
        Column(name="company"),
        Column(name="on", kind="day"),
        Column(name="receivables", kind="money", is_summed=False),
        *buckets,
        *(Column(name=name, kind="number") for name in _DAYS),
        *(Column(name=name, kind="share") for name in _SHARES),
    )


def trend_lines(connection: Connection, asked: ReportAsked, after: str) -> Iterator[Row]:  # noqa: ARG001 - there is one page
    """Give, for each company in each currency, a line for each month end; what was not there then is empty."""
    for company, currency in places_of(connection, asked):
        for point in points_of(connection, asked, place=(company, currency), months=MONTHS):
            told: dict[str, Cell] = {"company": company, "on": point.on}
            if point.aged is not None:
                told["receivables"] = Money(minor=point.aged.receivables_minor, currency=currency)
            yield Row(cells=told | _aged(point, asked, currency=currency) | _measured(point))


def charts_of(
    points: Sequence[Point], *, asked: ReportAsked, currency: str, words: Mapping[str, Any]
) -> list[Chart]:
    """Draw what was open by age as stacked bars, days and shares as lines."""
    buckets = bucket_columns(asked)
    aged = [_aged(each, asked, currency=currency) for each in points]
    days = [Column(name=name, kind="number") for name in _DAYS]
    shares = [Column(name=name, kind="share") for name in _SHARES]
    measured = [_measured(each) for each in points]
    return [
        _chart("aging", buckets, aged, points, words=words, style={"type": "bar", "stack": "aged"}),
        _chart("days", days, measured, points, words=words, style={"type": "line"}),
        _chart("shares", shares, measured, points, words=words, style={"type": "line"}),
    ]


def _aged(point: Point, asked: ReportAsked, *, currency: str) -> dict[str, Cell]:
    buckets = () if point.aged is None else point.aged.buckets
    return {
        column.name: Money(minor=bucket.amount_minor, currency=currency)
        for column, bucket in zip(bucket_columns(asked), buckets, strict=False)
    }


def _measured(point: Point) -> dict[str, Cell]:
    of = point.figures
    return {} if of is None else {name: getattr(of, name) for name in (*_DAYS, *_SHARES)}


def _chart(
    name: str,
    columns: Sequence[Column],
    cells: Sequence[Mapping[str, Cell]],
    points: Sequence[Point],
    *,
    words: Mapping[str, Any],
    style: Mapping[str, Any],
) -> Chart:
    days = [short_day_text(each.on, language=words["language"]) for each in points]
    headings = [heading_of(each, words=words) for each in columns]
    series = [
        {**style, "name": heading, "data": [_plain(of.get(column.name), column) for of in cells]}
        for column, heading in zip(columns, headings, strict=True)
    ]
    option = {
        "legend": {"type": "scroll", "bottom": 0},
        "grid": {"left": 8, "right": 16, "top": 24, "bottom": 40, "containLabel": True},
        "xAxis": {"type": "category", "data": days},
        "yAxis": {"type": "value", "unit": " %" if name == "shares" else ""},
        "series": series,
    }
    rows = tuple(
        (day, *shown_row(columns, Row(cells=of), words=words)) for day, of in zip(days, cells, strict=True)
    )
    return Chart(name=name, option=option, headings=(words["columns"]["on"], *headings), rows=rows)


def _plain(value: Cell, column: Column) -> float | None:
    """Give a value as a chart draws it; shares in percent. What is read stands in the table."""
    if isinstance(value, Money):
        return float(value.decimal())
    if isinstance(value, Decimal):
        return float(round(value * 100, 1) if column.kind == "share" else round(value, 1))
    return None

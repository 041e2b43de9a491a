"""What may come in, week by week, and what has no day (U-9)."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection

from console.cash import DATED, cash_lines
from console.web.inside.reporting.asking import ReportAsked
from console.web.inside.reporting.sheets import Cell, Column, Money, Row
from infra.database.queries.cash import cash_expected

__all__ = ["CASH_COLUMNS", "cash_rows"]

CASH_COLUMNS: Final = (
    Column(name="company"),
    Column(name="week", kind="day"),
    *(Column(name=name, kind="money") for name in ("expected", *DATED, "no_day")),
    Column(name="why", kind="word", words="no_day"),
)


def cash_rows(connection: Connection, asked: ReportAsked, after: str) -> Iterator[Row]:  # noqa: ARG001 - there is one page
    """Give a line for each week in which something may come, and one for each reason why there is no day."""
    found = cash_expected(connection, choice=asked.choice())
    wanted = (each for each in found if asked.filters.currency in ("", each.part.currency))
    for line in cash_lines(wanted, by="week"):
        money = {"expected": line.expected_minor, "no_day": line.no_day_minor}
        cells: dict[str, Cell] = {"company": line.company, "week": line.of, "why": line.why}
        cells |= {
            name: Money(minor=minor, currency=line.currency)
            for name, minor in (money | line.by).items()
            if minor
        }
        yield Row(cells=cells)

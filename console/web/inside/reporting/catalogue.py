"""The reports there are: what each asks the read model for, which filters it has, and what adds it up.

A new one is its columns, a function that walks its rows, a line here, and its words.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection

from console.web.inside.reporting import incoming, measures, owed, people, trend
from console.web.inside.reporting.asking import ReportAsked
from console.web.inside.reporting.sheets import Column, Row

__all__ = ["REPORTS", "AddUp", "Report"]

Columns = Callable[[ReportAsked], tuple[Column, ...]]
AddUp = Callable[[Connection, ReportAsked], list[Row]]
Lines = Callable[[Connection, ReportAsked, str], Iterator[Row]]


class Report(Struct, frozen=True, kw_only=True):
    """A report.

    Attributes:
        columns: what it has; ``made_of`` instead gives them where they depend on what is asked.
        lines: walks its rows behind a place ('': from the beginning).
        filters: those of ``Filters`` that it heeds, and ``on`` where it is as of a day.
        sums: adds up all of it in SQL, a row for each currency; None: there is nothing to add up.
        needs_account: it is about one customer.
        is_kept: its rows are few and are of all documents: made beside the page, and told with their age.
        also: reports that follow in the same PDF and workbook.
    """

    lines: Lines
    filters: tuple[str, ...]
    columns: tuple[Column, ...] = ()
    made_of: Columns | None = None
    sums: AddUp | None = None
    needs_account: bool = False
    is_kept: bool = False
    also: tuple[str, ...] = ()

    def columns_for(self, asked: ReportAsked) -> tuple[Column, ...]:
        """Give the columns of what is asked."""
        return self.columns if self.made_of is None else self.made_of(asked)


_WHO: Final = ("company", "responsible", "trust")

REPORTS: Final[Mapping[str, Report]] = {
    "aged": Report(
        made_of=owed.aged_columns,
        lines=owed.aged_lines,
        sums=owed.aged_sums,
        filters=("on", *_WHO, "currency", "edges", "late"),
    ),
    "documents": Report(
        columns=owed.DOCUMENT_COLUMNS,
        lines=owed.document_lines,
        sums=owed.document_sums,
        filters=("on", *_WHO, "account", "currency", "late"),
    ),
    "statement": Report(
        columns=owed.STATEMENT_COLUMNS,
        lines=owed.statement_lines,
        filters=("on", "account", "currency", "days"),
        needs_account=True,
        also=("documents",),
    ),
    "customers": Report(
        columns=people.CUSTOMER_COLUMNS,
        lines=people.customer_lines,
        sums=people.customer_sums,
        filters=(*_WHO, "currency"),
    ),
    "no_action": Report(
        columns=people.ACTION_COLUMNS,
        lines=people.untouched_lines,
        filters=(*_WHO, "currency", "late"),
    ),
    "actions": Report(
        columns=people.ACTION_COLUMNS,
        lines=people.action_lines,
        filters=(*_WHO, "currency", "late"),
    ),
    "activity": Report(
        columns=people.ENTRY_COLUMNS,
        lines=people.entry_lines,
        filters=("on", "days", *_WHO, "account", "kind"),
    ),
    "sent": Report(
        columns=measures.SENT_COLUMNS,
        lines=measures.sent_lines,
        filters=("on", "days", "company", "account", "channel", "fate"),
    ),
    "figures": Report(
        columns=measures.FIGURE_COLUMNS,
        lines=measures.figure_lines,
        filters=("on", "days", "company", "currency"),
        is_kept=True,
    ),
    "cash": Report(
        columns=incoming.CASH_COLUMNS,
        lines=incoming.cash_rows,
        filters=(*_WHO, "account", "currency"),
        is_kept=True,
    ),
    "trend": Report(
        made_of=trend.trend_columns,
        lines=trend.trend_lines,
        filters=("on", "days", "company", "currency", "edges"),
        is_kept=True,
    ),
}

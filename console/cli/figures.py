"""``cobranza figures``: how well money comes in, per company and currency."""

import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from console.cli.formats import Cell, OutputFormat, format_option, print_rows
from console.read_model import DAY, amount, open_read_model, say_age

if TYPE_CHECKING:
    from infra.database.queries.figures import Figures
    from infra.settings import Settings

__all__ = ["figures"]

_COLUMNS = (
    "company",
    "currency",
    "dso",
    "best_dso",
    "days_delinquent",
    "effectiveness",
    "paid_late",
    "promises_kept",
)
_MORE = (
    "days",
    "opening",
    "credit_sales",
    "receivables",
    "not_due",
    "paid_items",
    "paid_late_items",
    "promises",
)


@click.command()
@click.option("--as-of", type=DAY, required=True, help="The day, as of its end: YYYY-MM-DD.")
@click.option(
    "--days", type=click.IntRange(min=1), default=90, show_default=True, help="The window that ends with it."
)
@click.option("--company", help="Of this company only.")
@format_option
@click.pass_obj
def figures(
    settings: "Settings",
    *,
    as_of: datetime.datetime,
    days: int,
    company: str | None,
    output_format: OutputFormat,
) -> None:
    """Show days sales outstanding and the best possible, days delinquent, collection effectiveness, share paid
    late and promises kept.

    Shares are of one. json and csv have the amounts that they are made of.
    """
    from infra.database.queries import figures as query

    with open_read_model(settings) as connection:
        found = query.figures(connection, as_of=as_of.date(), days=days, company=company)
        if output_format == "table":
            say_age(connection)
    columns = _COLUMNS if output_format == "table" else _COLUMNS + _MORE
    missing = "n/a" if output_format == "table" else None
    rows = [_cells(each, days=days, missing=missing) for each in found]
    print_rows(rows, columns=columns, output_format=output_format)


def _cells(one: "Figures", *, days: int, missing: str | None) -> dict[str, Cell]:
    def shown(value: Decimal | None) -> Cell:
        return missing if value is None else value

    def money(minor: int) -> Decimal:
        return amount(minor, currency=one.currency)

    return {
        "company": one.company,
        "currency": one.currency,
        "dso": shown(one.dso),
        "best_dso": shown(one.best_dso),
        "days_delinquent": shown(one.days_delinquent),
        "effectiveness": shown(one.effectiveness),
        "paid_late": shown(one.paid_late),
        "promises_kept": shown(one.promises_kept),
        "days": days,
        "opening": money(one.opening_minor),
        "credit_sales": money(one.sales_minor),
        "receivables": money(one.receivables_minor),
        "not_due": money(one.not_due_minor),
        "paid_items": one.paid_items,
        "paid_late_items": one.paid_late_items,
        "promises": one.promises,
    }

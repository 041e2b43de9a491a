"""``cobranza dso``: days sales outstanding at the end of a day."""

import datetime
from typing import TYPE_CHECKING

import click

from console.cli.formats import OutputFormat, format_option, print_rows
from console.read_model import DAY, amount, open_read_model, say_age

if TYPE_CHECKING:
    from infra.settings import Settings

__all__ = ["dso"]

_COLUMNS = ("company", "currency", "receivables", "credit_sales", "days", "dso")


@click.command()
@click.option("--as-of", type=DAY, required=True, help="The day, as of its end: YYYY-MM-DD.")
@click.option(
    "--days", type=click.IntRange(min=1), default=90, show_default=True, help="The window of credit sales."
)
@click.option("--company", help="Of this company only.")
@format_option
@click.pass_obj
def dso(
    settings: "Settings",
    *,
    as_of: datetime.datetime,
    days: int,
    company: str | None,
    output_format: OutputFormat,
) -> None:
    """Show receivables over the credit sales of the last days, times these days.

    Credit sales are invoices less credit notes and cancellations. Without
    any there is no figure: n/a.
    """
    from infra.database.queries import dso as query

    with open_read_model(settings) as connection:
        found = query.dso(connection, as_of=as_of.date(), days=days, company=company)
        if output_format == "table":
            say_age(connection)
    missing = "n/a" if output_format == "table" else None
    rows = (
        {
            "company": one.company,
            "currency": one.currency,
            "receivables": amount(one.receivables_minor, currency=one.currency),
            "credit_sales": amount(one.sales_minor, currency=one.currency),
            "days": days,
            "dso": missing if one.days_outstanding is None else one.days_outstanding,
        }
        for one in found
    )
    print_rows(rows, columns=_COLUMNS, output_format=output_format)

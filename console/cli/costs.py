"""``cobranza costs``: what sending has cost, by day, channel, company, level or provider."""

import datetime
from typing import TYPE_CHECKING, get_args

import click

from console.cli.formats import Cell, OutputFormat, format_option, print_rows
from console.read_model import DAY, day, open_read_model, say_age
from infra.database.queries.cost_filter import CostFilter, CostsBy
from schemas.fields import Channel

if TYPE_CHECKING:
    from infra.settings import Settings

__all__ = ["costs"]


@click.command()
@click.option("--from", "first_on", type=DAY, help="First day (of the company): YYYY-MM-DD.")
@click.option("--to", "last_on", type=DAY, help="Last day.")
@click.option("--company", default="", help="Of this company only.")
@click.option("--channel", type=click.Choice(get_args(Channel)), help="Over this channel only.")
@click.option("--level", default="", help="Of this step of a plan only.")
@click.option("--by", type=click.Choice(get_args(CostsBy)), default="channel", show_default=True)
@format_option
@click.pass_obj
def costs(
    settings: "Settings",
    *,
    first_on: datetime.datetime | None,
    last_on: datetime.datetime | None,
    company: str,
    channel: str | None,
    level: str,
    by: CostsBy,
    output_format: OutputFormat,
) -> None:
    """Show what the deliveries that went out cost, as known before they were sent; currencies apart.

    `parts` are segments of SMS, pages of letters, mails. `unpriced` deliveries have no entry in the
    prices (prices.toml in the data folder).
    """
    from console.money import money_text
    from infra.database.queries.costs import cost_lines

    asked = CostFilter(
        first_on=day(first_on), last_on=day(last_on), company=company, channel=channel or "", level=level
    )
    with open_read_model(settings) as connection:
        found = cost_lines(connection, asked=asked, by=by)
        if output_format == "table":
            say_age(connection)
    rows: list[dict[str, Cell]] = [
        {
            str(by): each.value,
            "deliveries": each.deliveries,
            "parts": each.parts,
            "cost": money_text(each.micros),
            "currency": each.currency,
            "unpriced": each.unpriced,
        }
        for each in found
    ]
    columns = (by, "deliveries", "parts", "cost", "currency", "unpriced")
    print_rows(rows, columns=columns, output_format=output_format)

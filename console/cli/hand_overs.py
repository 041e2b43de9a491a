"""``cobranza hand-overs``: the file for an agency or for lawyers (R18)."""

import datetime
from typing import TYPE_CHECKING

import click

from console.cli.formats import OutputFormat, format_option, print_rows
from console.read_model import DAY, amount, day, open_read_model, say_age

if TYPE_CHECKING:
    from infra.settings import Settings

__all__ = ["hand_overs"]

_COLUMNS = (
    "account",
    "customer",
    "tax_id",
    "item",
    "reference",
    "to",
    "on",
    "issued_on",
    "due_on",
    "currency",
    "amount",
    "handed_over",
    "open",
)


@click.command("hand-overs")
@click.option("--company", default="", help="Of this company only.")
@click.option("--to", type=click.Choice(["agency", "legal"]), help="For these only.")
@click.option("--since", type=DAY, help="Handed over on this day or later: YYYY-MM-DD.")
@format_option
@click.pass_obj
def hand_overs(
    settings: "Settings",
    *,
    company: str,
    to: str | None,
    since: datetime.datetime | None,
    output_format: OutputFormat,
) -> None:
    """Show items whose plan ended in a hand-over and that are still open; --format csv is the file."""
    from msgspec import structs

    from infra.database.queries.hand_overs import hand_overs as found

    with open_read_model(settings) as connection:
        rows = [
            structs.asdict(each)
            | {
                "amount": amount(each.amount_minor, currency=each.currency),
                "handed_over": amount(each.handed_over_minor, currency=each.currency),
                "open": amount(each.open_minor, currency=each.currency),
            }
            for each in found(connection, company=company, to=to or "", since=day(since))
        ]
        if output_format == "table":
            say_age(connection)
    print_rows(rows, columns=_COLUMNS, output_format=output_format)

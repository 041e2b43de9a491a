"""``cobranza cash``: what of the open money may come in, and when."""

from typing import TYPE_CHECKING, get_args

import click

from console.cash import DATED, By, CashLine
from console.cli.formats import Cell, OutputFormat, format_option, print_rows
from console.read_model import amount, open_read_model, say_age

if TYPE_CHECKING:
    from infra.settings import Settings

__all__ = ["cash"]


@click.command()
@click.option(
    "--by", type=click.Choice(get_args(By)), default="week", show_default=True, help="What a line is of."
)
@click.option("--company", default="", help="Of this company only.")
@click.option("--account", default="", help="Of this account only: COMPANY:CUSTOMER.")
@format_option
@click.pass_obj
def cash(settings: "Settings", *, by: By, company: str, account: str, output_format: OutputFormat) -> None:
    """Show when open money may come in, if everybody pays when asked to, as of the newest tick.

    On the day of a promise, an instalment or a cheque; what is not overdue on its due date; what is overdue on the
    pay-by day of the last level sent, else of the plan's next one. What has no day says why. How customers usually pay
    is not guessed.
    """
    from console.cash import cash_lines
    from infra.database.queries.account_choice import AccountChoice
    from infra.database.queries.cash import cash_expected

    choice = AccountChoice(companies=(company,) if company else None, account=account)
    with open_read_model(settings) as connection:
        lines = cash_lines(cash_expected(connection, choice=choice), by=by)
        if output_format == "table":
            say_age(connection)
    columns = (by, "company", "currency", "expected", *DATED, "no_day", "why")
    print_rows((_cells(each, by=by) for each in lines), columns=columns, output_format=output_format)


def _cells(line: CashLine, *, by: By) -> dict[str, Cell]:
    def shown(minor: int) -> Cell:
        return amount(minor, currency=line.currency)

    return {
        by: line.of,
        "company": line.company,
        "currency": line.currency,
        "expected": shown(line.expected_minor),
        **{name: shown(line.by.get(name, 0)) for name in DATED},
        "no_day": shown(line.no_day_minor),
        "why": line.why,
    }

"""``cobranza tasks``: what people have to do, whoever asks for it."""

from typing import TYPE_CHECKING

import click

from console.cli.formats import OutputFormat, format_option, print_rows

if TYPE_CHECKING:
    from infra.settings import Settings

__all__ = ["tasks"]

_COLUMNS = ("due_on", "account", "task_type", "summary", "responsible", "task")
_MORE = ("step", "blocking", "items", "reminder")


@click.command()
@click.option("--account", default="", help="Of this account only: COMPANY:CUSTOMER.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=200, show_default=True, help="The first so many."
)
@format_option
@click.pass_obj
def tasks(settings: "Settings", *, account: str, limit: int, output_format: OutputFormat) -> None:
    """Show open tasks, the longest due first: of reminders, of plans that wait, of the ledger.

    A task is ended by `cobranza task done` or `skip` with its account and id.
    """
    from msgspec import structs

    from console.read_model import open_read_model
    from infra.database.queries.tasks import task_lines

    with open_read_model(settings) as connection:
        found = task_lines(connection, account=account, lines_max=limit)
    print_rows(
        [structs.asdict(one) for one in found],
        columns=_COLUMNS if output_format == "table" else _COLUMNS + _MORE,
        output_format=output_format,
    )

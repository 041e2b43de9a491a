"""``cobranza exceptions``: conflicts, duplicates and refusals that a person must look at."""

from typing import TYPE_CHECKING

import click

from console.cli.formats import OutputFormat, format_option, print_rows
from console.read_model import open_read_model, say_age

if TYPE_CHECKING:
    from infra.settings import Settings

__all__ = ["exceptions"]

_COLUMNS = ("recorded_at", "account", "reason", "key", "detail")
_CONTENTS = ("first", "second")


@click.command()
@click.option("--account", default="", help="Of this account only: COMPANY:CUSTOMER.")
@click.option("--reason", default="", help="For this reason only.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=200, show_default=True, help="The newest so many."
)
@format_option
@click.pass_obj
def exceptions(
    settings: "Settings", *, account: str, reason: str, limit: int, output_format: OutputFormat
) -> None:
    """Show the newest exceptions; json and csv have both contents where two differ."""
    from infra.database.queries.exceptions import exception_lines

    with open_read_model(settings) as connection:
        found, count = exception_lines(connection, account=account, reason=reason, lines_max=limit)
        if output_format == "table":
            say_age(connection)
    rows = (
        {
            "recorded_at": one.recorded_at.isoformat(timespec="seconds"),
            "account": one.account,
            "reason": one.reason,
            "key": one.key,
            "detail": one.detail,
            "first": one.first,
            "second": one.second,
        }
        for one in found
    )
    columns = _COLUMNS if output_format == "table" else _COLUMNS + _CONTENTS
    print_rows(rows, columns=columns, output_format=output_format)
    if count > len(found):
        click.echo(f"The newest {len(found)} of {count} are shown; --limit says how many.", err=True)

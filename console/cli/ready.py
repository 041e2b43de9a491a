"""``cobranza ready``: what is missing before a company's reminders can go out by themselves (S4-24)."""

import datetime
import os
import sys
from typing import TYPE_CHECKING

import click

from console.cli.formats import Cell, OutputFormat, format_option, print_rows
from console.read_model import open_read_model

if TYPE_CHECKING:
    from infra.settings import Settings

__all__ = ["ready"]


@click.command()
@click.argument("company")
@format_option
@click.pass_obj
def ready(settings: "Settings", *, company: str, output_format: OutputFormat) -> None:
    """Look at COMPANY's profile, plans, texts, addresses, law and bank; exits with 1 while something is missing."""
    from console.getting_ready import points_of
    from notifiers.variables import require_known

    require_known(os.environ)
    with open_read_model(settings) as connection:
        points = points_of(connection, company, settings=settings, now=datetime.datetime.now(datetime.UTC))
    rows: list[dict[str, Cell]] = [
        {"point": each.point, "verdict": each.verdict, "detail": each.detail} for each in points
    ]
    print_rows(rows, columns=("point", "verdict", "detail"), output_format=output_format)
    sys.exit(1 if any(each.verdict == "missing" for each in points) else 0)

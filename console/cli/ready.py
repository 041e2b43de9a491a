"""``cobranza ready``: what is missing before a company's reminders can go out by themselves (S4-24)."""

import os
import sys
from typing import TYPE_CHECKING

import click

from console.cli.formats import OutputFormat, format_option, print_rows
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
    from msgspec import structs

    from console.readiness import link_point, ready_points
    from infra.database.queries.debtors import company_as_kept, debtors, enrolled_customers, newest_tick
    from notifiers.assembly import TEMPLATES, carrier_faults
    from notifiers.links import Links, LinkSettings
    from notifiers.settings import SendSettings, read_settings
    from notifiers.variables import require_known
    from notifiers.writing.library import Library
    from notifiers.writing.render import templates_folder

    require_known(os.environ)
    send = read_settings(SendSettings)
    with open_read_model(settings) as connection:
        points = ready_points(
            company_as_kept(connection, company),
            debtors=list(debtors(connection, company)),
            enrolled=enrolled_customers(connection, company),
            newest_tick=newest_tick(connection),
            send=send,
            faults=carrier_faults(
                ("email", "sms", "letter"), settings=settings, send=send, engine=connection.engine
            ),
            texts=Library(templates_folder(), own=settings.data_dir / TEMPLATES),
        )
    points.append(link_point(Links(read_settings(LinkSettings)).missing))
    rows = [structs.asdict(each) for each in points]
    print_rows(rows, columns=("point", "verdict", "detail"), output_format=output_format)
    sys.exit(1 if any(each.verdict == "missing" for each in points) else 0)

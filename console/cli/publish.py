"""``cobranza publish`` and ``cobranza validate``: events from a file of CloudEvents, one a line."""

import sys
from typing import BinaryIO

import click

from infra.settings import Settings

__all__ = ["publish", "validate"]

_FILE = click.argument("file", type=click.File("rb"))


@click.command()
@_FILE
def validate(file: BinaryIO) -> None:
    """Check FILE (NDJSON of CloudEvents 1.0 in structured mode; - is standard input).

    Every problem is said with its line and JSON path; exits with 1 when there is one.
    """
    from console.publishing import check_lines

    good = bad = 0
    for found in check_lines(file):
        if isinstance(found, list):
            bad += 1
            for problem in found:
                click.echo(str(problem), err=True)
        else:
            good += 1
    click.echo(f"{good} events are good, {bad} lines are bad.")
    sys.exit(1 if bad else 0)


@click.command()
@_FILE
@click.option("--keep-going", is_flag=True, help="Publish the good events though some lines are bad.")
@click.pass_obj
def publish(settings: Settings, *, file: BinaryIO, keep_going: bool) -> None:
    """Publish the events of FILE (NDJSON of CloudEvents 1.0 in structured mode; - is standard input).

    All lines are checked first: when one is bad nothing is published, unless
    --keep-going. Exits with 1 when a line is bad.
    """
    from console.publishing import Outgoing, check_lines, send_all

    good: list[Outgoing] = []
    bad = 0
    for found in check_lines(file):
        if isinstance(found, list):
            bad += 1
            for problem in found:
                click.echo(str(problem), err=True)
        else:
            good.append(found)
    if bad and not keep_going:
        click.echo(f"{bad} lines are bad: nothing was published ({len(good)} events are good).", err=True)
        sys.exit(1)
    sent = send_all(good, settings=settings)
    click.echo(f"{sent} events published" + (f", {bad} lines are bad." if bad else "."))
    sys.exit(1 if bad else 0)

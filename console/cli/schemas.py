"""``cobranza schemas``: the contracts as JSON Schema."""

import sys
from pathlib import Path

import click

__all__ = ["schemas"]


@click.group()
def schemas() -> None:
    """Export the contracts of all event types."""


@schemas.command()
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 when a file differs.")
@click.option("--directory", type=click.Path(file_okay=False, path_type=Path), help="Default: schemas/json.")
def export(*, check: bool, directory: Path | None) -> None:
    """Write a JSON Schema file for each source and fact type."""
    from console import schema_export

    target = directory or schema_export.DIRECTORY
    if not check:
        click.echo(f"{schema_export.export(target)} schemas written to {target}.")
        return
    found = schema_export.differences(target)
    for each in found:
        click.echo(each, err=True)
    click.echo(
        "The files differ: cobranza schemas export." if found else "The files agree with the contracts."
    )
    sys.exit(1 if found else 0)

"""``cobranza schemas``: the contracts as JSON Schema and AsyncAPI, and what a change of them breaks."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from infra.errors import OperatorError

__all__ = ["schemas"]


class _NoDocumentError(OperatorError):
    """There is no document to compare with."""


@click.group()
def schemas() -> None:
    """Export the contracts of all event types, and compare them with earlier ones."""


@schemas.command()
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 when a file differs.")
@click.option("--directory", type=click.Path(file_okay=False, path_type=Path), help="Default: schemas/json.")
@click.option(
    "--asyncapi", type=click.Path(dir_okay=False, path_type=Path), help="Default: schemas/asyncapi.json."
)
def export(*, check: bool, directory: Path | None, asyncapi: Path | None) -> None:
    """Write a JSON Schema file for each source and fact type, and one AsyncAPI 3.0 document."""
    from console import asyncapi as contract
    from console import schema_export

    target = directory or schema_export.DIRECTORY
    file = asyncapi or contract.FILE
    text = contract.document_text()
    if not check:
        file.write_text(text, encoding="utf-8")
        click.echo(f"{schema_export.export(target)} schemas written to {target}, AsyncAPI to {file}.")
        return
    found = schema_export.differences(target)
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        found.append(f"{file.name}: is not what registry, types and examples say")
    for each in found:
        click.echo(each, err=True)
    click.echo(
        "The files differ: cobranza schemas export." if found else "The files agree with the contracts."
    )
    sys.exit(1 if found else 0)


@schemas.command()
@click.option(
    "--against",
    default="HEAD",
    show_default=True,
    metavar="FILE|REVISION",
    help="An AsyncAPI document of ours, or a revision of this checkout's schemas/asyncapi.json.",
)
def diff(*, against: str) -> None:
    """Say what changed since an earlier contract, and whom it breaks; exits with 1 when it breaks any.

    Breaking is what a producer sent and we no longer accept, what a consumer relied on and is no
    longer there, and a value that a consumer has never seen. Texts and examples are no change.
    """
    from console.asyncapi import document
    from console.asyncapi_diff import changes

    found = changes(old=_earlier(against), new=document())
    for each in found:
        click.echo(str(each))
    breaking = sum(each.breaking for each in found)
    click.echo(f"{len(found)} changes since {against}, {breaking} breaking.")
    sys.exit(1 if breaking else 0)


def _earlier(against: str) -> dict[str, Any]:
    from console.asyncapi import FILE

    if Path(against).is_file():
        text = Path(against).read_text(encoding="utf-8")
    else:
        place = f"{against}:./{FILE.name}"
        shown = subprocess.run(
            ["git", "-C", str(FILE.parent), "show", place], capture_output=True, text=True, check=False
        )
        if shown.returncode != 0:
            raise _NoDocumentError(
                f"{against!r} is no file, and no revision with {FILE.name}: {shown.stderr.strip()}"
            )
        text = shown.stdout
    try:
        found: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise _NoDocumentError(f"{against!r} is no JSON: {error}") from error
    if "channels" not in found:
        raise _NoDocumentError(f"{against!r} is no AsyncAPI document")
    return found

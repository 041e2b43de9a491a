"""``cobranza import csv``: a receivables list becomes events."""

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from infra.settings import Settings

if TYPE_CHECKING:
    from console.importing import Reading
    from console.mapping import ColumnMapping

__all__ = ["find_mapping", "import_", "read_and_say", "say_events"]

_SHOWN_MAX = 20
_SHIPPED = Path(__file__).resolve().parent.parent / "mappings"


@click.group("import")
def import_() -> None:
    """Bring tables of other programs in."""


@import_.command("csv")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--mapping", "mapping_file", required=True, help="A mapping file, or a shipped one by name: ibm."
)
@click.option("--dry-run", is_flag=True, help="Say what would be published; publish nothing.")
@click.option("--strict", is_flag=True, help="Publish nothing when a row is bad.")
@click.option(
    "--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Where bad rows are written."
)
@click.pass_obj
def csv_(
    settings: Settings, *, file: Path, mapping_file: str, dry_run: bool, strict: bool, rejects: Path | None
) -> None:
    """Publish the rows of FILE as events, and the company's profile before them, as the mapping says.

    Each bad row is said with its number, column and reason, and written to
    FILE.rejects.csv (or --rejects), to be mended and imported. Importing the
    same file twice changes nothing. Exits with 1 when a row is bad.
    """
    from console.cli.progress import tracked
    from console.importing import profile_record, write_rejects
    from console.publishing import send_all

    mapping = find_mapping(mapping_file)
    reading = read_and_say(file, mapping=mapping)
    say_events(reading)
    if dry_run or (strict and reading.rejects):
        click.echo("Nothing was published.")
        sys.exit(1 if reading.rejects else 0)
    if reading.rejects:
        target = rejects or file.with_suffix(f"{file.suffix}.rejects.csv")
        write_rejects(target, reading=reading, mapping=mapping)
        click.echo(f"The bad rows are in {target}.", err=True)
    records = [profile_record(mapping), *(fact.record for fact in reading.facts)]
    sent = send_all(tracked(records, label="Publishing", total=len(records)), settings=settings)
    click.echo(f"{sent} events published, the company's profile among them.")
    sys.exit(1 if reading.rejects else 0)


def find_mapping(name: str) -> "ColumnMapping":
    """Load a mapping by path, or a shipped one by its name without ``.toml``.

    Raises:
        MappingError: there is none, or it is wrong.
    """
    from console.mapping import load_mapping

    shipped = _SHIPPED / f"{name}.toml"
    return load_mapping(shipped if shipped.is_file() else Path(name))


def read_and_say(file: Path, *, mapping: "ColumnMapping") -> "Reading":
    """Read a table behind a progress bar and say its bad rows, the first twenty of them."""
    from console.cli.progress import tracked
    from console.importing import read_table

    lines = sum(1 for _ in file.open("rb")) if file.is_file() else 0
    reading = read_table(
        file, mapping=mapping, watch=lambda rows: tracked(rows, label="Reading", total=lines - 1)
    )
    for each in reading.rejects[:_SHOWN_MAX]:
        click.echo(str(each), err=True)
    if len(reading.rejects) > _SHOWN_MAX:
        click.echo(f"... and {len(reading.rejects) - _SHOWN_MAX} more", err=True)
    return reading


def say_events(reading: "Reading") -> None:
    """Say how many rows and events there are, and the days they lie between."""
    bad = f", {reading.rejected_rows} of them bad" if reading.rejects else ""
    click.echo(f"{reading.rows} rows{bad}; {len(reading.facts)} events")
    kinds = Counter(dict(fact.record.headers)["ce_type"].decode() for fact in reading.facts)
    for kind, count in sorted(kinds.items()):
        click.echo(f"  {count:>8}  {kind}")
    if reading.facts:
        click.echo(f"  from {reading.facts[0].day} to {reading.facts[-1].day}")

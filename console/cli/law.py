"""``cobranza law``: the contact laws that ship, and a company's own as an event."""

from pathlib import Path

import click

from console.cli.formats import Cell, OutputFormat, format_option, print_rows
from infra.errors import OperatorError
from infra.settings import Settings

__all__ = ["law"]

_COLUMNS = ("profile", "from", "until", "hours", "limits", "sources")


@click.group()
def law() -> None:
    """Contact law: what ships, and what a company sets for itself."""


@law.command()
@format_option
def show(*, output_format: OutputFormat) -> None:
    """Show the profiles that ship, each edition with its rules of contact and its sources. Not legal advice."""
    from console.law_files import edition_lines

    rows: list[dict[str, Cell]] = [dict(each) for each in edition_lines()]
    print_rows(rows, columns=_COLUMNS, output_format=output_format)


@law.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--company", required=True, help="The company whose law it is.")
@click.option("--author", default="", help="Who publishes it.")
@click.pass_obj
def publish(settings: Settings, *, file: Path, company: str, author: str) -> None:
    """Publish FILE (TOML: choices, [[profiles]]) as a company's own law; it stands for what was published before.

    Profiles are written like those that ship (processors/law/profiles). An empty file: the law as it ships.
    """
    import datetime

    from console.law_files import read_law
    from console.publishing import outgoing, send_all
    from processors.validation import problems

    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    event = read_law(file, company=company, occurred_at=now, author=author)
    wrong = problems(event)
    if wrong:
        raise OperatorError("\n".join(f"{file}: {each}" for each in wrong))
    send_all([outgoing(event, source="cobranza/law")], settings=settings)
    click.echo(f"{company} has {len(event.profiles)} profiles and {len(event.choices)} choices of its own.")

"""``cobranza answers``: what readers of messages have said behind their links, and the files that they sent."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.formats import OutputFormat, format_option, print_rows

if TYPE_CHECKING:
    from infra.settings import Settings

__all__ = ["answers"]

_COLUMNS = ("kind", "documents", "amount", "on", "text", "by", "placed", "task")
_MORE = ("reach", "reference", "files", "reminder", "channel")


@click.group()
def answers() -> None:
    """Answers of readers: "I have paid", "I will pay on …", "I do not agree", "wrong person", anything else."""


@answers.command("list")
@click.argument("account")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="The last so many."
)
@format_option
@click.pass_obj
def list_(settings: "Settings", *, account: str, limit: int, output_format: OutputFormat) -> None:
    """Show what was answered about ACCOUNT (COMPANY:CUSTOMER), the newest last; json and csv say more."""
    from msgspec import structs

    from console.read_model import open_read_model
    from infra.database.queries.answers import answer_lines

    with open_read_model(settings) as connection:
        found = answer_lines(connection, account=account, lines_max=limit)
    print_rows(
        [structs.asdict(each) for each in found],
        columns=_COLUMNS if output_format == "table" else _COLUMNS + _MORE,
        output_format=output_format,
    )


@answers.command()
@click.argument("sha256")
@click.option(
    "--to", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Where it is written."
)
@click.pass_obj
def file(settings: "Settings", *, sha256: str, to: Path) -> None:
    """Write a file that came with an answer to disk. It is as the reader sent it: open it with care."""
    from console.read_model import open_read_model
    from notifiers.answer_files import ANSWER_FILES, AnswerFiles

    with open_read_model(settings) as connection:
        content = AnswerFiles(connection.engine, settings.data_dir / ANSWER_FILES).content(sha256)
    to.write_bytes(content)
    click.echo(f"{len(content)} bytes were written to {to}.")

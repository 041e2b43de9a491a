"""``cobranza dlq list|show``: records that could not be used, and why."""

import sys
from typing import TYPE_CHECKING

import click

from console.cli.formats import Cell, OutputFormat, format_option, print_rows, printable
from infra.settings import Settings

if TYPE_CHECKING:
    from infra.kafka.dead_letters import Found, Opened

__all__ = ["dlq"]

_COLUMNS = (
    "letter",
    "at",
    "reason",
    "detail",
    "stage",
    "source_topic",
    "source_partition",
    "source_offset",
    "key",
    "size_bytes",
)


@click.group()
def dlq() -> None:
    """Look at dead letters: records that could not be used, and why."""


@dlq.command("list")
@format_option
@click.option("--topic", help="Only those of this topic, such as billing.invoice.v1.")
@click.option("--reason", help="Only those with this reason, such as not_json.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="The newest.")
@click.pass_obj
def list_(
    settings: Settings, *, output_format: OutputFormat, topic: str | None, reason: str | None, limit: int
) -> None:
    """List dead letters, the newest last."""
    from infra.kafka.dead_letters import read_letters

    overview = read_letters(settings, topic=topic, reason=reason, newest_max=limit)
    print_rows(map(_row, overview.newest), columns=_COLUMNS, output_format=output_format)
    if output_format == "table":
        shown = len(overview.newest)
        click.echo(
            f"{overview.matching} dead letters"
            + (f", the newest {shown} shown." if shown < overview.matching else ".")
        )


@dlq.command()
@click.argument("letter", metavar="TOPIC/PARTITION/OFFSET")
@click.option("--raw", is_flag=True, help="Write the value's bytes and nothing else.")
@click.pass_obj
def show(settings: Settings, *, letter: str, raw: bool) -> None:
    """Show one dead letter, as ``dlq list`` names it: why, its headers, its original bytes."""
    from infra.kafka.dead_letters import Place, open_letter

    opened = open_letter(settings, place=Place.parse(letter))
    if raw:
        sys.stdout.buffer.write(opened.value or b"")
        return
    _say(opened)


def _say(opened: "Opened") -> None:
    for name, cell in _row(opened.found).items():
        click.echo(f"{name.replace('_', ' ') + ':':<18}{_text(cell)}")
    click.echo("\nheaders")
    for header, content in opened.headers:
        click.echo(f"  {printable(header)}: {_shown(content)}")
    click.echo(f"\nvalue ({'none' if opened.value is None else f'{len(opened.value)} bytes'})")
    click.echo(_shown(opened.value))


def _row(found: "Found") -> dict[str, Cell]:
    letter = found.letter
    return {
        "letter": str(found.place),
        "at": found.at.isoformat(timespec="seconds"),
        "reason": letter.reason,
        "detail": letter.detail,
        "stage": letter.stage,
        "source_topic": letter.topic,
        "source_partition": letter.partition,
        "source_offset": letter.offset,
        "key": None if found.key is None else _shown(found.key),
        "size_bytes": found.size_bytes,
    }


def _text(cell: Cell) -> str:
    return "" if cell is None else printable(str(cell))


def _shown(content: bytes | None) -> str:
    """Return bytes as text where they are text, line by line, else as hexadecimal digits."""
    if content is None:
        return ""
    try:
        return "\n".join(map(printable, content.decode().split("\n")))
    except UnicodeDecodeError:
        return content.hex(" ")

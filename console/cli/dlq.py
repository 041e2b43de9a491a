"""``cobranza dlq list|show|replay``: records that could not be used, why, and sent again once that is mended."""

import datetime
import sys
from typing import TYPE_CHECKING

import click

from console.cli.formats import Cell, OutputFormat, format_option, print_rows, printable
from infra.settings import Settings

if TYPE_CHECKING:
    from infra.kafka.dead_letters import Found, Opened
    from infra.kafka.replays import Replayed

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
    "account",
    "replayed_at",
)


@click.group()
def dlq() -> None:
    """Look at dead letters, records that could not be used, and send them again."""


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


@dlq.command()
@click.option("--topic", help="Only those of this topic, such as billing.invoice.v1 or ledger.journal.")
@click.option("--reason", help="Only those with this reason, such as invalid or fold_failed.")
@click.option(
    "--id", "ids", multiple=True, metavar="TOPIC/PARTITION/OFFSET", help="Only this one; repeatable."
)
@click.option("--again", is_flag=True, help="Also those that were sent again before.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@click.pass_obj
def replay(
    settings: Settings,
    *,
    topic: str | None,
    reason: str | None,
    ids: tuple[str, ...],
    again: bool,
    dry_run: bool,
) -> None:
    """Send dead letters again, as they were, once what was wrong is mended.

    What intake refused goes to its source topic, a reminder that a notifier could not
    read to the reminders', if this version can read it; what the ledger's fold raised on
    goes to the journal, and when all records of an account are there, its release
    from quarantine is asked for: it is carried out unless one of them fails again.
    What was sent again is noted with the dead letters, in the same transaction, and is
    left out next time. A record that comes twice is harmless: its natural key is known.
    """
    from infra.kafka.dead_letters import Place
    from infra.kafka.replays import Wanted, replay_letters

    wanted = Wanted(topic=topic, reason=reason, places=tuple(map(Place.parse, ids)), again=again)
    now = datetime.datetime.now(datetime.UTC)
    _say_replayed(replay_letters(settings, wanted=wanted, now=now, dry_run=dry_run), dry_run=dry_run)


def _say_replayed(done: "Replayed", *, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    total = sum(done.sent.values())
    click.echo(f"{total} dead letters {would}sent again.")
    for topic, count in sorted(done.sent.items()):
        click.echo(f"  {count:>8}  {topic}")
    if done.ticks:
        click.echo(f"{done.ticks} ticks need not be sent: the next one decides.")
    if done.before:
        click.echo(f"{done.before} were sent again before and are left out: --again sends them, harmlessly.")
    if done.lasting:
        click.echo(
            f"{done.lasting} are reminders that this version cannot read either, and stay: cobranza dlq show says why."
        )
    if done.words:
        click.echo(
            f"{done.words} are words of providers and stay: cobranza feedback retry has them looked at."
        )
    for account in done.released:
        click.echo(f"Release from quarantine {would}asked for: {printable(account)}")
    for account in done.waiting:
        click.echo(f"Stays in quarantine, other letters of it are not sent again: {printable(account)}")


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
        "account": letter.account or None,
        "replayed_at": None if found.replayed_at is None else found.replayed_at.isoformat(timespec="seconds"),
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

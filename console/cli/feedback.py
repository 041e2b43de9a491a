"""``cobranza feedback``: what came back of deliveries, brought by file, said by a person, and looked at."""

import datetime
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from console.cli.formats import OutputFormat, format_option, print_rows
from infra.errors import OperatorError
from schemas.outcomes import ErrorType

if TYPE_CHECKING:
    from infra.database.feedback import FeedbackInbox, Word
    from infra.settings import Settings

__all__ = ["feedback"]

_COLUMNS = (
    "received_at",
    "source",
    "said",
    "channel",
    "state",
    "account",
    "reminder",
    "error_type",
    "detail",
)
_MORE = ("word", "provider_id", "address", "occurred_at", "reply")
_FATES = ("delivered", "bounced", "returned", "complained", "failed")
_STATES = ("waiting", "said", "noted", "dead")


class UnreadMailError(OperatorError):
    """Some mails report what became of others and cannot be taken: says which, and why."""


@click.group()
def feedback() -> None:
    """What providers and readers said of deliveries afterwards: delivered, bounced, returned, complained, failed.

    Providers tell by hook (cobranza web); mails that come back and lists are
    brought here. The notifiers take each word to the ledger, once.
    """


@feedback.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.pass_obj
def dsn(settings: "Settings", *, files: Sequence[Path]) -> None:
    """Take mails that came back (RFC 3464) and complaints (RFC 5965): FILES, folders of them, or - for one on stdin.

    For a mail server's pipe: "|cobranza feedback dsn -". What reports nothing is passed over and counted.
    """
    from notifiers.feedback.dsn import MAIL_BYTES_MAX, words_of_mail
    from notifiers.feedback.refusals import MalformedError

    words: list[Word] = []
    unread: list[str] = []
    silent, now = 0, _now()
    for name, content in _mails(files, bytes_max=MAIL_BYTES_MAX):
        try:
            found = words_of_mail(content, received_at=now)
        except MalformedError as error:
            unread.append(f"{name}: {error}")
            continue
        silent += not found
        words += found
    _take(settings, words, received_at=now)
    if silent:
        click.echo(f"{silent} mails report nothing.", err=True)
    if unread:
        raise UnreadMailError("Not taken:\n" + "\n".join(unread))


@feedback.command("import")
@click.argument("file", type=click.File("rb"))
@click.pass_obj
def import_(settings: "Settings", *, file: click.File) -> None:
    """Take a FILE of words: CSV with a header line, or NDJSON; all of it or nothing.

    Columns: channel, said (delivered, bounced, returned, complained, failed), and reminder or
    provider_id; optional error_type, detail, address, occurred_at.
    """
    from notifiers.feedback.imported import words_of_file

    now = _now()
    _take(settings, words_of_file(file.read(), received_at=now), received_at=now)  # type: ignore[attr-defined]  # click opens it


@feedback.command()
@click.argument("reminder")
@click.argument("channel", type=click.Choice(["email", "sms", "letter"]))
@click.argument("said", type=click.Choice(_FATES))
@click.option(
    "--error", "error_type", type=click.Choice(get_args(ErrorType)), default="", help="What is wrong."
)
@click.option("--detail", default="", help="More of it, for people.")
@click.pass_obj
def say(
    settings: "Settings", *, reminder: str, channel: str, said: str, error_type: str, detail: str
) -> None:
    """Say what became of one delivery: a letter that came back, a customer who calls."""
    import msgspec

    from notifiers.feedback.imported import Line, word_of_line

    now = _now()
    line = msgspec.convert(
        {"reminder": reminder, "channel": channel, "said": said, "error_type": error_type, "detail": detail},
        Line,
    )
    _take(settings, [word_of_line(line, received_at=now)], received_at=now)


@feedback.command("list")
@click.option("--state", type=click.Choice(_STATES), default=None, help="In this state only.")
@click.option("--source", default="", help="Of this source only: ses, twilio, dsn, file.")
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=200, show_default=True, help="The newest."
)
@format_option
@click.pass_obj
def list_(
    settings: "Settings", *, state: str | None, source: str, limit: int, output_format: OutputFormat
) -> None:
    """Show what came in, the newest first; json and csv say more of each."""
    from msgspec import structs

    with _inbox(settings) as inbox:
        found = inbox.lines(state=state or "", source=source, lines_max=limit)
    rows = [
        structs.asdict(each.word)
        | {
            "received_at": each.received_at.isoformat(timespec="seconds"),
            "state": each.state,
            "account": each.account,
        }
        for each in found
    ]
    columns = _COLUMNS if output_format == "table" else _COLUMNS + _MORE
    print_rows(rows, columns=columns, output_format=output_format)


@feedback.command()
@click.argument("words", nargs=-1)
@click.pass_obj
def retry(settings: "Settings", *, words: Sequence[str]) -> None:
    """Look again for the deliveries of dead WORDS (as list --format json names them); of all where none is named."""
    with _inbox(settings) as inbox:
        count = inbox.retry(words, now=_now())
    click.echo(f"{count} words are looked for again.")


@feedback.command()
@click.option(
    "--days",
    type=click.IntRange(0, 36_500),
    default=None,
    help="Older than so many days; by default COBRANZA_FEEDBACK_KEPT_DAYS.",
)
@click.pass_obj
def trim(settings: "Settings", *, days: int | None) -> None:
    """Empty the texts of old words: what providers told, readers answered, was noted of deliveries, and users set (audit).

    Batches that are carried out, mails of reports that have gone or failed, ended timetables, failed logins and sessions of that
    age go whole (of the last two none of the last eight days).
    Of the audit who did what, when and about whom stays. The notifiers do it once a day. That there was a word stays, so that one which comes again
    is known; what is in doubt, waits or is not in Kafka yet is left as it is.
    """
    from collections import Counter

    from infra.database.trimming import trim_words
    from notifiers.feedback.settings import FeedbackSettings
    from notifiers.settings import read_settings

    kept = read_settings(FeedbackSettings).kept_days if days is None else days
    trimmed: Counter[str] = Counter()
    now = _now()
    with _inbox(settings) as inbox:
        for kind, count in trim_words(inbox.engine, before=now - datetime.timedelta(days=kept), now=now):
            trimmed[kind] += count
    said = ", ".join(f"{count} {kind}" for kind, count in trimmed.items())
    click.echo(f"Trimmed: {said or 'nothing'}.")


def _take(settings: "Settings", words: "Sequence[Word]", *, received_at: datetime.datetime) -> None:
    with _inbox(settings) as inbox:
        new = inbox.take(words, received_at=received_at)
    known = len(words) - new
    click.echo(f"{new} new words taken" + (f", {known} known already." if known else "."))


def _mails(files: Sequence[Path], *, bytes_max: int) -> Iterator[tuple[str, bytes]]:
    """Give name and content of each mail; of one that is too large, no more than shows it."""
    for path in files:
        if str(path) == "-":
            yield "-", sys.stdin.buffer.read(bytes_max + 1)
            continue
        for each in sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]:
            with each.open("rb") as opened:
                yield str(each), opened.read(bytes_max + 1)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@contextmanager
def _inbox(settings: "Settings") -> "Iterator[FeedbackInbox]":
    from infra.database.engine import open_engine
    from infra.database.feedback import FeedbackInbox
    from infra.database.migrate import require_current

    engine = open_engine(settings.database)
    try:
        require_current(engine)
        yield FeedbackInbox(engine)
    finally:
        engine.dispose()

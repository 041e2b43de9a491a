"""``cobranza deliveries list|show|ask|resolve``: what became of each delivery; who says so where nobody knows."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import click

from console.cli.formats import OutputFormat, format_option, print_rows, printable
from infra.errors import OperatorError
from schemas.fields import Channel

if TYPE_CHECKING:
    import datetime

    from sqlalchemy import Engine

    from infra.database.queries.sending import LetterPlace
    from infra.settings import Settings
    from notifiers.doubt import Arbiter

__all__ = ["deliveries"]

Said = Literal["accepted", "failed", "resend"]
_STATES = ("scheduled", "claimed", "sending", "accepted", "failed", "superseded", "unknown")
_COLUMNS = ("tick", "reminder", "channel", "account", "state", "recipient", "subject", "error_type")
_MORE = (
    "not_before",
    "attempts",
    "retry_at",
    "provider_id",
    "detail",
    "provider",
    "endpoint",
    "owner",
    "intended_at",
    "ask_at",
    "waits_since",
    "give_up_at",
)
# Of one that is scheduled: for what, and until when.
_WAITING = (
    ("may go from", ("not_before",)),
    ("tried again at", ("retry_at",)),
    ("waits since", ("waits_since",)),
    ("given up at", ("give_up_at",)),
)
_EVIDENCE = (
    ("what", ("subject", "step")),
    ("to whom", ("recipient",)),
    ("handed over from", ("intended_at",)),
    ("by worker", ("owner",)),
    ("to", ("provider", "endpoint")),
    ("tries", ("attempts",)),
    ("error", ("error_type", "detail")),
    ("the provider calls it", ("provider_id",)),
    ("the provider is asked at", ("ask_at",)),
)


class NotUnknownError(OperatorError):
    """There is nothing to resolve, or to show: says what the delivery is instead."""


@click.group()
def deliveries() -> None:
    """Deliveries: one for each reminder and channel."""


@deliveries.command("list")
@click.option("--state", type=click.Choice(_STATES), default=None, help="In this state only.")
@click.option("--channel", type=click.Choice(get_args(Channel)), default=None, help="Over this channel only.")
@click.option("--account", default="", help="Of this account only: COMPANY:CUSTOMER.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=200, show_default=True, help="The newest so many."
)
@format_option
@click.pass_obj
def list_(
    settings: "Settings",
    *,
    state: str | None,
    channel: str | None,
    account: str,
    limit: int,
    output_format: OutputFormat,
) -> None:
    """Show the newest deliveries; json and csv say more of each."""
    from msgspec import structs

    from console.read_model import open_read_model
    from infra.database.queries.sending import delivery_lines

    with open_read_model(settings) as connection:
        found = delivery_lines(
            connection, state=state or "", channel=channel or "", account=account, lines_max=limit
        )
    rows = [
        structs.asdict(one)
        | {
            "tick": one.tick.isoformat(timespec="minutes"),
            "retry_at": _instant(one.retry_at),
            "intended_at": _instant(one.intended_at),
            "ask_at": _instant(one.ask_at),
            "waits_since": _instant(one.waits_since),
            "give_up_at": _instant(one.give_up_at),
        }
        for one in found
    ]
    print_rows(
        rows, columns=_COLUMNS if output_format == "table" else _COLUMNS + _MORE, output_format=output_format
    )


@deliveries.command()
@click.argument("reminder")
@click.argument("channel", type=click.Choice(get_args(Channel)))
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
def show(settings: "Settings", *, reminder: str, channel: str, output_format: str) -> None:
    """Show one delivery with its evidence: what was tried, when, by whom, to whom, and each word about it."""
    import msgspec

    from console.read_model import open_read_model
    from infra.database.queries.sending import delivery_line, letter_place
    from infra.database.send_doubts import notes_of

    with open_read_model(settings) as connection:
        found = delivery_line(connection, reminder=reminder, channel=channel)
        notes = notes_of(connection, reminder=reminder, channel=channel)
        letter = letter_place(connection, reminder=reminder) if channel == "letter" else None
    if found is None:
        raise NotUnknownError(f"There is no delivery of reminder {reminder} over {channel}.")
    if output_format == "json":
        whole = msgspec.structs.asdict(found) | {"notes": [msgspec.structs.asdict(one) for one in notes]}
        if letter is not None:
            whole["letter"] = msgspec.structs.asdict(letter)
        click.echo(msgspec.json.format(msgspec.json.encode(whole), indent=2).decode())
        return
    values = msgspec.structs.asdict(found)
    click.echo(f"{reminder} over {channel}, of {found.account}: {found.state}")
    for name, columns in (*_EVIDENCE, *(_WAITING if found.state == "scheduled" else ())):
        said = " · ".join(text for each in columns if (text := _text(values.get(each))))
        if said:
            click.echo(f"  {name:<25} {printable(said)}")
    for name, said in _of_letter(letter, accepted_at=found.provider_id):
        click.echo(f"  {name:<25} {printable(said)}")
    for note in notes:
        click.echo(f"  {_instant(note.at)} {note.what}: {printable(note.detail)} ({printable(note.author)})")


@deliveries.command()
@click.argument("channel", type=click.Choice(get_args(Channel)))
@click.argument("reminder", required=False)
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="So many at most."
)
@click.pass_obj
def ask(settings: "Settings", *, channel: str, reminder: str | None, limit: int) -> None:
    """Ask the provider what became of unknown deliveries: of one, or of all of a channel.

    What it has is accepted; what it surely has not got is sent again, if it is still
    fresh. What it cannot say stays unknown. The notifiers ask too, ever less often. While the
    provider asks to be left alone (Retry-After) it is not asked: the notifiers ask when that is over.
    """
    from infra.database.send_doubts import Doubts

    name = cast("Channel", channel)
    with _database(settings) as engine:
        open_ = Doubts(engine, channel=name).open(limit=limit)
        jobs = [job for job in open_ if reminder in (None, job.reminder)]
        if reminder is not None and not jobs:
            raise NotUnknownError(f"No delivery of reminder {reminder} over {channel} is unknown.")
        arbiter = _arbiter(settings, engine=engine, channel=name)
        for job in jobs:
            click.echo(f"{job.reminder} {job.channel} {arbiter.ask_about(job)}")
        if jobs and (before := arbiter.asks_not_before()) is not None:
            click.echo(
                f"The provider asks not to be asked before {_instant(before)}: a notifier asks then.",
                err=True,
            )
        if not jobs:
            click.echo(f"No delivery over {channel} is unknown.", err=True)


@deliveries.command()
@click.argument("reminder")
@click.argument("channel", type=click.Choice(get_args(Channel)))
@click.argument("said", type=click.Choice(get_args(Said)), metavar="accepted|failed|resend")
@click.option("--because", default="", help="How it is known; kept with the delivery.")
@click.option("--author", default="", help="Who says so; by default the user of this machine.")
@click.pass_obj
def resolve(
    settings: "Settings", *, reminder: str, channel: str, said: str, because: str, author: str
) -> None:
    """Say what became of an unknown delivery, so that its account goes on (R19).

    `accepted`: it went out. `failed`: it did not, and shall not. `resend`: it did
    not; send it now. The channel's notifier publishes the outcome.
    """
    from infra.database.send_doubts import Doubts, Note
    from notifiers.assembly import utc_now
    from notifiers.outcomes import occurred_at

    with _database(settings) as engine:
        job = _ledger(engine, channel=cast("Channel", channel)).job(reminder)
        if job is None:
            raise NotUnknownError(f"There is no delivery of reminder {reminder} over {channel}.")
        now = utc_now()
        resolved = Doubts(engine, channel=job.channel).resolve(
            reminder,
            said=cast("Said", said),
            occurred_at=occurred_at(job, now=now),
            note=Note(at=now, author=author or _user(), what="said", detail=because or said),
        )
        if not resolved:
            raise NotUnknownError(
                f"The delivery is {job.state}, which stands: only unknown ones are resolved."
            )


@contextmanager
def _database(settings: "Settings") -> "Iterator[Engine]":
    from infra.database.engine import open_engine
    from infra.database.migrate import require_current

    engine = open_engine(settings.database)
    try:
        require_current(engine)
        yield engine
    finally:
        engine.dispose()


def _ledger(engine: "Engine", *, channel: Channel) -> Any:
    from infra.database.send_ledger import SendLedger
    from notifiers.settings import SendSettings, read_settings

    age_s_max = read_settings(SendSettings).reader_age_s_max
    return SendLedger(engine, channel=channel, owner="", reader_age_s_max=age_s_max)


def _arbiter(settings: "Settings", *, engine: "Engine", channel: Channel) -> "Arbiter":
    from notifiers.assembly import open_arbiter
    from notifiers.settings import SendSettings, read_settings

    return open_arbiter(channel, settings=settings, send=read_settings(SendSettings), engine=engine)


def _of_letter(letter: "LetterPlace | None", *, accepted_at: str) -> "Iterator[tuple[str, str]]":
    """Say what has become of a letter of a print run since it was accepted: it may be printed at another place, or not at all."""
    if letter is None:
        return
    if accepted_at and letter.place != accepted_at:
        yield "printed again at", letter.place
    if letter.left_out:
        yield "left out of its run", letter.left_out
    if letter.settled_at is not None:
        yield "given up", _instant(letter.settled_at)


def _instant(at: "datetime.datetime | None") -> str:
    return at.isoformat(timespec="seconds") if at else ""


def _text(value: Any) -> str:
    return value.isoformat(timespec="milliseconds") if hasattr(value, "isoformat") else str(value or "")


def _user() -> str:
    try:
        return getpass.getuser()
    except OSError:
        return "a person"

"""``cobranza suppressions``: the addresses that are not written to; see them, add one, take one off."""

import datetime
import getpass
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast, get_args

import click

from console.cli.formats import OutputFormat, format_option, print_rows
from infra.errors import OperatorError
from schemas.fields import Channel

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from infra.database.suppressions import Mark
    from infra.settings import Settings

__all__ = ["suppressions"]

_CHANNELS = [each for each in get_args(Channel) if each != "task"]
_COLUMNS = ("since", "channel", "address", "company", "reason", "source", "detail")
_CHANNEL = click.argument("channel", type=click.Choice(_CHANNELS))
_ADDRESS = click.argument("address")


class NoSuchSuppressionError(OperatorError):
    """The address is not on the list, or nothing that could be."""


@click.group()
def suppressions() -> None:
    """Addresses that are not written to: a delivery there fails, and the next channel is tried (R19).

    An address comes here by itself when it bounced for good, was complained
    from, or its reader said stop. The list outlives rebuilds of the read model.
    """


@suppressions.command("list")
@click.option("--channel", type=click.Choice(_CHANNELS), default=None, help="Of this channel only.")
@click.option("--company", default="", help="Of this company only; those of all companies are left out.")
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=500, show_default=True, help="The newest."
)
@format_option
@click.pass_obj
def list_(
    settings: "Settings", *, channel: str | None, company: str, limit: int, output_format: OutputFormat
) -> None:
    """Show the list, the newest first; an empty company means all companies."""
    from msgspec import structs

    from console.read_model import open_read_model
    from infra.database.suppressions import suppression_lines

    with open_read_model(settings) as connection:
        found = suppression_lines(connection, channel=channel or "", company=company, lines_max=limit)
    rows = [structs.asdict(each) | {"since": each.since.isoformat(timespec="seconds")} for each in found]
    print_rows(rows, columns=_COLUMNS, output_format=output_format)


@suppressions.command()
@_CHANNEL
@_ADDRESS
@click.option("--company", default="", help="For this company only; else for all.")
@click.option("--reason", default="by hand", show_default=True, help="Why.")
@click.option("--author", default="", help="Who says so.")
@click.pass_obj
def add(settings: "Settings", *, channel: str, address: str, company: str, reason: str, author: str) -> None:
    """Write to an address no more."""
    from infra.database.engine import writing
    from infra.database.suppressions import Suppression, normal_address, suppress

    chosen = cast("Channel", channel)
    # What is misspelt would leave the address written to.
    if not normal_address(address, channel=chosen) or (chosen == "email" and "@" not in address[1:-1]):
        raise NoSuchSuppressionError(f"{address!r} is no address of {channel}.")
    entry = Suppression(
        channel=chosen,
        address=address,
        company=company,
        reason=reason,
        source=author or "person",
        since=datetime.datetime.now(datetime.UTC),
    )
    engine = _engine(settings)
    try:
        with writing(engine) as connection:
            is_new = suppress(connection, entry)
    finally:
        engine.dispose()
    click.echo(f"{address} is {'not written to any more' if is_new else 'on the list already'}.")


@suppressions.command()
@_CHANNEL
@_ADDRESS
@click.option("--company", default=None, help="Of this company's list only; '' for that of all companies.")
@click.option(
    "--lift",
    is_flag=True,
    help="Also end the tasks to mend the address: the accounts write to it again (needs the broker).",
)
@click.option("--because", default="", help="With --lift: how it is known; kept with each task's end.")
@click.option("--author", default="", help="With --lift: who says so; by default the user of this machine.")
@click.pass_obj
def remove(
    settings: "Settings",
    *,
    channel: str,
    address: str,
    company: str | None,
    lift: bool,
    because: str,
    author: str,
) -> None:
    """Let an address be written to again.

    An account where it was found bad goes on by its other addresses until its contact changes, the
    task to mend the address is done (--lift says that it is), or the customer is opted in to the channel
    again: which accounts these are is said. Who said stop is not opted in by this.
    """
    from infra.database.engine import reading, writing
    from infra.database.suppressions import marks_of, release

    chosen = cast("Channel", channel)
    engine = _engine(settings)
    try:
        with reading(engine) as connection:
            marks = marks_of(connection, channel=chosen, address=address)
        marks = [each for each in marks if not company or each.account.startswith(f"{company}:")]
        if lift and marks:
            # First what others must hear: done again after a failure, each command is the same one.
            _lift(settings, marks, address=address, because=because, author=author)
        with writing(engine) as connection:
            count = release(connection, channel=chosen, address=address, company=company)
    finally:
        engine.dispose()
    if not (count or (lift and marks)):
        raise NoSuchSuppressionError(f"{address} is not on the list of {channel}.")
    click.echo(f"{address} may be written to again ({count} taken off).")
    for mark in marks:
        if lift:
            click.echo(f"{mark.account} hears that it is good again.")
        else:
            click.echo(
                f"{mark.account} holds it for bad until: cobranza task done {mark.account} {mark.task}"
            )


def _lift(settings: "Settings", marks: "Sequence[Mark]", *, address: str, because: str, author: str) -> None:
    from console.lifting import lifting
    from console.publishing import outgoing, send_all

    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    text = f"{address} may be written to again: {because}".removesuffix(": ")
    commands = lifting(marks, author=author or _user(), at=at, text=text)
    send_all([outgoing(each, source="cobranza/console") for each in commands], settings=settings)


def _user() -> str:
    try:
        return getpass.getuser()
    except OSError:
        return "a person"


def _engine(settings: "Settings") -> "Engine":
    from infra.database.engine import open_engine
    from infra.database.migrate import require_current

    engine = open_engine(settings.database)
    require_current(engine)
    return engine

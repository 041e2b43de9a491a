"""``cobranza sendings``: what was sent per day and is planned next, what went wrong, and each message with its fate."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, get_args

import click

from console.cli.formats import Cell, OutputFormat, format_option, print_rows
from console.read_model import DAY, day, open_read_model, say_age
from schemas.fields import Channel

if TYPE_CHECKING:
    from infra.database.queries.sendings import Asked
    from infra.settings import Settings

__all__ = ["sendings"]

_PER_DAY = ("day", "channel", "sent", "delivered", "came_back", "complained", "scheduled")
_ERRORS = ("day", "error", "channel", "count", "total")
_LINES = ("day", "kind", "documents", "customer", "account", "channel", "recipient", "fate", "error")
_MORE = ("at", "document_count", "subject", "reminder")
_FATES = ("accepted", "delivered", "complained", "bounced", "returned", "failed")
_LINES_SHOWN = 500
_LINES_MAX = 1_000_000
_CHOICES = (
    click.option("--from", "first_on", type=DAY, help="First day (of the company): YYYY-MM-DD."),
    click.option("--to", "last_on", type=DAY, help="Last day."),
    click.option("--company", default="", help="Of this company only."),
    click.option("--account", default="", help="Of this account only: COMPANY:CUSTOMER."),
    click.option("--channel", type=click.Choice(get_args(Channel)), help="Over this channel only."),
)


def _choices(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_CHOICES):
        command = option(command)
    return format_option(command)


@click.group()
def sendings() -> None:
    """Deliveries per day: sent and scheduled (per-day), errors by type (errors), each message (list)."""


@sendings.command("per-day")
@_choices
@click.pass_obj
def per_day(settings: "Settings", /, *, output_format: OutputFormat, **named: Any) -> None:
    """Count per day and channel what was sent, what became of it, and what is scheduled next (S4-20).

    Scheduled is what will go out if nothing comes in, until --to or for 30 days.
    """
    from console.scheduling import planned_lines
    from infra.database.queries.reminder_filter import Filter
    from infra.database.queries.sendings import sent_per_day

    asked = _asked(named)
    with open_read_model(settings) as connection:
        found = sent_per_day(connection, asked=asked)
        plan = Filter(
            first_on=asked.first_on,
            last_on=asked.last_on,
            company=asked.company,
            account=asked.account,
            channel=asked.channel,
        )
        planned = Counter((each.day, each.channel) for each in planned_lines(connection, asked=plan))
        if output_format == "table":
            say_age(connection)
    sent = {(each.day, each.channel): each for each in found}
    rows: list[dict[str, Cell]] = []
    for place in sorted(sent.keys() | planned.keys()):
        one = sent.get(place)
        counted = {name: 0 if one is None else getattr(one, name) for name in _PER_DAY[2:6]}
        rows.append({"day": place[0], "channel": place[1], **counted, "scheduled": planned[place]})
    print_rows(rows, columns=_PER_DAY, output_format=output_format)


@sendings.command()
@_choices
@click.pass_obj
def errors(settings: "Settings", /, *, output_format: OutputFormat, **named: Any) -> None:
    """Count per day what went wrong, by type of error, with the day's total (S4-21)."""
    from msgspec import structs

    from infra.database.queries.sendings import errors_per_day

    with open_read_model(settings) as connection:
        found = errors_per_day(connection, asked=_asked(named))
        if output_format == "table":
            say_age(connection)
    print_rows([structs.asdict(each) for each in found], columns=_ERRORS, output_format=output_format)


@sendings.command("list")
@_choices
@click.option("--fate", type=click.Choice(_FATES), help="With this last fate only.")
@click.option(
    "--limit",
    type=click.IntRange(1, _LINES_MAX),
    help=f"The newest so many lines; {_LINES_SHOWN} in a table, else {_LINES_MAX:,} unless given.",
)
@click.pass_obj
def list_(settings: "Settings", /, *, output_format: OutputFormat, limit: int | None, **named: Any) -> None:
    """Show each message that was sent: kind, documents, customer, channel and last fate (S4-22)."""
    from msgspec import structs

    from infra.database.queries.sendings import sent_lines

    most = limit or (_LINES_SHOWN if output_format == "table" else _LINES_MAX)
    with open_read_model(settings) as connection:
        found = sent_lines(connection, asked=_asked(named), lines_max=most)
        if output_format == "table":
            say_age(connection)
    columns = _LINES if output_format == "table" else _LINES + _MORE
    print_rows([structs.asdict(each) for each in found], columns=columns, output_format=output_format)
    if len(found) == most:
        click.echo(f"Only the newest {most} lines are shown; --limit says how many.", err=True)


def _asked(named: dict[str, Any]) -> "Asked":
    from infra.database.queries.sendings import Asked

    first_on, last_on = day(named.pop("first_on")), day(named.pop("last_on"))
    return Asked(first_on=first_on, last_on=last_on, **{name: value or "" for name, value in named.items()})

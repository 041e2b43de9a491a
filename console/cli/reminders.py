"""``cobranza reminders``: what was sent and what became of it; what was withheld, and why."""

import datetime
from collections.abc import Iterator
from typing import TYPE_CHECKING, get_args

import click

from console.cli.formats import Cell, OutputFormat, format_option, print_rows
from console.money import cost_text
from console.read_model import DAY, amount, day, open_read_model, say_age
from infra.database.queries.reminder_filter import STATUSES, By, Filter
from schemas.facts import Reason
from schemas.fields import Channel

if TYPE_CHECKING:
    from infra.database.queries.reminders import ReminderLine
    from infra.database.queries.scheduled import ScheduledLine
    from infra.settings import Settings

__all__ = ["reminders"]

_COLUMNS = (
    "day",
    "account",
    "customer",
    "level",
    "channel",
    "status",
    "outcome",
    "reason",
    "item_count",
    "amount",
    "cost",
    "items",
    "reminder",
)

_PLANNED = ("day", "account", "customer", "level", "channel", "item_count", "amount", "items")
_LINES_SHOWN = 500
_LINES_MAX = 1_000_000


@click.command()
@click.option("--from", "first_on", type=DAY, help="First day (of the company): YYYY-MM-DD.")
@click.option("--to", "last_on", type=DAY, help="Last day.")
@click.option("--company", default="", help="Of this company only.")
@click.option("--account", default="", help="Of this account only: COMPANY:CUSTOMER.")
@click.option("--level", default="", help="Of this step of a plan only.")
@click.option("--channel", type=click.Choice(get_args(Channel)), help="Over this channel only.")
@click.option("--status", type=click.Choice(STATUSES), help="With this status only.")
@click.option("--reason", type=click.Choice(get_args(Reason)), help="Withheld for this reason only.")
@click.option("--by", type=click.Choice(get_args(By)), help="Count, instead of listing.")
@click.option(
    "--limit",
    type=click.IntRange(1, _LINES_MAX),
    help=f"The newest so many lines; {_LINES_SHOWN} in a table, else {_LINES_MAX:,} unless given.",
)
@click.option(
    "--scheduled",
    "planned",
    is_flag=True,
    help="What will be sent if nothing comes in, instead; until --to, or for 30 days.",
)
@format_option
@click.pass_obj
def reminders(
    settings: "Settings",
    /,
    *,
    first_on: datetime.datetime | None,
    last_on: datetime.datetime | None,
    by: By | None,
    limit: int | None,
    planned: bool,
    output_format: OutputFormat,
    **named: str | None,
) -> None:
    """Show a line per delivery of a reminder, and per step that was withheld, with its reason."""
    asked = Filter(
        first_on=day(first_on), last_on=day(last_on), **{name: value or "" for name, value in named.items()}
    )
    if planned:
        _print_scheduled(settings, asked, by, output_format)
    elif by is not None:
        _print_summary(settings, asked, by, output_format)
    else:
        most = limit or (_LINES_SHOWN if output_format == "table" else _LINES_MAX)
        _print_lines(settings, asked, most, output_format)


def _print_summary(settings: "Settings", asked: Filter, by: By, output_format: OutputFormat) -> None:
    from infra.database.queries.reminders import reminder_summary

    with open_read_model(settings) as connection:
        found = reminder_summary(connection, asked=asked, by=by)
        if output_format == "table":
            say_age(connection)
    rows: Iterator[dict[str, Cell]] = (
        {str(by): one.value, "status": one.status, "lines": one.count, "reminders": one.reminder_count}
        for one in found
    )
    print_rows(rows, columns=(by, "status", "lines", "reminders"), output_format=output_format)


def _print_lines(settings: "Settings", asked: Filter, limit: int, output_format: OutputFormat) -> None:
    from infra.database.queries.reminders import reminder_lines

    with open_read_model(settings) as connection:
        found = reminder_lines(connection, asked=asked, lines_max=limit)
        if output_format == "table":
            say_age(connection)
    print_rows((_cells(one) for one in found), columns=_COLUMNS, output_format=output_format)
    if len(found) == limit:
        click.echo(f"Only the newest {limit} lines are shown; --limit says how many.", err=True)


def _print_scheduled(settings: "Settings", asked: Filter, by: By | None, output_format: OutputFormat) -> None:
    """Print what is planned; what only the past has cannot be asked of it."""
    from console.scheduling import counted, planned_lines

    if asked.status or asked.reason or by == "reason":
        raise click.UsageError("--scheduled goes with --from, --to, --company, --account, --level, --channel")
    with open_read_model(settings) as connection:
        found = planned_lines(connection, asked=asked)
        if output_format == "table":
            say_age(connection)
    if by is None:
        print_rows((_planned_cells(one) for one in found), columns=_PLANNED, output_format=output_format)
    else:
        columns = (by, "status", "lines", "reminders")
        print_rows(counted(found, by=by), columns=columns, output_format=output_format)


def _planned_cells(one: "ScheduledLine") -> dict[str, Cell]:
    amounts = (f"{currency} {amount(minor, currency=currency):,}" for currency, minor in one.amounts)
    return {
        "day": one.day,
        "account": one.account,
        "customer": one.name,
        "level": one.level,
        "channel": one.channel,
        "item_count": one.item_count,
        "amount": " + ".join(amounts),
        "items": one.items,
    }


def _cells(one: "ReminderLine") -> dict[str, Cell]:
    amounts = (f"{currency} {amount(minor, currency=currency):,}" for currency, minor in one.amounts)
    return {
        "day": one.day,
        "account": one.account,
        "customer": one.name,
        "level": one.level,
        "channel": one.channel,
        "status": one.status,
        "outcome": one.outcome,
        "reason": one.reason,
        "item_count": one.item_count,
        "amount": " + ".join(amounts),
        "cost": cost_text(one.cost_micros, currency=one.cost_currency),
        "items": one.items,
        "reminder": one.reminder,
    }

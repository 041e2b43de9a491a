"""``cobranza preview``: what would go out next, and the first run in daily portions (R36)."""

import datetime
from typing import TYPE_CHECKING

import click

from console.cli.formats import Cell, OutputFormat, format_option, print_rows
from console.read_model import DAY, amount, day, open_read_model, say_age
from infra.errors import OperatorError

if TYPE_CHECKING:
    from infra.database.queries.debtors import Debtor
    from infra.settings import Settings
    from schemas.commands import GoLiveDay

__all__ = ["preview"]

_COLUMNS = ("day", "account", "name", "level", "channel", "items", "amounts")
_PORTION = ("day", "accounts", "oldest_debt", "up_to_debt", "last_customer")


@click.command()
@click.argument("company")
@click.option("--on", type=DAY, help="Up to the end of this day; the next day with reminders when left out.")
@click.option("--per-day", type=click.IntRange(1), help="Show the first run: so many accounts a day at most.")
@click.option(
    "--from", "first_on", type=DAY, help="Its first day; the day after the newest tick's when left out."
)
@click.option("--publish", is_flag=True, help="Let the first run go out so: publishes the portions.")
@click.option("--author", default="", help="Who publishes them.")
@format_option
@click.pass_obj
def preview(
    settings: "Settings",
    *,
    company: str,
    on: datetime.datetime | None,
    per_day: int | None,
    first_on: datetime.datetime | None,
    publish: bool,
    author: str,
    output_format: OutputFormat,
) -> None:
    """Show the reminders of COMPANY that would be decided next if nothing comes in.

    With --per-day, the days of a first run instead, the oldest debts first; nothing
    is sent or set without --publish.
    """
    if per_day is None:
        if publish or first_on is not None:
            raise click.UsageError("--publish and --from are of a first run: say --per-day")
        _show_next(settings, company=company, until=day(on), output_format=output_format)
        return
    found, days = _portions(settings, company=company, per_day=per_day, first_on=day(first_on))
    rows = [_portion(each, debtors=found[index * per_day :][:per_day]) for index, each in enumerate(days)]
    print_rows(rows, columns=_PORTION, output_format=output_format)
    if publish:
        _publish(settings, days, company=company, author=author)


def _show_next(
    settings: "Settings", *, company: str, until: datetime.date | None, output_format: OutputFormat
) -> None:
    from infra.database.queries.scheduled import newest_day, scheduled

    with open_read_model(settings) as connection:
        today = newest_day(connection)
        if today is None:
            raise OperatorError("the read model has seen no tick yet: nothing can be foreseen")
        last_on = until or today + datetime.timedelta(days=30)
        lines = sorted(
            scheduled(connection, last_on=last_on, company=company), key=lambda each: (each.day, each.account)
        )
        if output_format == "table":
            say_age(connection)
    if until is None and lines:
        lines = [each for each in lines if each.day == lines[0].day]
    rows: list[dict[str, Cell]] = [
        {
            "day": each.day,
            "account": each.account,
            "name": each.name,
            "level": each.level,
            "channel": each.channel,
            "items": each.items,
            "amounts": ", ".join(
                f"{amount(minor, currency=currency)} {currency}" for currency, minor in each.amounts
            ),
        }
        for each in lines
    ]
    print_rows(rows, columns=_COLUMNS, output_format=output_format)


def _portions(
    settings: "Settings", *, company: str, per_day: int, first_on: datetime.date | None
) -> "tuple[list[Debtor], tuple[GoLiveDay, ...]]":
    from console.going_live import portions
    from infra.database.queries.debtors import company_as_kept, debtors, newest_tick

    with open_read_model(settings) as connection:
        kept, tick = company_as_kept(connection, company), newest_tick(connection)
        if kept is None or tick is None:
            raise OperatorError(f"nothing is known of company {company!r}, or no tick has come yet")
        today = kept.day_of(tick)
        found = [each for each in debtors(connection, company) if each.oldest_due_on < today]
    start = first_on or today + datetime.timedelta(days=1)
    return found, portions(found, per_day=per_day, first_on=start, country=kept.profile.country)


def _portion(each: "GoLiveDay", *, debtors: "list[Debtor]") -> dict[str, Cell]:
    return {
        "day": each.on,
        "accounts": len(debtors),
        "oldest_debt": debtors[0].oldest_due_on,
        "up_to_debt": each.due_on,
        "last_customer": each.customer,
    }


def _publish(settings: "Settings", days: "tuple[GoLiveDay, ...]", *, company: str, author: str) -> None:
    from console.going_live import go_live_command
    from console.publishing import outgoing, send_all
    from processors.validation import problems

    now = datetime.datetime.now(datetime.UTC)
    event = go_live_command(days, company=company, at=now, author=author)
    wrong = problems(event)
    if wrong:
        raise OperatorError("\n".join(wrong))
    send_all([outgoing(event, source="cobranza/preview")], settings=settings)
    click.echo(f"The first run of {company} goes out over {len(days)} days.")

"""``cobranza explain``: what was decided of an account on a day and why, and what comes next, in sentences."""

import datetime
from typing import TYPE_CHECKING

import click

from console.cli.formats import printable
from console.read_model import DAY
from infra.errors import OperatorError

if TYPE_CHECKING:
    from infra.settings import Settings

__all__ = ["ExplainError", "explain"]


class ExplainError(OperatorError):
    """There is nothing to explain."""


@click.command()
@click.argument("account")
@click.option(
    "--on", type=DAY, help="The day (of the company); the newest that the ledger has seen when left out."
)
@click.option("--next", "ahead", is_flag=True, help="Say also what will happen if nothing comes in.")
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True, help="So far ahead.")
@click.option("--item", default="", help="Of this item only.")
@click.option("--language", type=click.Choice(["en", "es", "pt"]), help="The company's when left out.")
@click.pass_obj
def explain(
    settings: "Settings",
    *,
    account: str,
    on: datetime.datetime | None,
    ahead: bool,
    days: int,
    item: str,
    language: str | None,
) -> None:
    """Explain ACCOUNT (COMPANY:CUSTOMER): each item's reason on a day, from which events, and what follows.

    Answered from the journal, for any day, also one on which nothing new was said.
    """
    from console.explaining.sentences import Teller
    from console.explaining.words import words_of
    from console.retelling import told_of
    from processors.forecast import forecast

    told = told_of(settings, account=account, day=on.date() if on else None)
    if not told.heard and not told.late:
        raise ExplainError(
            f"nothing is known of account {account!r} on that day; accounts are COMPANY:CUSTOMER"
        )
    if item and item not in told.items:
        raise ExplainError(f"account {account} has no item {item!r} on that day")
    teller = Teller(told, words=words_of(language or told.company.profile.language), item=item)
    lines = list(teller.day())
    if ahead and told.tick is not None:
        until = told.day + datetime.timedelta(days=days)
        foreseen = forecast(
            account, rows=told.rows.items(), after=told.tick.at, until=until, mode=told.tick.mode
        )
        lines += teller.next(foreseen, until=until)
    for line in lines:
        click.echo(printable(line))

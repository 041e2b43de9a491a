"""``cobranza worklist``: whom a person has to look at, why, and how much is at risk (R37)."""

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from console.cli.formats import Cell, OutputFormat, format_option, print_rows
from console.read_model import DAY, amount, day, open_read_model, say_age

if TYPE_CHECKING:
    from infra.database.queries.worklist import WorkLine
    from infra.settings import Settings

__all__ = ["in_short", "worklist"]

_COLUMNS = ("account", "customer", "why", "at_risk", "days", "responsible", "next_action", "details")
_MORE = ("trust", "last_contact", "last_call", "called", "company")
_SHOWN = 100
_DETAILS_SHOWN = 2  # of one account in a table, the longest due first; json and csv have all


@click.command()
@click.option("--company", default="", help="Of this company only.")
@click.option("--on", type=DAY, help="The day; each company's newest one when left out.")
@click.option("--why", default="", help="With this reason only, such as no_action or broken_promise.")
@click.option("--responsible", default="", help="Of this person only.")
@click.option("--not-called", is_flag=True, help="Only whom nobody called since the episode opened.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), help=f"The first so many; {_SHOWN} in a table.")
@format_option
@click.pass_obj
def worklist(
    settings: "Settings",
    *,
    company: str,
    on: datetime.datetime | None,
    why: str,
    responsible: str,
    not_called: bool,
    limit: int | None,
    output_format: OutputFormat,
) -> None:
    """Show the day's work, broken promises first, then by money at risk; json and csv say more of each."""
    from infra.database.queries.worklist import WHYS
    from infra.database.queries.worklist import worklist as query

    if why not in ("", *WHYS):
        raise click.BadParameter(f"is none of {', '.join(WHYS)}", param_hint="--why")
    with open_read_model(settings) as connection:
        found = query(connection, company=company, on=day(on))
        if output_format == "table":
            say_age(connection)
    chosen = [
        each
        for each in found
        if (not why or why in each.whys)
        and responsible in ("", each.responsible)
        and not (not_called and each.is_called())
    ]
    most = limit or (_SHOWN if output_format == "table" else len(chosen))
    columns = _COLUMNS if output_format == "table" else _COLUMNS + _MORE
    rows = [_cells(each) for each in chosen[:most]]
    if output_format == "table":
        for row, each in zip(rows, chosen, strict=False):
            row["details"] = in_short(each.details)
    print_rows(rows, columns=columns, output_format=output_format)
    if len(chosen) > most:
        click.echo(f"The first {most} of {len(chosen)}; --limit says how many.", err=True)


def in_short(details: Sequence[str]) -> str:
    """Keep a row of a table on the screen: the first details, and how many more there are."""
    more = len(details) - _DETAILS_SHOWN
    shown = "; ".join(details[:_DETAILS_SHOWN])
    return f"{shown}; and {more} more" if more > 0 else shown


def _cells(one: "WorkLine") -> dict[str, Cell]:
    money = (f"{currency} {amount(minor, currency=currency):,}" for currency, minor in one.at_risk)
    return {
        "account": one.account,
        "company": one.company,
        "customer": one.name,
        "why": ", ".join(one.whys),
        "details": "; ".join(one.details),
        "at_risk": " + ".join(money),
        "days": one.days,
        "responsible": one.responsible,
        "next_action": one.next_on,
        "trust": one.trust,
        "last_contact": one.last_contact_on,
        "last_call": one.last_call_on,
        "called": "yes" if one.is_called() else "no",
    }

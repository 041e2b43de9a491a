"""``cobranza law``: the contact laws that ship, and a company's own as an event."""

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.formats import Cell, OutputFormat, format_option, print_rows
from console.read_model import DAY
from infra.errors import OperatorError
from infra.settings import Settings

if TYPE_CHECKING:
    from schemas.commands import SetLaw

__all__ = ["law"]

_COLUMNS = ("profile", "from", "until", "hours", "limits", "sources")
_RATE_COLUMNS = ("profile", "own", "currency", "percent", "since", "through", "ended")


@click.group()
def law() -> None:
    """Contact law: what ships, and what a company sets for itself."""


@law.command()
@format_option
def show(*, output_format: OutputFormat) -> None:
    """Show the profiles that ship, each edition with its rules of contact and its sources. Not legal advice."""
    from console.law_files import edition_lines

    rows: list[dict[str, Cell]] = [dict(each) for each in edition_lines()]
    print_rows(rows, columns=_COLUMNS, output_format=output_format)


@law.command()
@click.option("--company", default="", help="Its own profiles, too, as the read model has them.")
@format_option
@click.pass_obj
def rates(settings: Settings, *, company: str, output_format: OutputFormat) -> None:
    """Show the tables of late interest: the newest rate, since when, and through which day the table speaks.

    The newest rate is used for later days, too, until there is a newer one.
    """
    from console.law_files import rate_lines

    today = datetime.datetime.now(datetime.UTC).date()
    rows: list[dict[str, Cell]] = [dict(each) for each in rate_lines(_own_law(settings, company), on=today)]
    print_rows(rows, columns=_RATE_COLUMNS, output_format=output_format)


@law.command("add-rate")
@click.argument("profile")
@click.option("--company", required=True, help="The company that claims or shows interest by it.")
@click.option("--currency", required=True, help="Whose table it is: EUR, CLP, ...")
@click.option("--from", "start_on", type=DAY, required=True, help="First day of the rate: YYYY-MM-DD.")
@click.option("--percent", required=True, help="A year, the law's margin included, such as 10.40.")
@click.option("--author", default="", help="Who says so.")
@click.pass_obj
def add_rate(
    settings: Settings,
    *,
    profile: str,
    company: str,
    currency: str,
    start_on: datetime.datetime,
    percent: str,
    author: str,
) -> None:
    """Add a rate to PROFILE as COMPANY's own law: a copy of what holds for it now, with one more rate.

    All else of its law stays. A rate of the same day is replaced.
    """
    from console.law_files import law_with_rate
    from console.publishing import outgoing, send_all
    from processors.validation import problems
    from schemas.law import Rate

    rate = Rate(start_on=start_on.date(), percent=percent)
    event = law_with_rate(
        _own_law(settings, company),
        company=company,
        profile=profile,
        currency=currency,
        rate=rate,
        author=author,
    )
    wrong = problems(event)
    if wrong:
        raise OperatorError("\n".join(wrong))
    send_all([outgoing(event, source="cobranza/law")], settings=settings)
    click.echo(f"{company} has {percent} % from {rate.start_on} by {profile}, {currency}.")


def _own_law(settings: Settings, company: str) -> "SetLaw | None":
    """Give what a company has set for itself; None: nothing, or no company was named."""
    if not company:
        return None
    from console.read_model import open_read_model
    from infra.database.queries.debtors import company_as_kept

    with open_read_model(settings) as connection:
        kept = company_as_kept(connection, company)
    if kept is None:
        raise OperatorError(f"nothing was ever said of company {company!r}")
    return kept.row.law


@law.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--company", required=True, help="The company whose law it is.")
@click.option("--author", default="", help="Who publishes it.")
@click.pass_obj
def publish(settings: Settings, *, file: Path, company: str, author: str) -> None:
    """Publish FILE (TOML: choices, [[profiles]]) as a company's own law; it stands for what was published before.

    Profiles are written like those that ship (processors/law/profiles). An empty file: the law as it ships.
    """
    from console.law_files import read_law
    from console.publishing import outgoing, send_all
    from processors.validation import problems

    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    event = read_law(file, company=company, occurred_at=now, author=author)
    wrong = problems(event)
    if wrong:
        raise OperatorError("\n".join(f"{file}: {each}" for each in wrong))
    send_all([outgoing(event, source="cobranza/law")], settings=settings)
    click.echo(f"{company} has {len(event.profiles)} profiles and {len(event.choices)} choices of its own.")

"""``cobranza batch``: many statements at once (S0-18, S0-20, S0-24, S2-23, S3-07): approve, change, drop, send, set dates."""

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from console.cli.formats import Cell, OutputFormat, format_option, print_rows
from console.read_model import DAY, amount, day, open_read_model, say_age
from schemas.fields import Channel, Trust

if TYPE_CHECKING:
    from console.batching import Asked, Selection
    from console.processing import Done
    from infra.database.queries.statements import Statement
    from infra.settings import Settings

__all__ = ["batch"]

_LISTED = (
    "account",
    "customer",
    "step",
    "by",
    "at_risk",
    "days",
    "responsible",
    "last_reminder",
    "too_soon_until",
    "next_action",
    "reminder",
)
_DONE = ("account", "customer", "result", "note")


class _Amount(click.ParamType):
    """Reads 'USD 1000.00' as (currency, minor units)."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it, or say what it should be."""
        from processors.money import MoneyError, to_minor

        if isinstance(value, tuple):
            return value
        currency, _, figure = str(value).partition(" ")
        try:
            return currency, to_minor(figure.strip(), currency=currency)
        except MoneyError as error:
            self.fail(f"{value!r} is no amount such as 'USD 1000.00': {error}", param, ctx)


_AMOUNT = _Amount()
_SELECTING = (
    click.option("--company", default="", help="Of this company only."),
    click.option("--account", "accounts", multiple=True, help="These accounts: COMPANY:CUSTOMER."),
    click.option(
        "--accounts-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="The accounts of this file, one a line; '#' begins a remark.",
    ),
    click.option("--level", "levels", multiple=True, help="Proposed at this step of a plan."),
    click.option(
        "--channel",
        "channels",
        type=click.Choice(get_args(Channel)),
        multiple=True,
        help="Proposed over this channel.",
    ),
    click.option("--responsible", default="", help="Of this person only."),
    click.option("--trust", type=click.Choice(get_args(Trust)), help="Trusted so (R34)."),
    click.option(
        "--amount-min", type=_AMOUNT, help="So much or more is overdue, in one currency: 'USD 1000.00'."
    ),
    click.option(
        "--days-min",
        type=click.IntRange(0),
        help="The worst item is at least so many days late, as in the console.",
    ),
    click.option("--days-max", type=click.IntRange(0), help="The worst item is so many days late at most."),
    click.option("--proposed", "proposed_only", is_flag=True, help="Only those that wait for a person."),
)
_RUNNING = (
    click.option("--all", "everybody", is_flag=True, help="All there are, where nothing else is chosen by."),
    click.option("--limit", type=click.IntRange(1), help="The first so many."),
    click.option("--dry-run", is_flag=True, help="Say what would be asked, and ask nothing."),
    click.option("--yes", is_flag=True, help="Do not ask before it is published."),
    click.option("--author", default="", help="Who says so."),
    click.option(
        "--wait",
        "wait_s",
        type=click.FloatRange(0),
        default=60.0,
        show_default=True,
        help="So many seconds for the ledger's word of what it refuses; 0: do not wait.",
    ),
    format_option,
    click.pass_obj,
)


def _selecting(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_SELECTING):
        command = option(command)
    return command


def _running(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed((*_SELECTING, *_RUNNING)):
        command = option(command)
    return command


@click.group()
def batch() -> None:
    """Process many statements at once; asked again, or broken off and begun anew, it asks for nothing twice."""


@batch.command("list")
@_selecting
@format_option
@click.pass_obj
def list_(settings: "Settings", /, *, output_format: OutputFormat, **selecting: Any) -> None:
    """Show the statements that a selection means, whose last reminder is the oldest first (S0-19)."""
    from console.batching import chosen
    from infra.database.queries.statements import statements

    selection = _selection(selecting)
    with open_read_model(settings) as connection:
        found = chosen(statements(connection, company=selection.company), selection=selection)
        if output_format == "table":
            say_age(connection)
    print_rows((_cells(each) for each in found), columns=_LISTED, output_format=output_format)


@batch.command()
@click.option(
    "--now-because", "because", default="", help="Inside the minimum gap too, for this reason (R5)."
)
@_running
def approve(settings: "Settings", *, because: str, **options: Any) -> None:
    """Let proposals go out as they are now, over all of their channels."""
    from console.batching import Asked

    _run(settings, asked=Asked(verb="approve", because=because, author=options["author"]), **options)


@batch.command()
@click.option("--text", default=None, help="Stands for the template's opening.")
@click.option("--text-file", type=click.File(encoding="utf-8"), help="The same, from a file.")
@click.option("--template", default=None, help="The texts of this kind, instead of the step's.")
@click.option(
    "--over", type=click.Choice(get_args(Channel)), multiple=True, help="Over these channels instead."
)
@click.option("--attach/--no-attach", default=None, help="Send the invoices along, or do not.")
@click.option("--not-before", type=DAY, help="Not before this day: YYYY-MM-DD.")
@click.option("--approve", "approving", is_flag=True, help="And let them go out so.")
@click.option("--now-because", "because", default="", help="With --approve: inside the minimum gap too (R5).")
@_running
def edit(
    settings: "Settings",
    *,
    text: str | None,
    text_file: Any,
    template: str | None,
    over: tuple[Channel, ...],
    attach: bool | None,
    not_before: datetime.datetime | None,
    approving: bool,
    because: str,
    **options: Any,
) -> None:
    """Change what proposals say, over which channels they go, or when."""
    from console.batching import Asked, Changes

    changes = Changes(
        text=text_file.read() if text_file is not None else text,
        template=template,
        channels=over or None,
        attach_invoices=attach,
        next_on=day(not_before),
    )
    if not changes:
        raise click.UsageError("say what to change: --text, --template, --over, --attach, --not-before")
    asked = Asked(verb="edit", changes=changes, approve=approving, because=because, author=options["author"])
    _run(settings, asked=asked, **options)


@batch.command()
@click.option("--because", default="", help="Why.")
@_running
def drop(settings: "Settings", *, because: str, **options: Any) -> None:
    """Drop proposals: levels stay, and they are proposed again after the minimum days."""
    from console.batching import Asked

    _run(settings, asked=Asked(verb="drop", because=because, author=options["author"]), **options)


@batch.command("send-now")
@click.option("--because", default="", help="Why it need not wait: needed inside the minimum gap (R5).")
@_running
def send_now(settings: "Settings", *, because: str, **options: Any) -> None:
    """Send today what is due, proposed or not, past gap, minimum and bank gate; an account with nothing due gets nothing."""
    from console.batching import Asked

    _run(settings, asked=Asked(verb="send-now", because=because, author=options["author"]), **options)


@batch.command("next-date")
@click.option("--on", "next_on", type=DAY, required=True, help="Nothing goes before it: YYYY-MM-DD.")
@_running
def next_date(settings: "Settings", *, next_on: datetime.datetime, **options: Any) -> None:
    """Only set the date of the next action (S0-12, S0-20)."""
    from console.batching import Asked

    _run(settings, asked=Asked(verb="next-date", next_on=day(next_on), author=options["author"]), **options)


def _run(
    settings: "Settings",
    *,
    asked: "Asked",
    everybody: bool,
    limit: int | None,
    dry_run: bool,
    yes: bool,
    wait_s: float,
    output_format: OutputFormat,
    author: str,  # noqa: ARG001 - it is in what is asked
    **selecting: Any,
) -> None:
    """Plan, ask the person, publish, and say what came of it."""
    from console.batching import chosen, planned
    from console.costing import usual_prices
    from console.processing import foreseen_cost, outcome, published, would_be
    from infra.database.queries.statements import statements

    selection = _selection(selecting)
    if selection.is_everybody and not everybody:
        raise click.UsageError("say whom: --company, --account, --level, ..., or --all")
    with open_read_model(settings) as connection:
        found = chosen(statements(connection, company=selection.company), selection=selection)[:limit]
        plan = list(planned(found, asked=asked))
        if output_format == "table":
            say_age(connection)
    count = sum(bool(each.events) for each in plan)
    cost = " + ".join(
        f"{currency} {money}"
        for currency, money in foreseen_cost(plan, prices=usual_prices(settings)).items()
    )
    said = f", about {cost}" if cost else ""
    if dry_run:
        _show(would_be(plan), output_format=output_format, said=said, named=bool(selection.accounts))
        return
    if count and not yes:
        click.confirm(f"{asked.verb}: {count} of {len(found)} statements{said}. Go on?", abort=True, err=True)
    published(plan, settings=settings)
    done = outcome(plan, settings=settings, wait_s=wait_s)
    _show(done, output_format=output_format, named=bool(selection.accounts))
    if any(each.result == "refused" for each in done):
        raise click.exceptions.Exit(1)


def _selection(given: dict[str, Any]) -> "Selection":
    from console.batching import Selection

    accounts = set(given.pop("accounts"))
    file = given.pop("accounts_file")
    if file is not None:
        lines = (line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
        accounts.update(filter(None, lines))
        if not accounts:
            raise click.UsageError(f"{file} names no account")
    levels, channels = frozenset(given.pop("levels")), frozenset(given.pop("channels"))
    return Selection(accounts=frozenset(accounts), levels=levels, channels=channels, **given)


def _show(done: "list[Done]", *, output_format: OutputFormat, named: bool, said: str = "") -> None:
    """Print a line per statement that needs a look, all of them for programs; and the counts.

    That nothing waits for somebody needs a look only where accounts were ``named``.
    """
    from collections import Counter

    plain = ("asked",) if named else ("asked", "nothing waits")
    shown = done
    if output_format == "table":
        shown = [each for each in done if each.result not in plain or each.note]
    rows: list[dict[str, Cell]] = [
        {"account": each.account, "customer": each.name, "result": each.result, "note": each.note}
        for each in shown
    ]
    if rows or output_format != "table":
        print_rows(rows, columns=_DONE, output_format=output_format)
    counts = Counter(each.result for each in done)
    told = ", ".join(f"{count} {result}" for result, count in sorted(counts.items())) or "nobody is meant"
    click.echo(f"{len(done)} statements: {told}{said}.", err=output_format != "table")


def _cells(each: "Statement") -> dict[str, Cell]:
    content = None if each.proposal is None else each.proposal.content
    last = "" if each.last_on is None else f"{each.last_step} {each.last_on}"
    return {
        "account": each.account,
        "customer": each.name,
        "step": "" if content is None else content.step,
        "by": ", ".join(each.channels),
        "at_risk": " + ".join(
            f"{currency} {amount(minor, currency=currency):,}" for currency, minor in each.at_risk
        ),
        "days": each.days,
        "responsible": each.responsible,
        "last_reminder": last,
        "too_soon_until": each.too_soon_until,
        "next_action": each.next_on,
        "reminder": "" if each.proposal is None else each.proposal.reminder,
    }

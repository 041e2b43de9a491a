"""``cobranza proposals``: what waits for a person, and what that person says (R19, S2-14)."""

import datetime
from typing import TYPE_CHECKING, get_args

import click

from console.cli.formats import OutputFormat, format_option, print_rows
from console.read_model import DAY, day, open_read_model, say_age
from schemas.fields import Channel
from schemas.reminder_commands import UndoneWhat

if TYPE_CHECKING:
    from infra.settings import Settings

__all__ = ["proposals"]

_COLUMNS = (
    "account",
    "customer",
    "step",
    "total",
    "by",
    "items",
    "because",
    "too_soon_until",
    "revision",
    "reminder",
)
_REMINDER = click.argument("reminder")
_AUTHOR = click.option("--author", default="", help="Who says so.")


@click.group()
def proposals() -> None:
    """List, change, approve and drop reminders that wait for a person; send now, call back, undo."""


@proposals.command("list")
@click.option("--company", default="", help="Of this company only.")
@click.option("--account", default="", help="Of this account only: COMPANY:CUSTOMER.")
@format_option
@click.pass_obj
def list_(settings: "Settings", *, company: str, account: str, output_format: OutputFormat) -> None:
    """Show what would go out, were it approved; `too soon until` is when the minimum gap ends (S0-16)."""
    from console.requests import proposal_rows
    from infra.database.queries.proposals import waiting

    with open_read_model(settings) as connection:
        rows = list(proposal_rows(waiting(connection, company=company, account=account)))
        if output_format == "table":
            say_age(connection)
    print_rows(rows, columns=_COLUMNS, output_format=output_format)


@proposals.command()
@_REMINDER
@click.option("--now-because", default="", help="Send it inside the minimum gap, for this reason (R5).")
@_AUTHOR
@click.pass_obj
def approve(settings: "Settings", *, reminder: str, now_because: str, author: str) -> None:
    """Let REMINDER go out as it is now: at the next tick that nothing stands against."""
    from console.requests import asked, proposal, send
    from schemas.commands import ApproveReminder

    with open_read_model(settings) as connection:
        found = proposal(connection, reminder=reminder)
    told = asked(found.account, author=author)
    event = ApproveReminder(**told, reminder=reminder, revision=found.revision, now_because=now_because)
    send(event, settings=settings)
    if found.too_soon_until is not None and not now_because:
        click.echo(
            f"Approved; too soon before {found.too_soon_until}: it waits, unless --now-because says why not."
        )
    else:
        click.echo("Approved.")


@proposals.command()
@_REMINDER
@click.option(
    "--channel", "channels", type=click.Choice(get_args(Channel)), multiple=True, help="Over these instead."
)
@click.option("--text", default=None, help="Stands for the template's opening.")
@click.option("--template", default=None, help="The texts of this kind, instead of the step's.")
@click.option("--attach/--no-attach", default=None, help="Send the invoices along, or do not.")
@click.option("--without", multiple=True, help="Leave this item out, as if it were dropped.")
@click.option("--on", "next_on", type=DAY, help="Not before this day: YYYY-MM-DD.")
@_AUTHOR
@click.pass_obj
def edit(
    settings: "Settings",
    *,
    reminder: str,
    channels: tuple[Channel, ...],
    text: str | None,
    template: str | None,
    attach: bool | None,
    without: tuple[str, ...],
    next_on: datetime.datetime | None,
    author: str,
) -> None:
    """Change what REMINDER says, to whom it goes, or when; approve it afterwards."""
    from console.requests import asked, proposal, send
    from schemas.commands import EditReminder

    with open_read_model(settings) as connection:
        found = proposal(connection, reminder=reminder)
    event = EditReminder(
        **asked(found.account, author=author),
        reminder=reminder,
        channels=channels or None,
        text=text,
        template=template,
        attach_invoices=attach,
        drop_items=without,
        next_on=day(next_on),
    )
    send(event, settings=settings)
    click.echo("Changed: the next tick proposes it anew.")


@proposals.command()
@_REMINDER
@click.option("--because", default="", help="Why.")
@_AUTHOR
@click.pass_obj
def drop(settings: "Settings", *, reminder: str, because: str, author: str) -> None:
    """Drop REMINDER: levels stay as they are, and it is proposed again after the minimum days."""
    from console.requests import asked, proposal, send
    from schemas.commands import DropReminder

    with open_read_model(settings) as connection:
        found = proposal(connection, reminder=reminder)
    told = asked(found.account, author=author)
    send(DropReminder(**told, reminder=reminder, reason=because), settings=settings)
    click.echo("Dropped.")


@proposals.command("call-back")
@_REMINDER
@click.option("--because", default="", help="Why.")
@_AUTHOR
@click.pass_obj
def call_back(settings: "Settings", *, reminder: str, because: str, author: str) -> None:
    """Call back REMINDER, which was decided and which no provider has accepted yet."""
    from console.requests import account_of, asked, send
    from schemas.commands import CancelReminder

    with open_read_model(settings) as connection:
        account = account_of(connection, reminder=reminder)
    told = asked(account, author=author)
    send(CancelReminder(**told, reminder=reminder, reason=because), settings=settings)
    click.echo("Called back, unless it is accepted first.")


@proposals.command()
@_REMINDER
@click.option(
    "--what",
    type=click.Choice(get_args(UndoneWhat)),
    required=True,
    help="The approval (it waits again), the changes (as its plan has it), or the drop or call back (it need not wait).",
)
@click.option("--because", default="", help="Why.")
@_AUTHOR
@click.pass_obj
def undo(settings: "Settings", *, reminder: str, what: UndoneWhat, because: str, author: str) -> None:
    """Take back what was said of REMINDER, while no provider has accepted it."""
    from console.requests import account_proposed, asked, send
    from schemas.reminder_commands import UndoReminder

    with open_read_model(settings) as connection:
        account = account_proposed(connection, reminder=reminder)
    told = asked(account, author=author)
    send(UndoReminder(**told, reminder=reminder, what=what, reason=because), settings=settings)
    click.echo("Taken back, unless it is accepted first.")


@proposals.command("send-now")
@click.argument("account")
@click.option("--because", default="", help="Why it need not wait: needed inside the minimum gap (R5).")
@_AUTHOR
@click.pass_obj
def send_now(settings: "Settings", *, account: str, because: str, author: str) -> None:
    """Send today what is due on ACCOUNT (COMPANY:CUSTOMER), past gap, minimum and bank gate."""
    from console.requests import asked, send
    from schemas.commands import SendNow

    send(SendNow(**asked(account, author=author), because=because), settings=settings)
    click.echo(
        "What is due goes at the next tick; too soon without --because is refused (cobranza exceptions)."
    )

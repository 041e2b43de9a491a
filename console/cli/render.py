"""``cobranza render``: a look at what customers get, made up or real; nothing is sent."""

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from schemas.fields import Channel

if TYPE_CHECKING:
    from console.previewing import Render
    from infra.settings import Settings
    from notifiers.settings import SendSettings
    from processors.company import Company
    from schemas.facts import ReminderDecided

__all__ = ["render"]


@click.command()
@click.option(
    "--kind", default="", help="A made-up message of this kind: first, statement, … or one of your own."
)
@click.option("--all", "all_", is_flag=True, help="Made-up messages of every kind in every language.")
@click.option("--language", default="en", show_default=True, help="es, en or pt, with a region or without.")
@click.option("--company", default="", help="With this company's texts, and its profile where it is known.")
@click.option("--reminder", default="", help="What waits under this id, or was decided under it.")
@click.option("--account", default="", help="What this customer gets next: COMPANY:CUSTOMER.")
@click.option(
    "--days", type=click.IntRange(1, 1000), default=90, show_default=True, help="Look so far ahead."
)
@click.option("--text", default=None, help="Try this opening instead of the template's.")
@click.option(
    "--channel",
    "channels",
    type=click.Choice(["email", "sms", "letter"]),
    multiple=True,
    help="By these only.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("preview"),
    show_default=True,
    help="The folder to write to.",
)
@click.pass_obj
def render(
    settings: "Settings",
    *,
    kind: str,
    all_: bool,
    language: str,
    company: str,
    reminder: str,
    account: str,
    days: int,
    text: str | None,
    channels: tuple[Channel, ...],
    output: Path,
) -> None:
    """Write messages as mail (.html, .eml, .txt), SMS and letter (.pdf), to look at before anybody gets them.

    It is written as it would be sent, and says what that costs by the installation's prices; of an SMS how
    many segments are paid for, and what makes it dearer than it need be.
    """
    from msgspec.structs import replace

    from console.money import cost_text, in_segments
    from console.previewing import write_index, write_message
    from notifiers.assembly import TEMPLATES
    from notifiers.channel import PermanentError
    from notifiers.links import Links, LinkSettings
    from notifiers.settings import SendSettings, read_settings
    from notifiers.writing.render import Renderer

    if sum(map(bool, (kind, all_, reminder, account))) != 1:
        raise click.UsageError("Say one of --kind, --all, --reminder and --account.")
    if reminder:
        made = [_decided(settings, reminder=reminder)]
    elif account:
        made = [_next(settings, account=account, days=days)]
    else:
        made = _samples(settings, kind=kind, language=language, company=company)
    if text is not None:
        made = [replace(each, text=text) for each in made]
    send = read_settings(SendSettings)
    renderer = Renderer(
        own=settings.data_dir / TEMPLATES, fonts=send.letter_fonts, links=Links(read_settings(LinkSettings))
    )
    written = _as_sent(renderer.message, settings=settings, send=send)
    wanted = channels or (("email", "sms", "letter") if not (reminder or account) else ())
    paths: list[Path] = []
    try:
        for each in made:
            for path, message in write_message(each, render=written, folder=output, channels=wanted):
                paths.append(path)
                click.echo(path)
                if message.channel == "sms":
                    click.echo(in_segments(message.text))
                if message.cost is not None and message.cost.currency:
                    click.echo(cost_text(message.cost.micros, currency=message.cost.currency))
    except PermanentError as error:
        raise click.ClickException(error.detail) from error
    if len(paths) > len(get_args(Channel)):
        click.echo(write_index(paths, folder=output))


def _as_sent(render: "Render", *, settings: "Settings", send: "SendSettings") -> "Render":
    """Write as the notifiers do: SMS in the alphabet that is set, each message with what it will cost."""
    from notifiers.limits import LimitSettings, worded
    from notifiers.settings import read_settings

    limits = read_settings(LimitSettings)
    by_channel = {
        channel: worded(render, provider=send.provider(channel), settings=settings, limits=limits)
        for channel in get_args(Channel)
    }
    return lambda reminder, channel: by_channel[channel](reminder, channel)


def _samples(settings: "Settings", *, kind: str, language: str, company: str) -> "list[ReminderDecided]":
    from console.previewing import sample_of
    from notifiers.assembly import TEMPLATES
    from notifiers.writing.library import Library
    from notifiers.writing.render import templates_folder

    known = _company(settings, company=company)
    texts = Library(templates_folder(), own=settings.data_dir / TEMPLATES)
    pairs = [(kind, language)] if kind else texts.room(company).pairs()
    return [sample_of(each, language=one, name=company or "sample", company=known) for each, one in pairs]


def _company(settings: "Settings", *, company: str) -> "Company | None":
    """Give a company's profile where there is a database that knows it; a look at templates needs none."""
    from console.read_model import open_read_model
    from infra.database.queries.debtors import company_as_kept
    from infra.errors import OperatorError

    if not company:
        return None
    try:
        with open_read_model(settings) as connection:
            return company_as_kept(connection, company)
    except OperatorError as error:
        click.echo(f"With a made-up profile: {error}", err=True)
        return None


def _decided(settings: "Settings", *, reminder: str) -> "ReminderDecided":
    from console.previewing import PreviewError, decided_reminder
    from console.read_model import open_read_model

    with open_read_model(settings) as connection:
        found = decided_reminder(connection, reminder=reminder)
    if found is None:
        raise PreviewError(f"There is no reminder {reminder}: cobranza reminders, cobranza proposals list")
    return found


def _next(settings: "Settings", *, account: str, days: int) -> "ReminderDecided":
    """Give what waits for a person, else what the ledger will say next if nothing comes in."""
    from console.previewing import PreviewError, decided_reminder, foreseen_message
    from console.read_model import open_read_model
    from console.retelling import told_of
    from processors.forecast import forecast

    with open_read_model(settings) as connection:
        found = decided_reminder(connection, account=account)
    if found is not None:
        click.echo(f"Waits for a person: cobranza proposals approve {found.id}", err=True)
        return found
    told = told_of(settings, account=account, day=None)
    if told.tick is None:
        raise PreviewError(f"Nothing is known of account {account!r}; accounts are COMPANY:CUSTOMER")
    until = told.day + datetime.timedelta(days=days)
    foreseen = forecast(account, rows=told.rows.items(), after=told.tick.at, until=until, mode=told.tick.mode)
    message = foreseen_message(foreseen)
    if message is None:
        raise PreviewError(f"{account} gets no message until {until}: cobranza explain {account} --next")
    click.echo(f"On {message[0]}, if nothing comes in until then:", err=True)
    return message[1]

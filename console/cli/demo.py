"""``cobranza demo``: a year of two companies' business, through the real pipeline, what came of it, and its console."""

import contextlib
import datetime
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from infra.settings import Settings

if TYPE_CHECKING:
    from console.supervisor import Supervisor

__all__ = ["demo"]

_MARK = ".cobranza-demo"
_LOOK_S = 0.5


@click.command()
@click.option("--seed", default=1, show_default=True, help="Another seed makes another year.")
@click.option(
    "--every",
    default=2,
    show_default=True,
    type=click.IntRange(1, 31),
    help="Days from tick to tick; 1 takes twice as long.",
)
@click.option(
    "--stay/--end",
    default=None,
    help="Serve the console until Ctrl-C, or look at its pages and end; left out: stay at a terminal.",
)
@click.pass_context
def demo(ctx: click.Context, *, seed: int, every: int, stay: bool | None) -> None:
    """Play a year of two companies and 200 customers, show what was sent and what is owed, and open the console.

    Everything is in the folder demo/ of the data folder, made anew each time.
    Nothing leaves this machine: mails and letters are written to files.
    """
    from console.demo.year import LAST_DAY
    from console.installation import await_ready, prepare, running
    from console.quiet import groups_of

    started_s = time.monotonic()
    settings = _fresh(ctx.obj)
    click.echo("Starting broker and workers (the first time, the broker is downloaded) ...")
    with prepare(settings, brief=True) as ready, running(ready, clock=False, console=True) as supervisor:
        await_ready(ready, groups=groups_of(ready), check=supervisor.check)
        _play(ready, supervisor, seed=seed, every=datetime.timedelta(days=every))
        _show(ctx, ready, day=LAST_DAY)
        click.echo(f"\nAll of it took {time.monotonic() - started_s:.0f} s.")
        _open(ready, supervisor, stay=sys.stdin.isatty() if stay is None else stay)


def _fresh(settings: Settings) -> Settings:
    """Empty the demo's folder, if it is one of ours."""
    from infra.kafka.broker import LocalBroker

    directory = settings.data_dir / "demo"
    if directory.exists():
        if not (directory / _MARK).exists():
            raise click.ClickException(
                f"{directory} is no demo of ours: it is left alone. Choose --data-dir."
            )
        LocalBroker(directory / "kafka").stop()
        shutil.rmtree(directory)
    directory.mkdir(parents=True)
    (directory / _MARK).touch()
    return settings.model_copy(update={"data_dir": directory, "database_url": ""})


def _play(settings: Settings, supervisor: "Supervisor", *, seed: int, every: datetime.timedelta) -> None:
    from console.cli.play import say_summary
    from console.cli.progress import tracked
    from console.demo.companies import COMPANIES
    from console.demo.year import FIRST_DAY, LAST_DAY, profiles, year
    from console.player import open_play
    from console.playing import play, schedule
    from processors.calendar import zone_of

    # West of the others: at 09:00 there, the day has begun for all of them.
    zone = zone_of(COMPANIES[0].profile.time_zone)
    planned = schedule(year(seed=seed), first=FIRST_DAY, last=LAST_DAY, every=every, zone=zone)
    with open_play(settings, check=supervisor.check) as on:
        click.echo(f"Playing {FIRST_DAY} to {LAST_DAY}, a tick every {every.days} days ...")
        summary = play(
            planned,
            profiles=profiles(),
            on=on,
            watch=lambda days: tracked(days, label="Playing", total=len(days)),
        )
    say_summary(summary)


def _open(settings: Settings, supervisor: "Supervisor", *, stay: bool) -> None:
    """Say where the console is, having looked at its pages; serve it until Ctrl-C, or say how to open it again."""
    from console.demo.opening import USER, employ, shown_pages
    from console.installation import address_of
    from notifiers.assembly import utc_now

    address = address_of(supervisor.services(), "console")
    password = employ(settings, now=utc_now())
    pages = shown_pages(address, password=password, check=supervisor.check)
    seen = ", ".join(f"{each.title} ({each.lines} lines)" for each in pages)
    click.echo(
        f"\nThe console shows the year: {seen}.\n"
        f"  {address}   user {USER}, password {password}   (made for this demo; it is kept nowhere)"
    )
    again = f"cobranza --data-dir {_short(settings.data_dir)} up --no-clock"
    if not stay:
        click.echo(f"It is closed now. Open it again: {again}")
        return
    click.echo("Ctrl-C ends it; then it is opened again by: " + again)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(_LOOK_S)
            supervisor.check()


def _show(ctx: click.Context, settings: Settings, *, day: datetime.date) -> None:
    from console.cli.aged import aged
    from console.cli.dso import dso
    from console.cli.reminders import reminders

    ctx.obj = settings
    as_of = datetime.datetime.combine(day, datetime.time())
    for by in ("level", "channel"):
        click.echo(f"\nReminders by {by}")
        ctx.invoke(reminders, by=by, limit=500, output_format="table")
    click.echo(f"\nAged balance at the end of {day}")
    ctx.invoke(aged, as_of=as_of, company=None, edges="30,60,90", totals_only=True, output_format="table")
    click.echo("\nDays sales outstanding")
    ctx.invoke(dso, as_of=as_of, days=90, company=None, output_format="table")
    here = _short(settings.data_dir)
    click.echo(
        f"\nMails as they would go out: {here / 'outbox'}; letters: {here / 'letters'}\n"
        "How to go on:\n"
        f"  cobranza --data-dir {here} statement andes:A0004 --as-of {day}\n"
        f"  cobranza --data-dir {here} reminders --status withheld --by reason\n"
        f"  cobranza --data-dir {here} up --no-clock      # console and all; then, beside it: replay, lag, dlq list"
    )


def _short(directory: Path) -> Path:
    here = Path.cwd()
    return directory.relative_to(here) if directory.is_relative_to(here) else directory

"""``cobranza demo``: a year of two companies' business, through the real pipeline, and what came of it."""

import datetime
import shutil
import time
from pathlib import Path

import click

from infra.settings import Settings

__all__ = ["demo"]

_MARK = ".cobranza-demo"


@click.command()
@click.option("--seed", default=1, show_default=True, help="Another seed makes another year.")
@click.option(
    "--every",
    default=2,
    show_default=True,
    type=click.IntRange(1, 31),
    help="Days from tick to tick; 1 takes twice as long.",
)
@click.pass_context
def demo(ctx: click.Context, *, seed: int, every: int) -> None:
    """Play a year of two companies and 200 customers, and show what was sent and what is owed.

    Everything is in the folder demo/ of the data folder, made anew each time.
    Nothing leaves this machine: mails and letters are written to files.
    """
    from console.demo.year import LAST_DAY

    started_s = time.monotonic()
    settings = _fresh(ctx.obj)
    _play(settings, seed=seed, every=datetime.timedelta(days=every))
    _show(ctx, settings, day=LAST_DAY)
    click.echo(f"\nAll of it took {time.monotonic() - started_s:.0f} s.")


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


def _play(settings: Settings, *, seed: int, every: datetime.timedelta) -> None:
    from console.cli.play import say_summary, workers_for
    from console.cli.progress import tracked
    from console.demo.companies import COMPANIES
    from console.demo.year import FIRST_DAY, LAST_DAY, profiles, year
    from console.player import open_play
    from console.playing import play, schedule
    from processors.calendar import zone_of

    # West of the others: at 09:00 there, the day has begun for all of them.
    zone = zone_of(COMPANIES[0].profile.time_zone)
    planned = schedule(year(seed=seed), first=FIRST_DAY, last=LAST_DAY, every=every, zone=zone)
    click.echo("Starting broker and workers (the first time, the broker is downloaded) ...")
    with (
        workers_for(settings, start=True) as (ready, check),
        open_play(ready, check=check) as on,
    ):
        click.echo(f"Playing {FIRST_DAY} to {LAST_DAY}, a tick every {every.days} days ...")
        summary = play(
            planned,
            profiles=profiles(),
            on=on,
            watch=lambda days: tracked(days, label="Playing", total=len(days)),
        )
    say_summary(summary)


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
        f"  cobranza --data-dir {here} up --no-clock      # then, beside it: replay, lag, dlq list"
    )


def _short(directory: Path) -> Path:
    here = Path.cwd()
    return directory.relative_to(here) if directory.is_relative_to(here) else directory

"""``cobranza play``: history, day by day, through the real pipeline."""

import contextlib
import datetime
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from infra.settings import Settings

if TYPE_CHECKING:
    from console.playing import PlaySummary

__all__ = ["play", "say_summary", "workers_for"]

_DAY = click.DateTime(formats=["%Y-%m-%d"])


def _every(_context: click.Context, _parameter: click.Parameter, value: str) -> datetime.timedelta:
    match = re.fullmatch(r"([1-9][0-9]{0,2})([dw])", value)
    if match is None:
        raise click.BadParameter("say a number of days or weeks: 1d, 7d, 2w")
    days = int(match[1]) * (7 if match[2] == "w" else 1)
    return datetime.timedelta(days=days)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--mapping", "mapping_file", required=True, help="A mapping file, or a shipped one by name: ibm."
)
@click.option("--from", "first", type=_DAY, required=True, help="Day of the first tick.")
@click.option("--to", "last", type=_DAY, required=True, help="Last day; later facts are left out.")
@click.option("--every", default="1d", show_default=True, callback=_every, help="From tick to tick: 1d, 7d.")
@click.option("--plan", default="default", show_default=True, help="A plan file, or a shipped one by name.")
@click.option("--workers", is_flag=True, help="Run broker and workers for the duration (no cobranza up).")
@click.pass_obj
def play(
    settings: Settings,
    *,
    file: Path,
    mapping_file: str,
    first: datetime.datetime,
    last: datetime.datetime,
    every: datetime.timedelta,
    plan: str,
    workers: bool,
) -> None:
    """Play the rows of FILE as they happened: each day's facts, then a tick at 09:00 company time.

    Before and after each tick it waits until nothing is left to do, so that no
    reminder is overtaken by a fact. Playing again changes nothing, and goes on
    where a play was interrupted. A live journal is refused.
    """
    from console.cli.import_csv import find_mapping, read_and_say, say_events
    from console.cli.progress import tracked
    from console.importing import profile_record
    from console.plan_files import find_plan, publish_plan_command
    from console.player import open_play
    from console.playing import play as run
    from console.playing import schedule
    from console.publishing import outgoing
    from processors.calendar import zone_of

    mapping = find_mapping(mapping_file)
    published = publish_plan_command(
        find_plan(plan), company=mapping.profile.company, occurred_at="1970-01-01", author=""
    )
    reading = read_and_say(file, mapping=mapping)
    say_events(reading)
    zone = zone_of(mapping.profile.time_zone)
    planned = schedule(reading.facts, first=first.date(), last=last.date(), every=every, zone=zone)
    with (
        workers_for(settings, start=workers) as (ready, check),
        open_play(ready, check=check) as on,
    ):
        summary = run(
            planned,
            profiles=[profile_record(mapping), outgoing(published, source=mapping.source)],
            on=on,
            watch=lambda days: tracked(days, label="Playing", total=len(days)),
        )
    say_summary(summary)


@contextlib.contextmanager
def workers_for(settings: Settings, *, start: bool) -> Iterator[tuple[Settings, Callable[[], None]]]:
    """Give settings and a check of health; with ``start``, run broker and processes for the duration."""
    if not start:
        yield settings, lambda: None
        return
    from console.installation import await_ready, prepare, running
    from console.quiet import groups_of

    with prepare(settings) as ready, running(ready, clock=False) as supervisor:
        await_ready(ready, groups=groups_of(ready), check=supervisor.check)
        yield ready, supervisor.check


def say_summary(summary: "PlaySummary") -> None:
    """Say what was played."""
    per_tick = f", {summary.duration_s / summary.ticks * 1000:.0f} ms a tick" if summary.ticks else ""
    click.echo(
        f"Played {summary.ticks} ticks and {summary.facts} facts in {summary.duration_s:.1f} s{per_tick}."
    )
    if summary.ticks_passed_over:
        click.echo(f"{summary.ticks_passed_over} ticks were there already.")
    if summary.left_out:
        click.echo(f"{summary.left_out} facts are later than the last day and were left out.")

"""``cobranza plan``: check a plan file, and publish it as an event."""

import sys
from pathlib import Path

import click

from infra.settings import Settings
from schemas.plans import Plan

__all__ = ["plan"]

_FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))


@click.group()
def plan() -> None:
    """Check and publish reminder plans (S0-15, S0-22)."""


@plan.command()
@_FILE
@click.option("--min-days", default=3, show_default=True, help="Days that contacts keep apart, for warnings.")
def check(file: Path, *, min_days: int) -> None:
    """Check FILE (YAML): every error with its line and path; exits with 1 when there is one."""
    from processors.plan import plan_warnings

    read = _read(file)
    for warning in plan_warnings(read, min_days_between_contacts=min_days):
        click.echo(f"warning: {warning}", err=True)
    for step in read.steps:
        channels = ", ".join(action.channel for action in step.actions)
        by_hand = "" if step.automatic else " (manual)"
        click.echo(f"{step.offset_days:+5d} days  {step.name}: {channels}{by_hand}")
    click.echo(f"Plan {read.id} version {read.version} is good.")


@plan.command()
@_FILE
@click.option("--company", required=True, help="The company whose plan it is.")
@click.option("--author", default="", help="Who publishes it.")
@click.pass_obj
def publish(settings: Settings, *, file: Path, company: str, author: str) -> None:
    """Publish FILE (YAML) as a version of a plan; items keep the version that they began with (R17)."""
    import datetime

    from console.plan_files import publication
    from console.publishing import outgoing, send_all
    from processors.validation import problems

    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    event = publication(_read(file), company=company, occurred_at=now, author=author)
    wrong = problems(event)
    for problem in wrong:
        click.echo(problem, err=True)
    if wrong:
        sys.exit(1)
    send_all([outgoing(event, event_id=event.command, source="cobranza/plan")], settings=settings)
    click.echo(f"Plan {event.plan.id} version {event.plan.version} is published for {company}.")


def _read(file: Path) -> Plan:
    from console.plan_files import PlanFileError, read_plan

    try:
        return read_plan(click.open_file(str(file), encoding="utf-8").read())
    except PlanFileError as error:
        for problem in error.problems:
            click.echo(f"{file}: {problem}", err=True)
        sys.exit(1)

"""``cobranza plan``: check a plan file, publish it as an event, migrate items to a version."""

from collections.abc import Iterator

import click

from console.cli.formats import OutputFormat, format_option, print_rows
from console.read_model import open_read_model
from infra.errors import OperatorError
from infra.settings import Settings
from schemas.plans import Plan, Step

__all__ = ["plan"]

_MOVES = ("account", "item", "from_version", "from_step", "to_step", "next_step", "next_on")
_FILE = click.argument("file")
_MIN_DAYS = click.option(
    "--min-days", default=3, show_default=True, help="Days that contacts keep apart, for warnings."
)


@click.group()
def plan() -> None:
    """Check and publish reminder plans: YAML files, or one that ships (default)."""


@plan.command()
@_FILE
@_MIN_DAYS
def check(file: str, *, min_days: int) -> None:
    """Check FILE: every error with its line and path; exits with 1 when there is one."""
    from console.plan_files import find_plan

    read = find_plan(file)
    _warn(read, min_days=min_days)
    for step in read.steps:
        channels = ", ".join(action.channel for action in step.actions)
        noted = ", ".join(_notes(step))
        click.echo(f"{step.offset_days:+5d} days  {step.name}: {channels}{f' ({noted})' if noted else ''}")
    click.echo(f"Plan {read.id} version {read.version} is good.")


def _notes(step: Step) -> Iterator[str]:
    """Say what of a step its day and channels do not show."""
    if step.anchor != "due_date":
        yield {"end_of_month": "at the end of that month", "last_reminder": "after the last reminder"}[
            step.anchor
        ]
    if not step.automatic:
        yield "manual"
    if step.blocking:
        yield "blocking" if step.timeout_days is None else f"blocking for {step.timeout_days} days"
    if step.must_not_skip:
        yield "never skipped"
    if step.when is not None:
        yield "on conditions"


def _warn(read: Plan, *, min_days: int) -> None:
    """Say what can be evaluated, but will not go as its dates say (R2, R5)."""
    from console.plan_files import template_warnings
    from processors.plan import plan_warnings

    for warning in plan_warnings(read, min_days_between_contacts=min_days) + template_warnings(read):
        click.echo(f"warning: {warning}", err=True)


def _warn_of_copies(settings: Settings, read: Plan, *, company: str) -> None:
    """Say which copies nobody gets, as far as the read model knows the customers; without one, that this is not known."""
    from console.plan_files import copy_warnings
    from infra.database.engine import DatabaseError

    if not any(step.cc for step in read.steps):
        return
    try:
        with open_read_model(settings) as connection:
            found = copy_warnings(connection, read, company=company)
    except DatabaseError as error:
        found = [f"whether anyone gets the copies is not known: {error} - at `$.steps`"]
    for warning in found:
        click.echo(f"warning: {warning}", err=True)


@plan.command()
@_FILE
@click.option("--company", required=True, help="The company whose plan it is.")
@click.option("--author", default="", help="Who publishes it.")
@_MIN_DAYS
@click.pass_obj
def publish(settings: Settings, *, file: str, company: str, author: str, min_days: int) -> None:
    """Publish FILE as a version of a plan; items keep the version that they began with (R17)."""
    import datetime

    from console.plan_files import find_plan, publish_plan_command
    from console.publishing import outgoing, send_all
    from processors.validation import problems

    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    read = find_plan(file)
    _warn(read, min_days=min_days)
    _warn_of_copies(settings, read, company=company)
    event = publish_plan_command(read, company=company, occurred_at=now, author=author)
    wrong = problems(event)
    if wrong:
        raise OperatorError("\n".join(wrong))
    send_all([outgoing(event, source="cobranza/plan")], settings=settings)
    click.echo(f"Plan {event.plan.id} version {event.plan.version} is published for {company}.")


@plan.command()
@click.argument("plan_id", metavar="PLAN")
@click.option("--company", required=True, help="The company whose plan it is.")
@click.option("--to-version", type=click.IntRange(1), required=True, help="The version to go on by.")
@click.option("--preview", is_flag=True, help="Publish nothing; show what would become of each item.")
@click.option("--author", default="", help="Who migrates.")
@format_option
@click.pass_obj
def migrate(
    settings: Settings,
    *,
    plan_id: str,
    company: str,
    to_version: int,
    preview: bool,
    author: str,
    output_format: OutputFormat,
) -> None:
    """Let items that began on older versions of PLAN go on by another one (R17).

    Each goes on after the last step whose offset is not later than that of the step it had. The preview
    is of the read model; a day is the earliest, and does not know of levels that went out late.
    """
    import datetime

    from msgspec import structs

    from console.plan_files import migrate_plan_command, previewed
    from console.publishing import outgoing, send_all

    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    event = migrate_plan_command(
        plan_id, to_version=to_version, company=company, occurred_at=now, author=author
    )
    with open_read_model(settings) as connection:
        found = previewed(connection, event=event)
    if preview:
        print_rows([structs.asdict(each) for each in found], columns=_MOVES, output_format=output_format)
        return
    send_all([outgoing(event, source="cobranza/plan")], settings=settings)
    click.echo(f"{len(found)} items of plan {plan_id} go on by version {to_version} at {company}.")


@plan.command()
@click.argument("plan_id", metavar="PLAN")
@click.option("--company", required=True, help="The company whose plan it is.")
@click.option("--to-version", type=click.IntRange(1), required=True, help="The version that was good.")
@click.option("--preview", is_flag=True, help="Publish nothing; show what would become of each item.")
@click.option("--author", default="", help="Who goes back.")
@format_option
@click.pass_obj
def revert(
    settings: Settings,
    *,
    plan_id: str,
    company: str,
    to_version: int,
    preview: bool,
    author: str,
    output_format: OutputFormat,
) -> None:
    """Go back to what an older version of PLAN says: publish it under the next number, and migrate to that (R17).

    Documents that have begun go on after the last step whose offset is not later than that of the step they had;
    those that have not begin by it.
    """
    import datetime

    from msgspec import structs

    from console.plan_files import reverted
    from console.publishing import outgoing, send_all

    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    with open_read_model(settings) as connection:
        publish_again, move, found = reverted(
            connection, plan=plan_id, to_version=to_version, company=company, occurred_at=now, author=author
        )
    if preview:
        print_rows([structs.asdict(each) for each in found], columns=_MOVES, output_format=output_format)
        return
    send_all([outgoing(each, source="cobranza/plan") for each in (publish_again, move)], settings=settings)
    version = publish_again.plan.version
    click.echo(
        f"Plan {plan_id} version {version} says what version {to_version} says; {len(found)} items go on by it at {company}."
    )

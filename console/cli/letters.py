"""``cobranza letters list|show|close|left-out|again|give-up|returned``: print runs, what is in them, their end, what was not printed, what came back."""

import datetime
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.cli.formats import OutputFormat, format_option, print_rows
from infra.errors import OperatorError

if TYPE_CHECKING:
    from infra.database.print_runs import Run
    from infra.settings import Settings

__all__ = ["letters"]

_STATES = ("open", "closing", "closed")
_RUN = ("run", "company", "state", "letters", "pages", "sheets", "opened_at", "closed_at", "place", "detail")
_RETURNED = ("reference", "outcome", "reminder", "company", "customer")
_LETTER = (
    "position",
    "reminder",
    "customer",
    "pages",
    "sheets",
    "paper",
    "enclosures",
    "left_out",
    "sha256",
    "spool",
)
_LEFT_OUT = ("reminder", "company", "customer", "run", "left_out")


class NoRunError(OperatorError):
    """There is no print run of that name."""


@click.group()
def letters() -> None:
    """Letters: those that are printed together (COBRANZA_SEND_LETTER=print_run), those that came back."""


@letters.command("list")
@click.option("--state", type=click.Choice(_STATES), default=None, help="In this state only.")
@click.option("--company", default="", help="Of this company only.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=200, show_default=True, help="The newest so many."
)
@format_option
@click.pass_obj
def list_(
    settings: "Settings", *, state: str | None, company: str, limit: int, output_format: OutputFormat
) -> None:
    """Show print runs, the newest first; `detail` says why a closing one waits."""
    from infra.database.engine import open_engine
    from infra.database.migrate import require_current
    from infra.database.print_runs import PrintRuns

    engine = open_engine(settings.database)
    try:
        require_current(engine)
        found = PrintRuns(engine).runs(states=(state,) if state else (), company=company, limit=limit)  # type: ignore[arg-type]  # click has checked it
    finally:
        engine.dispose()
    print_rows([_row(run) for run in found], columns=_RUN, output_format=output_format)


@letters.command()
@click.argument("run")
@format_option
@click.pass_obj
def show(settings: "Settings", *, run: str, output_format: OutputFormat) -> None:
    """Show the letters of a print run in their order."""
    from msgspec import structs

    from infra.database.engine import open_engine
    from infra.database.migrate import require_current
    from infra.database.print_runs import PrintRuns

    engine = open_engine(settings.database)
    try:
        require_current(engine)
        runs = PrintRuns(engine)
        if runs.run(run) is None:
            raise NoRunError(f"There is no print run {run!r}: cobranza letters list")
        found = runs.letters(run)
    finally:
        engine.dispose()
    print_rows(
        [
            structs.asdict(each)
            | {
                "added_at": each.added_at.isoformat(),
                "enclosures": ", ".join(enclosed.name for enclosed in each.enclosures),
            }
            for each in found
        ],
        columns=_LETTER,
        output_format=output_format,
    )


@letters.command()
@click.argument("company", default="")
@format_option
@click.pass_obj
def close(settings: "Settings", *, company: str, output_format: OutputFormat) -> None:
    """Close the open print runs of COMPANY (without it: of all) and write them out, now.

    Runs that wait to be written out are, too. Where the notifier is at the same
    work, both end with the same files.
    """
    from infra.database.engine import open_engine
    from infra.database.migrate import require_current
    from notifiers.assembly import utc_now
    from notifiers.channel import TemporaryError
    from notifiers.paper.opening import open_closer
    from notifiers.paper.settings import PrintRunSettings
    from notifiers.settings import read_settings

    engine = open_engine(settings.database)
    try:
        require_current(engine)
        closer = open_closer(
            read_settings(PrintRunSettings), data_dir=settings.data_dir, engine=engine, clock=utc_now
        )
        closed = closer.close(company)
    except TemporaryError as error:
        raise OperatorError(
            f"{error.detail}\nThe run is kept as it is: mend this, and close it again."
        ) from error
    finally:
        engine.dispose()
    print_rows([_row(run) for run in closed], columns=_RUN, output_format=output_format)


@letters.command("left-out")
@click.option("--company", default="", help="Of this company only.")
@format_option
@click.pass_obj
def left_out(settings: "Settings", *, company: str, output_format: OutputFormat) -> None:
    """Show letters that were left out of their runs because their files are damaged, until a person settles them."""
    from msgspec import structs

    from infra.database.engine import open_engine
    from infra.database.migrate import require_current
    from infra.database.print_runs import PrintRuns

    engine = open_engine(settings.database)
    try:
        require_current(engine)
        found = PrintRuns(engine).left_out(companies=[company] if company else [])
    finally:
        engine.dispose()
    print_rows([structs.asdict(each) for each in found], columns=_LEFT_OUT, output_format=output_format)


@letters.command()
@click.argument("reminder")
@click.pass_obj
def again(settings: "Settings", *, reminder: str) -> None:
    """Print a letter that was left out with its company's open run, once its file is as it was accepted."""
    from console.left_out import print_again
    from infra.database.engine import open_engine
    from infra.database.migrate import require_current
    from notifiers.assembly import utc_now

    engine = open_engine(settings.database)
    try:
        require_current(engine)
        moved = print_again(reminder, engine=engine, data_dir=settings.data_dir, clock=utc_now)
    finally:
        engine.dispose()
    click.echo(f"{moved.run}/{moved.position:06d}")


@letters.command("give-up")
@click.argument("reminder")
@click.option("--because", required=True, help="Why, for people.")
@click.pass_obj
def give_up(settings: "Settings", *, reminder: str, because: str) -> None:
    """Say that a letter that was left out has failed: the reminder goes by the next channel (R19).

    A damaged letter of a run that waits is left out with that.
    """
    from console.left_out import give_up as given_up
    from infra.database.engine import open_engine
    from infra.database.migrate import require_current
    from notifiers.assembly import utc_now

    engine = open_engine(settings.database)
    try:
        require_current(engine)
        given_up(reminder, because=because, engine=engine, data_dir=settings.data_dir, clock=utc_now)
    finally:
        engine.dispose()


@letters.command()
@click.argument("reference", default="")
@click.option(
    "--file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="A CSV file of the mail room: reference, on, reason.",
)
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), default=None, help="The day it came back.")
@click.option("--reason", default="", help="Why, in the post's words: moved, unknown, refused.")
@format_option
@click.pass_obj
def returned(
    settings: "Settings",
    *,
    reference: str,
    file: Path | None,
    on: datetime.datetime | None,
    reason: str,
    output_format: OutputFormat,
) -> None:
    """Say that a letter came back, or all of a file: its address is bad, the next channel has its turn (R19).

    REFERENCE stands in the foot of the letter; RUN/POSITION of a print run and
    the number of a print-and-post service are known, too. Saying it twice is
    saying it once. With a letter that is not known the exit code is 1.
    """
    from msgspec import structs

    from infra.database.engine import open_engine
    from infra.database.migrate import require_current
    from notifiers.assembly import utc_now
    from notifiers.paper.returns import ReturnedLetter, note_returned, read_returned

    if bool(reference) == (file is not None):
        raise click.UsageError("Name a letter, or a file of letters.")
    if file is not None:
        said = read_returned(file.read_bytes())
    else:
        said = [ReturnedLetter(reference=reference, on=on.date() if on else None, reason=reason)]
    engine = open_engine(settings.database)
    try:
        require_current(engine)
        noted = note_returned(engine, said, now=utc_now())
    finally:
        engine.dispose()
    print_rows([structs.asdict(each) for each in noted], columns=_RETURNED, output_format=output_format)
    if any(each.outcome in ("not found", "not sent") for each in noted):
        sys.exit(1)


def _row(run: "Run") -> dict[str, Any]:
    from msgspec import structs

    times = {
        name: "" if when is None else when.isoformat(timespec="minutes")
        for name, when in (
            ("opened_at", run.opened_at),
            ("closing_at", run.closing_at),
            ("closed_at", run.closed_at),
        )
    }
    return structs.asdict(run) | times

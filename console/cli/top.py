"""``cobranza top``: processes, lags, runs and sendings at a glance."""

import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from infra.metrics.targets import Target
    from infra.settings import Settings

__all__ = ["top"]


@click.command()
@click.argument("addresses", nargs=-1, metavar="[HOST:PORT | URL]...")
@click.option(
    "--targets",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Where the processes answer: a file of Prometheus' file discovery.",
)
@click.option(
    "--partitions",
    "partitions_max",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="How many of the partitions that are most behind are shown.",
)
@click.option("--once", is_flag=True, help="Print one frame and end: for pipes and tests.")
@click.option(
    "--every",
    "every_s",
    type=click.FloatRange(min=0.5, max=60.0),
    default=2.0,
    show_default=True,
    help="Seconds from frame to frame.",
)
@click.pass_obj
def top(
    settings: "Settings",
    *,
    addresses: tuple[str, ...],
    file: Path | None,
    partitions_max: int,
    once: bool,
    every_s: float,
) -> None:
    """Watch processes: those that are named, or those that `cobranza up` runs on this data folder.

    Rates and transaction times are over the time since the frame before; with --once, over one
    second. Ctrl-C ends the watching.
    """
    from rich.console import Console

    from console.glance import Glances, frame

    glances = Glances(_targets(settings, addresses=addresses, file=file))
    stop = threading.Event()
    console = Console()
    if once:
        glances.look()
        stop.wait(1.0)
        console.print(frame(glances.look(), partitions_max=partitions_max))
        return
    from rich.live import Live

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    first = frame(glances.look(), partitions_max=partitions_max)
    with Live(first, console=console, auto_refresh=False, screen=console.is_terminal) as live:
        while not stop.wait(every_s):
            live.update(frame(glances.look(), partitions_max=partitions_max), refresh=True)


def _targets(settings: "Settings", *, addresses: Sequence[str], file: Path | None) -> "list[Target]":
    """Give who is to be asked: what was named, or else what `cobranza up` wrote down."""
    import msgspec

    from infra.metrics.targets import Target, read_targets, targets_file

    named = [Target(process=each, address=each) for each in map(_address, addresses)]
    if file is None and named:
        return named
    try:
        targets = named + read_targets(file or targets_file(settings.data_dir))
    except msgspec.DecodeError as error:
        raise click.ClickException(f"{file}: not a file of Prometheus' file discovery: {error}") from error
    if not targets:
        where = file or settings.data_dir
        raise click.ClickException(f"No processes are known in {where}: cobranza up, --targets, or HOST:PORT")
    return targets


def _address(text: str) -> str:
    """Take ``host:port`` out of what a person writes; a URL's path is ours to know."""
    address = text.partition("://")[2] or text
    address = address.partition("/")[0]
    if not address.rpartition(":")[2].isdigit():
        raise click.BadParameter(f"{text}: HOST:PORT, or http://HOST:PORT")
    return address

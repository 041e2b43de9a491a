"""``cobranza top``: processes, lags, runs and sendings at a glance."""

import signal
import threading
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from infra.settings import Settings

__all__ = ["top"]


@click.command()
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
def top(settings: "Settings", *, once: bool, every_s: float) -> None:
    """Watch the processes that `cobranza up` runs on this data folder (Ctrl-C ends the watching).

    Rates are over the time since the frame before; with --once, over one second.
    """
    from rich.console import Console

    from console.glance import Glances, frame
    from infra.metrics.targets import read_targets, targets_file

    targets = read_targets(targets_file(settings.data_dir))
    if not targets:
        raise click.ClickException(f"No processes are known in {settings.data_dir}: cobranza up")
    glances = Glances(targets)
    stop = threading.Event()
    console = Console()
    if once:
        glances.look()
        stop.wait(1.0)
        console.print(frame(glances.look()))
        return
    from rich.live import Live

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with Live(frame(glances.look()), console=console, auto_refresh=False, screen=console.is_terminal) as live:
        while not stop.wait(every_s):
            live.update(frame(glances.look()), refresh=True)

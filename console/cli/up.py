"""``cobranza up``: everything on one machine, until Ctrl-C."""

import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

import click

from infra.settings import Settings

if TYPE_CHECKING:
    from rich.table import Table

    from console.supervisor import ServiceStatus, Supervisor

__all__ = ["up"]

_REFRESH_S = 0.5
_STYLES = {"running": "green", "waiting": "yellow", "failed": "red", "stopped": "dim"}


@click.command()
@click.option("--no-clock", is_flag=True, help="Without the live clock: for a journal that is played.")
@click.pass_obj
def up(settings: Settings, *, no_clock: bool) -> None:
    """Run broker, workers, projector, notifiers, clock, web and console; restart what dies; stop in order on Ctrl-C.

    Logs are in logs/ of the data folder. The first start downloads the broker.
    `cobranza users add NAME --role administrator` makes the first user of the console.
    """
    from console.installation import prepare, running

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with (
        prepare(settings, say=click.echo) as ready,
        running(
            ready, clock=not no_clock, web=True, console=True, changed=_say_line, say=click.echo
        ) as supervisor,
    ):
        click.echo(f"Kafka is at {ready.brokers()}, the database {ready.database}. Ctrl-C stops all.")
        _watch(supervisor, stop=stop)
        click.echo("Stopping ...")
    click.echo("Stopped.")


def _watch(supervisor: "Supervisor", *, stop: threading.Event) -> None:
    if not sys.stdout.isatty():
        while not stop.wait(_REFRESH_S):
            supervisor.check()
        return
    from rich.live import Live

    with Live(_table(supervisor), refresh_per_second=2, transient=True) as live:
        while not stop.wait(_REFRESH_S):
            live.update(_table(supervisor))
            supervisor.check()


def _say_line(status: "ServiceStatus") -> None:
    if sys.stdout.isatty():
        return
    ended = f", exit code {status.exit_code}" if status.exit_code is not None else ""
    pid = f", pid {status.pid}" if status.pid is not None else ""
    click.echo(f"{status.name}: {status.state}{pid}{ended}")


def _table(supervisor: "Supervisor") -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("process", "state", "for", "pid", "restarts", "log"):
        table.add_column(title)
    now_s = time.monotonic()
    for each in supervisor.status():
        state = f"[{_STYLES[each.state]}]{each.state}[/]"
        table.add_row(
            each.name,
            state,
            f"{now_s - each.since_s:.0f} s",
            str(each.pid or ""),
            str(each.restarts),
            str(each.log_file),
        )
    return table

"""``cobranza kafka start|stop|status``: the local broker."""

import sys

import click

from console.cli.formats import OutputFormat, format_option, print_rows
from infra.settings import Settings

__all__ = ["kafka"]


@click.group()
def kafka() -> None:
    """Run a single-node Apache Kafka on this machine."""


@kafka.command()
@click.option(
    "--port", type=click.IntRange(1, 65_535), help="For clients; default: a free one, then the same."
)
@click.option("--heap", default="512m", show_default=True, help="Java's memory for it (-Xmx).")
@click.pass_obj
def start(settings: Settings, *, port: int | None, heap: str) -> None:
    """Start the broker and wait until it answers; what runs already is left as it is.

    The first start on a machine downloads Kafka (45 MB); every start checks each of its files.
    """
    from infra.kafka.broker import LocalBroker

    address = LocalBroker(settings.broker_dir, port=port, heap=heap).start()
    click.echo(f"Kafka answers on {address}; data and log in {settings.broker_dir}.")


@kafka.command()
@click.pass_obj
def stop(settings: Settings) -> None:
    """Stop the broker; its data stays."""
    from infra.kafka.broker import LocalBroker

    broker = LocalBroker(settings.broker_dir)
    running = broker.status().running
    broker.stop()
    click.echo("Kafka is stopped." if running else "Kafka was not running.")


@kafka.command()
@format_option
@click.pass_obj
def status(settings: Settings, *, output_format: OutputFormat) -> None:
    """Say whether the broker runs, and where; exits with 1 when it does not."""
    from infra.kafka.broker import LocalBroker

    found = LocalBroker(settings.broker_dir).status()
    row = {
        "state": "running" if found.running else "stopped",
        "bootstrap_servers": found.bootstrap_servers,
        "pid": found.pid,
        "log_file": str(found.log_file),
    }
    print_rows([row], columns=list(row), output_format=output_format)
    sys.exit(0 if found.running else 1)

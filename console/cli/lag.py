"""``cobranza lag``: how far each consumer group is behind."""

import sys

import click
import msgspec

from console.cli.formats import OutputFormat, format_option, print_rows
from infra.settings import Settings

__all__ = ["lag"]

_COLUMNS = ("group", "topic", "partition", "committed", "end", "lag")


@click.command()
@format_option
@click.option("--max", "lag_max", type=click.IntRange(min=0), help="Exit with 1 when a lag is above this.")
@click.pass_obj
def lag(settings: Settings, *, output_format: OutputFormat, lag_max: int | None) -> None:
    """Show the lag per group, topic and partition, in records.

    A group that never committed an offset lags by all that there is.
    """
    from infra.kafka.lag import LagReader, watched_groups

    with LagReader(settings.brokers()) as reader:
        found = reader.read(watched_groups(settings, reader=reader))
    print_rows((msgspec.structs.asdict(one) for one in found), columns=_COLUMNS, output_format=output_format)
    above = [one for one in found if lag_max is not None and one.lag > lag_max]
    if above:
        click.echo(f"{len(above)} of {len(found)} partitions lag by more than {lag_max}.", err=True)
    sys.exit(1 if above else 0)

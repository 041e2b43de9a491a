"""``cobranza topics plan|apply|check``: the broker's topics as the registry says."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from console.cli.formats import OutputFormat, format_option, print_rows
from infra.settings import Settings

if TYPE_CHECKING:
    from infra.kafka.topic_plan import Change

__all__ = ["topics"]


@click.group()
def topics() -> None:
    """Compare the broker's topics with the registry, and make them so."""


@topics.command()
@format_option
@click.pass_obj
def plan(settings: Settings, *, output_format: OutputFormat) -> None:
    """Show what apply would do; do nothing."""
    from infra.kafka import topics as on_broker

    _say(on_broker.plan(settings), output_format=output_format)


@topics.command()
@format_option
@click.pass_obj
def apply(settings: Settings, *, output_format: OutputFormat) -> None:
    """Create missing topics and change settings that lose nothing; safe to repeat.

    When a change would lose or move records everything is refused, and said.
    """
    from infra.kafka import topics as on_broker

    _say(on_broker.apply(settings), output_format=output_format)


@topics.command()
@format_option
@click.pass_obj
def check(settings: Settings, *, output_format: OutputFormat) -> None:
    """Show where broker and registry differ; exits with 1 when they do."""
    from infra.kafka import topics as on_broker

    found = on_broker.plan(settings)
    _say(found, output_format=output_format)
    sys.exit(1 if found else 0)


def _say(changes: "Sequence[Change]", *, output_format: OutputFormat) -> None:
    if not changes and output_format == "table":
        click.echo("The topics are as the registry says.")
        return
    rows = [{"action": one.action, "topic": one.topic, "what": one.text} for one in changes]
    print_rows(rows, columns=("action", "topic", "what"), output_format=output_format)

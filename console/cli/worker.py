"""``cobranza worker intake|ledger``: one worker of a stage, in the foreground."""

import asyncio
import logging
from typing import TYPE_CHECKING

import click

from infra.settings import Settings

if TYPE_CHECKING:
    from streams.app import StageName

__all__ = ["worker"]

_member_option = click.option(
    "--member",
    help="A name that no other worker of this stage has: after a kill it has its partitions back at once.",
)


@click.group()
def worker() -> None:
    """Run a worker until it is told to stop (SIGTERM, Ctrl-C); its last transaction ends first.

    It stops of itself, with an error, when only a person can help: facts were lost, links
    do not connect, an output is too large.
    """


@worker.command()
@_member_option
@click.pass_obj
def intake(settings: Settings, *, member: str | None) -> None:
    """Check foreign events and write them to the journal; what is bad goes to the dead letters."""
    _run(settings, stage="intake", member=member)


@worker.command()
@_member_option
@click.pass_obj
def ledger(settings: Settings, *, member: str | None) -> None:
    """Fold the journal: balances, movements, reminders and decisions."""
    _run(settings, stage="ledger", member=member)


def _run(settings: Settings, *, stage: "StageName", member: str | None) -> None:
    from streams.engine.faults import EngineFault

    for name in ("partition", "worker"):
        logging.getLogger(f"streams.engine.{name}").setLevel(logging.INFO)
    try:
        asyncio.run(_serve(settings, stage=stage, member=member))
    except EngineFault as fault:
        raise click.ClickException(f"{type(fault).__name__}: {fault}") from fault


async def _serve(settings: Settings, *, stage: "StageName", member: str | None) -> None:
    from streams.app import build_app
    from streams.engine.serving import serve_until_signal

    # Inside the running loop: Faust's services belong to the loop that they are made in.
    await serve_until_signal(build_app(settings, stage=stage, member=member))

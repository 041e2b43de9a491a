"""``cobranza worker intake|ledger``: one worker of a stage, in the foreground."""

import asyncio
from typing import TYPE_CHECKING

import click

from infra.settings import Settings

if TYPE_CHECKING:
    from streams.names import StageName

__all__ = ["worker"]

_member_option = click.option(
    "--member",
    help="A name that no other worker of this stage has: after a kill it has its partitions back at once.",
)


@click.group()
def worker() -> None:
    """Run a worker until it is told to stop (SIGTERM, Ctrl-C); its last transaction ends first.

    It stops of itself, with an error, when only a person can help: facts were lost, links
    do not connect, an output is too large. It tells so at /metrics for a minute before it ends.
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

    try:
        asyncio.run(_serve(settings, stage=stage, member=member))
    except EngineFault as fault:
        raise click.ClickException(f"{type(fault).__name__}: {fault}") from fault


async def _serve(settings: Settings, *, stage: "StageName", member: str | None) -> None:
    from infra.metrics.server import MetricsServer
    from infra.metrics.settings import MetricsSettings
    from infra.metrics.tally import Tally
    from streams.app import build_app, possible_letters
    from streams.engine.faults import FOR_A_PERSON
    from streams.engine.report import report
    from streams.engine.serving import serve_until_signal, wait_for_signal
    from streams.letters import letter_tally
    from streams.watching import EngineWatch

    metrics = MetricsSettings()
    letters = letter_tally(known=possible_letters(settings, stage=stage))
    # Inside the running loop: Faust's services belong to the loop that they are made in.
    wiped = Tally("cobranza_local_rows_wiped_total", known=[()])
    app = build_app(settings, stage=stage, member=member, letters=letters, wiped=wiped)
    watch = EngineWatch(
        counters=app.engine.counters,
        reports=lambda: report(app),
        lacks=lambda: app.engine.lacks,
        answers=app.engine.answers,
        stage=stage,
        letters=letters,
        stalled_s=metrics.stalled_s,
        wiped=wiped if stage == "ledger" else None,
    )
    looking = asyncio.create_task(watch.look_for_ever())
    try:
        with MetricsServer(metrics, probe=watch, samples=watch.samples):
            try:
                await serve_until_signal(app)
            except FOR_A_PERSON as fault:
                # Ended at once, it would be started again before anybody had read why.
                watch.stopped(fault)
                await wait_for_signal(seconds_max=metrics.stopped_s)
                raise
    finally:
        looking.cancel()

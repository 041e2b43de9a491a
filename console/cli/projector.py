"""``cobranza projector``: keeps the read model up to date with what the ledger says."""

import signal
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from infra.settings import Settings

__all__ = ["projector"]


@click.command()
@click.option("--rebuild", is_flag=True, help="Empty the read model first and read everything again.")
@click.option("--until-end", is_flag=True, help="Stop at the ends that the topics have now.")
@click.pass_obj
def projector(settings: "Settings", *, rebuild: bool, until_end: bool) -> None:
    """Read the ledger's topics into SQL until stopped (Ctrl-C or SIGTERM).

    A rebuild leaves alone what only SQL knows: jobs and tasks.
    """
    import threading

    from infra.database.engine import open_engine
    from infra.database.migrate import require_current
    from infra.metrics.pulse import Pulses
    from infra.metrics.server import MetricsServer
    from infra.metrics.settings import MetricsSettings
    from infra.metrics.tally import Tally
    from infra.projector import Projector, log_ends, open_reader, physical_topics

    stopping = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stopping.set()) for number in (signal.SIGTERM, signal.SIGINT)
    }
    engine = open_engine(settings.database, rebuildable=True)
    require_current(engine)
    reader = open_reader(settings)
    metrics, projected = MetricsSettings(), Tally("cobranza_projected_records_total")
    pulses = Pulses(["projector"], stalled_s=metrics.stalled_s)

    def stepped(records: int, trouble: str) -> None:
        projected.add(count=records)
        pulses.beat("projector", waiting_for=trouble)

    try:
        running = Projector(engine=engine, reader=reader, topics=physical_topics(settings))
        with MetricsServer(metrics, probe=pulses, samples=projected.samples):
            running.start(rebuild=rebuild)
            if until_end:
                count = running.run_to(log_ends(settings), stopping=stopping.is_set)
                click.echo(f"{count} records were read.")
            else:
                running.run(stopping=stopping.is_set, stepped=stepped)
    finally:
        reader.close()
        engine.dispose()
        for number, handler in before.items():
            signal.signal(number, handler)

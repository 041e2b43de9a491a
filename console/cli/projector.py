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
    from infra.projector import Projector, log_ends, open_reader, physical_topics

    stopping = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stopping.set()) for number in (signal.SIGTERM, signal.SIGINT)
    }
    engine = open_engine(settings.database, rebuildable=True)
    require_current(engine)
    reader = open_reader(settings)
    try:
        running = Projector(engine=engine, reader=reader, topics=physical_topics(settings))
        running.start(rebuild=rebuild)
        if until_end:
            click.echo(f"{running.run_to(log_ends(settings), stopping=stopping.is_set)} records were read.")
        else:
            running.run(stopping=stopping.is_set)
    finally:
        reader.close()
        engine.dispose()
        for number, handler in before.items():
            signal.signal(number, handler)

"""``cobranza exporter``: tells Prometheus what belongs to no single process."""

import signal
import threading
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from infra.settings import Settings

__all__ = ["exporter"]


@click.command()
@click.pass_obj
def exporter(settings: "Settings") -> None:
    """Export the lag of every group, and what is due and waits, until stopped (Ctrl-C or SIGTERM).

    One per installation; it reads only. COBRANZA_METRICS_PORT says where.
    """
    from infra.database.engine import open_engine
    from infra.exporter import LOOP, Exporter
    from infra.kafka.lag import LagReader
    from infra.metrics.pulse import Pulses
    from infra.metrics.server import MetricsServer
    from infra.metrics.settings import MetricsSettings

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    limits = MetricsSettings()
    pulses = Pulses([LOOP], stalled_s=limits.stalled_s)
    engine = open_engine(settings.database)
    try:
        running = Exporter(settings, engine=engine, pulses=pulses)
        with (
            MetricsServer(limits, probe=pulses, samples=running.samples),
            LagReader(settings.brokers()) as reader,
        ):
            while not stop.is_set():
                running.read(reader)
                stop.wait(limits.export_every_s)
    finally:
        engine.dispose()

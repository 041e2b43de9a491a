"""``cobranza clock``: the live clock, in the foreground."""

import datetime
import signal
import threading

import click

from infra.settings import Settings

__all__ = ["clock"]


@click.command()
@click.pass_obj
def clock(settings: Settings) -> None:
    """Write a tick every 15 s, until told to stop (SIGTERM, Ctrl-C); facts are never overtaken.

    A tick lets the ledger take decisions. One that waited 60 s for intake names the
    topics that lag, and reminders that depend on it are withheld.
    """
    from infra.metrics.pulse import Pulses
    from infra.metrics.server import MetricsServer
    from infra.metrics.settings import MetricsSettings
    from streams.clock import Clock, in_time, tick_for_ever
    from streams.settings import StreamSettings
    from streams.watching import ClockWatch

    limits, metrics = StreamSettings(), MetricsSettings()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    # A round may rightly take as long as the wait for intake and the pause after it.
    round_s = limits.tick_every_s + limits.tick_patience_s
    pulses = Pulses(["clock"], stalled_s=metrics.stalled_s + round_s)
    watch = ClockWatch(pulses)

    def tick() -> None:
        with Clock(settings, mode="live", patience_s=limits.tick_patience_s, stop=stop) as live:
            tick_for_ever(live, stop=stop, now=_now, every_s=limits.tick_every_s, tell=watch.told)

    with MetricsServer(metrics, probe=pulses, samples=watch.samples):
        in_time(tick, stop=stop)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)

"""``cobranza reports``: mails the reports that people ask for in the console, and those that go by a timetable."""

import signal
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from infra.settings import Settings

__all__ = ["reports"]


@click.command()
@click.pass_obj
def reports(settings: "Settings") -> None:
    """Mail reports until stopped: those asked for in the console, and those that a timetable says.

    They go by the mail channel of the notifiers (COBRANZA_SEND_EMAIL: by default files; sandbox recipients are
    heeded), to addresses that an administrator has allowed in the console.
    """
    import threading

    from console.web.inside.reporting.posting import Poster
    from infra.database.engine import open_engine
    from infra.database.migrate import require_current
    from infra.metrics.pulse import Pulses
    from infra.metrics.server import MetricsServer
    from infra.metrics.settings import MetricsSettings
    from notifiers.assembly import open_channel, utc_now
    from notifiers.settings import SendSettings, SettingsError, read_settings

    try:
        send = read_settings(SendSettings)
    except SettingsError as error:
        raise click.UsageError(str(error)) from error
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    metrics = MetricsSettings()
    pulses = Pulses(["reports"], stalled_s=metrics.stalled_s)
    engine = open_engine(settings.database)
    try:
        require_current(engine)
        channel = open_channel("email", settings=settings, send=send, engine=engine, clock=utc_now)
        with MetricsServer(metrics, probe=pulses, samples=list):
            poster = Poster(engine, channel=channel, clock=utc_now, retry_after_s_max=send.retry_after_s_max)
            poster.run(stopping, beat=lambda: pulses.beat("reports"))
    finally:
        engine.dispose()

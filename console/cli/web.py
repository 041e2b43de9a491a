"""``cobranza web``: the pages behind signed links, and what providers report, over HTTP."""

import signal
import threading
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from infra.settings import Settings

__all__ = ["web"]


@click.command()
@click.option("--host", default=None, help="What to bind (COBRANZA_WEB_HOST; default 127.0.0.1).")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=None, help="COBRANZA_WEB_PORT; default 8480; 0: any."
)
@click.pass_obj
def web(settings: "Settings", *, host: str | None, port: int | None) -> None:
    """Answer readers of messages and providers until stopped (Ctrl-C or SIGTERM).

    Messages have links when COBRANZA_PUBLIC_URL says where this is reached, and
    COBRANZA_LINK_SECRETS what signs them (the same for the notifiers). Something that
    speaks TLS belongs in front of it.
    """
    from console.cli.listening import listening
    from console.web.app import outside_app
    from console.web.outbox import LOOP
    from console.web.serving import counted_by, open_parts, requests_tally, server_of
    from console.web.settings import WebSettings
    from infra.database.engine import open_engine
    from infra.database.migrate import require_current
    from infra.metrics.pulse import Pulses
    from infra.metrics.server import MetricsServer
    from infra.metrics.settings import MetricsSettings
    from notifiers.assembly import utc_now
    from notifiers.links import Links, LinkSettings
    from notifiers.settings import read_settings

    limits = listening(WebSettings, of="the web", host=host, port=port)
    link_settings = read_settings(LinkSettings)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())  # the server has its own while it runs
    metrics = MetricsSettings()
    pulses, requests = Pulses([LOOP], stalled_s=metrics.stalled_s), requests_tally("outside")
    engine = open_engine(settings.database)
    try:
        require_current(engine)
        links = Links(link_settings)
        if links.missing:
            click.echo(links.missing, err=True)
        with (
            open_parts(
                settings, web=limits, links=links, engine=engine, pulses=pulses, clock=utc_now
            ) as parts,
            MetricsServer(metrics, probe=pulses, samples=requests.samples),
        ):
            counted = counted_by(requests, face="outside")
            server_of(outside_app(parts, counted=counted), web=limits, stopping=stopping.is_set).run()
    finally:
        engine.dispose()

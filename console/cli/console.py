"""``cobranza console``: the pages of credit controllers, behind a login."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from infra.settings import Settings

__all__ = ["console"]


@click.command()
@click.option("--host", default=None, help="What to bind (COBRANZA_CONSOLE_HOST; default 127.0.0.1).")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=None,
    help="COBRANZA_CONSOLE_PORT; default 8470; 0: any.",
)
@click.pass_obj
def console(settings: "Settings", *, host: str | None, port: int | None) -> None:
    """Serve the console until stopped (Ctrl-C or SIGTERM): `cobranza users add` makes who may log in.

    It binds this machine only unless told; something that speaks TLS belongs in front of it
    then, with COBRANZA_CONSOLE_IS_HTTPS=true.
    """
    from console.cli.listening import listening
    from console.web.inside.app import inside_app
    from console.web.inside.parts import InsideParts
    from console.web.inside.settings import ConsoleSettings
    from console.web.serving import Publisher, counted_by, requests_tally, server_of
    from infra.database.engine import open_engine
    from infra.database.migrate import require_current
    from infra.database.people import PeopleBook
    from infra.database.probe import DatabaseProbe
    from infra.metrics.server import MetricsServer
    from infra.metrics.settings import MetricsSettings
    from infra.metrics.tally import Tally
    from notifiers.assembly import utc_now

    limits = listening(ConsoleSettings, of="the console", host=host, port=port)
    metrics = MetricsSettings()
    requests, reports = requests_tally("inside"), Tally("cobranza_csp_reports_total", known=[()])
    engine = open_engine(settings.database)
    publisher = Publisher(settings, source="cobranza/console")
    try:
        require_current(engine)
        people = PeopleBook(engine)
        if not people.users():
            click.echo("Nobody may log in yet: cobranza users add NAME --role administrator", err=True)
        parts = InsideParts(
            settings=settings,
            console=limits,
            engine=engine,
            people=people,
            clock=utc_now,
            publish=publisher,
        )
        app = inside_app(parts, counted=counted_by(requests, face="inside"), reported=reports.add)
        with (
            DatabaseProbe(settings.database) as probe,
            MetricsServer(metrics, probe=probe, samples=lambda: (*requests.samples(), *reports.samples())),
        ):
            click.echo(f"http://{limits.host}:{limits.port}")
            server_of(app, web=limits).run()
    finally:
        publisher.close()
        engine.dispose()

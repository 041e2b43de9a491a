"""``cobranza console``: the pages of credit controllers, behind a login."""

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from console.web.inside.settings import ConsoleSettings
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
    from console.web.inside.app import inside_app
    from console.web.inside.parts import InsideParts
    from console.web.serving import Publisher, server_of
    from infra.database.engine import open_engine
    from infra.database.migrate import require_current
    from infra.database.people import PeopleBook
    from notifiers.assembly import utc_now

    limits = _settings(host=host, port=port)
    engine = open_engine(settings.database)
    publisher = Publisher(settings)
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
        click.echo(f"http://{limits.host}:{limits.port}")
        server_of(inside_app(parts), web=limits).run()
    finally:
        publisher.close()
        engine.dispose()


def _settings(*, host: str | None, port: int | None) -> "ConsoleSettings":
    from pydantic import ValidationError

    from console.web.inside.settings import ConsoleSettings

    given: dict[str, Any] = {
        name: value for name, value in (("host", host), ("port", port)) if value is not None
    }
    try:
        return ConsoleSettings(**given)
    except ValidationError as error:
        lines = [
            f"COBRANZA_CONSOLE_{'.'.join(map(str, one['loc'])).upper()}: {one['msg']}"
            for one in error.errors()
        ]
        raise click.UsageError("Settings of the console are wrong:\n" + "\n".join(lines)) from error

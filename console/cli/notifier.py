"""``cobranza notifier``: the sending loops."""

import signal
from typing import TYPE_CHECKING, get_args

import click

from schemas.fields import Channel

if TYPE_CHECKING:
    from infra.settings import Settings

__all__ = ["notifier"]

_CHANNELS = get_args(Channel)


@click.command()
@click.option(
    "--channel",
    "chosen",
    type=click.Choice([*_CHANNELS, "all"]),
    multiple=True,
    default=("all",),
    show_default=True,
    help="Which channels to serve; may be given several times.",
)
@click.option(
    "--member",
    help="A name that no other notifier has: after a kill it has its partitions back at once.",
)
@click.pass_obj
def notifier(settings: "Settings", *, chosen: tuple[str, ...], member: str | None) -> None:
    """Send what the ledger has decided, until stopped (Ctrl-C or SIGTERM).

    Nothing leaves the machine unless a provider is switched on: mail and SMS
    become files in the data folder's outbox, letters PDF files in its letters.
    COBRANZA_SEND_EMAIL=smtp with COBRANZA_SEND_SMTP_HOST sends mail.
    """
    import threading

    from infra.database.engine import open_engine
    from infra.database.migrate import require_current
    from notifiers.serving import serve
    from notifiers.settings import SendSettings

    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    engine = open_engine(settings.database)
    try:
        require_current(engine)
        serve(
            [name for name in _CHANNELS if name in chosen or "all" in chosen],
            settings=settings,
            send=SendSettings(),
            engine=engine,
            member=member,
            stopping=stopping,
        )
    finally:
        engine.dispose()

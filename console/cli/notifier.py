"""``cobranza notifier``: the sending loops."""

import os
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

    \b
    COBRANZA_SEND_EMAIL=smtp   with COBRANZA_SEND_SMTP_HOST and others
    COBRANZA_SEND_EMAIL=ses    with COBRANZA_SEND_SES_REGION and others
    COBRANZA_SEND_SMS=twilio   with COBRANZA_SEND_TWILIO_ACCOUNT_SID and others
    COBRANZA_SEND_LETTER=print_run   gathers letters: COBRANZA_SEND_PRINT_RUN_*
    COBRANZA_SEND_LETTER=post        has them posted: COBRANZA_SEND_POST_*

    To try a provider out without writing to customers, every message can go
    to addresses of your own: COBRANZA_SEND_SANDBOX_EMAIL, _PHONE, _ADDRESS.
    A variable that no setting has is refused. All are in docs/sending.md.
    """
    import threading
    from itertools import chain

    from infra.database.engine import open_engine
    from infra.database.migrate import require_current
    from infra.metrics.pulse import Pulses
    from infra.metrics.server import MetricsServer
    from infra.metrics.settings import MetricsSettings
    from notifiers.assembly import REMINDERS, carrier_faults
    from notifiers.dispatch import sendings_tally
    from notifiers.feedback.publishing import feedback_letters, feedback_tally
    from notifiers.feedback.serving import FEEDBACK
    from notifiers.reading import aside_tally
    from notifiers.serving import serve
    from notifiers.settings import SendSettings, SettingsError, read_settings
    from notifiers.variables import require_known

    try:
        require_known(os.environ)
        send = read_settings(SendSettings)
    except SettingsError as error:
        raise click.UsageError(str(error)) from error
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    channels = [name for name in _CHANNELS if name in chosen or "all" in chosen]
    metrics, sendings, feedback = MetricsSettings(), sendings_tally(channels=channels), feedback_tally()
    others = feedback_letters(source=settings.topic("notify.outcome.v1"))
    letters = aside_tally(channels, source=settings.topic(REMINDERS), others=others)
    pulses = Pulses([*channels, FEEDBACK], stalled_s=metrics.stalled_s)
    engine = open_engine(settings.database)
    try:
        require_current(engine)
        faults = carrier_faults(channels, settings=settings, send=send, engine=engine)
        if faults:
            raise click.UsageError("\n".join(faults.values()))
        with MetricsServer(
            metrics,
            probe=pulses,
            samples=lambda: chain(sendings.samples(), feedback.samples(), letters.samples()),
        ):
            serve(
                channels,
                settings=settings,
                send=send,
                engine=engine,
                member=member,
                stopping=stopping,
                pulses=pulses,
                sendings=sendings,
                feedback=feedback,
                letters=letters,
            )
    finally:
        engine.dispose()

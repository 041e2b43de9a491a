"""Several sending loops in one process: a thread each, and all of them end when one fails."""

import threading
from collections.abc import Callable, Sequence
from functools import partial

import structlog
from sqlalchemy import Engine

from infra.errors import OperatorError
from infra.metrics.pulse import Pulses
from infra.metrics.tally import Tally
from infra.settings import Settings
from notifiers.assembly import open_texts, open_worker, utc_now
from notifiers.bringing import serve_texts
from notifiers.feedback.serving import FEEDBACK, serve_feedback
from notifiers.settings import SendSettings
from schemas.fields import Channel as ChannelName

__all__ = ["serve"]

_log = structlog.get_logger(__name__)


def serve(
    channels: Sequence[ChannelName],
    *,
    settings: Settings,
    send: SendSettings,
    engine: Engine,
    member: str | None,
    stopping: threading.Event,
    pulses: Pulses,
    sendings: Tally,
    feedback: Tally | None = None,
    letters: Tally | None = None,
) -> None:
    """Run the loops of these channels, those of feedback and of companies' texts, until `stopping` is set; it is set when one of them fails.

    `pulses` has a loop for each channel and for ``FEEDBACK``, `sendings` counts attempts, `feedback` what comes back,
    `letters` what is put aside: records that cannot be read, words of nobody.

    Raises:
        Exception: what the first failed loop raised; each that fails has said why in the log.
    """
    failures: list[Exception] = []
    texts = open_texts(settings, engine=engine)
    texts.bring()  # before the first message is written

    def carry(name: ChannelName) -> None:
        with open_worker(
            name,
            settings=settings,
            send=send,
            engine=engine,
            member=member,
            pulses=pulses,
            sendings=sendings,
            letters=letters,
        ) as worker:
            worker.run(stopping=stopping.is_set)

    def take_back() -> None:
        serve_feedback(
            settings, engine=engine, stopping=stopping, pulses=pulses, tally=feedback, letters=letters
        )

    def begun(name: str, work: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - raised again below, in the thread that waits
                failures.append(error)
                stopping.set()
                _tell(error, loop=name)

        return threading.Thread(target=run, name=f"notify-{name}")

    threads = [begun(name, partial(carry, name)) for name in channels]
    threads.append(begun(FEEDBACK, take_back))
    threads.append(begun("texts", partial(serve_texts, texts, clock=utc_now, stopping=stopping)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def _tell(error: Exception, *, loop: str) -> None:
    """Say why a loop ends, and all others with it: the process then ends with 1, and its supervisor starts another."""
    _log.error(
        "notifier_gives_up",
        loop=loop,
        why=f"{type(error).__name__}: {error}",
        exc_info=None if isinstance(error, OperatorError) else error,
    )

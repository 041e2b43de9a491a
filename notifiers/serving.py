"""Several sending loops in one process: a thread each, and all of them end when one fails."""

import threading
from collections.abc import Sequence

from sqlalchemy import Engine

from infra.metrics.pulse import Pulses
from infra.metrics.tally import Tally
from infra.settings import Settings
from notifiers.assembly import open_texts, open_worker, utc_now
from notifiers.bringing import serve_texts
from notifiers.feedback.serving import serve_feedback
from notifiers.settings import SendSettings
from schemas.fields import Channel as ChannelName

__all__ = ["serve"]


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
        Exception: what the first failed loop raised.
    """
    failures: list[Exception] = []
    texts = open_texts(settings, engine=engine)
    texts.bring()  # before the first message is written

    def run(name: ChannelName) -> None:
        try:
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
        except Exception as error:  # noqa: BLE001 - raised again below, in the thread that waits
            failures.append(error)
            stopping.set()

    def run_feedback() -> None:
        try:
            serve_feedback(
                settings, engine=engine, stopping=stopping, pulses=pulses, tally=feedback, letters=letters
            )
        except Exception as error:  # noqa: BLE001 - raised again below, in the thread that waits
            failures.append(error)
            stopping.set()

    def run_texts() -> None:
        try:
            serve_texts(texts, clock=utc_now, stopping=stopping)
        except Exception as error:  # noqa: BLE001 - raised again below, in the thread that waits
            failures.append(error)
            stopping.set()

    threads = [threading.Thread(target=run, args=(name,), name=f"notify-{name}") for name in channels]
    threads.append(threading.Thread(target=run_feedback, name="notify-feedback"))
    threads.append(threading.Thread(target=run_texts, name="notify-texts"))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]

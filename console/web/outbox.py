"""The way of readers' answers to Kafka: rows of SQL that are not known to be there are published until they are.

One thread; what it publishes twice (a crash between Kafka and SQL) has the same id and counts once.
"""

import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from msgspec import json

from console.publishing import PublishError
from infra.database.links import LinkBook
from infra.metrics.pulse import Pulses
from schemas.answers import GiveAnswer
from schemas.commands import OptOut
from schemas.journal import SourceEvent

__all__ = ["LOOP", "Outbox"]

LOOP: Final = "answers"
_BATCH: Final = 200
_IDLE_S: Final = 2.0
_TIDY_EVERY_S: Final = 3600.0
_log = structlog.get_logger(__name__)
_decoder: json.Decoder[GiveAnswer | OptOut] = json.Decoder(GiveAnswer | OptOut)


class Outbox:
    """Publishes until told to stop.

    Args:
        book: where answers are kept.
        publish: puts events on their topics, or raises ``PublishError``.
        pulses: has a loop ``LOOP``; told after each round, with what it waits for.
        tidy: called at the start and then once an hour.
        crashed: called when the loop ends by an error of another kind (``stop`` raises it then): without
            it answers would wait for ever, so the process is to end, and be started again.
    """

    def __init__(
        self,
        book: LinkBook,
        *,
        publish: Callable[[Sequence[SourceEvent]], None],
        pulses: Pulses,
        tidy: Callable[[], object] = lambda: None,
        crashed: Callable[[], None] = lambda: None,
    ) -> None:
        self._crashed, self._failure = crashed, list[Exception]()
        self._book, self._publish, self._pulses, self._tidy = book, publish, pulses, tidy
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="answers", daemon=True)

    def start(self) -> None:
        """Begin in a thread of its own."""
        self._thread.start()

    def wake(self) -> None:
        """Say that there is something new."""
        self._wake.set()

    def stop(self) -> None:
        """End after the round that runs; what is left is published by the next process.

        Raises:
            Exception: what the loop ended by.
        """
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._failure:
            raise self._failure[0]

    def step(self) -> int:
        """Publish what there is; return how many answers.

        Raises:
            PublishError: Kafka does not take them.
        """
        kept = self._book.unpublished(limit=_BATCH)
        if kept:
            self._publish([_decoder.decode(each.event_json) for each in kept])
            self._book.mark_published(each.command for each in kept)
        return len(kept)

    def _run(self) -> None:
        try:
            self._loop()
        except Exception as error:  # noqa: BLE001 - raised again by ``stop``, in the thread that ends all
            self._failure.append(error)
            self._crashed()

    def _loop(self) -> None:
        tidied_at_s = -math.inf
        while not self._stopping.is_set():
            self._wake.clear()
            if time.monotonic() - tidied_at_s > _TIDY_EVERY_S:
                self._tidy()
                tidied_at_s = time.monotonic()
            trouble = ""
            try:
                while self.step() == _BATCH:
                    pass
            except PublishError as error:
                trouble = f"Kafka does not take answers: {error}"
                _log.error("answers_wait", detail=str(error))
            self._pulses.beat(LOOP, waiting_for=trouble)
            self._wake.wait(_IDLE_S)

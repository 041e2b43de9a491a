"""The way of readers' answers to Kafka: rows of SQL that are not known to be there are published until they are.

One thread; what it publishes twice (a crash between Kafka and SQL) has the same id and counts once.
"""

import threading
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
_log = structlog.get_logger(__name__)
_decoder: json.Decoder[GiveAnswer | OptOut] = json.Decoder(GiveAnswer | OptOut)


class Outbox:
    """Publishes until told to stop.

    Args:
        book: where answers are kept.
        publish: puts events on their topics, or raises ``PublishError``.
        pulses: has a loop ``LOOP``; told after each round, with what it waits for.
    """

    def __init__(
        self,
        book: LinkBook,
        *,
        publish: Callable[[Sequence[SourceEvent]], None],
        pulses: Pulses,
    ) -> None:
        self._book, self._publish, self._pulses = book, publish, pulses
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
        """End after the round that runs; what is left is published by the next process."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

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
        while not self._stopping.is_set():
            self._wake.clear()
            trouble = ""
            try:
                while self.step() == _BATCH:
                    pass
            except PublishError as error:
                trouble = f"Kafka does not take answers: {error}"
                _log.error("answers_wait", detail=str(error))
            self._pulses.beat(LOOP, waiting_for=trouble)
            self._wake.wait(_IDLE_S)

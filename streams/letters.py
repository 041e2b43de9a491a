"""Dead letters as they are counted and told: once each, when the transaction that holds them is in the log."""

from collections.abc import Iterable
from typing import Final

import structlog

from infra.metrics.tally import Tally
from schemas.dead_letters import DeadLetter

__all__ = ["LetterBook", "letter_tally"]

# A flood of bad records must not become a flood of lines; the topic has them all.
_LINES_PER_STEP_MAX: Final = 20
_log = structlog.get_logger(__name__)


def letter_tally(*, known: Iterable[tuple[str, str, str]] = ()) -> Tally:
    """Make the count of dead letters that the stages of a process share.

    ``known``: stage, physical topic and reason of those that may come.
    """
    return Tally("cobranza_dead_letters_total", known=known)


class LetterBook:
    """The dead letters of one partition's current step; `tally` gets those that are committed."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._open: list[tuple[DeadLetter, str]] = []

    def note(self, letter: DeadLetter, *, event_id: str) -> None:
        """Note a letter of the step that is being made; `event_id` is "" where none can be read."""
        self._open.append((letter, event_id))

    def commit(self) -> None:
        """Count and tell the step's letters: they are in the log."""
        for index, (letter, event_id) in enumerate(self._open):
            self._tally.add(letter.stage, letter.topic, letter.reason)
            if index < _LINES_PER_STEP_MAX:
                _log.warning(
                    "dead_letter",
                    event_id=event_id,
                    stage=letter.stage,
                    reason=letter.reason,
                    detail=letter.detail,
                    topic=letter.topic,
                    partition=letter.partition,
                    offset=letter.offset,
                )
        more = len(self._open) - _LINES_PER_STEP_MAX
        if more > 0:
            letter, _ = self._open[-1]
            _log.warning("dead_letters_more", count=more, topic=letter.topic, partition=letter.partition)
        self._open.clear()

    def discard(self) -> None:
        """Forget the step's letters: the same records come again."""
        self._open.clear()

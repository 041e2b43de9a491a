"""When words of people and providers are trimmed: once a day, a batch at a time, beside the work of the loop."""

import datetime
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

import structlog
from sqlalchemy import Engine

from infra.database.trimming import trim_words

__all__ = ["Trimmer"]

_EVERY: Final = datetime.timedelta(days=1)
_log = structlog.get_logger(__name__)


class Trimmer:
    """Empties texts that are older than the retention.

    Several of them on one database do no harm: what one has emptied the other passes over.

    Args:
        engine: of the database.
        clock: the wall clock, UTC.
        kept_days: so long a text is kept.
    """

    def __init__(self, engine: Engine, *, clock: Callable[[], datetime.datetime], kept_days: int) -> None:
        self._engine = engine
        self._clock = clock
        self._kept = datetime.timedelta(days=kept_days)
        self._began_at: datetime.datetime | None = None
        self._batches: Iterator[tuple[str, int]] = iter(())
        self._counted: Counter[str] = Counter()

    def step(self) -> bool:
        """Do one batch, if the day's turn has come; False: there is nothing to do at present."""
        now = self._clock()
        if self._began_at is None or now - self._began_at >= _EVERY:
            self._began_at = now
            self._batches = trim_words(self._engine, before=now - self._kept, now=now)
        done = next(self._batches, None)
        if done is not None:
            self._counted[done[0]] += done[1]
            return True
        if self._counted:
            _log.info("words_trimmed", **self._counted)
            self._counted.clear()
        return False

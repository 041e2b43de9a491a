"""An account's day told again from its journal, with how far the reading is: for the command line, and for a page that waits.

Only the account's own partition is read, of the journal and of what its ledger raised on.
"""

import datetime
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from console.logs import LogError, partitions_of, read_log
from console.replaying import raised_on
from infra.kafka.consumers import consumer
from infra.settings import Settings
from processors.retelling import DayTold, retell
from streams.intake import place
from streams.names import JOURNAL

__all__ = ["Progress", "told_of"]

# Told (records read, records there are) now and then.
Progress = Callable[[int, int], None]
_DECISIONS = "collections.decision.v1"
_TOLD_EVERY = 500


def told_of(
    settings: Settings,
    *,
    account: str,
    day: datetime.date | None,
    progress: Progress = lambda _done, _total: None,
    seconds_max: float | None = None,
) -> DayTold:
    """Read an account's partition of the journal and tell the day; None: the newest that it has.

    Args:
        settings: names the broker.
        account: ``'<company>:<customer>'``.
        day: a company day.
        progress: is told how far the reading is.
        seconds_max: it is given up after so long; None: never.

    Raises:
        LogError: a log cannot be read, or not in time.
    """
    number = place(account, partitions=len(partitions_of(settings, topic=JOURNAL)))
    total = sum(_end(settings, topic=topic, partition=number) for topic in (_DECISIONS, JOURNAL))
    until = None if seconds_max is None else time.monotonic() + seconds_max
    counted = _Counted(progress, total=total, until=until)
    failures = raised_on(
        record.value for record in counted.over(read_log(settings, topic=_DECISIONS, partition=number))
    )
    records = counted.over(read_log(settings, topic=JOURNAL, partition=number))
    return retell(records, account=account, day=day, number=number, failures=failures)


def _end(settings: Settings, *, topic: str, partition: int) -> int:
    """Give the offset at which a partition ends."""
    from kafka import TopicPartition

    reader = consumer(bootstrap_servers=settings.brokers(), group=None)
    try:
        own = TopicPartition(settings.topic(topic), partition)
        return int(reader.end_offsets([own])[own])
    finally:
        reader.close()


class _Counted:
    """Lets records by, and says where they are."""

    def __init__(self, progress: Progress, *, total: int, until: float | None) -> None:
        self._progress, self._total, self._until = progress, total, until
        self._before = 0

    def over(self, records: Iterable[Any]) -> Iterator[Any]:
        """Give the records of one log.

        Raises:
            LogError: the time is over.
        """
        last = -1
        for number, record in enumerate(records):
            last = record.offset
            if number % _TOLD_EVERY == 0:
                if self._until is not None and time.monotonic() > self._until:
                    raise LogError("reading the journal took too long, and was given up")
                self._progress(self._before + last + 1, self._total)
            yield record
        self._before += last + 1
        self._progress(self._before, self._total)

"""While a provider takes nothing: until when a partition's jobs wait, longer with each try in a row.

It keeps no word of it: a new process begins with the shortest wait. Which answer means that
everything waits is said by the channel (``TemporaryError.provider_down``), not here.
"""

import datetime
from collections.abc import Callable

__all__ = ["Outages"]


class Outages:
    """The partitions of a worker that wait for the provider of its channel.

    Args:
        clock: the wall clock, UTC.
        retry_at: gives the instant of the next try after so many in a row.
    """

    def __init__(
        self, *, clock: Callable[[], datetime.datetime], retry_at: Callable[[int], datetime.datetime]
    ) -> None:
        self._clock = clock
        self._retry_at = retry_at
        self._until: dict[int, datetime.datetime] = {}
        self._in_a_row: dict[int, int] = {}

    @property
    def closed(self) -> set[int]:
        """Partitions whose jobs wait at present."""
        now = self._clock()
        return {partition for partition, until in self._until.items() if until > now}

    def down(self, partition: int) -> datetime.datetime:
        """Note that the provider took nothing, and give the instant until which the partition waits.

        Answers that come side by side are one try.
        """
        if partition not in self.closed:
            self._in_a_row[partition] = self._in_a_row.get(partition, 0) + 1
            self._until[partition] = self._retry_at(self._in_a_row[partition])
        return self._until[partition]

    def answered(self, partition: int) -> None:
        """Note that the provider has judged a message: the next outage begins with the shortest wait."""
        self._in_a_row.pop(partition, None)

    def forget(self) -> None:
        """Let all partitions try at once: which are ours has changed."""
        self._until.clear()
        self._in_a_row.clear()

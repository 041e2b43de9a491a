"""Whether what is there arrives: what a reader whose poll brings nothing says at ``/readyz``.

A poll that brings nothing may mean that there is nothing, that the broker is away, or that what is there
does not come. The ends of the logs, asked for now and then while nothing comes, tell these apart.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final

from kafka import TopicPartition
from kafka.errors import KafkaError

__all__ = ["Arrivals"]

_LOOK_EVERY_S: Final = 5.0
# A record is usually here within a second; one that has just been written is not missing yet.
_AWAITED_S_MAX: Final = 30.0

Positions = Mapping[TopicPartition, int]


class Arrivals:
    """Looks on while somebody reads, and says what is wrong.

    Args:
        ends: asks the broker for the ends of these partitions; raises ``KafkaError`` when it does not answer.
        now_s: a clock that never goes back.
    """

    def __init__(
        self,
        ends: Callable[[list[TopicPartition]], Positions],
        *,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ends, self._now_s = ends, now_s
        self._positions: dict[TopicPartition, int] = {}
        self._moved_s = self._look_at_s = now_s()
        self._trouble = ""

    def trouble(self, positions: Positions) -> str:
        """Say why nothing comes that should, "" when something came or nothing is there; `positions` are read next."""
        now_s = self._now_s()
        if positions != self._positions:
            self._positions = dict(positions)
            self._moved_s, self._look_at_s, self._trouble = now_s, now_s + _LOOK_EVERY_S, ""
        elif now_s >= self._look_at_s:
            self._trouble = self._look(now_s)
            self._look_at_s = self._now_s() + _LOOK_EVERY_S
        return self._trouble

    def _look(self, now_s: float) -> str:
        try:
            ends = self._ends(list(self._positions))
        except KafkaError as error:
            return f"the broker does not answer: {error!r}"
        missing = sum(max(0, end - self._positions[each]) for each, end in ends.items())
        if not missing:
            self._moved_s = now_s
        awaited_s = now_s - self._moved_s
        return f"none of {missing} records came for {awaited_s:.0f} s" if awaited_s > _AWAITED_S_MAX else ""

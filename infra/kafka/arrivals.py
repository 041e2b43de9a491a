"""Whether what is there arrives: what a reader with partitions that bring nothing says at ``/readyz``.

A partition that brings nothing may have nothing, its broker may be away, or what is there does not come.
The ends of the quiet logs, asked for now and then, tell these apart, partition by partition: one that is stuck
is told also while the others are read.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from kafka import TopicPartition
from kafka.errors import KafkaError

__all__ = ["Arrivals"]

_LOOK_EVERY_S: Final = 5.0
# To ask a broker that does not answer costs the reader the whole time-out each time.
_LOOK_AGAIN_S: Final = 10.0
# A record is usually here within a second; one that has just been written is not missing yet.
_AWAITED_S_MAX: Final = 30.0
# While much is read, a partition's turn may come after all the others'.
_TURN_S_MAX: Final = 120.0
_NAMED_MAX: Final = 3

Positions = Mapping[TopicPartition, int]


class Arrivals:
    """Looks on while somebody reads, and says what is wrong.

    Args:
        ends: asks the broker for the ends of these partitions, for a second or so at most; raises ``KafkaError``
            when it does not answer.
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
        # Since when each partition waits: it was read on, or was seen to have nothing.
        self._waits_from_s: dict[TopicPartition, float] = {}
        self._read_s = self._look_at_s = now_s()
        # What does not come: records, and for how many seconds.
        self._missing: dict[TopicPartition, tuple[int, float]] = {}
        # Of which partitions the broker did not say the ends, and how.
        self._unanswered: set[TopicPartition] = set()
        self._error = ""

    def trouble(self, positions: Positions) -> str:
        """Say why nothing comes that should, "" when all that is there comes; `positions` are read next."""
        now_s = self._now_s()
        if positions.keys() != self._positions.keys():
            self._begin(positions, now_s)
        self._note_moved(positions, now_s)
        if now_s >= self._look_at_s:
            self._look(now_s)
        return "; ".join(self._told())

    def _begin(self, positions: Positions, now_s: float) -> None:
        """Note who is read from now on; of those who stay what is known stays: a pause of others says nothing of them."""
        stay = positions.keys() & self._positions.keys()
        if not stay:
            self._read_s, self._look_at_s = now_s, now_s + _LOOK_EVERY_S
        self._positions = {each: self._positions.get(each, at) for each, at in positions.items()}
        self._waits_from_s = {each: self._waits_from_s[each] if each in stay else now_s for each in positions}
        self._missing = {each: told for each, told in self._missing.items() if each in stay}
        self._unanswered &= stay

    def _note_moved(self, positions: Positions, now_s: float) -> None:
        moved = {each for each, at in positions.items() if at != self._positions[each]}
        if not moved:
            return
        self._read_s = now_s
        self._positions = dict(positions)
        self._waits_from_s.update(dict.fromkeys(moved, now_s))
        self._unanswered -= moved
        for each in moved & self._missing.keys():
            del self._missing[each]

    def _look(self, now_s: float) -> None:
        quiet = [each for each, from_s in self._waits_from_s.items() if now_s - from_s >= _LOOK_EVERY_S]
        self._look_at_s = now_s + _LOOK_EVERY_S
        if not quiet:
            return
        try:
            ends = self._ends(quiet)
        except KafkaError as error:
            # One that has no leader leaves all that were asked for without an answer.
            self._unanswered, self._error = set(quiet), repr(error)
            self._look_at_s = self._now_s() + _LOOK_AGAIN_S
            return
        self._look_at_s = self._now_s() + _LOOK_EVERY_S
        self._unanswered = set()
        is_reading = now_s - self._read_s <= _AWAITED_S_MAX
        for each, end in ends.items():
            self._weigh(each, missing=end - self._positions[each], now_s=now_s, is_reading=is_reading)

    def _weigh(self, partition: TopicPartition, *, missing: int, now_s: float, is_reading: bool) -> None:
        if missing <= 0:
            self._waits_from_s[partition] = now_s
            self._missing.pop(partition, None)
            return
        awaited_s = now_s - self._waits_from_s[partition]
        # What has been told stays told, though others are read again meanwhile.
        if partition in self._missing or awaited_s > (_TURN_S_MAX if is_reading else _AWAITED_S_MAX):
            self._missing[partition] = (missing, awaited_s)

    def _told(self) -> list[str]:
        told = []
        if self._unanswered:
            told.append(f"the broker does not answer: {self._error} ({_named(self._unanswered)})")
        if self._missing:
            records = sum(missing for missing, _ in self._missing.values())
            awaited_s = max(awaited_s for _, awaited_s in self._missing.values())
            told.append(f"none of {records} records came for {awaited_s:.0f} s ({_named(self._missing)})")
        return told


def _named(partitions: Iterable[TopicPartition]) -> str:
    names = [f"{each.topic} {each.partition}" for each in sorted(partitions)]
    more = f" and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else ""
    return ", ".join(names[:_NAMED_MAX]) + more

"""Lag in seconds: how long ago the end of a log was where a group is now.

It is told from the ends that were seen before, not from records: no record is read, open
transactions and compacted topics are no special case. It is as fine as the readings are
frequent; what was unread at the first one counts from then, which is a lower bound.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from infra.kafka.lag import PartitionLag

__all__ = ["LagAges"]

_SEEN_MAX: Final = 512


@dataclass(slots=True)
class _Seen:
    """The log's end was here from the first instant to the last, as far as was seen."""

    end: int
    first_s: float
    last_s: float


class LagAges:
    """Remembers the ends of each partition, at most 512 of them, the older the sparser."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, int], list[_Seen]] = {}

    def ages(self, lags: Sequence[PartitionLag], *, now_s: float) -> list[float]:
        """Return the lag of each, in seconds; `now_s` never goes back from call to call."""
        for each in lags:
            self._remember(each, now_s)
        return [self._age(each, now_s) for each in lags]

    def _remember(self, lag: PartitionLag, now_s: float) -> None:
        seen = self._seen.setdefault((lag.topic, lag.partition), [])
        if seen and seen[-1].end > lag.end:
            seen.clear()  # another log of the same name
        if seen and seen[-1].end == lag.end:
            seen[-1].last_s = now_s
            return
        seen.append(_Seen(lag.end, now_s, now_s))
        if len(seen) > _SEEN_MAX:
            del seen[1 : _SEEN_MAX // 2 : 2]

    def _age(self, lag: PartitionLag, now_s: float) -> float:
        if lag.lag == 0:
            return 0.0
        seen = self._seen[lag.topic, lag.partition]
        position = lag.end - lag.lag
        reached = [index for index, one in enumerate(seen) if one.end <= position]
        if not reached:
            return now_s - seen[0].first_s
        before = seen[reached[-1]]
        if before is seen[-1]:
            return 0.0
        after = seen[reached[-1] + 1]
        share = (position - before.end) / (after.end - before.end)
        return now_s - (before.last_s + share * (after.first_s - before.last_s))

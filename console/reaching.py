"""Waits until what was just published has been taken in, folded and projected, whatever comes after it."""

import time
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from infra.kafka.lag import PartitionLag
from infra.projector import GROUP as PROJECTOR
from infra.projector import TOPICS as PROJECTED
from infra.settings import Settings
from streams.names import JOURNAL, SOURCES

__all__ = ["stages_of", "wait_until_read"]

_POLL_S: Final = 0.05
Groups = Mapping[str, Sequence[str]]


class Lags(Protocol):
    """What tells how far groups are (``LagReader``)."""

    def read(self, groups: Groups) -> list[PartitionLag]:  # pragma: no cover - a protocol
        """Give the lag of each group on each partition."""
        ...


def stages_of(settings: Settings) -> list[Groups]:
    """Give the groups that a command passes through, in their order, each with its topics."""
    stages = (("intake", SOURCES), ("ledger", (JOURNAL,)), (PROJECTOR, PROJECTED))
    return [{settings.group(name): [settings.topic(each) for each in topics]} for name, topics in stages]


def wait_until_read(reader: Lags, *, stages: Sequence[Groups], seconds_max: float) -> bool:
    """Wait until each stage has read what was there when the one before had; False: it took too long.

    What is written meanwhile is not waited for, so that it ends on a busy installation too.
    """
    until_s = time.monotonic() + seconds_max
    for groups in stages:
        ends = {(each.topic, each.partition): each.end for each in reader.read(groups)}
        while any(_is_behind(each, ends[each.topic, each.partition]) for each in reader.read(groups)):
            if time.monotonic() > until_s:
                return False
            time.sleep(_POLL_S)
    return True


def _is_behind(each: PartitionLag, end: int) -> bool:
    return end > 0 and each.lag > 0 and (each.committed is None or each.committed < end)

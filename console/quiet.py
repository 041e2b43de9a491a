"""When nothing is going on: no group lags, and no delivery that may run lacks its outcome.

Quiet is judged in an order that cannot be fooled: committed offsets before ends
(``LagReader``), jobs after that, then all again. Nothing that was read between
can have written anything that the second look does not see.
"""

import datetime
import time
from collections.abc import Callable, Mapping, Sequence
from typing import get_args

from sqlalchemy import Engine, func, select

from infra.database.engine import reading
from infra.database.send_ledger import unfinished
from infra.database.tables import clocks
from infra.errors import OperatorError
from infra.kafka.lag import LagReader, PartitionLag
from infra.projector import GROUP as PROJECTOR
from infra.projector import TOPICS as PROJECTED
from infra.settings import Settings
from schemas.fields import Channel
from streams.names import JOURNAL, SOURCES

__all__ = ["NotQuietError", "Quiet", "groups_of"]

_STALLED_S_MAX = 150.0
# Asking the broker costs both sides some milliseconds of work that the waited-for could use.
_POLL_S = 0.01
_GLANCE_S = 0.005
_GLANCES_S_MAX = 2.0
# On a busy machine each look takes from those who are waited for: it is taken ever less often, and adds so much at
# most to what has been waited already.
_GLANCE_SHARE = 1 / 16


class NotQuietError(OperatorError):
    """Nothing has moved for minutes and something is still to be done; says what."""


def groups_of(settings: Settings) -> dict[str, list[str]]:
    """Give every consumer group of an installation with its topics, started or not."""
    stages = {"intake": list(SOURCES), "ledger": [JOURNAL]}
    senders = {f"notify-{channel}": ["collections.reminder.v1"] for channel in get_args(Channel)}
    groups = {**stages, PROJECTOR: list(PROJECTED), **senders}
    return {settings.group(name): [settings.topic(each) for each in names] for name, names in groups.items()}


class Quiet:
    """Waits for quiet on one installation.

    Args:
        reader: asked every few milliseconds.
        groups: consumer group -> physical topics.
        engine: of the database with the send ledger; None: deliveries are not waited for.
        check: called while waiting; raises when waiting is in vain (a worker has failed).
    """

    def __init__(
        self,
        *,
        reader: LagReader,
        groups: Mapping[str, Sequence[str]],
        engine: Engine | None,
        check: Callable[[], None] = lambda: None,
        stalled_s_max: float = _STALLED_S_MAX,
    ) -> None:
        self._reader = reader
        self._groups = groups
        self._engine = engine
        self._check = check
        self._stalled_s_max = stalled_s_max

    def wait(self, *, at: datetime.datetime | None) -> None:
        """Wait until nothing is left to do at the newest tick ``at`` (None: there was none).

        Raises:
            NotQuietError: nothing moved for a minute; names the groups and their lags.
        """
        self._glance(at)
        before: list[PartitionLag] = []
        moved_at_s = time.monotonic()
        quiet_before = False
        while True:
            asked_s = time.monotonic()
            lags = self._reader.read(self._groups)
            took_s = time.monotonic() - asked_s
            lagging = [each for each in lags if each.lag > 0]
            if quiet_before and lags == before:
                return
            jobs = 0 if lagging else self._jobs(at)
            quiet_before = not lagging and jobs == 0
            if lags != before:
                before, moved_at_s = lags, time.monotonic()
            elif time.monotonic() - moved_at_s > self._stalled_s_max:
                raise NotQuietError(_stalled(lagging, jobs=jobs, seconds=self._stalled_s_max))
            self._check()
            # With thousands of partitions asking is work: half of the time is left to the waited-for.
            time.sleep(0 if quiet_before else max(_POLL_S, took_s))

    def _glance(self, at: datetime.datetime | None) -> None:
        """Wait, at little cost and not for long, until SQL has seen the tick and its deliveries are done.

        It proves nothing (what follows does); it spares the broker questions with a known answer.
        """
        began_s = time.monotonic()
        while self._engine is not None and at is not None and _since(began_s) < _GLANCES_S_MAX:
            with reading(self._engine) as connection:
                seen = connection.execute(select(func.min(clocks.c["at"]))).scalar()
            if seen is not None and seen >= at and self._jobs(at) == 0:
                return
            time.sleep(max(_GLANCE_S, _since(began_s) * _GLANCE_SHARE))

    def _jobs(self, at: datetime.datetime | None) -> int:
        if self._engine is None or at is None:
            return 0
        return unfinished(self._engine, at=at)


def _since(moment_s: float) -> float:
    return time.monotonic() - moment_s


def _stalled(lagging: Sequence[PartitionLag], *, jobs: int, seconds: float) -> str:
    behind: dict[str, int] = {}
    for each in lagging:
        behind[each.group] = behind.get(each.group, 0) + each.lag
    said = [f"  group {group} is {count} records behind" for group, count in behind.items()]
    if jobs:
        said.append(f"  {jobs} deliveries have no outcome")
    return "\n".join(
        [
            f"Nothing has moved for {seconds:g} s, and there is still work:",
            *said,
            "Do the workers run? cobranza up",
        ]
    )

"""How long a delivery waits, whatever for, and how that ends: with an outcome, so that the next channel has its turn (R19).

::

    provider, pace, its turn, the read model ──► the days since it began to wait are over ──► failed, expired
    a cap of the day ──► put off again when they are over ──► failed, cap_reached
    hours, the register of the law ──► put off again when they are over ──► failed, expired

A gate's word is kept: what it has put off until an instant is tried then, however late that is and
whether or not a notifier was there at that instant. It refuses to end
what has changed meanwhile (R32), which is superseded, and what may have been handed over.
"""

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import json

from infra.database.send_ledger import SendLedger
from infra.database.send_values import Ending, Job, Postponement
from notifiers.following import events_behind
from notifiers.gates.gate import Wait
from notifiers.noting import Noter
from notifiers.outcomes import occurred_at
from schemas.facts import ReminderDecided
from schemas.outcomes import ErrorType

__all__ = ["Patience"]

_BATCH: Final = 50
# What a gate lets go at an instant has its turn within this, or it waits for something else by then.
_TURN: Final = datetime.timedelta(hours=1)
_CAPPED: Final = "daily_cap"
_BEHIND: Final = "the read model is not as far as it needs (R32)"
_NO_TURN: Final = "it had no turn"
_decoder = json.Decoder(ReminderDecided)


class Patience:
    """Ends what waits for too long, of one channel.

    Args:
        ledger: where the deliveries are.
        noter: writes down what becomes of them.
        days: for how many days one may wait; 0: without end.
        clock: the wall clock, UTC.
    """

    def __init__(
        self, *, ledger: SendLedger, noter: Noter, days: float, clock: Callable[[], datetime.datetime]
    ) -> None:
        self._ledger = ledger
        self._noter = noter
        self._days = datetime.timedelta(days=days) if days else None
        self._clock = clock

    def reckon(self, *, partitions: Sequence[int]) -> None:
        """Have the days that are set now hold for what waits already; what came up while nobody was there has a turn."""
        self._ledger.waits.reckon(partitions=partitions, now=self._clock(), days=self._days, turn=_TURN)

    def give_up(self, *, partitions: Sequence[int]) -> int:
        """Note what waits, end what has waited for too long; return how many ended."""
        now = self._clock()
        if self._days is not None:
            self._ledger.waits.begin(partitions=partitions, now=now, days=self._days)
        jobs = self._ledger.waited_too_long(partitions=partitions, now=now, limit=_BATCH)
        if not jobs:
            return 0
        behind = self._ledger.waits.behind([job.reminder for job in jobs], now=now)
        details = {
            job.reminder: _BEHIND if job.reminder in behind else job.detail or _NO_TURN for job in jobs
        }
        return self._end(
            {job.reminder: job for job in jobs},
            [self._noter.given_up(job, detail=details[job.reminder]) for job in jobs],
        )

    def put_off(self, jobs: Mapping[str, Job], *, waits: Mapping[str, Wait]) -> int:
        """Put deliveries off that nobody has claimed; those whose days are over end. Return how many ended."""
        over = {name: self.over(jobs[name], wait) for name, wait in waits.items()}
        endings = [ending for ending in over.values() if ending is not None]
        left = {name: wait for name, wait in waits.items() if over[name] is None}
        if left:
            self._ledger.postpone([self._postponement(jobs[name], wait) for name, wait in left.items()])
        for name, wait in left.items():
            self._noter.postponed(jobs[name], until=wait.until, why=wait.why)
        return self._end(jobs, endings) if endings else 0

    def over(self, job: Job, wait: Wait) -> Ending | None:
        """Give how a delivery ends that a gate puts off once more; None: it may wait."""
        if self._days is None or wait.by == "wall":
            return None
        if job.mode == "live":
            began, at = job.waits_since, self._clock()
        else:  # its days are the journal's
            began, at = _planned(job), datetime.datetime.fromisoformat(occurred_at(job, now=self._clock()))
        if began is None or at < began + self._days:
            return None
        error: ErrorType = "cap_reached" if wait.why == _CAPPED else "expired"
        return self._noter.given_up(job, detail=wait.detail, error_type=error)

    def _postponement(self, job: Job, wait: Wait) -> Postponement:
        made = Postponement(
            reminder=job.reminder, until=wait.until, detail=wait.detail, by=wait.by, capped_on=wait.capped_on
        )
        if self._days is None or wait.by == "wall" or job.mode != "live":
            return made
        since = job.waits_since or self._clock()
        return Postponement(
            reminder=job.reminder,
            until=wait.until,
            detail=wait.detail,
            capped_on=wait.capped_on,
            waits_since=since,
            give_up_at=max(since + self._days, wait.until + _TURN),
        )

    def _end(self, jobs: Mapping[str, Job], endings: Sequence[Ending]) -> int:
        reminders = [_decoder.decode(jobs[each.reminder].reminder_json) for each in endings]
        self._noter.about(events_behind(reminders, causes=self._ledger.causes))
        ended, superseded = self._ledger.give_up(endings)
        self._noter.superseded(superseded)
        lost = [each.reminder for each in endings if each.reminder not in ended]
        self._noter.ended(endings, lost=lost)
        return len(ended) + len(superseded)


def _planned(job: Job) -> datetime.datetime:
    """Give the instant that the core had planned a delivery for."""
    deliveries = _decoder.decode(job.reminder_json).deliveries
    return min(each.not_before for each in deliveries if each.channel == job.channel)

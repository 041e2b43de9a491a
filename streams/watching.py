"""What workers and clock tell of themselves: counters as metrics, partitions and ticks as health.

*Progress* is a transaction, a row read back, a partition taken or one lost. A worker is stalled
when it had work all the time and made none for so long, when it has partitions and nothing was
fetched for them (to fetch nothing is a round as well), or when its event loop does not come round
(a fold that does not end).
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from infra.metrics.pulse import Pulses
from infra.metrics.register import Sample, sample
from infra.metrics.tally import Tally
from schemas.journal import TickPassed
from streams.engine.counters import Counters
from streams.engine.faults import FOR_A_PERSON
from streams.engine.report import PartitionReport

__all__ = ["ClockWatch", "EngineWatch"]

_LOOK_EVERY_S = 1.0
# Who waits for records is answered many times a second, also where there are none; a transaction takes less than one.
_ANSWERED_S_MAX = 10.0
_Noted = dict[str, tuple[object, float]]


class EngineWatch:
    """Watches one worker; ``look`` again and again in its loop, the rest from any thread.

    Args:
        counters: the engine's.
        reports: gives how its partitions are now.
        lacks: says what it waits for when it has none; "": it is a spare one, as it should be.
        stage: its label.
        letters: the dead letters that its stages count.
        stalled_s: how long it may have work and make no progress.
        wiped: the local stores that were damaged, and wiped.
        answers: gives what waits for the broker, with its last answer; see ``Engine.answers``.
        now_s: a clock that never goes back.
    """

    def __init__(
        self,
        *,
        counters: Counters,
        reports: Callable[[], Sequence[PartitionReport]],
        stage: str,
        letters: Tally,
        stalled_s: float,
        wiped: Tally | None = None,
        lacks: Callable[[], str] = lambda: "the group has assigned no partition",
        answers: Callable[[], Mapping[str, int | None]] = dict,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wiped, self._lacks, self._answers = wiped, lacks, answers
        # What waits for the broker: the last answer, and when it was first seen; of what is to be committed its place.
        self._answered: _Noted = {}
        self._uncommitted: _Noted = {}
        self._counters, self._reports = counters, reports
        self._stage, self._letters = stage, letters
        self._stalled_s, self._now_s = stalled_s, now_s
        self._progress: tuple[int, ...] = ()
        self._fetches = -1
        self._moved_s = self._fetched_s = now_s()
        self._stopped: Exception | None = None

    async def look_for_ever(self) -> None:
        """Look once a second, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(_LOOK_EVERY_S)

    def look(self) -> None:
        """Note whether there was progress, or nothing to do, since the last look."""
        counters, reports = self._counters, self._reports()
        progress = (
            counters.transactions,
            counters.acquired,
            counters.fenced,
            counters.rows_restored,
            counters.links_read,
        )
        working = any(one.working for one in reports)
        if progress != self._progress or not working:
            self._progress, self._moved_s = progress, self._now_s()
        # What is worked on may keep the fetching loop waiting: then the work is what has to move.
        if counters.fetches != self._fetches or working or not reports:
            self._fetches, self._fetched_s = counters.fetches, self._now_s()
        self._answered = _note(self._answered, seen=self._answers(), now_s=self._now_s())
        self._uncommitted = _note(self._uncommitted, seen=_uncommitted(reports), now_s=self._now_s())

    def stopped(self, fault: Exception) -> None:
        """Note for what the worker has stopped: from now on that is all that it says of itself."""
        self._stopped = fault

    def stalled(self) -> list[str]:
        """See ``Probe``; one that has stopped ends by itself, and is not to be ended before that was read."""
        if self._stopped is not None:
            return []
        now_s = self._now_s()
        moved_s, fetched_s = now_s - self._moved_s, now_s - self._fetched_s
        if moved_s > self._stalled_s:
            working = [one.name for one in self._reports() if one.working]
            return [f"no progress for {moved_s:.0f} s, work left on: {', '.join(working) or 'nothing known'}"]
        if fetched_s > self._stalled_s:
            return [f"the fetching loop has not come round for {fetched_s:.0f} s"]
        return []

    def unready(self) -> list[str]:
        """See ``Probe``: no partitions, ones that are paused, being taken, or that the broker does not answer for.

        One that has work is not ready either where its transaction is not committed, whatever keeps it.
        """
        if self._stopped is not None:
            return [f"stopped: {type(self._stopped).__name__}: {self._stopped}"]
        reports = self._reports()
        if not reports:
            return [why for why in (self._lacks(),) if why] + self._unanswered()
        paused = [f"{one.name}: paused, too much in it is bad" for one in reports if one.paused]
        taken = [f"{one.name}: being taken" for one in reports if not one.owned]
        if (
            taken
        ):  # nothing is fetched until all are: who is done waits for his sisters, and not for the broker
            self._answered, self._uncommitted = {}, {}
            return paused + taken
        tried_s = _lasting(self._uncommitted, seen=_uncommitted(reports), now_s=self._now_s())
        tried = [
            f"{name}: its transaction is not committed for {for_s:.0f} s" for name, for_s in tried_s.items()
        ]
        return paused + tried + self._unanswered()

    def _unanswered(self) -> list[str]:
        """Name what waits in vain: asked anew, for what is worked on now does not wait."""
        silent_s = _lasting(self._answered, seen=self._answers(), now_s=self._now_s())
        return [f"{name}: the broker has not answered for {for_s:.0f} s" for name, for_s in silent_s.items()]

    def samples(self) -> Iterator[Sample]:
        """Give the counters, the partitions and the dead letters."""
        for name, value in _values(self._counters).items():
            yield sample(name, value, self._stage)
        for kind in FOR_A_PERSON:
            yield sample("cobranza_stopped", isinstance(self._stopped, kind), self._stage, kind.__name__)
        reports = self._reports()
        yield sample("cobranza_partitions_owned", sum(one.owned for one in reports), self._stage)
        for one in reports:
            yield sample("cobranza_partition_paused", one.paused, self._stage, one.topic, str(one.partition))
        yield from self._letters.samples()
        if self._wiped is not None:
            yield from self._wiped.samples()


def _uncommitted(reports: Iterable[PartitionReport]) -> dict[str, tuple[int, str]]:
    return {one.name: one.uncommitted for one in reports if one.uncommitted is not None}


def _note(noted: _Noted, *, seen: Mapping[str, object], now_s: float) -> _Noted:
    """Note since when each is as it is."""
    return {
        name: noted[name] if name in noted and noted[name][0] == value else (value, now_s)
        for name, value in seen.items()
    }


def _lasting(noted: _Noted, *, seen: Mapping[str, object], now_s: float) -> dict[str, float]:
    """Give for how long those have not changed that should have by now."""
    lasting_s = {
        name: now_s - noted[name][1]
        for name, value in seen.items()
        if name in noted and noted[name][0] == value
    }
    return {name: for_s for name, for_s in lasting_s.items() if for_s > _ANSWERED_S_MAX}


def _values(counters: Counters) -> dict[str, float]:
    return {
        "cobranza_runs_total": counters.transactions,
        "cobranza_records_total": counters.records,
        "cobranza_acquisitions_total": counters.acquired,
        "cobranza_restored_rows_total": counters.rows_restored,
        "cobranza_fencings_total": counters.fenced,
        "cobranza_unknown_outcomes_total": counters.outcomes_unknown,
        "cobranza_gaps_total": counters.gaps,
        "cobranza_stale_runs_total": counters.stale_runs,
        "cobranza_chain_breaks_total": counters.chain_breaks,
        "cobranza_transaction_seconds_total": counters.transaction_seconds,
        "cobranza_run_records": counters.last_step_records,
    }


class ClockWatch:
    """Counts the ticks of a clock; its loop's sign of life is in `pulses`, under ``clock``."""

    def __init__(self, pulses: Pulses) -> None:
        self._pulses = pulses
        self._count = 0
        self._newest: TickPassed | None = None

    def told(self, tick: TickPassed | None) -> None:
        """Note what ``tick_for_ever`` tells."""
        self._pulses.beat("clock", waiting_for="" if tick else "no tick can be written")
        if tick is not None:
            self._count += 1
            self._newest = tick

    def samples(self) -> Iterator[Sample]:
        """Give the count and the newest tick."""
        yield sample("cobranza_ticks_total", self._count)
        if self._newest is not None:
            yield sample("cobranza_tick_timestamp_seconds", self._newest.at.timestamp())
            yield sample("cobranza_tick_lagging_topics", len(self._newest.lagging))

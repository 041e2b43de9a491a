"""Bugs that are planted on purpose: a simulation that does not find them proves nothing.

Some are those that such engines have had, some are rules of this one that are left out; the last four were
found here, by this simulation, in the engine itself.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from streams.engine.actions import Commit, CommitStage, Committed, Folded, RowsRead, Wait
from streams.engine.chain import Hole, Link, Start
from streams.engine.faults import Fenced, OutcomeUnknown
from streams.engine.mark import Mark
from streams.engine.protocol import Protocol
from streams.engine.taking import Asking, EmptyAnswers, Taking
from tests.simulation.clock import Call, Lost, Sleep, Steps
from tests.simulation.log import NotYet, PartitionLog
from tests.simulation.producer import Producer
from tests.simulation.scenario import Verdict, run_seed
from tests.simulation.worker import Settings

__all__ = ["CANARIES", "FOUND_BY", "find"]


class _ReadsToStable(Taking):
    def at_end(self, found: RowsRead, empty_answers: int) -> bool:
        return found.position >= found.stable or empty_answers >= 3


class _ReadsToStableOffset(Protocol):
    """Takes the last stable offset for the end of the changelog."""

    taking = _ReadsToStable


class _AnyHoleIsABreak(Taking):
    def is_break(self, doubts: set[object], suspected: set[object]) -> bool:
        return any(isinstance(each, Hole) for each in doubts) or super().is_break(doubts, suspected)


class _AnyOffsetIsABreak(Taking):
    def is_break(self, doubts: set[object], suspected: set[object]) -> bool:
        return any(not isinstance(each, Hole) for each in doubts) or super().is_break(doubts, suspected)


class _CountsSilence(EmptyAnswers):
    def counting(self, found: RowsRead) -> int:
        self._count = 0 if found.rows or found.links else self._count + 1
        return self._count


class _TakesSilenceForTheEndTaking(Taking):
    patience = _CountsSilence


class _TakesSilenceForTheEnd(Protocol):
    """Waits three times in vain for an answer, and takes that for three answers with nothing in them."""

    taking = _TakesSilenceForTheEndTaking


class _TakesCompactionForABreak(Protocol):
    """Does not read a second time when links do not connect; an offset that differs is read again."""

    taking = _AnyHoleIsABreak


class _TakesALateOffsetForABreak(Protocol):
    """Does not read a second time when the offset differs; links that do not connect are."""

    taking = _AnyOffsetIsABreak


class _AnyTopicsState(Taking):
    def _from_mark(self, mark: Mark | None) -> Asking[tuple[Start, Any] | None]:
        around = self._around
        if mark is not None:
            mark = structs.replace(mark, changelog_id=around.changelog_id, source_id=around.source_id)
        return (yield from super()._from_mark(mark))


class _TakesAnyTopicsState(Protocol):
    """Does not look whose state it kept: the topic may have been made anew."""

    taking = _AnyTopicsState


class _TakesBackWhatItLost(Protocol):
    """Initialises again of itself after it was fenced, and by that fences the new owner."""

    def _let_go(self, fault: Fenced) -> Asking[None]:
        yield from self._lose()
        yield from self._acquire()
        if self.owned:
            yield from self._open()


class _WaitsForEver(Protocol):
    """Does nothing wrong, and nothing more, once an outcome is unknown."""

    def _recover(self, fault: OutcomeUnknown) -> Asking[None]:
        while True:
            yield Wait(3600.0)


class _AppliesBeforeCommit(Protocol):
    """Makes the step its state, then asks for the commit."""

    def _commit(self, link: Link, folded: Folded, *, is_step: bool) -> Asking[None]:
        place = self._owned_place
        place.trying = link
        self._do(CommitStage(self._taking.marked(link, position=place.changelog_next, at_ms=0)))
        committed: Committed = yield Commit(link, is_step)
        self._advance(link, changelog_next=committed.changelog_next, at_ms=committed.at_ms)


class _AsksNobody(Taking):
    def prove(self) -> Asking[None]:
        yield from ()


class _BelievesAnOldLook(Protocol):
    """Calls out a break without asking whether somebody else has the partition by now."""

    taking = _AsksNobody

    def _find_place(self) -> Asking[None]:
        self._taking = self.taking(self._traits, do=self._do)
        self._place = yield from self._taking.find_place()


class _RetriesCommit(Producer):
    """Sends EndTxn again when its answer is lost (KAFKA-17754)."""

    def end(self) -> Steps[None]:
        yield from self._insist(self._coordinator.end, self._epoch)


def _stable_end(log: PartitionLog) -> int:
    """Ask for the log's end as a reader of committed records, who is told the last stable offset."""
    return log.bounds()[1]


class _RetriesOffset(Producer):
    """Sends the group's offset again when its answer is lost: the first may come late."""

    def _commit_offset(self, offset: int) -> Steps[None]:
        yield from self._insist(self._coordinator.commit_offset, self._epoch, offset)


class _ForgetsASend(Producer):
    """Does not look at what became of a batch before it commits."""

    def send(self, log: PartitionLog, items: list[tuple[Any, Any]], number: int) -> Steps[int]:
        try:
            offset: int = yield Call(self._coordinator.produce, (self._epoch, log, items, number))
        except (Lost, NotYet):
            yield Sleep(0.0)
            return 0
        return offset


CANARIES: Mapping[str, Settings] = {
    "reading to the last stable offset": Settings(protocol=_ReadsToStableOffset),
    "retrying a commit": Settings(producer=_RetriesCommit),
    "forgetting a send future": Settings(producer=_ForgetsASend),
    "applying state before the commit": Settings(protocol=_AppliesBeforeCommit),
    "taking a compacted chain for a break": Settings(protocol=_TakesCompactionForABreak),
    "taking a late offset for a break": Settings(protocol=_TakesALateOffsetForABreak),
    "taking what is too old": Settings(mark_age=1e6),
    "taking the state of a topic that is gone": Settings(protocol=_TakesAnyTopicsState),
    "initialising again after being fenced": Settings(protocol=_TakesBackWhatItLost),
    "waiting for ever": Settings(protocol=_WaitsForEver),
    "believing an old look around": Settings(protocol=_BelievesAnOldLook),
    "taking silence for the end": Settings(protocol=_TakesSilenceForTheEnd),
    "retrying an offset's commit": Settings(producer=_RetriesOffset),
    "asking for the end of what is stable": Settings(log_end=_stable_end, new_leader=1.0),
}


# The seed that found it when this was written; it is tried first.
FOUND_BY: Mapping[str, int] = {
    "reading to the last stable offset": 47,
    "retrying a commit": 0,
    "forgetting a send future": 3,
    "applying state before the commit": 41,
    "taking a compacted chain for a break": 25,
    "taking a late offset for a break": 10,
    "taking what is too old": 546,
    "taking the state of a topic that is gone": 114,
    "initialising again after being fenced": 6,
    "waiting for ever": 4,
    "believing an old look around": 68,
    "taking silence for the end": 6,
    "retrying an offset's commit": 1319,
    "asking for the end of what is stable": 165,
}


def find(name: str, *, seeds: int) -> Verdict | None:
    """Give a seed that goes wrong with a planted bug: the known one, or the first of so many; None: none does."""
    for seed in dict.fromkeys((FOUND_BY[name], *range(seeds))):
        verdict = run_seed(seed, settings=CANARIES[name])
        if verdict.problem:
            return verdict
    return None

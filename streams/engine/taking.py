"""How state and position are found when a partition is taken, as a pure dialogue.

With a changelog the chain is the position, and the group offset its copy. A stateless
stage has no chain: its position is the group offset, committed in its transactions; a
source that was never committed begins at its log's start (what it repeats has natural
keys).

    kept mark fits ──► read the tail ──► connects ──────────────────────────► place
         │ no               │ no                                                ▲
         └──────────────────┴─► wipe, read everything ─► no doubt ──────────────┤
                                  ▲        │ a hole, an offset that differs     │
                                  └─ again ┴─ the same a second time ─► ChainBroken

The log may be compacted while it is read: a link that was seen may connect to one that was
rewritten meanwhile. So a hole counts only when the next full read shows it too. A local
state that does not fit is never a break: everything is on the changelog.
"""

import logging
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from streams.engine.actions import (
    AtOnce,
    Awaited,
    CloseReader,
    CommitOffset,
    LookAround,
    Notice,
    OpenStage,
    ProveProducer,
    ReadChangelog,
    Restore,
    RowsRead,
    Surroundings,
    Wait,
    WipeStage,
)
from streams.engine.chain import Link, Start, Thread, check_held, check_version, starting_point
from streams.engine.faults import BrokerAway, ChainBroken, FactsLost
from streams.engine.mark import Mark, decode_mark, encode_mark, unfit

__all__ = ["Asking", "EmptyAnswers", "Place", "Taking", "Traits", "at_end"]

_T = TypeVar("_T")
Asking = Generator[Awaited, Any, _T]  # yields what it waits for, is sent the answer

_FULL_READS_MAX = 5
_REREAD_S = 0.2
_EMPTY_ANSWERS_AT_END = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What does not change about a partition; see ``StageSpec`` and ``EngineOptions``."""

    name: str
    stateful: bool
    fold_version: int
    row_version: int
    failures_max: int


@dataclass(slots=True)
class Place:
    """The committed place of a partition.

    Attributes:
        position: up to where the source is done with.
        cursor: how far within the record at ``position`` ("": not begun).
        newest: the last link in the log; None: the next one is the first.
        trying: the link of the transaction that was begun last.
        changelog_next: from where a re-read sees everything since the last commit.
    """

    position: int
    cursor: str
    newest: Link | None
    trying: Link | None = None
    changelog_next: int = 0


@dataclass(slots=True)
class _Reading:
    """One read of the changelog up to its high watermark."""

    thread: Thread
    position: int | None
    at_ms: int = 0


class EmptyAnswers:
    """How many answers in a row brought nothing new. To wait in vain for one is no answer."""

    def __init__(self) -> None:
        self._count = 0
        self._answer = self._position = -1

    def counting(self, found: RowsRead) -> int:
        """Count what was read, and give the number."""
        if found.rows or found.links or found.position != self._position:
            self._count = 0
        elif found.answer != self._answer:
            self._count += 1
        self._answer, self._position = found.answer, found.position
        return self._count


class Taking:
    """One taking of a partition; its producer has been initialised, so nobody else writes.

    Args:
        traits: of the partition.
        do: takes what is done at once.
        wanted: False: the partition was asked back.
        read: told of each answer of the changelog, as it comes: a taking may last long.
    """

    patience: type[EmptyAnswers] = EmptyAnswers

    def __init__(
        self,
        traits: Traits,
        *,
        do: Callable[[AtOnce], None],
        wanted: Callable[[], bool] = lambda: True,
        read: Callable[[RowsRead], None] = lambda _: None,
    ) -> None:
        self._traits = traits
        self._do = do
        self._wanted = wanted
        self._count = read
        self._around = Surroundings(0, None, source=Surroundings._field_defaults["changelog"])

    def find_place(self) -> Asking[Place]:
        """Bring the stage up to date and say where to go on.

        Raises:
            ChainBroken, FactsLost, NewerRows: see ``chain``.
            BrokerAway, OutcomeUnknown: it may be tried again.
        """
        self._around = yield LookAround()
        kept = yield OpenStage()
        if not self._traits.stateful:
            return (yield from self._by_offset())
        found = yield from self._from_mark(decode_mark(kept))
        if found is None:
            found = yield from self._from_start()
        yield CloseReader()
        start, reading = found
        if start.commit_anew:
            yield CommitOffset(start.position)
        return Place(
            start.position,
            start.cursor,
            reading.thread.newest,
            changelog_next=reading.position or 0,
        )

    def marked(self, newest: Link | None, *, position: int, at_ms: int) -> bytes | None:
        """Write the mark of a state that holds all of the changelog below `position`."""
        if not self._traits.stateful:
            return None
        return encode_mark(self._mark(newest, position=position, at_ms=at_ms))

    def _mark(self, newest: Link | None, *, position: int, at_ms: int) -> Mark:
        return Mark(
            newest=newest,
            position=position,
            changelog_id=self._around.changelog_id,
            source_id=self._around.source_id,
            at_ms=at_ms,
            fold_version=self._traits.fold_version,
            row_version=self._traits.row_version,
        )

    def _by_offset(self) -> Asking[Place]:
        offset, bounds = self._around.group_offset, self._around.source
        position = bounds.start if offset is None else offset
        check_held(partition=self._traits.name, position=position, log_start=bounds.start, log_end=bounds.end)
        if offset is None:
            # So that whoever compares positions with ends (lag, the clock) need not guess.
            yield CommitOffset(position)
        return Place(position, "", Link(position, position, "", self._traits.fold_version))

    # -- from what is kept ----------------------------------------------------

    def _from_mark(self, mark: Mark | None) -> Asking[tuple[Start, _Reading] | None]:
        """Read on from a mark; None when the state cannot be used, for whatever reason."""
        if mark is None:
            return None
        around = self._around
        if mark.changelog_id == around.changelog_id:
            self._check_version(mark.newest)
        why = unfit(
            mark,
            now=self._mark(None, position=0, at_ms=around.at_ms),
            changelog=around.changelog,
            age_ms_max=around.mark_age_ms_max,
        )
        if why:
            self._say(logging.WARNING, f"the state that was kept is not used: {why}")
            return None
        reading = _Reading(Thread(mark.newest), mark.position)
        yield from self._read_on(reading, mark)
        if reading.thread.holes:
            self._say(logging.WARNING, f"the state that was kept does not connect: {reading.thread.holes}")
            return None
        try:
            start = self._starting_point(reading.thread.newest)
        except (ChainBroken, FactsLost) as fault:
            self._say(logging.WARNING, f"the state that was kept is doubtful: {fault}")
            return None
        self._complete(reading)
        return start, reading

    def _read_on(self, reading: _Reading, mark: Mark) -> Asking[None]:
        """Read the tail; a state that is half way has a mark, too, as old as the first."""
        empty_answers = self.patience()
        while True:
            found: RowsRead = yield from self._read(reading.position)
            if reading.thread.newest is None and found.links and not found.links[0].first:
                reading.thread.newest = Link(-1, -1, "", 0)  # nothing connects to it
            reading.thread.follow(found.links)
            self._check_version(reading.thread.newest)
            if reading.thread.holes:
                return
            self._note(reading, found)
            if found.rows:
                half_way = self.marked(reading.thread.newest, position=found.position, at_ms=mark.at_ms)
                self._do(Restore(found.rows, half_way))
            if self.at_end(found, empty_answers.counting(found)):
                return

    # -- from the start -------------------------------------------------------

    def _from_start(self) -> Asking[tuple[Start, _Reading]]:
        suspected: set[object] = set()
        for attempt in range(_FULL_READS_MAX):
            if attempt:
                yield Wait(_REREAD_S)
                self._around = yield LookAround()
            self._do(WipeStage())
            reading = _Reading(Thread(), None)
            yield from self._read_everything(reading)
            self._check_version(reading.thread.newest)
            fault, doubts = self._doubts(reading)
            if fault is None:
                self._complete(reading)
                return self._starting_point(reading.thread.newest), reading
            if self.is_break(doubts, suspected):
                raise fault
            self._say(logging.WARNING, f"reading again what compaction or a late offset may explain: {fault}")
            yield from self.prove()
            suspected = doubts
        raise BrokerAway(f"{self._traits.name}: the changelog is compacted faster than it is read")

    def _read_everything(self, reading: _Reading) -> Asking[None]:
        """Read all rows; the state has no mark before the end."""
        empty_answers = self.patience()
        while True:
            found: RowsRead = yield from self._read(reading.position)
            reading.thread.follow(found.links)
            self._note(reading, found)
            if found.rows:
                self._do(Restore(found.rows, None))
            if self.at_end(found, empty_answers.counting(found)):
                return

    def _read(self, position: int | None) -> Asking[RowsRead]:
        """Read on; ``BrokerAway`` when the partition was asked back meanwhile: it is another's to read."""
        found: RowsRead = yield ReadChangelog(position)
        if not self._wanted():
            raise BrokerAway(f"{self._traits.name}: asked back while its changelog was read")
        return found

    def _doubts(self, reading: _Reading) -> tuple[ChainBroken | None, set[object]]:
        """Say what speaks against a full read, if anything; ``FactsLost`` is no doubt."""
        thread, offset = reading.thread, self._around.group_offset
        if thread.holes:
            text = f"{self._traits.name}: links do not connect: {sorted(set(thread.holes))}"
            return ChainBroken(text), set(thread.holes)
        try:
            self._starting_point(thread.newest)
        except ChainBroken as fault:
            return fault, {(thread.newest and thread.newest.end, offset)}
        return None, set()

    # -- rules that a simulation breaks on purpose ------------------------------

    def at_end(self, found: RowsRead, empty_answers: int) -> bool:
        """Say whether all was read: up to the high watermark, which stands still.

        To the last stable offset would not do: a marker may be being written.
        """
        return at_end(found, empty_answers)

    def prove(self) -> Asking[None]:
        """Be fenced if another has it by now: what looks like compaction may be his writing."""
        yield ProveProducer()

    def is_break(self, doubts: set[object], suspected: set[object]) -> bool:
        """Say whether doubts are certain: the read before had one of them, too."""
        return bool(doubts & suspected)

    # -- small parts ----------------------------------------------------------

    def _note(self, reading: _Reading, found: RowsRead) -> None:
        reading.position, reading.at_ms = found.position, found.at_ms
        self._count(found)

    def _complete(self, reading: _Reading) -> None:
        mark = self.marked(reading.thread.newest, position=reading.position or 0, at_ms=reading.at_ms)
        self._do(Restore((), mark))

    def _starting_point(self, newest: Link | None) -> Start:
        return starting_point(
            partition=self._traits.name,
            newest=newest,
            group_offset=self._around.group_offset,
            log_start=self._around.source.start,
            log_end=self._around.source.end,
        )

    def _check_version(self, newest: Link | None) -> None:
        traits = self._traits
        check_version(
            newest,
            partition=traits.name,
            fold_version=traits.fold_version,
            row_version=traits.row_version,
        )

    def _say(self, level: int, text: str) -> None:
        self._do(Notice(level, f"{self._traits.name}: {text}"))


def at_end(found: RowsRead, empty_answers: int) -> bool:
    """Say whether a read has come to the high watermark, after so many answers without a record."""
    if found.position >= found.high:
        return True
    # The cleaner may have taken the very last records: nothing between here and the end.
    return found.stable >= found.high and empty_answers >= _EMPTY_ANSWERS_AT_END

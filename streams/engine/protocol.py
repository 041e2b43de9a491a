"""Taking, folding, committing and finding out, as a pure state machine: no I/O, no clock.

Requests and answers go in, actions come out; ``partition`` carries them out on Kafka,
``tests/simulation`` on a model of it. Both run this class.

    lost ──take────► owned ──run──► folding ──committed──► owned
     ▲                 │               │ outcome unknown ─► settle: re-init, re-read ─► owned
     │                 │               │ fenced ─────────────────────────────────────► lost
     └─────drop────────┘               │ a step asked for it ──► paused
                                       └ anything else ──► the worker stops

One awaited action is out at a time. Between two there is a *flow*: a generator that yields
what it waits for and is sent the answer, or the fault. Requests that come while a flow runs
wait for its end, but ``revoke`` and ``drop``, which take effect at once. Local state
changes only after the commit, a commit is never repeated, and whoever is fenced does not
initialise again.
"""

import logging
from collections import deque
from collections.abc import Sequence
from typing import Any

from streams.engine.actions import (
    Action,
    AtOnce,
    CloseProducer,
    CloseReader,
    CloseStage,
    Commit,
    CommitStage,
    Committed,
    DiscardStage,
    Fold,
    Folded,
    InitProducer,
    LookAround,
    Notice,
    NotTaken,
    OpenSource,
    ProveProducer,
    ReadChangelog,
    Rejoin,
    Release,
    RowsRead,
    Run,
    ShutSource,
    Stop,
    Taken,
    Wait,
)
from streams.engine.chain import Link, Thread
from streams.engine.counters import Counters
from streams.engine.faults import (
    BrokerAway,
    ChainBroken,
    FactsLost,
    Fenced,
    NewerRows,
    OutcomeUnknown,
    StageStuck,
)
from streams.engine.stage import Record
from streams.engine.taking import Asking, Place, Taking, Traits

__all__ = ["Protocol"]

_ACQUIRE_ATTEMPTS_MAX = 10
_ACQUIRE_BACKOFF_S = 0.5
_SETTLE_ATTEMPTS_MAX = 100
_SETTLE_BACKOFF_S = (0.05, 0.2, 1.0, 2.0, 5.0)
_PASSING = (BrokerAway, OutcomeUnknown)


class Protocol:
    """One source partition of one worker; every method gives the actions to carry out, in order.

    Of those the last may be awaited: its answer goes to ``done``, its fault to ``failed``.
    A fault of one that is done at once goes to ``failed`` as well, and those after it are
    not done.
    """

    taking: type[Taking] = Taking

    def __init__(self, traits: Traits, *, counters: Counters) -> None:
        self._traits = traits
        self._counters = counters
        self._out: list[Action] = []
        self._flow: Asking[None] | None = None
        self._runs: deque[Run] = deque()
        self._takes_wanted = 0
        self._taking = self.taking(traits, do=self._do, wanted=self._is_wanted)
        self._place: Place | None = None
        self._revoked = False
        self._paused = False
        self._epoch = -1
        self._seen = 0  # delivered up to here: the next run must not begin later
        self._failures = 0

    # -- requests -------------------------------------------------------------

    def take(self) -> list[Action]:
        """Take the partition: fence, bring the state up to date, find the position, open it.

        One that is owned already is only opened again: had another worker had it meanwhile,
        the next commit is fenced. Ends with ``Taken`` or ``NotTaken``.
        """
        self._takes_wanted += 1
        # Here, not when the taking begins: it may be asked back before that.
        self._revoked = False
        return self._go_on()

    def revoke(self) -> list[Action]:
        """Begin nothing more; what is running goes on to its end, see ``idle``."""
        self._revoked = True
        self._epoch = -1
        return [ShutSource()]

    def drop(self) -> list[Action]:
        """Leave the partition, in the middle of whatever; closing the connections is left to do."""
        if self._flow is not None:
            self._flow.close()
        self._flow, self._out = None, []
        self._takes_wanted = 0
        self._runs.clear()
        self._place, self._epoch = None, -1
        return [ShutSource(), CloseStage()]

    def accept(self, run: Run) -> list[Action]:
        """Take a fetched run; it is folded after those before it."""
        self._runs.append(run)
        return self._go_on()

    def done(self, answer: Any) -> list[Action]:
        """Take the answer to the awaited action."""
        self._resume(answer=answer)
        return self._go_on()

    def failed(self, fault: Exception) -> list[Action]:
        """Take the fault of the awaited action, or of one before it."""
        if self._flow is None:
            self._flow = self._stop(fault)
            self._resume()
        else:
            self._resume(fault=fault)
        return self._go_on()

    @property
    def owned(self) -> bool:
        """Whether there is a state that may be folded on."""
        return self._place is not None

    @property
    def idle(self) -> bool:
        """Whether no action is awaited."""
        return self._flow is None

    @property
    def paused(self) -> bool:
        """Whether a step asked to go on only after a restart."""
        return self._paused

    @property
    def position(self) -> int | None:
        """Up to where the source is done with; None: not owned."""
        return None if self._place is None else self._place.position

    @property
    def uncommitted(self) -> tuple[int, str] | None:
        """From where (position, cursor) a transaction was tried that is not known to be in the log; None: none was.

        The same until a transaction from there is: it is asked for, found out about and tried again meanwhile.
        """
        place = self._place
        if place is None or place.trying is None or place.trying == place.newest:
            return None
        return place.position, place.cursor

    # -- flows ----------------------------------------------------------------

    def _go_on(self) -> list[Action]:
        while self._flow is None:
            if self._takes_wanted:
                self._takes_wanted -= 1
                self._flow = self._take()
            elif self._runs:
                self._flow = self._fold_run(self._runs.popleft())
            else:
                break
            self._resume()
        out, self._out = self._out, []
        return out

    def _resume(self, *, answer: Any = None, fault: Exception | None = None) -> None:
        flow = self._flow
        if flow is None:
            raise AssertionError(f"{self._traits.name}: an answer to nothing: {answer!r}")
        try:
            self._out.append(flow.send(answer) if fault is None else flow.throw(fault))
        except StopIteration:
            self._flow = None

    def _do(self, action: AtOnce) -> None:
        self._out.append(action)

    def _say(self, level: int, text: str) -> None:
        self._out.append(Notice(level, f"{self._traits.name}: {text}"))

    def _is_wanted(self) -> bool:
        return not self._revoked

    @property
    def _owned_place(self) -> Place:
        if self._place is None:
            raise StageStuck(f"{self._traits.name} was lost while it was worked on")
        return self._place

    # -- taking and losing ----------------------------------------------------

    def _take(self) -> Asking[None]:
        try:
            if not self.owned:
                self._paused = False
                yield from self._acquire()
            if self.owned and not self._paused:
                yield from self._open()
        except Fenced as fault:
            yield from self._let_go(fault)
        except Exception as fault:  # noqa: BLE001 - whatever it is, it stops the worker
            self._count_break(fault)
            yield from self._lose()
            self._do(NotTaken(fault))
            return
        self._do(Taken() if self.owned else NotTaken(None))

    def _acquire(self) -> Asking[None]:
        """Take the transactional id and find the place; not owned after it: asked back meanwhile."""
        for attempt in range(1, _ACQUIRE_ATTEMPTS_MAX + 1):
            if self._revoked:
                return  # to initialise now would fence the next owner
            try:
                yield InitProducer()
                yield from self._find_place()
            except _PASSING as fault:
                if attempt == _ACQUIRE_ATTEMPTS_MAX and not self._revoked:
                    raise
                yield from self._lose()
                if self._revoked:
                    return  # another rebalance has begun; it takes again
                self._say(logging.WARNING, f"could not take it, trying again: {fault}")
                yield Wait(_ACQUIRE_BACKOFF_S)
            else:
                return

    def _find_place(self) -> Asking[None]:
        self._taking = self.taking(self._traits, do=self._do, wanted=self._is_wanted, read=self._count_read)
        try:
            self._place = yield from self._taking.find_place()
        except (ChainBroken, FactsLost, NewerRows):
            # One who was frozen in the middle compares what is of different times: a break
            # counts only if nobody else could write from the first look to the last.
            yield ProveProducer()
            raise
        self._counters.acquired += 1

    def _count_read(self, found: RowsRead) -> None:
        self._counters.rows_restored += len(found.rows)
        self._counters.links_read += len(found.links)

    def _open(self) -> Asking[None]:
        position = self._owned_place.position
        self._epoch = -1
        if not self._revoked:
            epoch: int = yield OpenSource(position)
            # Not assigned at this moment (-1): the rebalance opens or drops it.
            self._epoch = -1 if self._revoked else epoch
        self._seen = position

    def _lose(self) -> Asking[None]:
        self._place = None
        self._epoch = -1
        self._do(CloseStage())
        yield CloseProducer()

    def _let_go(self, fault: Fenced) -> Asking[None]:
        """Another worker has it: ask the group who goes on."""
        self._counters.fenced += 1
        self._say(logging.WARNING, f"fenced, the partition is another's: {fault}")
        yield from self._lose()
        yield Rejoin()

    def _stop(self, fault: Exception) -> Asking[None]:
        self._say(logging.CRITICAL, f"{type(fault).__name__}: {fault}")
        self._count_break(fault)
        yield from self._lose()
        yield Stop(fault)

    def _count_break(self, fault: Exception) -> None:
        self._counters.chain_breaks += isinstance(fault, ChainBroken)

    # -- folding --------------------------------------------------------------

    def _fold_run(self, run: Run) -> Asking[None]:
        if not self.owned or run.epoch != self._epoch:
            self._counters.stale_runs += 1
            return
        try:
            yield from self._handle(run)
        except Fenced as fault:
            yield from self._let_go(fault)
        except Exception as fault:  # noqa: BLE001 - whatever it is, it stops the worker
            yield from self._stop(fault)
        if self.owned:
            self._do(Release(run))

    def _handle(self, run: Run) -> Asking[None]:
        if run.before > self._seen:
            self._counters.gaps += 1
            self._say(logging.WARNING, f"expected {self._seen}, got a run at {run.before}: sought back")
            yield from self._open()
            return
        self._seen = max(self._seen, run.after)
        position = self._owned_place.position
        records = run.records
        if records and records[0].offset < position:
            records = [record for record in records if record.offset >= position]
        if not records and (self._runs or self._seen == position):
            return  # only control records: the run that waits takes the position along
        try:
            yield from self._fold(records)
        except OutcomeUnknown as fault:
            yield from self._recover(fault)

    def _fold(self, records: Sequence[Record]) -> Asking[None]:
        """Fold all records, in as many steps as the stage wants."""
        while True:
            folded = Folded(0, self._owned_place.cursor)
            if records:
                folded = yield Fold(records, folded.cursor)
            link = self._link(folded, records)
            yield from self._commit(link, folded, is_step=bool(records))
            records = records[folded.consumed :]
            if folded.pause:
                self._pause(folded.pause)
                return
            if not records or self._revoked:
                return

    def _link(self, folded: Folded, records: Sequence[Record]) -> Link:
        place, traits = self._owned_place, self._traits
        if folded.consumed == len(records):
            end = self._seen
        elif folded.consumed:
            end = records[folded.consumed - 1].offset + 1
        else:
            end = place.position
        if (end, folded.cursor) == (place.position, place.cursor):
            raise StageStuck(f"{traits.name}: the stage made no progress at {end}, cursor {folded.cursor!r}")
        first = place.newest is None
        return Link(place.position, end, folded.cursor, traits.fold_version, first, traits.row_version)

    def _commit(self, link: Link, folded: Folded, *, is_step: bool) -> Asking[None]:
        self._owned_place.trying = link
        committed: Committed = yield Commit(link, is_step)
        self._counters.transactions += 1
        self._counters.records += folded.consumed
        self._counters.last_step_records = folded.consumed
        self._failures = 0
        self._advance(link, changelog_next=committed.changelog_next, at_ms=committed.at_ms)

    def _advance(self, link: Link, *, changelog_next: int, at_ms: int) -> None:
        """Make the step of `link` the state: its transaction is in the log."""
        place = self._owned_place
        self._do(CommitStage(self._taking.marked(link, position=changelog_next, at_ms=at_ms)))
        place.position, place.cursor, place.newest = link.end, link.cursor, link
        place.changelog_next = changelog_next

    def _pause(self, reason: str) -> None:
        self._paused = True
        self._counters.paused += 1
        self._say(logging.ERROR, f"paused; restart the worker to go on: {reason}")
        self._epoch = -1
        self._do(ShutSource())

    # -- finding out ----------------------------------------------------------

    def _recover(self, fault: OutcomeUnknown) -> Asking[None]:
        """Settle what is unknown, as long as it takes the broker to come back."""
        self._counters.outcomes_unknown += 1
        self._failures += 1
        if self._failures > self._traits.failures_max:
            raise StageStuck(
                f"{self._traits.name}: one run failed {self._failures} times in a row"
            ) from fault
        self._say(logging.WARNING, f"outcome unknown, finding it out: {fault}")
        for attempt in range(_SETTLE_ATTEMPTS_MAX):
            if self._revoked:
                # Initialising now would fence the next owner; if that is us, all is read anew.
                yield from self._lose()
                return
            try:
                yield from self._settle()
            except _PASSING as error:
                self._say(logging.WARNING, f"could not settle: {error}")
                yield Wait(_SETTLE_BACKOFF_S[min(attempt, len(_SETTLE_BACKOFF_S) - 1)])
            else:
                return
        raise StageStuck(f"{self._traits.name}: the broker did not come back") from fault

    def _settle(self) -> Asking[None]:
        """Find out whether the last transaction is in the log; go on from there."""
        yield InitProducer()
        # One that was opened before may have asked for the log's end when it was another's to write.
        yield CloseReader()
        place = self._place
        if place is not None:
            newest, position, at_ms = yield from self._newest(place)
            if newest is not None and newest == place.trying:
                self._advance(newest, changelog_next=position, at_ms=at_ms)
            elif newest == place.newest:
                self._do(DiscardStage())
                place.changelog_next = position
            else:
                text = f"found {newest} where {place.trying} was tried; reading the state again"
                self._say(logging.ERROR, text)
                self._place = None
        if self._place is None:
            self._do(CloseStage())
            yield from self._find_place()
        yield from self._open()

    def _newest(self, place: Place) -> Asking[tuple[Link | None, int, int]]:
        """Read which link is the newest now: the one before, the one tried, or another's.

        Rows are left aside: their step is still in memory, or everything is read again.
        """
        if not self._traits.stateful:
            around = yield LookAround()
            return _link_of_offset(place, around.group_offset), 0, around.at_ms
        thread, position, empty_answers = Thread(place.newest), place.changelog_next, self._taking.patience()
        while True:
            found: RowsRead = yield ReadChangelog(position)
            thread.follow(found.links)
            position = found.position
            if self._taking.at_end(found, empty_answers.counting(found)):
                break
        yield CloseReader()
        return thread.newest, position, found.at_ms


def _link_of_offset(place: Place, offset: int | None) -> Link | None:
    if place.trying is not None and offset == place.trying.end:
        return place.trying
    if offset is None or offset == place.position:
        return place.newest
    return Link(0, offset, "", 0)

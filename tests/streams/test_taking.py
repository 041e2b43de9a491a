"""Taking a partition as a dialogue, answered by hand: what is kept, wiped, refused and doubted; no broker."""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, SupportsIndex

import pytest
from msgspec import structs

from streams.engine import actions as act
from streams.engine.chain import Link, LogBounds
from streams.engine.counters import Counters
from streams.engine.faults import BrokerAway, ChainBroken, FactsLost, Fenced, NewerRows
from streams.engine.mark import Mark, decode_mark, encode_mark, unfit
from streams.engine.protocol import Protocol
from streams.engine.report import PartitionReport
from streams.engine.stage import Row
from streams.engine.taking import Traits
from streams.letters import letter_tally
from streams.watching import EngineWatch

TRAITS = Traits(name="journal-0", stateful=True, fold_version=2, row_version=1, failures_max=3)
AROUND = act.Surroundings(5000, 9, LogBounds(0, 9), LogBounds(0, 30), "s-1", "c-1", mark_age_ms_max=1000)
ANSWERS = count(1)
MARK = Mark(
    newest=Link(0, 5, "", 2),
    position=20,
    changelog_id="c-1",
    source_id="s-1",
    at_ms=4900,
    fold_version=2,
    row_version=1,
)
TAIL = Link(5, 9, "", 2)


class Dialogue:
    """A protocol and what it asked for; answers come from a script by kind of question."""

    def __init__(
        self, *, kept: Mark | None, reads: Sequence[act.RowsRead], asked_back_at: int = -1, **answers: Any
    ) -> None:
        self.counters = Counters()
        self.protocol = Protocol(TRAITS, counters=self.counters)
        self.done: list[act.Action] = []
        self._reads = list(reads)
        self._asked_back_at = asked_back_at
        self._answers = {
            "LookAround": AROUND,
            "OpenStage": None if kept is None else encode_mark(kept),
            "OpenSource": 1,
            **answers,
        }

    def take(self) -> None:
        """Take the partition, to the end."""
        actions = self.protocol.take()
        while actions:
            self.done += actions
            last = actions[-1]
            if not isinstance(last, act.Awaited):
                return
            answer = self._answers.get(type(last).__name__)
            if isinstance(last, act.ReadChangelog):
                answer = self._reads.pop(0)
                if answer.position == self._asked_back_at:
                    self.done += self.protocol.revoke()
            if isinstance(answer, Exception):
                actions = self.protocol.failed(answer)
            else:
                actions = self.protocol.done(answer)

    def all(self, kind: type[Any]) -> list[Any]:
        """Give what was asked for of one kind."""
        return [one for one in self.done if isinstance(one, kind)]

    @property
    def marks(self) -> list[Mark | None]:
        """Give the marks of what was restored, in order."""
        return [decode_mark(one.mark) for one in self.all(act.Restore)]


def _read(
    *links: Link, rows: Sequence[Row] = ((b"a", b"1"),), position: int = 30, at_ms: int = 5001
) -> act.RowsRead:
    return act.RowsRead(rows, links, position, 30, 30, at_ms, next(ANSWERS))


class _Slowly(list[act.RowsRead]):
    """Answers that take a minute each; somebody looks at the worker after each one."""

    def __init__(self, reads: Sequence[act.RowsRead], *, wait: Callable[[], None]) -> None:
        super().__init__(reads)
        self._wait = wait

    def pop(self, index: SupportsIndex = -1) -> act.RowsRead:
        self._wait()
        return super().pop(index)


def test_a_taking_of_many_minutes_is_no_standstill() -> None:
    """Rows count as they come: a probe that ended the worker after two minutes would do so for ever."""
    now_s = 0.0
    said: list[str] = []

    def wait() -> None:
        nonlocal now_s
        now_s += 60
        watch.look()
        said.extend(watch.stalled())

    links = [Link(0, 5, "", 2, True), *(Link(5, 5, str(n), 2) for n in range(8)), TAIL]
    talk = Dialogue(kept=None, reads=())
    partition = PartitionReport(topic="journal", partition=0, owned=False, paused=False, working=True)
    watch = EngineWatch(
        counters=talk.counters,
        reports=lambda: [partition],
        stage="ledger",
        letters=letter_tally(),
        stalled_s=120,
        now_s=lambda: now_s,
    )
    reads = [_read(link, position=20 + n) for n, link in enumerate(links[:-1])]
    talk._reads = _Slowly([*reads, _read(TAIL)], wait=wait)
    talk.take()
    assert (600, []) == (now_s, said)
    assert (10, 10) == (talk.counters.rows_restored, talk.counters.links_read)


def test_a_mark_that_fits_is_read_on_from() -> None:
    """Half way the mark is as old as the first, at the end it is of now."""
    talk = Dialogue(kept=MARK, reads=[_read(position=25), _read(TAIL)])
    talk.take()
    assert [20, 25] == [one.position for one in talk.all(act.ReadChangelog)]
    assert [] == talk.all(act.WipeStage)
    half, nearly, whole = talk.marks
    assert half == structs.replace(MARK, position=25)
    assert nearly == structs.replace(MARK, newest=TAIL, position=30)
    assert whole == structs.replace(MARK, newest=TAIL, position=30, at_ms=5001)
    assert [act.OpenSource(9)] == talk.all(act.OpenSource)
    assert act.Taken() == talk.done[-1]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"changelog_id": "c-0"}, "a topic was made anew"),
        ({"source_id": "s-0"}, "a topic was made anew"),
        ({"row_version": 0}, "another version"),
        ({"fold_version": 1}, "another version"),
        ({"position": 31}, "position 31 is not within the changelog, 0 to 30"),
        ({"at_ms": 3999}, "it is 1 s old"),
        ({"at_ms": 6001}, "it is 1 s old"),
    ],
)
def test_a_mark_that_does_not_fit_means_a_full_read(change: dict[str, Any], why: str) -> None:
    """It is wiped before anything is put back, and complete only at the end; never a break."""
    kept = structs.replace(MARK, **change)
    assert why in unfit(kept, now=structs.replace(MARK, at_ms=5000), changelog=(0, 30), age_ms_max=1000)
    talk = Dialogue(kept=kept, reads=[_read(MARK.newest or TAIL, position=25), _read(TAIL)])
    talk.take()
    assert [None, 25] == [one.position for one in talk.all(act.ReadChangelog)]
    assert 1 == len(talk.all(act.WipeStage))
    assert [None, None, structs.replace(MARK, newest=TAIL, position=30, at_ms=5001)] == talk.marks
    assert talk.protocol.owned


@pytest.mark.parametrize("tail", [Link(6, 9, "", 2), Link(4, 9, "", 2)])
def test_a_tail_that_does_not_connect_means_a_full_read(tail: Link) -> None:
    """Nothing of it is put back before the wipe: its links may have been compacted away."""
    talk = Dialogue(kept=MARK, reads=[_read(tail), _read(tail)])
    talk.take()
    kinds = [type(one) for one in talk.done]
    assert kinds.index(act.WipeStage) < kinds.index(act.Restore)
    assert [None, structs.replace(MARK, newest=tail, position=30, at_ms=5001)] == talk.marks
    assert talk.protocol.owned


def test_a_state_of_an_empty_changelog_connects_to_the_first_link_only() -> None:
    """Another link means that some were missed."""
    empty = structs.replace(MARK, newest=None, position=0)
    talk = Dialogue(kept=empty, reads=[_read(Link(0, 9, "", 2, first=True))])
    talk.take()
    assert [] == talk.all(act.WipeStage)
    talk = Dialogue(kept=empty, reads=[_read(TAIL), _read(TAIL)])
    talk.take()
    assert 1 == len(talk.all(act.WipeStage))


def test_an_offset_that_differs_twice_is_a_break_and_counted() -> None:
    """It is read again, everything, and nobody else may have the partition by then."""
    talk = Dialogue(kept=None, reads=[_read(Link(0, 8, "", 2))] * 2)
    talk.take()
    assert 2 == len(talk.all(act.WipeStage))
    assert (2, 1) == (len(talk.all(act.ProveProducer)), talk.counters.chain_breaks)
    (refused,) = talk.all(act.NotTaken)
    assert isinstance(refused.fault, ChainBroken)


def test_who_was_fenced_meanwhile_calls_out_no_break() -> None:
    """Frozen after the first look, he compares what is of different times."""
    late = AROUND._replace(source=LogBounds(0, 4), group_offset=None)
    talk = Dialogue(kept=None, reads=[_read(TAIL)], LookAround=late, ProveProducer=Fenced("taken"))
    talk.take()
    assert act.NotTaken(None) == talk.done[-1]
    assert [act.Rejoin()] == talk.all(act.Rejoin)
    assert (1, 0) == (talk.counters.fenced, talk.counters.chain_breaks)
    talk = Dialogue(kept=None, reads=[_read(TAIL)], LookAround=late)
    talk.take()
    assert isinstance(talk.all(act.NotTaken)[0].fault, FactsLost)


@pytest.mark.parametrize("newest", [Link(5, 9, "", 3), Link(5, 9, "", 2, row_version=2)])
@pytest.mark.parametrize("kept", [MARK, None])
def test_what_a_newer_release_wrote_is_refused(kept: Mark | None, newest: Link) -> None:
    """From a mark on and from the start; the message says what to do."""
    talk = Dialogue(kept=kept, reads=[_read(newest)])
    talk.take()
    (refused,) = talk.all(act.NotTaken)
    assert isinstance(refused.fault, NewerRows)
    assert "run the newer release" in str(refused.fault)
    assert not talk.protocol.owned


def test_a_mark_of_a_newer_release_is_refused_not_wiped() -> None:
    """Who goes back a release by mistake does not lose its local state for it."""
    kept = structs.replace(MARK, newest=Link(0, 9, "", 3), fold_version=3)
    talk = Dialogue(kept=kept, reads=[])
    talk.take()
    assert isinstance(talk.all(act.NotTaken)[0].fault, NewerRows)
    assert [] == talk.all(act.WipeStage)


def test_a_broker_that_is_away_is_tried_again_up_to_ten_times() -> None:
    """Between the attempts everything is let go."""
    talk = Dialogue(kept=None, reads=[], InitProducer=BrokerAway("away"))
    talk.take()
    assert 10 == len(talk.all(act.InitProducer)) == len(talk.all(act.CloseStage))
    assert 9 == len(talk.all(act.Wait))
    assert isinstance(talk.all(act.NotTaken)[0].fault, BrokerAway)


def test_a_mark_that_cannot_be_read_is_none() -> None:
    """Of a version that knew other fields, or of nothing at all."""
    assert decode_mark(None) is None
    assert decode_mark(b"[1,2]") is None
    assert decode_mark(b"\xff") is None
    assert MARK == decode_mark(encode_mark(MARK))


def test_waiting_in_vain_is_no_answer() -> None:
    """A broker that is slow to answer has not said that the log ends here: what it has is still read."""
    slow = _read(rows=(), position=20)
    talk = Dialogue(kept=MARK, reads=[slow._replace(high=40), *[slow] * 5, _read(TAIL)])
    talk.take()
    assert [20] * 7 == [one.position for one in talk.all(act.ReadChangelog)]
    assert talk.protocol.owned


def test_a_taking_that_is_asked_back_ends() -> None:
    """Once it is another's to read, it is neither read on nor initialised again: that would fence him."""
    reads = [_read(position=20 + number) for number in range(5)]
    talk = Dialogue(kept=MARK, reads=reads, asked_back_at=22)
    talk.take()
    assert [20, 20, 21] == [one.position for one in talk.all(act.ReadChangelog)]
    assert 1 == len(talk.all(act.InitProducer))
    assert [act.NotTaken(None)] == talk.all(act.NotTaken)

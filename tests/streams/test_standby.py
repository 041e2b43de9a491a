"""A standby's copy of one partition: when it has a mark, and when it begins anew; no broker (DESIGN 3.7)."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count

import pytest
from msgspec import structs

from streams.engine.actions import RowsRead
from streams.engine.chain import Link
from streams.engine.faults import NewerRows
from streams.engine.mark import Mark, decode_mark, encode_mark
from streams.engine.stage import Row
from streams.engine.standby import Copy, Standby
from streams.engine.topic_ids import TopicIds
from tests.streams.toy import QUICK, Toy, spec

ANSWERS = count(1)
NOW = Mark(
    newest=None, position=0, changelog_id="c", source_id="s", at_ms=5000, fold_version=1, row_version=1
)
FIRST, SECOND = Link(0, 5, "", 1, first=True), Link(5, 9, "", 1)


def _copy(stage: Toy) -> Copy:
    return Copy("src-0", stage, now=NOW, bounds=(0, 30), age_ms_max=1000)


def _read(*links: Link, rows: Sequence[Row] = ((b"a", b"[1]"),), position: int) -> RowsRead:
    return RowsRead(rows, links, position, 30, 30, 6000, next(ANSWERS))


def test_a_copy_has_a_mark_when_it_has_read_all() -> None:
    """Before that it is worth nothing to who takes the partition; afterwards it is of the last end."""
    stage = Toy(partition=0, out="")
    copy = _copy(stage)
    assert copy.take(_read(FIRST, position=20))
    assert (None, False) == (stage.mark(), copy.complete)
    assert copy.take(_read(SECOND, position=30))
    assert structs.replace(NOW, newest=SECOND, position=30, at_ms=6000) == decode_mark(stage.mark())
    late = _read(Link(9, 10, "", 1), position=31)._replace(high=40, at_ms=7000)
    assert copy.take(late)
    found = decode_mark(stage.mark())
    assert found is not None
    assert (31, 6000) == (found.position, found.at_ms)
    assert {b"a": [1]} == stage.state


def test_a_copy_goes_on_from_the_mark_of_its_disk() -> None:
    """One that does not fit is wiped first."""
    kept = structs.replace(NOW, newest=FIRST, position=20)
    stage = Toy(partition=0, out="", kept={0: ({b"b": [2]}, encode_mark(kept))})
    assert (20, True) == (_copy(stage).position, _copy(stage).complete)
    other = structs.replace(kept, changelog_id="another")
    stage = Toy(partition=0, out="", kept={0: ({b"b": [2]}, encode_mark(other))})
    assert (0, False) == (_copy(stage).position, _copy(stage).complete)
    assert {} == stage.state


def test_a_copy_that_does_not_connect_is_read_anew() -> None:
    """Nothing of what did not connect is kept."""
    stage = Toy(partition=0, out="")
    copy = _copy(stage)
    assert copy.take(_read(FIRST, position=30))
    assert not copy.take(_read(Link(7, 9, "", 1), position=33))
    assert ({}, None, 0, False) == (stage.state, stage.mark(), copy.position, copy.complete)


def test_a_copy_of_a_newer_release_is_none() -> None:
    """Its rows would be read wrongly."""
    with pytest.raises(NewerRows):
        _copy(Toy(partition=0, out="")).take(_read(Link(0, 5, "", 2, first=True), position=30))


def test_an_idle_copy_writes_nothing() -> None:
    """Its position does not move."""
    stage = Toy(partition=0, out="")
    copy = _copy(stage)
    copy.take(_read(FIRST, position=30))
    before = stage.mark()
    copy.take(_read(rows=(), position=30)._replace(at_ms=9000))
    assert before == stage.mark()


class _OnAFullDisk(Toy):
    """A stage whose store takes nothing more; it is closed all the same, as ``LocalRows`` is."""

    def __init__(self, *, partition: int) -> None:
        super().__init__(partition=partition, out="")
        self.closed = False

    def wipe(self) -> None:
        """Refuse."""
        raise OSError("No space left on device")

    def close(self) -> None:
        """Note it, and refuse."""
        self.closed = True
        raise OSError("No space left on device")


def _standby(stages: Sequence[_OnAFullDisk]) -> Standby:
    def make(_topic: str, partition: int, _counts: Mapping[str, int]) -> _OnAFullDisk:
        return stages[partition]

    standby = Standby(
        spec=replace(spec("t."), open=make),
        bootstrap_servers=["nowhere:1"],
        options=QUICK,
        topic_ids=TopicIds(bootstrap_servers=["nowhere:1"], topics=[]),
        crash=_raise,
    )
    for number, stage in enumerate(stages):
        stage._mark = encode_mark(structs.replace(NOW, newest=FIRST, position=20))
        standby._copies[number] = _copy(stage)
    return standby


async def _raise(fault: BaseException) -> None:
    raise fault


def test_copies_on_a_full_disk_are_all_let_go() -> None:
    """The first one that could not be written kept the locks of those after it, which nobody could take then."""

    async def story(end: Callable[[Standby], None]) -> list[bool]:
        stages = [_OnAFullDisk(partition=number) for number in range(3)]
        standby = _standby(stages)
        end(standby)
        await standby.stop()
        return [stage.closed for stage in stages]

    assert [True] * 3 == asyncio.run(story(lambda _: None))
    assert [True] * 3 == asyncio.run(story(lambda standby: standby.follow_all_but([0, 1, 2])))


def test_a_copy_that_a_full_disk_does_not_let_begin_is_let_go() -> None:
    """Its store is open by then; the worker stops, and the next one is not to find it held."""
    stage = _OnAFullDisk(partition=0)
    standby = _standby([])
    standby._spec = replace(standby._spec, open=lambda *_: stage)
    with pytest.raises(OSError, match="No space left"):
        standby._new_copy(0, (0, 30), {"t.rows": "c", "t.src": "s"}, 1000)
    assert stage.closed

"""A standby's copy of one partition: when it has a mark, and when it begins anew; no broker (DESIGN 3.7)."""

from collections.abc import Sequence
from itertools import count

import pytest
from msgspec import structs

from streams.engine.actions import RowsRead
from streams.engine.chain import Link
from streams.engine.faults import NewerRows
from streams.engine.mark import Mark, decode_mark, encode_mark
from streams.engine.stage import Row
from streams.engine.standby import Copy
from tests.streams.toy import Toy

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

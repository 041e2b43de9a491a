"""The rules by which links connect, and where a partition goes on; no broker (DESIGN 3.4, 3.8)."""

import pytest

from streams.engine.chain import (
    Hole,
    Link,
    Start,
    check_version,
    decode_link,
    encode_link,
    holes,
    is_internal,
    starting_point,
)
from streams.engine.faults import ChainBroken, FactsLost, NewerRows


def _start(newest: Link | None, group: int | None, *, log_start: int = 0, log_end: int = 100) -> Start:
    return starting_point(
        partition="journal-0", newest=newest, group_offset=group, log_start=log_start, log_end=log_end
    )


def test_a_link_is_read_as_it_was_written() -> None:
    """The wire form is an array; its fields keep their places for ever."""
    link = Link(7, 7, "3", 2, row_version=3)
    assert b'[7,7,"3",2,false,3]' == encode_link(link)
    assert link == decode_link(encode_link(link))


def test_a_link_from_before_rows_had_versions_is_still_read() -> None:
    """Its rows are of version 1."""
    assert Link(7, 7, "3", 2, row_version=1) == decode_link(b'[7,7,"3",2,false]')


@pytest.mark.parametrize("newest", [Link(0, 9, "", 3), Link(0, 9, "", 2, row_version=2)])
def test_rows_of_a_newer_release_are_refused(newest: Link) -> None:
    """Whichever of the two versions is higher; what is as old as we are, or older, is taken."""
    with pytest.raises(NewerRows, match="run the newer release"):
        check_version(newest, partition="journal-0", fold_version=2, row_version=1)
    check_version(newest, partition="journal-0", fold_version=3, row_version=2)
    check_version(None, partition="journal-0", fold_version=1, row_version=1)


def test_internal_records_are_told_by_their_key() -> None:
    """Readers skip what begins with a zero byte."""
    assert is_internal(b"\0link")
    assert not is_internal(b'["clock","","3"]')
    assert not is_internal(None)


def test_links_connect_when_each_begins_where_the_last_ended() -> None:
    """Slices stay where they are; the first may begin anywhere, compaction took those before."""
    assert [] == holes([Link(5, 9, "", 1), Link(9, 9, "1", 1), Link(9, 12, "", 1)])
    assert [] == holes([])


def test_a_hole_names_both_its_sides() -> None:
    """Forwards (a transaction is missing) and backwards (one was folded twice)."""
    assert [Hole(9, 11)] == holes([Link(5, 9, "", 1), Link(11, 12, "", 1)])
    assert [Hole(9, 5)] == holes([Link(5, 9, "", 1), Link(5, 9, "", 1)])


def test_nothing_at_all_starts_at_the_logs_start() -> None:
    """A fresh partition begins where its source begins, and its first link says so."""
    assert Start(4, "", first=True, commit_anew=False) == _start(None, None, log_start=4)


def test_the_chain_is_the_position_and_the_group_its_copy() -> None:
    """An absent copy is made anew, cursor and all."""
    assert Start(9, "2", first=False, commit_anew=False) == _start(Link(9, 9, "2", 1), 9)
    assert Start(9, "2", first=False, commit_anew=True) == _start(Link(9, 9, "2", 1), None)


@pytest.mark.parametrize("newest", [None, Link(0, 8, "", 1), Link(0, 10, "", 1)])
def test_a_copy_that_differs_is_a_break(newest: Link | None) -> None:
    """Also one that is there without a chain: the state was lost."""
    with pytest.raises(ChainBroken, match="committed 9"):
        _start(newest, 9)


def test_a_position_that_the_log_does_not_hold_is_lost_facts() -> None:
    """Below its start: expired. Beyond its end: truncated, or another topic of the same name."""
    with pytest.raises(FactsLost, match="3 records expired"):
        _start(Link(0, 9, "", 1), 9, log_start=12)
    with pytest.raises(FactsLost, match="beyond the log's end 8"):
        _start(Link(0, 9, "", 1), 9, log_end=8)
    assert 9 == _start(Link(0, 9, "", 1), 9, log_start=9, log_end=9).position

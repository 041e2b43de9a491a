"""The audit's rules apart from Kafka: links, sums and facts; each damage is told once, with its place."""

from pathlib import Path

import pytest

from console.verify.chain import ChainAudit, place_of
from console.verify.findings import FINDINGS_MAX, PartitionReport
from console.verify.matching import FactMatch
from console.verify.sheet import Sheet
from console.verifying import PlaceError, place_in_log
from streams.engine.chain import Link


def _chain(*links: Link, log_start: int = 0, span: tuple[int, float] = (0, float("inf"))) -> ChainAudit:
    audit = ChainAudit(report=PartitionReport(partition=0), log_start=log_start, span=span)
    for link in links:
        audit.see(link)
    return audit


def _told(audit: ChainAudit) -> list[tuple[str, str]]:
    return [(each.expected, each.found) for each in audit.report.findings]


FIRST = Link(0, 4, "", 1, first=True)


def test_links_that_connect_are_good() -> None:
    """Slices of one record, a move over control records, and the next run."""
    audit = _chain(FIRST, Link(4, 4, "1", 1), Link(4, 4, "2", 1), Link(4, 9, "", 1), Link(9, 10, "", 1))
    assert [] == _told(audit)
    assert (5, (10, 0)) == (audit.report.links, place_of(audit.newest or FIRST))


def test_links_that_do_not_connect_are_told() -> None:
    """A hole, an overlap, a repeat, a second beginning."""
    assert [("a link from 4 on, after link 0–4", "link 6–8")] == _told(_chain(FIRST, Link(6, 8, "", 1)))
    assert [("a link from 4 on, after link 0–4", "link 3–8")] == _told(_chain(FIRST, Link(3, 8, "", 1)))
    again = Link(4, 4, "1", 1)
    assert [("a link that goes further than link 4–4 slice 1", "link 4–4 slice 1")] == _told(
        _chain(FIRST, again, again)
    )
    assert ["no second first link after link 0–4"] == [
        expected for expected, _ in _told(_chain(FIRST, Link(4, 8, "", 1, first=True)))
    ]


def test_chain_begins_with_the_first_link_at_the_journals_start() -> None:
    """The topic is never cleaned: its first record is the first link there ever was."""
    assert [("the first link of the chain", "link 4–8")] == _told(_chain(Link(4, 8, "", 1)))
    late = Link(3, 8, "", 1, first=True)
    assert [("a first link from the journal's start, 0", "link 3–8")] == _told(_chain(late))
    assert [] == _told(_chain(FIRST, log_start=2))  # the journal lost records that had been folded


def test_only_the_asked_for_range_of_links_is_judged() -> None:
    """A hole outside of it is another question."""
    links = (FIRST, Link(6, 8, "", 1), Link(8, 12, "", 1))
    assert 1 == len(_told(_chain(*links, span=(0, 6))))
    assert [] == _told(_chain(*links, span=(9, 12)))


def test_fold_versions_are_told_by_range() -> None:
    """Verify compares only what one version folded."""
    audit = _chain(FIRST, Link(4, 8, "", 1), Link(8, 12, "", 2))
    assert [(1, 0, 8), (2, 8, 12)] == [(each.version, each.start, each.end) for each in audit.folded]


def _fact(identity: str, more: str = "") -> bytes:
    return f'{{"id":"{identity}","more":"{more}"}}'.encode()


def _matched(replayed: list[str], written: list[str], *, at_rest: bool = True) -> list[tuple[str, str]]:
    report = PartitionReport(partition=0)
    match = FactMatch(topic="t", report=report, span=(0, float("inf")))
    for each in replayed:
        match.replay("a", value=_fact(each), position=7)
    for each in written:
        match.read("a", value=_fact(each))
    match.end(at_rest=at_rest)
    return [(each.row.split()[1], each.expected) for each in report.findings]


MISSING, FOREIGN = "this fact, in this place", "no such fact in this place"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (["1", "2", "3"], []),
        (["1", "3"], [("2", MISSING)]),
        (["1", "2"], [("3", MISSING)]),
        (["1", "1", "2", "3"], [("1", FOREIGN)]),
        (["1", "9", "2", "3"], [("9", FOREIGN)]),
        (["1", "9", "3"], [("2", MISSING), ("9", FOREIGN)]),
        (["1", "2", "3", "4"], [("4", FOREIGN)]),
        (["2", "1", "3"], [("1", MISSING), ("1", FOREIGN)]),
    ],
)
def test_facts_of_an_account_are_the_replayed_ones_in_order(
    written: list[str], told: list[tuple[str, str]]
) -> None:
    """Missing, doubled, foreign, moved: each is told once, and what follows is in step again."""
    assert told == _matched(["1", "2", "3"], written)


def test_later_facts_of_a_running_worker_are_no_finding() -> None:
    """What it wrote after the position that is compared at has no replay yet."""
    assert [] == _matched(["1"], ["1", "2"], at_rest=False)


def test_order_between_accounts_does_not_count() -> None:
    """A tick may have been taken in other slices."""
    report = PartitionReport(partition=0)
    match = FactMatch(topic="t", report=report, span=(0, float("inf")))
    match.replay("a", value=_fact("1"), position=0)
    match.read("b", value=_fact("2"))
    assert match.lacks
    match.replay("b", value=_fact("2"), position=0)
    match.read("a", value=_fact("1"))
    match.end(at_rest=True)
    assert ([], 2) == (report.findings, report.facts)


def test_sheet_keeps_the_newest_row_of_a_key(tmp_path: Path) -> None:
    """As compaction would: a row without a value is gone; sums add up over batches."""
    with Sheet(tmp_path) as sheet:
        sheet.put_rows([(b"1", "item", "a", b"x"), (b"2", "item", "a", b"y"), (b"1", "item", "a", b"z")])
        sheet.put_rows([(b"2", "item", "a", None)])
        assert [(b"1", "a", b"z")] == list(sheet.rows())
        assert (b"z", None, 1) == (sheet.row(b"1"), sheet.row(b"2"), sheet.count_rows())
        sheet.add([("a", "item 1", "USD", 5)])
        sheet.add([("a", "item 1", "USD", -2), ("a", "", "USD", 3)])
        assert [("a", "", "USD", 3), ("a", "item 1", "USD", 3)] == list(sheet.sums())
    assert [] == list(tmp_path.iterdir())


def test_findings_are_counted_beyond_their_limit() -> None:
    """A broken log has the same problem everywhere: memory does not grow with it."""
    report = PartitionReport(partition=0)
    for _ in range(FINDINGS_MAX + 3):
        report.object_to("rows", row="r", expected="e", found="f")
    assert (FINDINGS_MAX, 3) == (len(report.findings), report.overflow)


@pytest.mark.parametrize("text", ["tomorrow", "-1", "2026-13-01"])
def test_a_place_is_a_position_or_a_time(text: str) -> None:
    """Anything else is refused with the two forms."""
    with pytest.raises(PlaceError, match="neither a journal position nor a day or time"):
        place_in_log(text)

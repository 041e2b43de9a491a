"""The judge itself: what is lost, doubled, moved, altered or broken is found, each as what it is."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from infra.kafka.cluster import LocalCluster
from streams.engine.chain import Link
from tests.chaos.fleet import Fleet
from tests.chaos.mischief import Mischief, asked
from tests.chaos.profile import Fault, Profile, schedule
from tests.chaos.truth import Found, compare_chain, compare_outputs, compare_rows, compare_told
from tests.chaos.verdict import Verdict, not_done

_TRUE = [b"%016d" % number + b"id-%d" % number for number in range(5)]
_ROWS = {b"a": b"1", b"b": b"2"}
_LINKS = [Link(0, 4, "", 1, True), Link(4, 4, "1", 1), Link(4, 9, "", 1)]


def _outputs(change: Callable[[list[bytes]], object]) -> Found:
    written = list(_TRUE)
    change(written)
    found = Found(0)
    compare_outputs("t", true=_TRUE, written=written, found=found)
    return found


def test_equal_is_equal() -> None:
    """Nothing is found where nothing is wrong."""
    found = _outputs(lambda _: None)
    compare_rows(true=_ROWS, written=dict(_ROWS), found=found)
    compare_chain(_LINKS, newest=_LINKS[-1], end=9, found=found)
    assert [] == found.problems
    assert (2, 3) == (found.rows, found.transactions)


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        (lambda written: written.pop(2), (1, 0, 0)),
        (lambda written: written.insert(4, _TRUE[1]), (0, 1, 0)),
        (lambda written: written.reverse(), (0, 0, 1)),
        (lambda written: written.__setitem__(3, b"x" * 16 + b"id-3"), (1, 1, 0)),
    ],
)
def test_outputs(change: Callable[[list[bytes]], object], counts: tuple[int, int, int]) -> None:
    """Lost, doubled, out of order, and said otherwise (the true one lost, another made up)."""
    found = _outputs(change)
    assert counts == (found.lost, found.doubled, found.disordered)
    assert sum(counts) == len(found.problems)


@pytest.mark.parametrize("written", [{b"a": b"1"}, {**_ROWS, b"c": b"3"}, {b"a": b"1", b"b": b"9"}])
def test_rows(written: dict[bytes, bytes]) -> None:
    """A row that is missing, one too many, one with other content."""
    found = Found(0)
    compare_rows(true=_ROWS, written=written, found=found)
    assert 1 == found.wrong_rows == len(found.problems)


@pytest.mark.parametrize(
    ("links", "newest", "end"),
    [
        (_LINKS[:2], _LINKS[1], 9),
        ([_LINKS[0], _LINKS[2], _LINKS[2]], _LINKS[2], 9),
        ([_LINKS[0], Link(5, 9, "", 1)], Link(5, 9, "", 1), 9),
        (_LINKS[1:], _LINKS[2], 9),
        (_LINKS, _LINKS[1], 9),
        ([], None, 9),
    ],
)
def test_chain(links: list[Link], newest: Link | None, end: int) -> None:
    """Ends early, a link twice, a hole, no beginning, the changelog behind the chain, no link at all."""
    found = Found(0)
    compare_chain(links, newest=newest, end=end, found=found)
    assert found.chain_breaks > 0
    assert not Verdict(found=[found]).is_good


def _hearing(change: Callable[[list[bytes]], object]) -> list[Found]:
    """Partitions 0 and 1 tell partition 1 two things each, and partition 0 one."""
    heard = [_TRUE[0], _TRUE[2], _TRUE[1], _TRUE[3]]
    change(heard)
    told = [[(1, _TRUE[0]), (0, _TRUE[4]), (1, _TRUE[1])], [(1, _TRUE[2]), (1, _TRUE[3])]]
    found = [Found(0, told=told[0], heard=[_TRUE[4]]), Found(1, told=told[1], heard=heard)]
    compare_told(found)
    return found


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        (lambda _: None, (0, 0, 0)),
        (lambda heard: heard.insert(0, heard.pop(1)), (0, 0, 0)),  # of two tellers: either order
        (lambda heard: heard.pop(2), (1, 0, 0)),
        (lambda heard: heard.append(heard[0]), (0, 1, 0)),
        (lambda heard: heard.reverse(), (0, 0, 2)),
        (lambda heard: heard.__setitem__(3, b"x" * 16 + b"id-3"), (1, 1, 0)),
    ],
)
def test_what_accounts_tell_each_other(
    change: Callable[[list[bytes]], object], counts: tuple[int, int, int]
) -> None:
    """A transfer to an account of another partition that is lost, doubled, altered, or overtaken by a later one."""
    nothing, hearing = _hearing(change)
    assert [] == nothing.problems
    assert counts == (hearing.lost, hearing.doubled, hearing.disordered)


def test_the_last_line_says_it() -> None:
    """`make chaos` ends with its verdict."""
    good = Verdict(events=50_000, found=[Found(0)])
    assert good.line().startswith("verdict: ok, 50,000 events")
    assert "verdict: LOST 1," in Verdict(found=[_outputs(lambda written: written.pop())]).line()
    assert Verdict(problems=["an open transaction"]).line().startswith("verdict: BAD,")


def test_what_was_not_done_is_no_proof() -> None:
    """Fewer faults than asked for make the verdict bad; more of them do not."""
    wanted = asked(Profile(kills=3, zombies=1, drops=2, lost_answers=5))
    assert {"kill -9": 3, "zombies": 1, "dropped connections": 2, "lost commit answers": 5} == wanted
    assert [] == not_done(wanted, done=wanted + Counter({"kill -9": 1, "restarts": 2}))
    fewer = not_done(wanted, done=wanted - Counter({"lost commit answers": 1, "zombies": 1}))
    assert [
        "1 zombies were asked for, 0 were done",
        "5 lost commit answers were asked for, 4 were done",
    ] == fewer
    assert Verdict(problems=fewer).line().startswith("verdict: BAD,")


class _EndsOfItself(Fleet):
    """A fleet whose worker has ended by itself whenever it is met first."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, environments={"a": {}})
        self.tried: Counter[str] = Counter()

    def look(self) -> None:
        """Start it again: nothing to see here."""

    def is_at_work(self, name: str) -> bool:
        """It is."""
        return bool(name)

    def start(self, name: str) -> None:
        """Be told that it is started."""
        self.tried[f"start {name}"] += 1

    def kill(self, name: str) -> bool:
        """Die at the second try only."""
        self.tried[f"kill {name}"] += 1
        return self.tried[f"kill {name}"] == 2


def test_a_fault_waits_for_its_victim(tmp_path: Path) -> None:
    """A worker that had ended of itself was not killed: the one that is started in its place is."""
    fleet = _EndsOfItself(tmp_path)
    mischief = Mischief(
        fleet=fleet,
        cluster=cast("LocalCluster", None),
        kill_sender=lambda: None,
        lose_disk=lambda _: None,
        say=lambda _: None,
    )
    mischief.do([Fault(at=0.5, kind="kill", worker="a", node=0, pause_s=0.0)], progress=lambda: 1.0)
    assert {"kill a": 2, "start a": 1} == fleet.tried
    assert {"kill -9": 1} == mischief.done


def test_a_seed_is_a_schedule() -> None:
    """The same seed does the same in the same order; all of it, and another seed something else."""
    profile = Profile(seed=4, kills=5, zombies=2, terms=1, broker_kills=1)
    faults = schedule(profile)
    assert faults == schedule(profile)
    assert faults != schedule(Profile(seed=5, kills=5, zombies=2, terms=1, broker_kills=1))
    assert sorted(["kill"] * 5 + ["zombie"] * 2 + ["term", "broker_kill"]) == sorted(f.kind for f in faults)
    assert sorted(fault.at for fault in faults) == [fault.at for fault in faults]

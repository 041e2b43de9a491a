"""The short form of the chaos on the ledger: a minute that every change goes through."""

from pathlib import Path

import pytest

from tests.chaos.ledger import run_chaos
from tests.chaos.mischief import asked
from tests.chaos.profile import Profile


@pytest.mark.system
def test_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    """Issue 4, point 2: two kills, SIGTERM, a zombie, a broker's kill, cut connections, lost answers to commits."""
    profile = Profile(
        seed=23,
        events=5_000,
        kills=2,
        terms=1,
        zombies=1,
        broker_kills=1,
        drops=3,
        lost_answers=5,
        restart_s=2.5,
    )
    verdict = run_chaos(profile, folder=tmp_path, say=print)
    assert [] == verdict.all_problems(), verdict.line()
    assert asked(profile).items() <= verdict.done.items()
    assert verdict.counted["outcomes_unknown"] > 0
    assert verdict.total("outputs") > 5_000
    assert all(one.heard for one in verdict.found), "no account was told anything by another partition's"

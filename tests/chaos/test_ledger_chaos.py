"""The short form of the chaos on the ledger: a minute that every change goes through."""

from pathlib import Path

import pytest

from tests.chaos.ledger import run_chaos
from tests.chaos.profile import Profile


@pytest.mark.system
@pytest.mark.timeout(240)
def test_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    """Issue 4, point 2: 5,000 events, two kills, a zombie, cut connections, lost answers to commits."""
    profile = Profile(seed=23, events=5_000, kills=2, zombies=1, drops=3, lost_answers=5, restart_s=4.0)
    verdict = run_chaos(profile, folder=tmp_path)
    assert [] == verdict.all_problems(), verdict.line()
    assert {"kill -9": 2, "zombies": 1, "dropped connections": 3, "lost commit answers": 5} == verdict.done
    assert verdict.total("outputs") > 5_000
    assert verdict.counted["outcomes_unknown"] >= 5

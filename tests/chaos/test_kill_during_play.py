"""Killed at random moments, the pipeline loses nothing and sends nothing twice."""

import random
from pathlib import Path

import pytest

from infra.settings import Settings
from tests.chaos.kill_during_play import kill_during_play


@pytest.mark.system
def test_sixty_days_with_three_kills(tmp_path: Path, broker: str, namespace: str) -> None:
    """Issue 3: the result equals a replay of the journal, and each reminder was sent once."""
    chance = random.Random(3)  # noqa: S311 - moments to kill at
    verdict = kill_during_play(
        Settings(data_dir=tmp_path, bootstrap_servers=broker, topic_prefix=namespace),
        days=60,
        kills=3,
        chance=chance,
    )
    assert [] == verdict.problems
    assert 3 == len(verdict.kills)
    assert verdict.deliveries["email accepted"] > 0
    assert verdict.deliveries["letter accepted"] > 0

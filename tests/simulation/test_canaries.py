"""Planted bugs must be found: by the seed named here, or another one early on (see ``canaries``)."""

from collections.abc import Callable

import pytest

from tests.simulation.canaries import CANARIES, FOUND_BY, find
from tests.simulation.scenario import run_seed
from tests.simulation.worker import Settings

SEEDS_MAX = 700


@pytest.mark.parametrize("name", CANARIES)
def test_a_planted_bug_is_found(name: str, record_property: Callable[[str, object], None]) -> None:
    """Within a few hundred seeds something is lost, doubled, stuck or called a break."""
    found = find(name, seeds=SEEDS_MAX)
    assert found is not None, f"{name}: no seed of {SEEDS_MAX} finds it"
    record_property("seed", found.seed)


@pytest.mark.parametrize(
    ("name", "is_safe", "is_live"),
    [("forgetting a send future", False, True), ("waiting for ever", True, False)],
)
def test_safety_and_liveness_are_told_apart(name: str, is_safe: bool, is_live: bool) -> None:
    """One hides not the other: what was lost or doubled is looked for also where not all was done, and the reverse."""
    verdict = run_seed(FOUND_BY[name], settings=CANARIES[name])
    assert (is_safe, is_live) == (verdict.safety == "", verdict.liveness == "")


def test_the_same_seeds_hold_without_the_bugs() -> None:
    """What was found was the bug, not the weather."""
    weather = {name: Settings(new_leader=settings.new_leader) for name, settings in CANARIES.items()}
    assert {""} == {run_seed(seed, settings=weather[name]).problem for name, seed in FOUND_BY.items()}

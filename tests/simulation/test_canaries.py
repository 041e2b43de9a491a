"""Planted bugs must be found: by the seed named here, or another one early on (see ``canaries``)."""

from collections.abc import Callable

import pytest

from tests.simulation.canaries import CANARIES, find
from tests.simulation.scenario import run_seed
from tests.simulation.worker import Settings

# The seed that found it when this was written; it is tried first.
FOUND_BY = {
    "reading to the last stable offset": 47,
    "retrying a commit": 0,
    "forgetting a send future": 3,
    "applying state before the commit": 41,
    "taking a compacted chain for a break": 25,
    "taking a late offset for a break": 10,
    "taking what is too old": 546,
    "taking the state of a topic that is gone": 114,
    "initialising again after being fenced": 6,
    "waiting for ever": 4,
    "believing an old look around": 68,
    "taking silence for the end": 6,
    "retrying an offset's commit": 1319,
    "asking for the end of what is stable": 165,
}
SEEDS_MAX = 700


@pytest.mark.parametrize("name", CANARIES)
def test_a_planted_bug_is_found(name: str, record_property: Callable[[str, object], None]) -> None:
    """Within a few hundred seeds something is lost, doubled, stuck or called a break."""
    known = run_seed(FOUND_BY[name], settings=CANARIES[name])
    found = known if known.problem else find(CANARIES[name], seeds=SEEDS_MAX)
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

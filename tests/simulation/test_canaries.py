"""Planted bugs must be found: by the seed named here, or another one early on (see ``canaries``)."""

from collections.abc import Callable

import pytest

from tests.simulation.canaries import CANARIES, find
from tests.simulation.scenario import run_seed

# The seed that found it when this was written; it is tried first.
FOUND_BY = {
    "reading to the last stable offset": 86,
    "retrying a commit": 26,
    "forgetting a send future": 16,
    "applying state before the commit": 5,
    "taking a compacted chain for a break": 17,
    "believing an old look around": 117,
    "taking silence for the end": 5,
    "retrying an offset's commit": 418,
    "asking for the end of what is stable": 611,
}
SEEDS_MAX = 700


@pytest.mark.parametrize("name", CANARIES)
def test_a_planted_bug_is_found(name: str, record_property: Callable[[str, object], None]) -> None:
    """Within a few hundred seeds something is lost, doubled, stuck or called a break."""
    known = run_seed(FOUND_BY[name], settings=CANARIES[name])
    found = known if known.problem else find(CANARIES[name], seeds=SEEDS_MAX)
    assert found is not None, f"{name}: no seed of {SEEDS_MAX} finds it"
    record_property("seed", found.seed)


def test_the_same_seeds_hold_without_the_bugs() -> None:
    """What was found was the bug, not the weather."""
    assert {""} == {run_seed(seed).problem for seed in FOUND_BY.values()}

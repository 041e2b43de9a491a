"""The steps of the ledger are measured around the very functions that a worker calls."""

import pytest

from benchmarks.steps import measured
from processors import partition as core
from processors.fold import fold


def test_each_step_is_met_and_the_clocks_are_gone_afterwards() -> None:
    """One that is never called has another name by now: its share would stand as nothing in the table."""
    seconds, folded = measured(events=25_000)  # a day and a bit: there is a tick
    assert 25_000 // 4 == pytest.approx(folded, rel=0.1)
    assert [] == [name for name, took_s in seconds.items() if took_s <= 0]
    assert vars(core)["fold"] is fold

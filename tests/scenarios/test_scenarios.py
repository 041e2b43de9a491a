"""Every scenario on the core, straight and with the state built from its rows after each record."""

from pathlib import Path

import pytest

from tests.scenarios.language import read_script
from tests.scenarios.on_core import run

SCENARIOS = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario(path: Path) -> None:
    """The story goes as its file says."""
    run(read_script(path))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_rows_are_the_state(path: Path) -> None:
    """R4, DESIGN 3: a worker that takes over at any record goes on as the other would have."""
    script = read_script(path)
    assert run(script) == run(script, restores=True)

"""Every scenario on the core, straight and with the state built from its rows after each record."""

from pathlib import Path

import pytest

from infra.local_rows import LocalRows
from processors.account_cache import RowsBudget
from processors.partition import Partition
from tests.scenarios.language import read_script
from tests.scenarios.on_core import Stage, run

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


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_rows_may_be_on_disk(path: Path, tmp_path: Path) -> None:
    """DESIGN 3.7: the same story with rows in RocksDB and no account kept in memory between two records."""
    script = read_script(path)
    on_disk = Stage(partition=Partition(number=0, store=LocalRows(tmp_path), budget=RowsBudget(rows_max=1)))
    assert run(script) == run(script, stage=on_disk)
    on_disk.partition.close()

"""Same log, same output, in every process (R26)."""

import os
import subprocess
import sys
from pathlib import Path

from streams.ledger import FOLD_VERSION
from tests.chaos.fold_digest import BUSINESS
from tests.streams.fold_samples import pinned

ROOT = Path(__file__).resolve().parents[2]


def test_facts_and_rows_do_not_depend_on_the_hash_seed() -> None:
    """Found by the chaos: trust was counted in a set's order, so two workers gave decisions other versions."""
    folding = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.fold_digest"],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": salt},
            stdout=subprocess.PIPE,
            text=True,
        )
        for salt in ("1", "2")
    ]
    said = [each.communicate(timeout=120)[0] for each in folding]
    assert [0, 0] == [each.returncode for each in folding]
    assert said[0]
    assert said[0] == said[1]
    assert pinned(FOLD_VERSION)[BUSINESS] == said[0].strip(), (
        "another FOLD_VERSION or, before a release, python -m tests.streams.fold_samples --pin"
    )

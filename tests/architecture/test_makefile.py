"""What each command of the Makefile runs: its options do what is said of them, and only when they are given."""

import os
import re
import subprocess
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_MAKEFILE = (_ROOT / "Makefile").read_text()
# VENV and the like are the Makefile's own; what people give stands in capitals in a comment or a condition.
_OWN = set(re.findall(r"^(\w+) [:?]?= ", _MAKEFILE, re.MULTILINE))
_GIVEN = set(re.findall(r"\$\((?:if|or) \$\((\w+)\)|\$\(or \$\((\w+)\)", _MAKEFILE))


def _runs(target: str, **options: str) -> str:
    """What `make` would run of this project's own Python, setup and older results left out."""
    given = [f"{name}={value}" for name, value in options.items()]
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["make", "-n", "--no-print-directory", "-o", ".venv/.ready", target, *given],
        cwd=_ROOT,
        env=surroundings,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return " ".join(done.stdout.split())


def test_no_option_has_a_value_that_nobody_gave() -> None:
    """The bench ran at its small size whatever one asked: the tests had a variable of the name of its option."""
    options = {name for pair in _GIVEN for name in pair if name}
    assert {"QUICK", "WRITE", "SEED"} <= options
    assert set() == options & _OWN


@pytest.mark.parametrize(
    ("target", "options", "said"),
    [
        ("bench", {}, "-m benchmarks"),
        ("bench", {"QUICK": "1"}, "-m benchmarks --quick"),
        ("bench", {"WRITE": "1"}, "-m benchmarks --write"),
        ("dst", {}, "-m tests.simulation --seeds 1000"),
        ("dst", {"SEED": "7"}, "-m tests.simulation --seed 7"),
        ("dst", {"SEEDS": "10000"}, "-m tests.simulation --seeds 10000"),
        ("chaos", {}, "-m tests.chaos.ledger"),
        ("chaos", {"SEED": "3", "LOST_ANSWERS": "5"}, "-m tests.chaos.ledger --seed 3 --lost-answers 5"),
        ("chaos-senders", {"KILLS": "8", "EMAIL": "ses"}, "-m tests.chaos.senders --kills 8 --email ses"),
    ],
)
def test_a_command_runs_what_was_asked(target: str, options: dict[str, str], said: str) -> None:
    """To the last word: nothing is added to it."""
    assert _runs(target, **options).endswith(said)

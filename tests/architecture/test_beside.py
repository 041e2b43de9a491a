"""How a run of many parts ends: what failed, and how long each part took, stand in its last lines."""

import re
import subprocess
from pathlib import Path

_BESIDE = Path(__file__).resolve().parents[2] / ".ci" / "beside"
_SUMMARY = "FAILED tests/notifiers/test_worker.py::test_a_mail - AssertionError"


def _run(*commands: str) -> tuple[int, list[str]]:
    done = subprocess.run([_BESIDE, *commands], capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, [
        re.sub(r"after \d+:\d\d min", "after M min", each) for each in done.stdout.splitlines()
    ]


def test_who_reads_the_end_learns_what_failed_and_why() -> None:
    """A line for each test that failed, of every part; of what was no test, its last words; nothing of what went well."""
    broken = f"seq 100; echo '{_SUMMARY}'; echo 'assert 1 == 2'; exit 1"
    code, lines = _run(broken, "echo well", "echo 'no such file'; exit 2")
    end = lines.index("== ended with 1 after M min: " + broken)
    assert 1 == code
    assert [
        _SUMMARY,
        "== ended with 0 after M min: echo well",
        "== ended with 2 after M min: echo 'no such file'; exit 2",
        "no such file",
    ] == lines[end + 1 :]


def test_all_that_was_said_stands_before() -> None:
    """The last one is seen as it goes, the others when they have ended."""
    code, lines = _run("echo first", "echo second; echo to the side >&2")
    assert 0 == code
    assert {"first", "second", "to the side"} <= set(lines)

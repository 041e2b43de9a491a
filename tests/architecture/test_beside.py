"""How a run of many parts ends: what failed, and how long each part took, stand in its last lines."""

import re
import subprocess
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_BESIDE = _ROOT / ".ci" / "beside"
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


def test_what_ran_in_turn_is_told_each_by_itself() -> None:
    """All of it runs; how long each took stands at the end, and why one failed, also where others behind it did not."""
    lane = f"{_ROOT / '.ci' / 'in-turn'} 'echo no such file; exit 2' 'echo well'"
    code, lines = _run(lane, "echo beside")
    assert 1 == code
    assert [
        "== ended with 1 after M min: " + lane,
        "   ended with 2 after M min: echo no such file; exit 2",
        "   ended with 0 after M min: echo well",
        "ERROR no such file",
        "== ended with 0 after M min: echo beside",
    ] == lines[lines.index("== ended with 1 after M min: " + lane) :]


def test_ci_runs_what_the_readme_says() -> None:
    """The same commands that people are told, short where they have a short form: not their parts, of which one might be forgotten."""
    run = (_ROOT / ".ci" / "run").read_text()
    assert [] == [
        each
        for each in ("setup", "demo </dev/null", "test", "check", "acceptance", "test-system")
        if not re.search(rf"make {each}( EVERY=3d)?['\"]", run)
    ]

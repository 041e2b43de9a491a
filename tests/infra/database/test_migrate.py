"""Migrations: they make what tables.py says, once, and a database of another version is refused."""

import datetime
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

import infra.database
from infra.database.engine import DatabaseError, database_url, open_engine, reading, writing
from infra.database.migrate import current, newest, require_current, upgrade
from infra.database.tables import clocks, metadata

for each in iter_modules(infra.database.__path__):
    if each.name.endswith("tables"):  # all of them are in the one MetaData
        import_module(f"infra.database.{each.name}")


def differences(engine: Engine) -> list[Any]:
    """Compare the database with the tables that the code has."""
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


def primary_keys(engine: Engine) -> dict[str, list[str]]:
    """Read each table's primary key from the database; Alembic does not compare those."""
    from sqlalchemy import inspect

    found = inspect(engine)
    return {name: found.get_pk_constraint(name)["constrained_columns"] for name in metadata.tables}


def test_migrations_make_the_tables_that_the_code_has(engine: Engine) -> None:
    """Nothing is missing, superfluous or of another type after all migrations."""
    assert [] == differences(engine)
    expected = {
        name: [column.name for column in table.primary_key] for name, table in metadata.tables.items()
    }
    assert expected == primary_keys(engine)


@pytest.fixture
def own_engine(empty_database: str) -> Iterator[Engine]:
    """Give an engine on a database that a test may spoil."""
    opened = open_engine(empty_database)
    upgrade(opened)
    yield opened
    opened.dispose()


def test_a_difference_would_be_seen(own_engine: Engine) -> None:
    """The comparison is not blind: a dropped column is said."""
    with writing(own_engine) as connection:
        connection.execute(text("ALTER TABLE customers DROP COLUMN country"))
    assert [("add_column", "country")] == [(each[0], each[3].name) for each in differences(own_engine)]


def test_upgrade_says_from_where_to_where_and_runs_once(empty_database: str) -> None:
    """An empty database gets everything; a second run changes nothing."""
    engine = open_engine(empty_database)
    assert (None, newest()) == upgrade(engine)
    assert (newest(), newest()) == upgrade(engine)
    assert newest() == current(engine)
    engine.dispose()


def test_two_upgrades_at_once_make_one(empty_database: str) -> None:
    """The second one waits for the first, and finds its work done."""
    results: list[tuple[str | None, str]] = []
    engines = [open_engine(empty_database) for _ in range(2)]
    threads = [threading.Thread(target=lambda one=one: results.append(upgrade(one))) for one in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    for engine in engines:
        engine.dispose()
    assert {(None, newest()), (newest(), newest())} == set(results)


def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    """All processes of an installation that begins meet at one new file: none is told that it is locked."""
    for number in range(20):
        engines = [open_engine(f"sqlite:///{tmp_path / str(number)}.db") for _ in range(4)]
        together = threading.Barrier(len(engines))

        def open_it(one: Engine, together: threading.Barrier = together) -> str:
            together.wait(timeout=30)
            with reading(one) as connection:
                return str(connection.execute(text("PRAGMA journal_mode")).scalar())

        with ThreadPoolExecutor(len(engines)) as pool:
            assert ["wal"] * len(engines) == list(pool.map(open_it, engines))
        for each in engines:
            each.dispose()


def test_an_empty_database_is_refused_with_the_way_out(empty_database: str) -> None:
    """Who forgets `db upgrade` is told to run it."""
    engine = open_engine(empty_database)
    with pytest.raises(DatabaseError, match="run `cobranza db upgrade`"):
        require_current(engine)
    engine.dispose()


def test_a_database_of_a_newer_version_is_refused(own_engine: Engine) -> None:
    """An old program does not touch tables that it does not know."""
    with writing(own_engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="newer than this version"):
        upgrade(own_engine)


def test_instants_come_back_as_they_were_meant(engine: Engine) -> None:
    """An instant of another zone is the same instant, in UTC; a naive one is refused."""
    at = datetime.datetime(2012, 3, 4, 9, 30, tzinfo=datetime.timezone(datetime.timedelta(hours=-3)))
    with writing(engine) as connection:
        connection.execute(clocks.insert().values(partition=1, at=at, mode="played", journal_offset=7))
    with reading(engine) as connection:
        found = connection.execute(clocks.select()).one()
    assert datetime.datetime(2012, 3, 4, 12, 30, tzinfo=datetime.UTC) == found.at
    assert datetime.UTC == found.at.tzinfo
    with pytest.raises(Exception, match="no time zone"), writing(engine) as connection:
        connection.execute(
            clocks.insert().values(partition=2, at=at.replace(tzinfo=None), mode="played", journal_offset=7)
        )


def test_a_writer_that_reads_first_waits_for_another_one(engine: Engine) -> None:
    """Two transactions that read and then write both succeed, one after the other."""
    entered = threading.Event()
    order: list[str] = []

    def second() -> None:
        entered.wait(timeout=30)
        with writing(engine) as connection:
            connection.execute(clocks.select()).all()
            connection.execute(clocks.update().values(journal_offset=clocks.c.journal_offset + 1))
            order.append("second")

    with writing(engine) as connection:
        connection.execute(
            clocks.insert().values(
                partition=0, at=datetime.datetime.now(datetime.UTC), mode="live", journal_offset=1
            )
        )
    thread = threading.Thread(target=second)
    thread.start()
    with writing(engine) as connection:
        connection.execute(clocks.select()).all()
        connection.execute(clocks.update().values(journal_offset=clocks.c.journal_offset + 1))
        entered.set()
        order.append("first")
    thread.join(timeout=60)
    with reading(engine) as connection:
        assert 3 == connection.execute(clocks.select()).one().journal_offset
    assert ["first", "second"] == sorted(order)


@pytest.mark.parametrize("text_", ["", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "nonsense"])
def test_other_databases_are_refused(text_: str) -> None:
    """What is not supported is said, with what is."""
    with pytest.raises(DatabaseError, match="sqlite"):
        database_url(text_)


def test_postgresql_means_psycopg() -> None:
    """The usual URL of PostgreSQL needs no driver in it."""
    assert "postgresql+psycopg" == database_url("postgres://u@h/d").drivername


def test_a_server_that_is_not_there_is_said(tmp_path: object) -> None:
    """No traceback: the address, without the password, and what it answered."""
    engine = open_engine("postgresql://u:secret@127.0.0.1:1/d")
    with pytest.raises(DatabaseError, match=r"u:\*\*\*@127.0.0.1:1/d does not answer"):
        current(engine)


def test_migrations_are_known_by_their_names() -> None:
    """What a start asks for without Alembic is what Alembic would say: each is of its file's number, behind the one before."""
    script = ScriptDirectory(str(Path(infra.database.__path__[0]) / "migrations"))
    numbers = [each.revision for each in script.walk_revisions()][::-1]
    assert [f"{each:04}" for each in range(1, len(numbers) + 1)] == numbers
    assert [numbers[-1]] == [newest()] == script.get_heads()

"""Bringing a database to the tables of this version, and saying when it is not there.

The steps are in ``migrations/versions``, ``mNNNN_what.py`` each, one after the other; they only go forward. Alembic
runs them, and is imported for nothing else: every process of an installation asks at its start whether the tables
are there.
"""

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import OperationalError

from infra.database.engine import DatabaseError, reading, writing

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["current", "newest", "require_current", "upgrade"]

_UPGRADE_LOCK: Final = 0x636F6272
_FOLDER: Final = resources.files("infra.database") / "migrations"
_KEPT_IN: Final = "alembic_version"


def upgrade(engine: Engine) -> tuple[str | None, str]:
    """Run the migrations that are missing, in one transaction; return (before, after).

    Raises:
        DatabaseError: the database does not answer, or is of a newer version than this one.
    """
    known = _revisions()
    after = newest()
    file = _file(engine)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with writing(engine) as connection:
            _wait_for_others(connection)
            before = _revision(connection)
            if before is not None and before not in known:
                raise DatabaseError(
                    f"the database is at migration {before}, which is newer than this version"
                )
            if before != after:
                from alembic import command

                command.upgrade(_config(connection), "head")
    except OperationalError as error:
        raise _unreachable(engine, error) from error
    return before, after


def newest() -> str:
    """Return the revision that this version needs."""
    known = _revisions()
    if not known:
        raise DatabaseError("no migrations are installed: the installation is incomplete")
    return known[-1]


def current(engine: Engine) -> str | None:
    """Return the revision that the database is at, None for an empty one.

    Raises:
        DatabaseError: the database does not answer.
    """
    try:
        with reading(engine) as connection:
            return _revision(connection)
    except OperationalError as error:
        raise _unreachable(engine, error) from error


def require_current(engine: Engine) -> None:
    """Check that the tables are those of this version.

    Raises:
        DatabaseError: they are not; the text says what to run.
    """
    file = _file(engine)
    if file is not None and not file.exists():
        # Asking SQLite would make an empty file.
        raise DatabaseError(f"there is no database {file}: run `cobranza db upgrade`")
    found, needed = current(engine), newest()
    if found != needed:
        raise DatabaseError(
            f"the database is at migration {found or 'none'}, this version needs {needed}: "
            "run `cobranza db upgrade`"
        )


def _file(engine: Engine) -> Path | None:
    if engine.dialect.name != "sqlite" or engine.url.database is None:
        return None
    return Path(engine.url.database).absolute()


def _wait_for_others(connection: Connection) -> None:
    # SQLite has one writer; on PostgreSQL two upgrades at once would both create the tables.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_KEPT_IN):
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {_KEPT_IN}")).scalar_one_or_none()  # noqa: S608 - ours
    return found


def _revisions() -> list[str]:
    """List what there is by the files' names, in order: to read them all takes Alembic a good part of a second."""
    names = (each.name for each in (_FOLDER / "versions").iterdir())
    return sorted(
        each[1:].partition("_")[0] for each in names if each.startswith("m") and each.endswith(".py")
    )


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    return config


def _unreachable(engine: Engine, error: OperationalError) -> DatabaseError:
    where = engine.url.render_as_string(hide_password=True)
    return DatabaseError(f"the database {where} does not answer: {error.orig}")

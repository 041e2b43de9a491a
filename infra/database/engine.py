"""Engines by URL: how a connection to SQLite or PostgreSQL is set up, and its two kinds of use.

``reading`` sees one moment, ``writing`` is one transaction that has the writer's place from its
first statement on. It refuses other databases, and URLs that name none.
"""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError

from infra.database.fit_text import ALREADY_FIT, fit_parameters
from infra.errors import OperatorError

__all__ = [
    "WRITING",
    "DatabaseError",
    "again_if_undone",
    "database_url",
    "open_asking_engine",
    "open_engine",
    "reading",
    "writing",
]

_log = logging.getLogger(__name__)
# A writer waits so long for another one; the projector's largest batch takes under a second.
_BUSY_TIMEOUT_MS: Final = 30_000
_ASK_AGAIN_S: Final = 0.01
# Who only asks whether a database is there waits so long, for a connection and for each answer.
_ASKING_S_MAX: Final = 2
# 32 MiB of log before it is folded into the file: with the default, 4 MiB, each batch would.
_CHECKPOINT_PAGES: Final = 8_192
# The execution option of a connection that `writing` gives; its value is how SQLite begins.
WRITING: Final = "cobranza_writing"


# PostgreSQL's words for a transaction that it has undone for another's sake, and that may be done again.
_UNDONE: Final = ("40P01", "40001")
_TRIES_MAX: Final = 5

_Given = ParamSpec("_Given")
_Gives = TypeVar("_Gives")


class DatabaseError(OperatorError):
    """The database cannot be used as it is; says why and the way out."""


def database_url(text: str) -> URL:
    """Read a database URL; ``postgresql://`` and ``postgres://`` mean psycopg 3.

    Raises:
        DatabaseError: it is no URL, or of another database.
    """
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise DatabaseError(
            f"{text!r} is no database URL; for example: sqlite:////data/cobranza.db"
        ) from error
    if url.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername in ("sqlite", "sqlite+pysqlite") and url.database not in (None, "", ":memory:"):
        return url.set(drivername="sqlite")
    raise DatabaseError(
        f"database {url.render_as_string(hide_password=True)!r}: "
        "sqlite:///<file> and postgresql://<user>@<host>/<database> are supported"
    )


def open_engine(text: str, *, rebuildable: bool = False) -> Engine:
    """Make an engine for this URL; nothing is connected to, or made, before it is used.

    Args:
        text: the URL.
        rebuildable: what is written can be written again from its source, positions and rows
            alike, so that a commit need not wait for the disk. Never for the send ledger.

    Raises:
        DatabaseError: as `database_url`.
    """
    url = database_url(text)
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, rebuildable=rebuildable)
    return _postgresql(url, rebuildable=rebuildable)


def open_asking_engine(text: str) -> Engine:
    """Make an engine to ask whether the database can be read: no pool, and no wait is longer than 2 s.

    Each use connects anew, so that it neither waits for who holds a connection nor trusts an old one.

    Raises:
        DatabaseError: as `database_url`.
    """
    url = database_url(text)
    if url.get_backend_name() == "sqlite":
        limits: dict[str, Any] = {"timeout": _ASKING_S_MAX}
    else:
        limits = {
            "connect_timeout": _ASKING_S_MAX,
            # The server ends a statement that is slow, the machine a connection whose other end is gone.
            "options": f"-c timezone=UTC -c statement_timeout={_ASKING_S_MAX * 1000}",
            "tcp_user_timeout": _ASKING_S_MAX * 1000,
        }
    return create_engine(url, connect_args=limits, poolclass=NullPool, hide_parameters=True)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection on which all reads see the same moment; it writes nothing."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection in one transaction, committed at the end, rolled back on an error.

    On SQLite it takes the writer's place at once: a transaction that reads first and writes
    later would fail, without waiting, whenever another one wrote in between.
    """
    with engine.connect() as connection:
        connection.execution_options(**{WRITING: "BEGIN IMMEDIATE"})
        with connection.begin():
            yield connection


def again_if_undone(write: Callable[_Given, _Gives]) -> Callable[_Given, _Gives]:
    """Have a function that is one transaction, and changes nothing else, done again where the database has undone it.

    PostgreSQL ends a deadlock with one of its transactions rolled back whole; SQLite gives the writer's place to nobody
    while another one has it for longer than the time-out, and nothing is begun. The same again is what both ask for.
    It is done five times at most; then the error is the caller's.
    """

    @wraps(write)
    def written(*args: _Given.args, **kwargs: _Given.kwargs) -> _Gives:
        for _ in range(_TRIES_MAX - 1):
            try:
                return write(*args, **kwargs)
            except DBAPIError as error:
                if not _may_be_done_again(error.orig):
                    raise
                _log.warning(
                    "%s was undone for another's sake, and is done again", write.__name__, exc_info=error
                )
        return write(*args, **kwargs)

    return written


def _may_be_done_again(error: BaseException | None) -> bool:
    """Say whether a database has undone a transaction, or not begun it, for another's sake."""
    if isinstance(error, sqlite3.OperationalError):
        # The lowest byte says what it is; the others, why (SQLITE_BUSY_SNAPSHOT, SQLITE_BUSY_RECOVERY).
        return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    return getattr(error, "sqlstate", None) in _UNDONE


def _sqlite(url: URL, *, rebuildable: bool) -> Engine:
    engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_MS / 1000}, hide_parameters=True)
    synchronous = "NORMAL" if rebuildable else "FULL"

    def connected(connection: Any, _record: Any) -> None:
        # The driver must not begin transactions by itself: `began` says which kind.
        connection.isolation_level = None
        _keep_a_log(connection)
        for setting in (
            f"busy_timeout = {_BUSY_TIMEOUT_MS}",
            f"synchronous = {synchronous}",
            "foreign_keys = ON",
            "cache_size = -65536",
            f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
        ):
            connection.execute(f"PRAGMA {setting}")

    def began(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(WRITING, "BEGIN"))

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", began)
    return _with_fit_texts(engine)


def _keep_a_log(connection: Any) -> None:
    """Set the mode that lets readers read beside a writer; a file that has it keeps it.

    Of two that open a new file at once each may hold what the other one needs to change the mode.
    SQLite refuses one of them without waiting, whatever the time-out: so it is asked again.
    """
    deadline_s = time.monotonic() + _BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline_s:
                raise
            time.sleep(_ASK_AGAIN_S)
        else:
            return


def _postgresql(url: URL, *, rebuildable: bool) -> Engine:
    # Instants are UTC inside and outside; a server's local zone must not show through.
    options = "-c timezone=UTC" + (" -c synchronous_commit=off" if rebuildable else "")
    return _with_fit_texts(
        create_engine(url, connect_args={"options": options}, pool_pre_ping=True, hide_parameters=True)
    )


def _with_fit_texts(engine: Engine) -> Engine:
    """Have every text that is written or looked for made fit (`infra.database.fit_text`), on both databases alike."""
    event.listen(engine, "before_cursor_execute", _fitted, retval=True)
    return engine


def _fitted(
    _connection: Connection, _cursor: Any, statement: str, parameters: Any, context: Any, _many: bool
) -> tuple[str, Any]:
    if context.execution_options.get(ALREADY_FIT):
        return statement, parameters
    return statement, fit_parameters(parameters)

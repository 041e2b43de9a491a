"""Whether a worker that holds something still exists, known from a lock that ends with its process.

A heartbeat would say when a worker was last well; a frozen one comes back, and does what it was
about to do. A lock that the operating system or the database takes away when the process ends says
that it never will. On SQLite, whose users share a machine, it is a file's lock; on PostgreSQL an
advisory lock of a session of its own, which must not run through a pooler of transactions.
"""

import datetime
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from infra.errors import OperatorError

__all__ = ["PresenceLostError", "is_gone", "present"]

# A machine that vanished without a word must not count as present for hours.
_KEEPALIVES = (("tcp_keepalives_idle", 10), ("tcp_keepalives_interval", 5), ("tcp_keepalives_count", 3))


class PresenceLostError(OperatorError):
    """The session that says that this worker exists is gone: it must not go on under its name."""


@contextmanager
def present(engine: Engine, *, owner: str) -> Iterator[Callable[[], None]]:
    """Hold the lock that says that ``owner`` exists; the function given raises when it is not held any more.

    Raises:
        PresenceLostError: by the function: the database has lost the session.
    """
    if engine.dialect.name == "postgresql":
        with _session_lock(engine, owner=owner) as check:
            yield check
    else:
        with _file_lock(_folder(engine) / owner):
            yield lambda: None


def is_gone(engine: Engine, *, owner: str, since: datetime.datetime | None) -> bool:
    """Say whether ``owner`` is known not to exist any more; False: it does, or nobody can know.

    Args:
        engine: of the database that it worked on.
        owner: a worker's name that nobody will have again.
        since: when it was last known to exist. A database that was started after that has forgotten
            all locks, and cannot say.
    """
    if engine.dialect.name == "postgresql":
        return _has_no_session(engine, owner=owner, since=since)
    if not owner:
        return False
    path = _folder(engine) / owner
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def _folder(engine: Engine) -> Path:
    return Path(f"{engine.url.database}-workers")


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    # A lock of this kind is the open file's, not the process's: closing another handle does not end it.
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


@contextmanager
def _session_lock(engine: Engine, *, owner: str) -> Iterator[Callable[[], None]]:
    with engine.connect() as connection:
        session = connection.execution_options(isolation_level="AUTOCOMMIT")
        for name, value in _KEEPALIVES:
            session.execute(text(f"SET {name} = {value}"))
        session.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _key(owner)})

        def check() -> None:
            try:
                session.execute(text("SELECT 1"))
            except SQLAlchemyError as error:
                raise PresenceLostError(f"worker {owner} has lost its session: {error}") from error

        try:
            yield check
        finally:
            # The server takes its time to notice that a session has ended: who leaves in order says so, and is
            # gone at once. A session that is lost has no lock to give back.
            with suppress(SQLAlchemyError):
                session.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _key(owner)})
            # The session's end is the lock's; the pool must not keep it for another use.
            connection.invalidate()


def _has_no_session(engine: Engine, *, owner: str, since: datetime.datetime | None) -> bool:
    # The lock of a transaction is in nobody's way for longer than this question.
    query = text("SELECT pg_try_advisory_xact_lock(:key), pg_postmaster_start_time()")
    with engine.begin() as connection:
        is_free, started_at = connection.execute(query, {"key": _key(owner)}).one()
    return bool(is_free) and since is not None and started_at < since


def _key(owner: str) -> int:
    digest = hashlib.blake2b(owner.encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)

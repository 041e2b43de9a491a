"""Who may use the console, who is using it, and what each has done: users, sessions, failed logins, audit.

It keeps what it is given; hashing, expiry and what a role may do are for ``console.web.inside.access``.
"""

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, get_args

from msgspec import Struct
from sqlalchemy import Engine, and_, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from infra.database.engine import reading, writing
from infra.database.people_tables import audit, login_failures, sessions, users

__all__ = ["ROLES", "AuditEntry", "LoginFailures", "PeopleBook", "Role", "Session", "User"]

Role = Literal["viewer", "collector", "approver", "administrator"]
ROLES: Final = get_args(Role)  # each may do what those before it may
_MARK: Final = "#"  # between the id of a line of the audit and the digest of its content


class User(Struct, frozen=True, kw_only=True):
    """A person who may use the console; no ``companies``: all of them.

    ``must_change``: the password was made by somebody else: another one has to be chosen before anything is shown.
    """

    user: str
    role: Role
    password_hash: str
    language: str = "en"
    companies: tuple[str, ...] = ()
    is_disabled: bool = False
    must_change: bool = False


class Session(Struct, frozen=True, kw_only=True):
    """A login that has not ended; ``csrf`` is what its forms must bring."""

    session: str
    user: str
    csrf: str
    begun_at: datetime.datetime
    seen_at: datetime.datetime


class LoginFailures(Struct, frozen=True, kw_only=True):
    """How often in a row a name or an address failed, and when last."""

    failures: int
    last_at: datetime.datetime


class AuditEntry(Struct, frozen=True, kw_only=True):
    """Something that a user did; ``entry`` is a command's id where it was one; ``said_json`` what it set, by field.

    ``content`` tells it from others under the same id, where the rest is not the same each time that it is asked for; it is not kept.
    """

    entry: str
    at: datetime.datetime
    user: str
    act: str
    account: str = ""
    detail: str = ""
    said_json: str = ""
    content: str = ""


class PeopleBook:
    """Reads and writes these tables; several threads may use it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    # -- users -----------------------------------------------------------------------

    def put(self, user: User, *, at: datetime.datetime) -> None:
        """Write a user, new or changed; his sessions end, so that what he may do is as written."""
        row = {name: getattr(user, name) for name in user.__struct_fields__}
        row |= {"companies": "\n".join(user.companies), "changed_at": at}
        statement = self._insert(users).values(**row)
        changes = {name: value for name, value in row.items() if name != "user"}
        with writing(self._engine) as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["user"], set_=changes))
            connection.execute(delete(sessions).where(sessions.c["user"] == user.user))

    def speak(self, name: str, *, language: str) -> None:
        """Change a user's language, and nothing else: he stays logged in."""
        with writing(self._engine) as connection:
            connection.execute(update(users).where(users.c["user"] == name).values(language=language))

    def choose_password(self, name: str, *, password_hash: str, session: str, at: datetime.datetime) -> None:
        """Write the password that a user chose; his other sessions end, this one goes on."""
        values = {"password_hash": password_hash, "must_change": False, "changed_at": at}
        with writing(self._engine) as connection:
            connection.execute(update(users).where(users.c["user"] == name).values(values))
            connection.execute(
                delete(sessions).where(sessions.c["user"] == name, sessions.c["session"] != session)
            )

    def user(self, name: str) -> User | None:
        """Give a user by name."""
        found = self._users(name)
        return found[0] if found else None

    def users(self) -> list[User]:
        """List all users by name."""
        return self._users(None)

    def _users(self, name: str | None) -> list[User]:
        query = select(users).order_by(users.c["user"])
        if name is not None:
            query = query.where(users.c["user"] == name)
        with reading(self._engine) as connection:
            rows = connection.execute(query).mappings().all()
        return [
            User(
                user=row["user"],
                role=row["role"],
                password_hash=row["password_hash"],
                language=row["language"],
                companies=tuple(row["companies"].split()),
                is_disabled=row["is_disabled"],
                must_change=row["must_change"],
            )
            for row in rows
        ]

    # -- sessions --------------------------------------------------------------------

    def begin(self, session: Session) -> None:
        """Keep a new session."""
        values = {name: getattr(session, name) for name in session.__struct_fields__}
        with writing(self._engine) as connection:
            connection.execute(sessions.insert().values(**values))

    def session(self, name: str) -> tuple[Session, User] | None:
        """Give a session and whose it is; None: there is none, or its user is disabled."""
        query = select(sessions).where(sessions.c["session"] == name)
        with reading(self._engine) as connection:
            row = connection.execute(query).mappings().one_or_none()
        user = None if row is None else self.user(row["user"])
        return None if row is None or user is None or user.is_disabled else (Session(**row), user)

    def seen(self, name: str, *, at: datetime.datetime) -> None:
        """Note that a session was used."""
        with writing(self._engine) as connection:
            connection.execute(update(sessions).where(sessions.c["session"] == name).values(seen_at=at))

    def end(self, name: str) -> None:
        """Forget a session."""
        with writing(self._engine) as connection:
            connection.execute(delete(sessions).where(sessions.c["session"] == name))

    # -- failed logins ----------------------------------------------------------------

    def failures(self, name: str) -> LoginFailures | None:
        """Give the failures in a row of a name or an address."""
        query = select(login_failures.c["failures"], login_failures.c["last_at"]).where(
            login_failures.c["name"] == name
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else LoginFailures(**row)

    def failed(self, name: str, *, at: datetime.datetime) -> None:
        """Count one more failure."""
        statement = self._insert(login_failures).values(name=name, failures=1, last_at=at)
        counted = {"failures": login_failures.c["failures"] + 1, "last_at": at}
        with writing(self._engine) as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=counted))

    def forgive(self, name: str) -> None:
        """Forget failures: a login has succeeded, or time has passed."""
        with writing(self._engine) as connection:
            connection.execute(delete(login_failures).where(login_failures.c["name"] == name))

    # -- audit ------------------------------------------------------------------------

    def note(self, entry: AuditEntry) -> bool:
        """Write down what was done; False: the same thing stands there, and nothing changes.

        Another content under an id that is there is a line of its own: that somebody asked for it is not lost.
        """
        statement = self._insert(audit).values(**_row(entry)).on_conflict_do_nothing()
        with writing(self._engine) as connection:
            # Not every driver counts rows of such an insert.
            return connection.execute(statement.returning(audit.c["entry"])).first() is not None

    def note_all(self, entries: Sequence[AuditEntry]) -> None:
        """Write down several things that were done, all or none."""
        rows = [_row(each) for each in entries]
        if rows:
            with writing(self._engine) as connection:
                connection.execute(self._insert(audit).on_conflict_do_nothing(), rows)

    def entry(self, name: str) -> AuditEntry | None:
        """Give what was noted first under an id."""
        key = audit.c["entry"]
        # "$" comes after "#": all that begins so, by the index. Lines of an older installation are keyed by the id alone.
        query = select(audit).where(or_(key == name, and_(key >= f"{name}{_MARK}", key < f"{name}$")))
        with reading(self._engine) as connection:
            row = connection.execute(query.order_by(audit.c["at"], key).limit(1)).mappings().first()
        return None if row is None else _entry(row)

    def entries(
        self,
        *,
        account: str | None = None,
        user: str = "",
        act: str = "",
        companies: Sequence[str] = (),
        first_at: datetime.datetime | None = None,
        before_at: datetime.datetime | None = None,
        limit: int,
        offset: int = 0,
    ) -> list[AuditEntry]:
        """List what was done, the newest first.

        ``account`` is an account, or a company, whose own settings it then is; with ``companies`` only what
        concerns these or their customers; from ``first_at`` on, before ``before_at``.
        """
        query = select(audit).order_by(audit.c["at"].desc(), audit.c["entry"]).limit(limit).offset(offset)
        wanted = {"account": account, "user": user or None, "act": act or None}
        query = query.where(*(audit.c[name] == value for name, value in wanted.items() if value is not None))
        if companies:
            # ";" comes after ":": all that begins so, by the index. LIKE would take ACME for acme on SQLite.
            account_of = audit.c["account"]
            own = [and_(account_of >= f"{each}:", account_of < f"{each};") for each in companies]
            query = query.where(or_(audit.c["account"].in_(companies), *own))
        if first_at is not None:
            query = query.where(audit.c["at"] >= first_at)
        if before_at is not None:
            query = query.where(audit.c["at"] < before_at)
        with reading(self._engine) as connection:
            return [_entry(row) for row in connection.execute(query).mappings()]


def _row(entry: AuditEntry) -> dict[str, Any]:
    """Give the row of a line: its key is its id and a digest of what is asked for."""
    row = {name: getattr(entry, name) for name in entry.__struct_fields__ if name != "content"}
    content = entry.content or f"{entry.detail}\n{entry.said_json}"
    digest = hashlib.blake2s(f"{entry.act}\n{entry.account}\n{content}".encode(), digest_size=8).hexdigest()
    return row | {"entry": f"{entry.entry}{_MARK}{digest}"}


def _entry(row: Mapping[Any, Any]) -> AuditEntry:
    return AuditEntry(**{**row, "entry": row["entry"].partition(_MARK)[0]})

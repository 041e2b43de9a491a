"""Who is asking: passwords, sessions, roles, and whether a form is one of ours.

A session is 32 random bytes in a cookie; SQL has their digest. Forms bring the
session's CSRF word, and browsers say where a form stands (``Origin``): both must fit.
"""

import datetime
import hashlib
import hmac
import secrets
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from fastapi import Request
from msgspec import Struct

from console.web.inside.parts import InsideParts
from console.web.routing import Door
from infra.database.people import ROLES, Role, Session, User

__all__ = [
    "COOKIE",
    "Denied",
    "LoginNeededError",
    "PasswordNeededError",
    "Person",
    "Refusal",
    "WaitError",
    "came_from",
    "digest_of",
    "has_password",
    "hash_password",
    "is_own_password",
    "log_in",
    "manages",
    "needs",
    "person_of",
    "require_own_form",
    "within",
]

COOKIE: Final = "cobranza_session"
PASSWORD_CHARACTERS_MIN: Final = 12
_WITH_ANOTHERS_PASSWORD: Final = ("/me", "/logout", "/language")
_SEEN_AGAIN_S: Final = 60  # a session is marked as used so often, not by every request
_hasher: Final = PasswordHasher()
# Looked at for names that nobody has: a name is not told by how long the answer takes. The work of any other
# hash, with a salt and a digest of zeros: no password that anybody could find has it.
_NOBODYS: Final = (
    f"$argon2id$v=19$m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    f"${'A' * 22}${'A' * 43}"
)


class LoginNeededError(Exception):
    """Nobody is logged in, or the session is over."""


class Denied(Exception):  # noqa: N818 - it is an answer, no fault
    """The user may not do this."""


class Refusal(Exception):  # noqa: N818 - it is an answer, no fault
    """A form that is not ours, or of another session."""


class PasswordNeededError(Exception):
    """The password was made by somebody else: a page to choose another comes first."""


class WaitError(Exception):
    """Too many failures in a row; ``minutes`` until the next try."""

    def __init__(self, minutes: int) -> None:
        super().__init__(f"wait {minutes} minutes")
        self.minutes = minutes


class Person(Struct, frozen=True, kw_only=True):
    """A user who is logged in; no ``companies``: all of them."""

    user: str
    role: Role
    language: str
    companies: tuple[str, ...]
    csrf: str
    session: str
    must_change: bool = False

    def may(self, role: Role) -> bool:
        """Say whether the user's role includes another one."""
        return ROLES.index(self.role) >= ROLES.index(role)

    def sees(self, company: str) -> bool:
        """Say whether the user may see a company."""
        return not self.companies or company in self.companies


def manages(person: Person, other: User) -> bool:
    """Say whether an administrator may change another user: one who sees nothing that he does not see himself."""
    return not person.companies or (bool(other.companies) and set(other.companies) <= set(person.companies))


def hash_password(password: str) -> str:
    """Give argon2's text for a password.

    Raises:
        ValueError: it is too short.
    """
    if len(password) < PASSWORD_CHARACTERS_MIN:
        raise ValueError(f"a password has at least {PASSWORD_CHARACTERS_MIN} characters")
    return _hasher.hash(password)


def digest_of(token: str) -> str:
    """Give what SQL keeps of a session's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def log_in(parts: InsideParts, *, user: str, password: str, address: str) -> str | None:
    """Begin a session; give its token, None for a wrong name or password.

    A name waits where it has failed: a stranger who guesses elsewhere locks nobody out, unless he goes on for very long.

    Raises:
        WaitError: this name from this address, or one of both together with others, has failed too often.
    """
    now, limits = parts.clock(), parts.console
    watched = {
        f"user/{user[:128]}/{address[:64]}": limits.login_failures_max,
        f"user/{user[:128]}": limits.failures_together_max,
        f"address/{address[:64]}": limits.failures_together_max,
    }
    for name, failures_max in watched.items():
        _require_patience(parts, name, now=now, failures_max=failures_max)
    found = parts.people.user(user)
    is_right = _verify(_NOBODYS if found is None else found.password_hash, password)
    if found is None or found.is_disabled or not is_right:
        for name in watched:
            parts.people.failed(name, at=now)
        return None
    for name in watched:
        parts.people.forgive(name)
    token = secrets.token_urlsafe(32)
    begun = Session(
        session=digest_of(token), user=found.user, csrf=secrets.token_urlsafe(24), begun_at=now, seen_at=now
    )
    parts.people.begin(begun)
    return token


def has_password(user: User, password: str) -> bool:
    """Say whether a password that was made for a user is his still."""
    return _verify(user.password_hash, password)


def is_own_password(parts: InsideParts, person: Person, *, password: str) -> bool:
    """Say whether a password is that of the person who is logged in; failures count apart from those at the login.

    Raises:
        WaitError: this name has failed too often.
    """
    name = f"own/{person.user[:128]}"
    _require_patience(parts, name, now=parts.clock(), failures_max=parts.console.login_failures_max)
    found = parts.people.user(person.user)
    if found is None or not _verify(found.password_hash, password):
        parts.people.failed(name, at=parts.clock())
        return False
    parts.people.forgive(name)
    return True


def _require_patience(parts: InsideParts, name: str, *, now: datetime.datetime, failures_max: int) -> None:
    known = parts.people.failures(name)
    if known is None:
        return
    wait = datetime.timedelta(minutes=parts.console.login_wait_minutes)
    until = known.last_at + wait
    if now >= until:
        parts.people.forgive(name)
    elif known.failures >= failures_max:
        raise WaitError(max(1, round((until - now).total_seconds() / 60)))


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def person_of(parts: InsideParts, token: str | None) -> Person:
    """Give who has this token.

    Raises:
        LoginNeededError: nobody, or it is over.
    """
    name = digest_of(token or "")
    found = parts.people.session(name)
    if found is None:
        raise LoginNeededError
    session, user = found
    now, limits = parts.clock(), parts.console
    is_old = now - session.begun_at > datetime.timedelta(hours=limits.session_hours)
    if is_old or now - session.seen_at > datetime.timedelta(minutes=limits.idle_minutes):
        parts.people.end(name)
        raise LoginNeededError
    if (now - session.seen_at).total_seconds() > _SEEN_AGAIN_S:
        parts.people.seen(name, at=now)
    return Person(
        user=user.user,
        role=user.role,
        language=user.language,
        companies=user.companies,
        csrf=session.csrf,
        session=name,
        must_change=user.must_change,
    )


class needs(Door):  # noqa: N801 - it reads as a word: dependencies=[needs("collector")]
    """A dependency of a route: the person who is asking has at least this role.

    Raises:
        LoginNeededError, PasswordNeededError, Denied: nobody is logged in; somebody by another's password; or
            somebody who may not.
    """

    def __init__(self, role: Role) -> None:
        self.role: Role = role

    def __call__(self, request: Request) -> Person:
        """Give the person."""
        person: Person | None = getattr(request.state, "person", None)
        if person is None:  # of a form it is asked twice: before its body is read, and as FastAPI does
            person = person_of(request.app.state.parts, request.cookies.get(COOKIE))
            request.state.person = person
        if person.must_change and request.url.path not in _WITH_ANOTHERS_PASSWORD:
            raise PasswordNeededError
        if not person.may(self.role):
            raise Denied
        return person


def require_own_form(request: Request, person: Person, *, csrf: str) -> None:
    """See that a form was made for this session, and stands on a page of ours.

    Raises:
        Refusal: it was not, or does not.
    """
    if not hmac.compare_digest(csrf.encode(), person.csrf.encode()):
        raise Refusal
    require_same_origin(request)


def require_same_origin(request: Request) -> None:
    """See that what is posted comes from a page of ours, where the browser says from where it comes.

    Raises:
        Refusal: it comes from elsewhere.
    """
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host", ""):
        raise Refusal
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refusal


def came_from(request: Request) -> str:
    """Give the page of ours that a request was made on, "/" where the browser does not say."""
    scheme, _, rest = request.headers.get("referer", "").partition("://")
    host, _, path = rest.partition("/")
    is_ours = scheme in ("http", "https") and host == request.headers.get("host")
    return within(f"/{path}") if is_ours else "/"


def within(path: str) -> str:
    """Give a path if it is one of ours, else "/": nobody is sent elsewhere by a link to us."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_ours else "/"

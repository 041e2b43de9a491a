"""The console of a demo: somebody who may log in, and the proof that it shows the year, as a browser would ask for it."""

import datetime
import http.client
import re
import secrets
import time
from collections.abc import Callable, Mapping
from html import unescape
from typing import Final
from urllib.parse import urlencode, urlsplit

from msgspec import Struct

from console.web.inside.access import hash_password
from infra.database.engine import open_engine
from infra.database.people import PeopleBook, User
from infra.errors import OperatorError
from infra.settings import Settings

__all__ = ["USER", "EmptyConsoleError", "Shown", "employ", "shown_pages"]

USER: Final = "demo"
# One page of each kind that reads the year: who is to be looked at, what was sent, what is owed, one of them.
_PATHS: Final = ("/", "/reminders", "/reports/aged", "/customers/andes:A0001")
_ANSWERS_S_MAX: Final = 30.0
_POLL_S: Final = 0.1


class EmptyConsoleError(OperatorError):
    """The console does not answer, or its pages do not show the year."""


class Shown(Struct, frozen=True, kw_only=True):
    """A page that was asked for: its heading, and how many lines its tables have."""

    path: str
    title: str
    lines: int


def employ(settings: Settings, *, now: datetime.datetime) -> str:
    """Let the demo's user do everything; give the password, which is written down nowhere."""
    password = secrets.token_urlsafe(12)
    engine = open_engine(settings.database)
    try:
        user = User(user=USER, role="administrator", password_hash=hash_password(password))
        PeopleBook(engine).put(user, at=now)
    finally:
        engine.dispose()
    return password


def shown_pages(address: str, *, password: str, check: Callable[[], None]) -> list[Shown]:
    """Log in and open some pages.

    Args:
        address: the console's, plain HTTP.
        password: of the demo's user.
        check: called while waiting for the console; raises when waiting is in vain.

    Raises:
        EmptyConsoleError: it does not answer, does not let us in, or a page has no lines.
    """
    _await_answer(address, check=check)
    form = urlencode({"user": USER, "password": password, "then": "/"})
    status, headers, _ = _ask(address, "POST", "/login", body=form)
    cookie = headers.get("set-cookie", "").partition(";")[0]
    if status != 303 or not cookie:
        raise EmptyConsoleError(f"{address} does not let the demo's user in: HTTP {status}.")
    return [_shown(address, path, cookie=cookie) for path in _PATHS]


def _shown(address: str, path: str, *, cookie: str) -> Shown:
    status, _, text = _ask(address, "GET", path, cookie=cookie)
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", text, re.DOTALL)
    lines = sum(row.count("<tr") for row in re.findall(r"<tbody.*?</tbody>", text, re.DOTALL))
    if status != 200 or heading is None or not lines:
        raise EmptyConsoleError(f"{address}{path} does not show the year: HTTP {status}, {lines} lines.")
    title = unescape(re.sub(r"<[^>]+>", " ", heading[1])).strip()
    return Shown(path=path, title=title, lines=lines)


def _await_answer(address: str, *, check: Callable[[], None]) -> None:
    deadline_s = time.monotonic() + _ANSWERS_S_MAX
    while True:
        try:
            _ask(address, "GET", "/login")
        except OSError as error:
            check()
            if time.monotonic() > deadline_s:
                raise EmptyConsoleError(f"{address} does not answer: {error}") from error
            time.sleep(_POLL_S)
        else:
            return


def _ask(
    address: str, method: str, path: str, *, body: str = "", cookie: str = ""
) -> tuple[int, Mapping[str, str], str]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=_ANSWERS_S_MAX)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
        connection.request(method, path, body=body or None, headers=headers)
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, told, answer.read().decode()
    finally:
        connection.close()

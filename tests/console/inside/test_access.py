"""Who gets in, who gets where, and what a form has to bring (issue 7, safety)."""

import asyncio
import datetime
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from starlette.types import Message

from console.web.inside.access import needs
from console.web.inside.app import STATIC_FILES, inside_app
from console.web.inside.settings import ConsoleSettings
from console.web.serving import server_of
from infra.database.batches import Batch, BatchBook
from infra.database.people import ROLES, Role
from tests.console.inside.desk import PASSWORD, Desk
from tests.console.inside.posted import keep_jobs
from tests.console.inside.who_may import WHO_MAY

STORY = """# one who owes
customer email ana@c1.test
plan default
    first      0 email
    second   +90 email
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-01-05  payment P-1 10.00
2026-02-05  tick
    expect reminder first INV-1 by email
"""
STATIC = {f"/static/{name}" for name in STATIC_FILES}
OPEN = {"/login", "/csp-reports", *STATIC}
# These end the session that asks, or change how it is seen: their own tests say who may.
_ENDS = {"POST /logout"}


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with one customer and nobody at it."""
    desk = Desk(sqlite_engine, tmp_path, STORY)
    keep_jobs(desk)
    return desk


def test_nobody_is_shown_anything_without_a_login(desk: Desk) -> None:
    """Each page leads to the login, and from there to where one was going."""
    answer = desk.browser.get("/customers/acme:C1")
    assert (303, "/login?then=/customers/acme%3AC1") == (answer.status_code, answer.headers["location"])


def test_a_wrong_password_and_an_unknown_name_are_told_alike(desk: Desk) -> None:
    """Who tries does not learn which names there are."""
    desk.employ("ana")
    wrong = desk.log_in("ana", password="something else entirely")
    unknown = desk.log_in("nobody")
    assert (401, 401) == (wrong.status_code, unknown.status_code)
    assert wrong.text == unknown.text


def test_after_five_failures_even_the_right_password_waits(desk: Desk) -> None:
    """Login throttling: by name, and it ends by itself."""
    desk.employ("ana")
    for _ in range(5):
        desk.log_in("ana", password="something else entirely")
    assert 429 == desk.log_in("ana").status_code
    desk.now += datetime.timedelta(minutes=16)
    assert 303 == desk.log_in("ana").status_code


def _from(desk: Desk, address: str, *, proxies: str = "") -> Callable[..., int]:
    """Give what logs in from an address, through the server that the console is run by."""
    server = server_of(inside_app(desk.parts), web=ConsoleSettings(trusted_proxies=proxies))
    server.config.load()
    browser = TestClient(
        server.config.loaded_app, base_url="http://console.test", follow_redirects=False, client=(address, 1)
    )

    def log_in(user: str, password: str = PASSWORD, **headers: str) -> int:
        answer = browser.post("/login", data={"user": user, "password": password}, headers=headers)
        return int(answer.status_code)

    return log_in


def test_a_strangers_wrong_passwords_lock_nobody_out(desk: Desk) -> None:
    """By user and address: who guesses Ana's password waits himself, and she logs in; so does everybody else."""
    desk.employ("ana")
    desk.employ("bea")
    stranger, office = _from(desk, "203.0.113.9"), _from(desk, "192.0.2.1")
    assert [401] * 5 + [429] == [stranger("ana", "something else entirely") for _ in range(6)]
    assert 429 == stranger("ana")
    assert [303, 303] == [office("ana"), office("bea")]
    assert 303 == stranger("bea")


def test_an_address_that_tries_many_names_waits_with_all_of_them(desk: Desk) -> None:
    """Twenty times as many failures as of one name: one password tried on many names is guessing, too."""
    desk.employ("ana")
    desk.parts = replace(desk.parts, console=ConsoleSettings(login_failures_max=1))
    stranger = _from(desk, "203.0.113.9")
    assert [401] * 20 + [429] == [stranger(f"name{each}", "something else") for each in range(21)]
    assert (429, 303) == (stranger("ana"), _from(desk, "192.0.2.1")("ana"))


def test_only_a_trusted_proxy_is_believed_about_who_is_asking(desk: Desk) -> None:
    """Behind what ends TLS users have addresses of their own; who comes directly cannot take another one by a header."""
    desk.employ("ana")
    wrong = "something else entirely"
    proxy = _from(desk, "10.0.0.5", proxies="10.0.0.0/24")
    for _ in range(5):
        proxy("ana", wrong, **{"X-Forwarded-For": "203.0.113.9"})
    assert 429 == proxy("ana", **{"X-Forwarded-For": "203.0.113.9"})
    # What the stranger writes himself stands before what the proxy adds, and is not believed.
    assert 429 == proxy("ana", **{"X-Forwarded-For": "192.0.2.7, 203.0.113.9"})
    assert 303 == proxy("ana", **{"X-Forwarded-For": "192.0.2.7"})
    for trusted in ("", "10.9.9.9"):
        direct = _from(desk, "198.51.100.4", proxies=trusted)
        said = [direct("ana", wrong, **{"X-Forwarded-For": f"192.0.2.{each}"}) for each in range(5)]
        assert [401] * 5 == said
        assert 429 == direct("ana", **{"X-Forwarded-For": "192.0.2.99"})
        desk.people.forgive("user/ana/198.51.100.4")


@pytest.mark.parametrize("proxies", ["*", "proxy.example", "10.0.0.1/8"])
def test_a_proxy_is_an_address_or_a_network(proxies: str) -> None:
    """A name or a star would be anybody's word."""
    with pytest.raises(ValueError, match="trusted_proxies"):
        ConsoleSettings(trusted_proxies=proxies)


def test_a_session_ends_idle_and_by_its_age_and_by_a_change_of_the_user(desk: Desk) -> None:
    """What somebody may do is what is written now."""
    desk.at_work("ana")
    assert 200 == desk.browser.get("/").status_code
    desk.now += datetime.timedelta(minutes=61)
    assert 303 == desk.browser.get("/").status_code
    desk.log_in("ana")
    desk.employ("ana", role="viewer")
    assert 303 == desk.browser.get("/").status_code


def test_a_logout_is_the_end(desk: Desk) -> None:
    """The token is worth nothing any more."""
    desk.at_work("ana")
    assert 303 == desk.submit("/", "/logout").status_code
    assert 303 == desk.browser.get("/").status_code


@pytest.mark.parametrize("then", ["//evil.example", "https://evil.example", "/\\evil.example", "/\nx"])
def test_the_login_leads_to_us_only(desk: Desk, then: str) -> None:
    """No open redirect."""
    desk.employ("ana")
    answer = desk.browser.post("/login", data={"user": "ana", "password": PASSWORD, "then": then})
    assert "/" == answer.headers["location"]


def test_the_table_of_roles_has_every_route_and_nothing_else(desk: Desk) -> None:
    """Who may do what is decided in one table (``who_may``), and the routes ask for what it says."""
    asked: dict[Role, set[str]] = {role: set() for role in ROLES}
    for route in desk.routes():
        if route.path not in OPEN:
            asked[role_needed(route)] |= {f"{method} {route.path}" for method in route.methods or ()}
    assert {role: set(WHO_MAY[role]) for role in ROLES} == asked


def test_every_route_lets_in_who_may_and_nobody_else(desk: Desk) -> None:
    """Authorisation as a table: every route × every role, forms with their word; nobody logged in: only the login is open."""
    browsers, words = {}, {}
    for role in ROLES:
        desk.employ(role, role=role)
        browsers[role] = desk.another_browser()
        desk.log_in(role, browser=browsers[role])
        words[role] = _word(browsers[role])
        batch = Batch(batch=f"of-{role}", user=role, made_at=desk.now, asked_json='{"verb":"log"}')
        BatchBook(desk.engine).keep(batch, [])
    stranger = desk.another_browser()
    for needed, said in ((role, each) for role in ROLES for each in WHO_MAY[role] if each not in _ENDS):
        method, _, pattern = said.partition(" ")
        path = _filled(pattern, sent=desk.stage.latest["acme:C1"])
        assert 303 == stranger.request(method, path).status_code, said
        for role in ROLES:
            own = path.replace("{batch}", f"of-{role}")
            # Fields are missing, so that nothing is done: who may is told so, who may not does not get that far.
            form = {"csrf": words[role], "nonce": "n"}
            status = browsers[role].request(method, own, data=form if method == "POST" else None).status_code
            may = ROLES.index(role) >= ROLES.index(needed)
            assert (status != 403) == may, (said, role, status)
            assert method == "POST" or (status == 200) == may, (said, role, status)


def test_whatever_names_something_of_another_company_is_not_there(desk: Desk) -> None:
    """Per-company visibility as a table: every route × an administrator of beta; acme is to him as one that does not exist."""
    desk.at_work("eve", role="administrator", companies=("beta",))
    BatchBook(desk.engine).keep(
        Batch(batch="anas", user="ana", made_at=desk.now, asked_json='{"verb":"log"}'), []
    )
    form = {"csrf": _word(desk.browser), "nonce": "n"}
    sent = desk.stage.latest["acme:C1"]
    for said in (each for role in ROLES for each in WHO_MAY[role] if each not in _ENDS):
        method, _, pattern = said.partition(" ")
        path = _filled(pattern, sent=sent).replace("{batch}", "anas")
        answer = desk.browser.request(method, path, data=form if method == "POST" else None)
        if "acme" not in path and "{batch}" not in pattern:
            assert method == "POST" or 200 == answer.status_code, said
            # That a company has what stands under its name is not told either.
            assert "acme:C1" not in answer.text, said
            assert "acme%3AC1" not in answer.text, said
        elif method == "GET":
            assert 404 == answer.status_code, said
        else:
            # Fields are missing: whether that is said or that there is nothing, it is said of any name.
            nowhere = desk.browser.post(path.replace("acme", "nowhere"), data=form)
            assert answer.status_code in (404, 422), said
            assert answer.status_code == nowhere.status_code, said
    assert [] == desk.asked


def test_a_form_without_its_word_is_refused_to_everybody(desk: Desk) -> None:
    """A form that another site made an administrator send does nothing, whatever it is."""
    desk.at_work("boss", role="administrator")
    for said in (each for role in ROLES for each in WHO_MAY[role] if each.startswith("POST ")):
        path = _filled(said.removeprefix("POST "), sent=desk.stage.latest["acme:C1"]).replace("{batch}", "b")
        assert 403 == desk.browser.post(path, data={"csrf": "wrong", "nonce": "n"}).status_code, said


def _word(browser: TestClient) -> str:
    """Give the word that the forms of a session carry."""
    found = re.search(r'name="csrf" value="([^"]+)"', browser.get("/").text)
    assert found is not None
    return found[1]


def _filled(path: str, *, sent: str) -> str:
    """Put something that the story has in the place of each name of a path; what is each role's own stays.

    A page of one of many things has its name in the query.
    """
    names = {
        "account": "acme:C1",
        "reminder": "r",
        "report": "aged",
        "company": "acme",
        "plan": "default",
        "kind": "first",
        "name": "es",
    }
    queries = {
        "/document": "?document=INV-1",
        "/credit": "?credit=payment/P-1",
        "/message": f"?reminder={sent}",
        "/message/file": f"?reminder={sent}&channel=email&form=html",
    }
    filled = re.sub(r"{(\w+)(?::path)?}", lambda found: names.get(found[1], found[0]), path)
    return filled + queries.get(filled.removeprefix("/customers/acme:C1"), "")


def role_needed(route: APIRoute) -> Role:
    """Give the role that a route asks for."""
    found, waiting = [], list(route.dependant.dependencies)
    while waiting:
        each = waiting.pop()
        if isinstance(each.call, needs):
            found.append(each.call.role)
        waiting += each.dependencies
    assert len(set(found)) == 1, f"{route.path} asks for {found}"
    return found[0]


@pytest.mark.parametrize(("role", "status"), [(None, 303), ("viewer", 403)])
def test_nobody_uploads_before_it_is_known_that_he_may(desk: Desk, role: Role | None, status: int) -> None:
    """A stranger is led to the login, a viewer refused, without a byte of the file being taken in."""
    if role is not None:
        desk.at_work("vic", role=role)
    cookies = "; ".join(f"{name}={value}" for name, value in desk.browser.cookies.items())
    kind = b"multipart/form-data; boundary=x"
    headers = [(b"host", b"console.test"), (b"content-type", kind), (b"cookie", cookies.encode())]
    path = "/settings/acme/logo"
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("192.0.2.1", 1),
        "server": ("console.test", 80),
    }
    sent: list[Message] = []

    async def nothing_is_read() -> Message:
        raise AssertionError("the body was read")

    async def send(message: Message) -> None:
        sent.append(message)

    async def ask() -> None:
        await inside_app(desk.parts)(scope, nothing_is_read, send)

    asyncio.run(ask())
    assert status == sent[0]["status"]


def test_a_form_of_another_page_is_refused(desk: Desk) -> None:
    """CSRF: the session's word, and where the browser says that the form stood."""
    desk.at_work("ana")
    desk.browser.headers["origin"] = "https://evil.example"
    assert 403 == desk.submit("/customers/acme:C1", "/notes", text="x").status_code
    assert [] == desk.asked


def test_who_sees_one_company_does_not_learn_of_others(desk: Desk) -> None:
    """Per-company visibility: another company's customer is not there, and not in the list."""
    desk.at_work("eve", companies=("beta",))
    assert 404 == desk.browser.get("/customers/acme:C1").status_code
    assert "acme:C1" not in desk.browser.get("/").text


def test_viewers_see_no_address(desk: Desk) -> None:
    """PII is masked for viewers, and for them only."""
    desk.at_work("vic", role="viewer")
    text = desk.browser.get("/customers/acme:C1").text
    assert "ana@c1.test" not in text
    assert "a•a@c1.test" in text
    desk.at_work("ana")
    assert "ana@c1.test" in desk.browser.get("/customers/acme:C1").text


def test_the_cookie_is_for_browsers_only(desk: Desk) -> None:
    """HttpOnly and SameSite; Secure where users come by TLS."""
    desk.employ("ana")
    cookie = desk.log_in("ana").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie

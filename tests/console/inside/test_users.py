"""Who may use the console is said in the console: users, passwords that are good once, and the audit of it all."""

import datetime
import re
from pathlib import Path

import pytest
from httpx import Response
from sqlalchemy import Engine

from infra.database.people import AuditEntry
from tests.console.inside.desk import PASSWORD, Desk

_SHOWN = r'<code class="password">([^<]+)</code>'
STORY = """# one who owes
customer email ana@c1.test
2026-01-02  invoice INV-1 100.00 due 2026-02-02
"""


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with an administrator at it."""
    return Desk(sqlite_engine, tmp_path, STORY).at_work("bea", role="administrator")


def test_a_new_user_gets_a_password_that_is_good_for_choosing_another(desk: Desk) -> None:
    """Never a default one: made at random, shown once; nothing is shown to him before he has chosen his own."""
    shown = desk.submit("/users", "/users", user="carla", role="collector", language="pt", companies="acme")
    (password,) = re.findall(r'<code class="password">([^<]+)</code>', shown.text)
    assert password not in desk.browser.get("/users").text
    carla = desk.another_browser()
    desk.log_in("carla", password=password, browser=carla)
    assert (303, "/me") == _answer(carla.get("/"))
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', carla.get("/me").text))
    chosen = {"password": password, "chosen": "a long word of her own", "again": "a long word of her own"}
    assert (303, "/me?done=true") == _answer(carla.post("/me", data=hidden | chosen))
    assert 200 == carla.get("/").status_code
    assert 401 == desk.log_in("carla", password=password, browser=desk.another_browser()).status_code
    known = desk.people.user("carla")
    assert known is not None
    assert ("collector", "pt", ("acme",), False) == (
        known.role,
        known.language,
        known.companies,
        known.must_change,
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"password": "something else entirely"}, "The password now is wrong."),
        ({"again": "another long word"}, "The new passwords differ."),
        ({"chosen": "short", "again": "short"}, "At least 12 characters"),
        ({"chosen": PASSWORD, "again": PASSWORD}, "not the old password"),
    ],
)
def test_everybody_chooses_his_own_password_by_the_old_one(
    desk: Desk, fields: dict[str, str], said: str
) -> None:
    """Four ways to get it wrong, each said; the old one still counts."""
    given = {"password": PASSWORD, "chosen": "a long new word", "again": "a long new word"} | fields
    answer = desk.submit("/me", "/me", **given)
    assert 422 == answer.status_code
    assert said in answer.text
    assert 303 == desk.log_in("bea", browser=desk.another_browser()).status_code


def test_guessing_the_old_password_is_throttled(desk: Desk) -> None:
    """A browser left open is no way to find the password."""
    given = {"password": "wrong", "chosen": "a long new word", "again": "a long new word"}
    for _ in range(5):
        desk.submit("/me", "/me", **given)
    assert "Too many failed attempts" in desk.submit("/me", "/me", **given).text


def test_a_second_click_makes_no_second_password(desk: Desk) -> None:
    """Of a new user and of a new password: the page that stays shows the one that counts; the audit has one line."""
    desk.employ("carl", role="viewer")
    new = {"user": "carla", "role": "viewer", "language": "en", "companies": "acme"}
    for user, form in (("carla", new), ("carl", {"user": "carl"})):
        action = "/users" if user == "carla" else "/users/password"
        page = desk.browser.get("/users?user=carl").text
        csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
        sent = {"csrf": csrf, "nonce": f"one form of {user}", **form}
        answers = [desk.browser.post(action, data=sent) for _ in range(2)]
        assert [200, 200] == [each.status_code for each in answers]
        first, second = (re.findall(_SHOWN, each.text) for each in answers)
        assert first == second
        assert 303 == desk.log_in(user, password=first[0], browser=desk.another_browser()).status_code
    assert ["console.user.add", "console.user.password"] == sorted(
        each.act for each in desk.people.entries(limit=9)
    )


def test_a_form_that_made_a_password_makes_it_no_second_time(desk: Desk) -> None:
    """Gone back to later, when its user has chosen his own: that one stands; another form makes another."""
    desk.employ("carl", role="viewer")
    csrf = desk.browser.get("/users").text.partition('name="csrf" value="')[2].partition('"')[0]
    sent = {"csrf": csrf, "nonce": "one form", "user": "carl"}
    (first,) = re.findall(_SHOWN, desk.browser.post("/users/password", data=sent).text)
    desk.employ("carl", role="viewer")  # with a password of his own
    desk.now += datetime.timedelta(minutes=5)
    answer = desk.browser.post("/users/password", data=sent)
    assert (422, False) == (answer.status_code, first in answer.text)
    assert 303 == desk.log_in("carl", browser=desk.another_browser()).status_code
    (other,) = re.findall(_SHOWN, desk.browser.post("/users/password", data=sent | {"nonce": "two"}).text)
    assert first != other


def test_a_user_is_changed_and_shut_out(desk: Desk) -> None:
    """Role, companies, language, and the way in; the session ends at once, and the audit has both."""
    desk.employ("carl", role="viewer")
    carl = desk.another_browser()
    desk.log_in("carl", browser=carl)
    desk.submit(
        "/users?user=carl", "/users/change", role="approver", language="es", companies="", is_disabled="true"
    )
    assert 303 == carl.get("/").status_code
    assert 401 == desk.log_in("carl", browser=carl).status_code
    (entry,) = desk.people.entries(limit=9)
    assert ("console.user.change", "bea") == (entry.act, entry.user)
    assert "carl" == entry.detail
    assert '"role":["viewer","approver"]' in entry.said_json


def test_nobody_shuts_himself_out(desk: Desk) -> None:
    """There is always somebody left who may mend it."""
    answer = desk.submit("/users?user=bea", "/users/change", role="viewer", language="en", companies="")
    assert 422 == answer.status_code
    assert "Nobody shuts himself out" in answer.text


def test_who_sees_one_company_manages_only_those_who_see_no_other(desk: Desk) -> None:
    """An administrator of a company makes nobody who sees more than himself."""
    desk.employ("ana", role="collector", companies=("acme",))
    desk.employ("all", role="collector")
    desk.at_work("eva", role="administrator", companies=("acme", "beta"))
    text = desk.browser.get("/users").text
    assert "ana" in text
    assert "user=all" not in text
    assert 404 == desk.browser.get("/users?user=bea").status_code
    for companies in ("", "gamma", "acme gamma"):
        answer = desk.submit(
            "/users", "/users", user="new", role="viewer", language="en", companies=companies
        )
        assert 422 == answer.status_code
        assert desk.people.user("new") is None


def test_the_audit_is_filtered_and_paged(desk: Desk) -> None:
    """Who asked what, when: by user, company, act and day."""
    for number in range(130):
        desk.people.note(
            AuditEntry(
                entry=f"e{number:03}",
                at=desk.now.replace(minute=number // 60, second=number % 60),
                user="ana" if number % 2 else "carl",
                act="collections.note.add.v1",
                account="acme:C1" if number % 10 else "beta:C9",
                detail=f"number {number:03}",
            )
        )
    first = desk.browser.get("/audit").text
    assert 100 == len(re.findall(r"number \d+", first))
    (later,) = re.findall(r'rel="next" href="([^"]+)"', first)
    assert 30 == len(re.findall(r"number \d+", desk.browser.get(later.replace("&amp;", "&")).text))
    assert 65 == len(re.findall(r"number \d+", desk.browser.get("/audit?user=ana").text))
    assert 13 == len(re.findall(r"number \d+", desk.browser.get("/audit?company=beta").text))
    assert 0 == len(re.findall(r"number \d+", desk.browser.get("/audit?first_on=2026-03-03").text))
    desk.at_work("eva", role="administrator", companies=("beta",))
    assert 13 == len(re.findall(r"number \d+", desk.browser.get("/audit").text))
    assert 404 == desk.browser.get("/audit?company=acme").status_code


def _answer(response: Response) -> tuple[int, str]:
    return response.status_code, response.headers["location"]

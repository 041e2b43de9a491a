"""A company's logo, put by its administrator: looked at as a picture before it stands; what is wrong is told with what to do (S4-18)."""

from pathlib import Path

import pytest
from httpx import Response
from sqlalchemy import Engine

from notifiers.writing.logo import logo_of
from tests.console.inside.desk import Desk
from tests.console.inside.forms import forms_of
from tests.console.inside.test_access import STORY
from tests.notifiers.pictures import gif, png

TEXTS, LOGO = "/settings/acme/texts", "/settings/acme/logo"
READY = "/settings/acme/ready?check=true"


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with an administrator at it."""
    return Desk(sqlite_engine, tmp_path, STORY).at_work("ada", role="administrator")


def put(desk: Desk, content: bytes | None, name: str = "our.png") -> Response:
    """Choose a picture, and keep it."""
    form = next(each for each in forms_of(desk.browser.get(TEXTS).text) if each.action == LOGO)
    sent = {key: values[0] for key, values in form.sent().items() if key != "logo"}
    files = {"logo": (name, content, "image/png")} if content is not None else {"other": ("x", b"x")}
    answer: Response = desk.browser.post(LOGO, data=sent, files=files)
    return answer


@pytest.mark.parametrize(("content", "name"), [(png(), "logo.png"), (gif(), "logo.gif")])
def test_a_logo_is_kept_by_what_is_in_it(desk: Desk, content: bytes, name: str) -> None:
    """Whatever the file was called; the page says that the profile must name it, and the audit who it was."""
    answer = put(desk, content, name="Unser Logo (final).PNG")
    assert 303 == answer.status_code
    folder = desk.folder / "templates" / "acme"
    part = logo_of(name, folder=folder)[1]
    assert part is not None
    assert content == part.content
    text = desk.browser.get(answer.headers["location"]).text
    assert f"Kept as {name}" in text
    assert f"write {name} as its logo there" in text
    assert "logo kept" in desk.browser.get("/audit").text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (png(said=(10_000, 10_000)), "The picture has 10,000 × 10,000 pixels"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "save it as PNG"),
        (png() + bytes(200_000), "larger than 200,000 bytes: save it smaller"),
        (b"GIF8", "The picture is broken: save it again."),
        (None, "No picture was chosen."),
    ],
)
def test_what_is_no_logo_is_told_and_not_kept(desk: Desk, content: bytes | None, said: str) -> None:
    """Bombs, drawings, files that are too large, broken or missing: what is wrong, and what to do; what stood there stands."""
    put(desk, png(20, 20))
    answer = put(desk, content)
    assert 422 == answer.status_code
    assert said in answer.text
    assert ["logo.png"] == [each.name for each in (desk.folder / "templates" / "acme").iterdir()]
    assert png(20, 20) == (desk.folder / "templates" / "acme" / "logo.png").read_bytes()


@pytest.mark.parametrize("language", ["es", "pt"])
@pytest.mark.parametrize(
    "content", [png(said=(10_000, 10_000)), b"<svg/>", png() + bytes(200_000), b"GIF8", b"a letter"]
)
def test_what_is_no_logo_is_told_in_the_users_language(desk: Desk, content: bytes, language: str) -> None:
    """Where it is put, and on the page where it stands: no word of the check's English."""
    desk.at_work("eva", role="administrator", language=language)
    answer = put(desk, content)
    assert 422 == answer.status_code
    folder = desk.folder / "templates" / "acme"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "logo.png").write_bytes(content)
    desk.submit("/settings/acme/profile", "/profile", logo="logo.png")
    for text in (answer.text, desk.browser.get(TEXTS).text, desk.browser.get(READY).text):
        for english in ("save it", "the logo", "has 10,000", "neither"):
            assert english not in text


def test_others_see_it_and_put_none(desk: Desk) -> None:
    """Who looks at texts sees what is named; only an administrator has the form."""
    assert "The profile names no logo" in desk.browser.get(TEXTS).text
    desk.at_work("vera", role="viewer")
    page = desk.browser.get(TEXTS)
    assert 200 == page.status_code
    assert LOGO not in [each.action for each in forms_of(page.text)]

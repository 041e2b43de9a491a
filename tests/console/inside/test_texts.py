"""The texts of a company's messages: looked at, changed, tried before anybody reads them, and given back (S0-05, S1-08, S4-10)."""

from pathlib import Path

import pytest
from httpx import Response
from sqlalchemy import Engine

from tests.console.inside.desk import Desk
from tests.console.inside.forms import Form, forms_of
from tests.console.inside.test_access import STORY

TEXTS = "/settings/acme/texts"
FIRST = f"{TEXTS}/first/en"
OPENING = "first/en/opening.txt"


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with an administrator at it."""
    return Desk(sqlite_engine, tmp_path, STORY).at_work("ada", role="administrator")


def editing(desk: Desk, page: str = FIRST) -> Form:
    """Give the form by which texts are edited."""
    return next(each for each in forms_of(desk.browser.get(page).text) if each.action == page)


def change(desk: Desk, what: str, page: str = FIRST, **texts: str) -> Response:
    """Change texts, and press a button."""
    form = editing(desk, page)
    answer: Response = desk.browser.post(page, data=form.sent() | texts | {"what": what})
    return answer


def own_file(desk: Desk, file: str = OPENING) -> Path:
    """Give where a company's own text is."""
    return desk.folder / "templates" / "acme" / file


def test_the_list_says_which_texts_are_its_own(desk: Desk) -> None:
    """Each kind in each language, and the layout; nothing is the company's yet."""
    text = desk.browser.get(TEXTS).text
    assert "First reminder" in text
    assert f'href="{FIRST}"' in text
    assert '<span class="tag mark">own</span>' not in text
    own_file(desk).parent.mkdir(parents=True)
    own_file(desk).write_text("Hello {{ customer }}")
    text = desk.browser.get(TEXTS).text
    assert 1 == text.count('<span class="tag mark">own</span>')


def test_a_text_is_tried_on_a_made_up_customer_before_it_is_saved(desk: Desk) -> None:
    """S0-05: the mail and the SMS as they will be, with the segments that are paid for; nothing is written yet."""
    answer = change(desk, "try", **{OPENING: "Dear friends, please look at {{ what }}."})
    assert 200 == answer.status_code
    assert "Dear friends, please look at" in answer.text
    assert "segments," in answer.text
    assert not own_file(desk).exists()
    mail = change(desk, "html", **{OPENING: "Dear friends"})
    assert "Dear friends" in mail.text
    assert "sandbox" in mail.headers["content-security-policy"]
    letter = change(desk, "pdf", **{OPENING: "Dear friends"})
    assert b"%PDF" == letter.content[:4]


def test_a_saved_text_is_what_the_next_message_says(desk: Desk) -> None:
    """Written where notifiers read it, with who and which in the audit; what ships can be had back."""
    answer = change(desk, "save", **{OPENING: "Dear friends,\r\nplease pay."})
    assert 303 == answer.status_code
    assert "Dear friends,\nplease pay.\n" == own_file(desk).read_text()
    assert not own_file(desk, "first/en/subject.txt").exists()  # it is as it ships
    text = desk.browser.get(answer.headers["location"]).text
    assert "Saved: the next message is written so." in text
    assert "Dear friends, please pay." in text
    (entry,) = desk.people.entries(act="console.texts.save", limit=9)
    assert ("ada", "acme", "first/en: opening.txt") == (entry.user, entry.account, entry.detail)
    back = desk.submit(FIRST, "/give-back")
    assert 303 == back.status_code
    assert not own_file(desk).exists()
    assert "Dear friends" not in desk.browser.get(FIRST).text


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("Dear\n{{ nobody }}", 2, "There is nothing called nobody."),
        ("{% for a in items %}" * 5 + "x" + "{% endfor %}" * 5, 1, "deep"),
        ("one\ntwo\n{{ customer.__class__ }}", 3, ""),
        ("{{ 'x' * 9999999 }}", 1, ""),
        ("{% include '../../../secrets' %}", 1, ""),
        ("{% if %}", 1, ""),
    ],
)
def test_faults_are_told_at_their_line_and_nothing_is_saved(
    desk: Desk, text: str, line: int, said: str
) -> None:
    """The same checks as `cobranza templates check`: unknown words, bombs, ways out."""
    answer = change(desk, "save", **{OPENING: text, "first/en/sms.txt": "kept as typed"})
    assert 422 == answer.status_code
    assert f"line {line}:" in answer.text
    assert said in answer.text
    form = next(each for each in forms_of(answer.text) if each.action == FIRST)
    assert [text] == form.of(OPENING).values
    assert ["kept as typed"] == form.of("first/en/sms.txt").values
    assert "true" == form.of(OPENING).says["aria-invalid"]
    assert not own_file(desk).exists()


def test_a_layout_that_would_end_the_console_is_a_fault_of_its_own(desk: Desk) -> None:
    """The parser of styles dies of this page, in a process of its own: the console goes on, and nothing is saved."""
    file = "layout/body.html"
    answer = change(desk, "save", f"{TEXTS}/{file}", **{file: "<style>i{a:b}</style>" + "<i>" * 21_000})
    assert 422 == answer.status_code
    assert "within what a page may take" in answer.text
    assert 1 == answer.text.count("within what a page may take")
    assert not own_file(desk, file).exists()
    assert 200 == desk.browser.get(TEXTS).status_code


def test_whoever_saves_second_is_told_what_stands(desk: Desk) -> None:
    """Two people editing: nothing of the first is lost by chance; saving again is on purpose."""
    mine = editing(desk).sent()
    desk.at_work("bob", role="administrator")
    change(desk, "save", **{OPENING: "By Bob"})
    desk.at_work("ada", role="administrator")
    csrf = editing(desk).sent()["csrf"]
    late = desk.browser.post(FIRST, data=mine | {"csrf": csrf, OPENING: "By Ada", "what": "save"})
    assert 409 == late.status_code
    assert "bob has changed these texts" in late.text
    assert "By Bob" in late.text
    assert "By Bob\n" == own_file(desk).read_text()
    again = next(each for each in forms_of(late.text) if each.action == FIRST).sent()
    assert ["By Ada"] == again[OPENING]
    assert 303 == desk.browser.post(FIRST, data=again | {"what": "save"}).status_code
    assert "By Ada\n" == own_file(desk).read_text()


def test_a_second_click_on_saving_is_no_other_change(desk: Desk) -> None:
    """The same texts from the same page once more: saved, not overtaken by oneself; given back twice, too. One line each."""
    form = editing(desk).sent() | {OPENING: "Dear friends", "what": "save"}
    answers = [desk.browser.post(FIRST, data=form) for _ in range(2)]
    assert [(303, f"{FIRST}?done=saved")] * 2 == [
        (each.status_code, each.headers.get("location")) for each in answers
    ]
    # Other texts from a page that is not what stands any more are told, as ever.
    assert 409 == desk.browser.post(FIRST, data=form | {OPENING: "Dear all"}).status_code
    assert "Dear friends\n" == own_file(desk).read_text()
    (back,) = (each for each in forms_of(desk.browser.get(FIRST).text) if each.action == f"{FIRST}/give-back")
    assert [303, 303] == [desk.browser.post(back.action, data=back.sent()).status_code for _ in range(2)]
    assert not own_file(desk).exists()
    assert 2 == len(desk.people.entries(act="console.texts.save", limit=9))


def test_fixed_words_are_the_companys_one_by_one(desk: Desk) -> None:
    """S4-10: \"Invoice\" instead of \"document\"; a word that there is not is told."""
    page = f"{TEXTS}/layout/labels.en.toml"
    wrong = change(desk, "save", page, **{"layout/labels.en.toml": 'nonsense = "x"'})
    assert 422 == wrong.status_code
    assert "There is no word" in wrong.text
    done = change(desk, "save", page, **{"layout/labels.en.toml": 'document = "Invoice"'})
    assert 303 == done.status_code
    assert "Invoice" in desk.browser.get(f"{FIRST}?show=html").text
    change(desk, "save", page, **{"layout/labels.en.toml": ""})
    assert not own_file(desk, "layout/labels.en.toml").exists()


def test_a_kind_of_its_own_begins_empty_and_needs_all_its_texts(desk: Desk) -> None:
    """A plan's step may name any kind."""
    begun = desk.browser.get(f"{TEXTS}?kind=visit&language=es")
    page = begun.headers["location"]
    assert f"{TEXTS}/visit/es" == page
    texts = {
        f"visit/es/{part}.txt": f"{part} {{{{ customer }}}}" for part in ("subject", "opening", "closing")
    }
    assert 422 == change(desk, "save", page, **texts).status_code
    assert 303 == change(desk, "save", page, **texts, **{"visit/es/sms.txt": "Hola"}).status_code
    assert "visit" in desk.browser.get(TEXTS).text


def test_others_look_and_change_nothing(desk: Desk) -> None:
    """As for plans: an administrator edits; no name leads out of the folder; another company is not there."""
    desk.at_work("vic", role="viewer")
    text = desk.browser.get(FIRST).text
    assert "readonly" in text
    assert "give-back" not in text
    assert 403 == desk.browser.post(FIRST, data=editing(desk).sent() | {"what": "save"}).status_code
    for path in ("layout/letter.typ", "..%2F..%2Fx/es", "first/fr", "layout/labels.xx.toml"):
        assert 404 == desk.browser.get(f"{TEXTS}/{path}").status_code, path
    desk.at_work("eve", role="administrator", companies=("beta",))
    assert 404 == desk.browser.get(FIRST).status_code

"""What a reader can do behind "tell us here" (S4-17, B-21): say one of five things, once, about his own documents."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from console.web.settings import WebSettings
from infra.database.answer_file_tables import answer_files
from infra.database.engine import reading
from infra.database.links import LinkBook, Revocation
from notifiers.answer_files import AnswerFiles
from schemas.answers import GiveAnswer
from tests.console.web.reader import Reader
from tests.notifiers.sending import TICK, merge, reminder

PDF = b"%PDF-1.7 a receipt"


@pytest.fixture
def reader(sqlite_engine: Engine, tmp_path: Path) -> Reader:
    """Give a reader with a browser."""
    return Reader(sqlite_engine, tmp_path)


def test_the_page_shows_what_the_message_said_and_what_can_be_answered(reader: Reader) -> None:
    """The documents with their due dates and amounts, and five things to say; nothing is changed by looking."""
    page = reader.browser.get(reader.got())
    assert 200 == page.status_code
    for text in (
        "Samples &amp; Signals Ltd",
        "F-10023",
        "$1,250.56",
        "I have paid",
        "I am not the right person",
    ):
        assert text in page.text
    assert [] == reader.kept


def test_an_answer_becomes_one_command(reader: Reader) -> None:
    """What was typed is what the core is told, by "reader", about the account of the message."""
    path = reader.got()
    form = {
        "kind": "paid",
        "documents": ["F-10023", "F-10031"],
        "on": "2012-03-03",
        "amount": "1,576.06",
        "currency": "USD",
        "means": "transfer",
        "reference": "TRX 1",
        "by": "Zoë",
        "text": "See the  bank.",
    }
    done = reader.browser.post(path, data=form)
    assert (303, f"{path}?said=paid") == (done.status_code, done.headers["location"])
    assert "Thank you" in reader.browser.get(done.headers["location"]).text
    [event] = reader.asked
    assert isinstance(event, GiveAnswer)
    assert "zoe@customer.example" == event.recipient
    assert ("acme", "C1", "reader", "r1", "email") == (
        event.company,
        event.customer,
        event.author,
        event.reminder,
        event.channel,
    )
    said = event.said
    assert ("paid", ("F-10023", "F-10031"), "1576.06", "USD") == (
        said.kind,
        said.documents,
        said.amount,
        said.currency,
    )
    assert ("2012-03-03", "transfer", "TRX 1", "Zoë") == (str(said.on), said.means, said.reference, said.by)
    assert 1 == reader.woken


def test_the_answer_of_a_merged_customer_reaches_the_one_that_lives(reader: Reader) -> None:
    """SEMANTICS 2.6: what is open is with C2 by now, and so is who looks after it."""
    path = reader.got()
    merge(reader.engine, "acme:C1", into="C2")
    for _ in range(2):
        reader.browser.post(path, data={"kind": "other", "text": "Call me"})
    [event] = reader.asked
    assert ("C2", "acme:C2") == (event.customer, reader.kept[0].account)


def test_a_browser_that_does_not_say_its_origin_may_answer(reader: Reader) -> None:
    """By no-referrer a form says ``Origin: null``: the token in the address is its proof, and it stays out of referrers."""
    path = reader.got()
    answered = reader.browser.post(path, data={"kind": "other", "text": "Hi"}, headers={"Origin": "null"})
    assert (303, "no-referrer") == (answered.status_code, answered.headers["referrer-policy"])


def test_pressing_twice_is_answering_once(reader: Reader) -> None:
    """A double click and the back button: one command; another answer is another command."""
    path = reader.got()
    for _ in range(3):
        assert 303 == reader.browser.post(path, data={"kind": "other", "text": "Call me"}).status_code
    assert 1 == len(reader.kept)
    reader.browser.post(path, data={"kind": "other", "text": "Call me soon"})
    assert 2 == len(reader.kept)


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ({"kind": "paid", "documents": "F-10023"}, "on"),
        ({"kind": "paid", "documents": "F-10023", "on": "2012-03-09"}, "on"),
        ({"kind": "will_pay", "documents": "F-10023", "on": "2012-03-01"}, "on"),
        ({"kind": "will_pay", "documents": "F-10023", "on": "2014-03-01"}, "on"),
        ({"kind": "will_pay", "on": "2012-03-09"}, "documents"),
        ({"kind": "will_pay", "on": "2012-03-09", "documents": "OTHERS-1"}, "documents"),
        ({"kind": "dispute", "documents": "F-10023"}, "reason"),
        ({"kind": "dispute", "documents": "F-10023", "reason": "because"}, "reason"),
        (
            {"kind": "paid", "documents": "F-10023", "on": "2012-03-01", "amount": "-5", "currency": "USD"},
            "amount",
        ),
        ({"kind": "paid", "documents": "F-10023", "on": "2012-03-01", "amount": "5"}, "currency"),
        ({"kind": "paid", "documents": "F-10023", "on": "2012-03-01", "means": "gold"}, "means"),
        ({"kind": "other", "text": "  "}, "text"),
        ({"kind": "other", "text": "a" * 2001}, "text"),
    ],
)
def test_what_is_not_clear_is_asked_again(reader: Reader, form: dict[str, str], wrong: str) -> None:
    """The form comes back with what was typed and what is wrong with it; nothing is kept."""
    page = reader.browser.post(reader.got(), data=form)
    assert 422 == page.status_code
    assert f'href="#{wrong}"' in page.text
    assert f'id="{wrong}-error"' in page.text
    assert [] == reader.kept


@pytest.mark.parametrize(
    ("language", "heading"), [("es-CL", "Ya pagué"), ("pt", "Já paguei"), ("en", "I have paid")]
)
def test_pages_are_in_the_language_of_the_message(reader: Reader, language: str, heading: str) -> None:
    """Whatever the browser's is: the reader has got the message."""
    page = reader.browser.get(reader.got(language=language), headers={"Accept-Language": "de"})
    assert heading in page.text
    assert language[:2] == page.headers["content-language"]


def test_what_a_reader_types_is_text(reader: Reader) -> None:
    """Marks of HTML come back as they were typed, and do nothing."""
    form = {"kind": "paid", "documents": "F-10023", "text": "<script>alert(1)</script>", "on": ""}
    page = reader.browser.post(reader.got(), data=form)
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text


# -- whose it is -------------------------------------------------------------------


def test_a_link_reaches_its_own_message_only(reader: Reader) -> None:
    """Of another customer's documents nothing is shown, and nothing can be said."""
    mine = reader.got()
    theirs = reminder("r2", account="acme:C2", mode="live")
    reader.got(theirs, items=theirs.items[:1], customer_name="Somebody Else")
    assert "Somebody Else" not in reader.browser.get(mine).text
    reader.browser.post(mine, data={"kind": "other", "text": "x", "reminder": "r2", "customer": "C2"})
    assert ["acme:C1"] == [each.account for each in reader.kept]


@pytest.mark.parametrize("path", ["/a/x.y.z", "/a/", "/u/x.y.z", "/", "/wp-login.php", "/a/../../etc/passwd"])
def test_addresses_that_we_did_not_make_lead_nowhere(reader: Reader, path: str) -> None:
    """They all get the same page, in the browser's language."""
    page = reader.browser.get(path, headers={"Accept-Language": "pt-BR,en;q=0.5"})
    assert (404, "pt") == (page.status_code, page.headers["content-language"])
    assert "Este endereço não leva a lugar nenhum" in page.text


def test_a_link_that_stops_messages_answers_nothing(reader: Reader) -> None:
    """A token is for one thing, wherever it is put."""
    made = reminder("r1", mode="live")
    reader.got(made)
    token = reader.path(made, purpose="unsubscribe").rpartition("/")[2]
    assert 404 == reader.browser.get(f"/a/{token}").status_code


def test_links_end_and_are_revoked(reader: Reader) -> None:
    """After its day, or a person's word, a link says that it has ended; the account's next message has a good one."""
    path = reader.got()
    book = LinkBook(reader.engine)
    book.revoke(Revocation(kind="account", name="acme:C1", revoked_at=TICK, author="me"))
    assert 410 == reader.browser.get(path).status_code
    later = reminder("r2", mode="live", tick=reader.now)
    assert 200 == reader.browser.get(reader.got(later)).status_code
    assert book.restore("account", name="acme:C1")
    assert 200 == reader.browser.get(path).status_code
    reader.now = TICK.replace(year=2013)
    ended = reader.browser.post(path, data={"kind": "other", "text": "x"})
    assert 410 == ended.status_code
    assert "This link has ended" in ended.text
    assert [] == reader.kept


def test_in_a_play_the_newest_tick_is_the_day(reader: Reader) -> None:
    """A year that was played can be looked at: its links have not ended by the wall clock's day."""
    reader.now = TICK
    path = reader.got(reminder("r1", mode="played"))
    reader.now = TICK.replace(year=2026)
    assert 200 == reader.browser.get(path).status_code
    reader.browser.post(path, data={"kind": "other", "text": "x"})
    assert TICK == reader.kept[0].given_at


# -- files -------------------------------------------------------------------------


def test_a_file_is_kept_under_the_hash_of_its_content(reader: Reader, tmp_path: Path) -> None:
    """Its name is text: no folder, and an ending that says what it is. No page gives it back."""
    path = reader.got()
    files = {"files": ("../../x/receipt.html.exe", PDF, "text/html")}
    assert 303 == reader.browser.post(path, data={"kind": "other", "text": "x"}, files=files).status_code
    [event] = reader.asked
    assert isinstance(event, GiveAnswer)
    [kept] = event.said.files
    assert ("receipt.html.pdf", "application/pdf", len(PDF)) == (kept.name, kept.media_type, kept.size_bytes)
    another_machine = AnswerFiles(reader.engine, tmp_path / "elsewhere")
    assert PDF == another_machine.content(kept.sha256)
    assert 404 == reader.browser.get(f"/answers/{kept.sha256[:2]}/{kept.sha256}").status_code


@pytest.mark.parametrize(
    "content", [b"<html><script>alert(1)</script>", b"MZ\x90\x00", b"PK\x03\x04", b"<svg onload=x>", b""]
)
def test_files_of_other_kinds_are_refused(reader: Reader, content: bytes) -> None:
    """By what is in them, whatever they are called: nothing that a browser or a system runs."""
    files = {"files": ("receipt.pdf", content, "application/pdf")}
    page = reader.browser.post(reader.got(), data={"kind": "other", "text": "x"}, files=files)
    assert 422 == page.status_code
    with reading(reader.engine) as connection:
        assert 0 == connection.execute(select(func.count()).select_from(answer_files)).scalar()


def test_large_and_many_files_are_refused(sqlite_engine: Engine, tmp_path: Path) -> None:
    """Each has a size, all have a number, and a body that is larger than all that is not even read."""
    reader = Reader(sqlite_engine, tmp_path, web=WebSettings(file_bytes_max=2048, files_max=2))
    path, form = reader.got(), {"kind": "other", "text": "x"}
    large = reader.browser.post(path, data=form, files={"files": ("a.pdf", PDF + b"x" * 2048)})
    assert 422 == large.status_code
    many = reader.browser.post(path, data=form, files=[("files", (f"{n}.pdf", PDF)) for n in range(3)])
    assert 422 == many.status_code
    huge = reader.browser.post(path, data=form, files={"files": ("a.pdf", PDF + b"x" * 200_000)})
    assert 413 == huge.status_code
    assert "fewer or smaller files" in huge.text
    assert [] == reader.kept


def test_a_link_brings_a_bounded_number_of_answers(sqlite_engine: Engine, tmp_path: Path) -> None:
    """Then the reader is asked to write; what was answered before is still known."""
    reader = Reader(sqlite_engine, tmp_path, web=WebSettings(answers_per_link_max=3))
    path = reader.got()
    statuses = [
        reader.browser.post(path, data={"kind": "other", "text": f"{n}"}).status_code for n in (1, 2, 3, 4, 1)
    ]
    assert [303, 303, 303, 429, 303] == statuses
    assert 3 == len(reader.kept)


def test_an_answer_that_is_one_too_many_leaves_no_file(sqlite_engine: Engine, tmp_path: Path) -> None:
    """One good link does not fill the database: what is refused is not kept, and what was sent before still is."""
    reader = Reader(sqlite_engine, tmp_path, web=WebSettings(answers_per_link_max=1))
    path, form = reader.got(), {"kind": "other", "text": "x"}
    statuses = [
        reader.browser.post(path, data=form, files={"files": ("a.pdf", PDF + each)}).status_code
        for each in (b"1", b"2", b"3", b"1")
    ]
    assert [303, 429, 429, 303] == statuses
    with reading(reader.engine) as connection:
        assert [PDF + b"1"] == list(connection.execute(select(answer_files.c["content"])).scalars())
    [event] = reader.asked
    assert isinstance(event, GiveAnswer)
    assert PDF + b"1" == AnswerFiles(reader.engine, tmp_path).content(event.said.files[0].sha256)

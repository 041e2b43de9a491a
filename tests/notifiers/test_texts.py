"""The shipped texts: each kind in each language says the same things, and a company's own stand before them."""

import itertools
import re
import string
from pathlib import Path

import msgspec
import pytest

from notifiers.channel import PermanentError
from notifiers.writing.library import PARTS
from notifiers.writing.render import KINDS, MESSAGE_KINDS, Renderer, templates_folder
from notifiers.writing.samples import SampleLinks, sample_reminder
from notifiers.writing.words import LANGUAGES, words_of
from schemas.facts import ReminderDecided

ALL_KINDS = (*KINDS, *MESSAGE_KINDS)
PLACE = re.compile(r"\{\{\s*([a-z_.]+)\s*\}\}")


def source(kind: str, language: str, part: str) -> str:
    """Read a shipped text."""
    return (templates_folder() / kind / language / f"{part}.txt").read_text()


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", ALL_KINDS)
def test_each_text_says_the_same_in_each_language(kind: str, part: str) -> None:
    """Every kind has every part in every language, and each names the same figures."""
    places = {language: set(PLACE.findall(source(kind, language, part))) for language in LANGUAGES}
    assert dict.fromkeys(LANGUAGES, places["en"]) == places


def test_there_is_nothing_but_these() -> None:
    """No folder is left over: a kind, a language or a part that nobody asks for."""
    found = {each.relative_to(templates_folder()).as_posix() for each in templates_folder().glob("*/*/*")}
    assert {"/".join(each) + ".txt" for each in itertools.product(ALL_KINDS, LANGUAGES, PARTS)} == found


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_have_the_same_places(language: str) -> None:
    """What is filled into a word is the same in each language, and no word is empty."""
    english, other = (msgspec.to_builtins(words_of(each)) for each in ("en", language))
    places = {
        name: (
            {p[1] for p in string.Formatter().parse(text)},
            {p[1] for p in string.Formatter().parse(other[name])},
        )
        for name, text in english.items()
    }
    assert {} == {name: pair for name, pair in places.items() if pair[0] != pair[1]}
    assert [] == [name for name, text in other.items() if not text.strip()]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ALL_KINDS)
def test_each_message_is_written_whole(kind: str, language: str) -> None:
    """Mail, SMS, letter: no place is left open, no phrase of another language, nothing of Python."""
    made = sample_reminder(kind=kind, language=language)
    renderer = Renderer(links=SampleLinks())
    mail, sms, letter = (renderer.message(made, each) for each in ("email", "sms", "letter"))
    for text in (mail.subject, mail.text, mail.html, sms.text, letter.subject):
        assert "{{" not in text
        assert "{%" not in text
        assert "None" not in text
        assert "()" not in text
    assert f'lang="{language}"' in mail.html
    assert letter.pdf.startswith(b"%PDF")
    assert len(mail.subject) <= 200


def test_portuguese_figures() -> None:
    """pt is Brazil's unless a region says otherwise: money and days as they are written there."""
    written = Renderer().message(sample_reminder(kind="first", language="pt"), "email")
    assert "até 23 de março de 2026" in written.text
    assert "US$\N{NO-BREAK SPACE}1.576,06" in written.text
    portugal = msgspec.structs.replace(sample_reminder(kind="first", language="pt"), language="pt-PT")
    assert "1\N{NO-BREAK SPACE}576,06\N{NO-BREAK SPACE}US$" in Renderer().message(portugal, "email").text


def own(folder: Path, name: str, text: str) -> None:
    """Give the company 'sample' a file of its own."""
    path = folder / "sample" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def first(**changes: object) -> ReminderDecided:
    """Make a first reminder in Spanish."""
    return msgspec.structs.replace(sample_reminder(kind="first", language="es"), **changes)


def test_a_company_s_own_texts_stand_before_the_shipped_ones(tmp_path: Path) -> None:
    """S2-05: its subject is used, the rest is as shipped; another company is not touched."""
    own(tmp_path, "first/es/subject.txt", "Aviso: {{ document or what }}")
    renderer = Renderer(own=tmp_path)
    assert "Aviso: 3 documentos" == renderer.message(first(), "email").subject
    assert "Según nuestros registros" in renderer.message(first(), "email").text
    assert renderer.message(first(company="other"), "email").subject.startswith("Recordatorio de pago")


def test_a_kind_of_one_s_own(tmp_path: Path) -> None:
    """S2-05: a step's template may name a kind that does not ship."""
    for part in PARTS:
        own(tmp_path, f"last_call/es/{part}.txt", f"{part}: {{{{ customer }}}}, {{{{ totals_text }}}}")
    written = Renderer(own=tmp_path).message(first(template="last_call"), "sms")
    assert "sms: Panadería El Águila SpA, 459.900 CLP y 1.576,06 US$" == written.text
    with pytest.raises(PermanentError, match=r"there is no template 'last_call/es/subject\.txt'"):
        Renderer(own=tmp_path).message(first(company="other", template="last_call"), "sms")


def test_what_is_changed_is_read_again(tmp_path: Path) -> None:
    """A worker that runs takes a new text with the next message, also one that was not there before."""
    renderer = Renderer(own=tmp_path)
    (tmp_path / "sample").mkdir()
    before = renderer.message(first(), "email").subject
    own(tmp_path, "first/es/subject.txt", "Uno")
    one = renderer.message(first(), "email").subject
    own(tmp_path, "first/es/subject.txt", "Dos, distinto")
    two = renderer.message(first(), "email").subject
    (tmp_path / "sample/first/es/subject.txt").unlink()
    assert [before, "Uno", "Dos, distinto", before] == [
        before,
        one,
        two,
        renderer.message(first(), "email").subject,
    ]


def test_words_of_one_s_own(tmp_path: Path) -> None:
    """A company calls documents invoices, and its tax id RUT; the other words stay."""
    own(
        tmp_path,
        "layout/labels.es.toml",
        'document = "Factura"\nwhat_one = "la factura {document}"\ntax_id = "RUT"',
    )
    text = Renderer(own=tmp_path).message(first(), "email").text
    assert "- Factura F-10023" in text
    assert "RUT: 76.000.000-0" in text
    assert "Vencimiento" in text


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ('overdue_other = "{days:>1000000000} días"', "overdue_other has the place"),
        ('overdue_other = "{days.__class__} días"', "overdue_other has the place"),
        ('overdue_other = "{days!r} días"', "overdue_other has the place"),
        ('overdue_other = "{0} días"', "overdue_other has the place"),
        ('overdue_other = "{days días"', "overdue_other has braces"),
        ('document = "{name}"', "document has the place {name}, and there are: none"),
        ('nothing = "x"', "there is no word 'nothing'"),
        ("document = 5", "labels.es.toml"),
        ("document =", "labels.es.toml"),
        (f'document = "{"x" * 501}"', "longer than 500"),
        ("#" * 70_000, "larger than"),
    ],
)
def test_words_that_cannot_be_used(tmp_path: Path, text: str, detail: str) -> None:
    """A word of one's own has the places of the shipped one: no width that fills the memory, no look inside."""
    own(tmp_path, "layout/labels.es.toml", text)
    with pytest.raises(PermanentError) as caught:
        Renderer(own=tmp_path).message(first(), "email")
    assert detail in caught.value.detail


def test_a_layout_of_one_s_own(tmp_path: Path) -> None:
    """A company's HTML has its styles put inline too; what is wrong with it is told by line."""
    own(
        tmp_path,
        "layout/body.html",
        "<html><head><style>p { color: red }</style></head>\n<body>\n<p>{{ greeting }}</p>\n"
        "<table>{% for line in items %}<tr><td title='{{ line.document }}'>{{ line.open }}</td></tr>{% endfor %}</table></body></html>",
    )
    page = Renderer(own=tmp_path).message(first(customer_name="<b>"), "email").html
    assert '<p style="color: red;">A la atención' in page
    assert page.count("<tr>") == 3
    assert 'title="F-10023"' in page
    own(tmp_path, "layout/body.html", "<html><body>\n<p>\n{{ nobody }}</p></body></html>")
    with pytest.raises(PermanentError, match="line 3: 'nobody' is undefined"):
        Renderer(own=tmp_path).message(first(), "email")


def test_letters_have_no_layout_of_one_s_own(tmp_path: Path) -> None:
    """What a company writes in typst could read files and go on for ever: it is not looked at."""
    own(tmp_path, "layout/letter.typ", "#while true {}")
    assert Renderer().message(first(), "letter").pdf == Renderer(own=tmp_path).message(first(), "letter").pdf

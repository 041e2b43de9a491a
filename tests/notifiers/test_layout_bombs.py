"""A company's own layout, words and texts cannot take the notifier down: known bombs, through the whole way to a message.

Each was seen to go off, or to be an error of Python's own, when it went straight into the parser.
"""

import io
import resource
from pathlib import Path

import msgspec
import pypdf
import pytest

from notifiers.channel import PermanentError
from notifiers.writing.inlining import InliningError, inlined
from notifiers.writing.render import Renderer
from notifiers.writing.samples import sample_reminder
from notifiers.writing.shelf import TEMPLATE_BYTES_MAX
from schemas.facts import ReminderDecided

SECONDS = 12  # of processor time; those of the other process are two at most


def spent_s() -> float:
    """Give the processor time of this process and of those it has waited for: no neighbour takes of it."""
    both = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in both)


def first(**changes: object) -> ReminderDecided:
    """Make a first reminder in Spanish, of the company 'sample'."""
    return msgspec.structs.replace(sample_reminder(kind="first", language="es"), **changes)


def fault(folder: Path, name: str, text: str) -> str:
    """Give a company a file of its own; say why no mail can be written with it."""
    path = folder / "sample" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    with pytest.raises(PermanentError) as caught:
        Renderer(own=folder).message(first(), "email")
    assert "template_error" == caught.value.error_type
    return caught.value.detail


LAYOUTS = {
    "elements in elements, which end the parser's process": (
        "<style>i{a:b}</style>" + "<i>" * 21_000,
        "within what a page may take",
    ),
    "an element in itself, without end": ("<div>" * 13_000, "within what a page may take"),
    "each element with everything a style sheet says": (
        "<style>p{" + "".join(f"a{each}:b;" for each in range(4_000)) + "}</style>" + "<p>" * 8_000,
        "elements with 3",
    ),
    "each paragraph with each format that is still open": (
        "".join(f"<b id={each}>" for each in range(3_000)) + "<p>x" * 8_000,
        "",
    ),
    "rules for siblings of siblings": (
        "<style>" + "".join(f"p~p~p~p~i{each}," for each in range(250)) + "p~q{a:b}</style>" + "<p></p>" * 2_000,
        "",
    ),
    "children counted for each child": (
        "<style>" + "p:nth-child(3n+1):nth-last-child(2n){a:b}" * 50 + "</style>" + "<p></p>" * 4_500,
        "",
    ),
    "a selector of thousands of ancestors": (
        "<style>" + "div " * 1_500 + "q{a:b}</style>" + "<div>" * 3_000 + "<q>",
        "",
    ),
    "rules in rules": ("<style>" + "@media print{" * 4_900 + "</style><p>x", ""),
    "brackets in a rule": ("<style>p{a:" + "(" * 60_000 + "}</style><p>x", ""),
    "selectors in selectors": ("<style>" + ":not(" * 6_000 + "p" + ")" * 6_000 + "{a:b}</style><p>x", ""),
    "beginnings of places": ("<p>" + "{{" * 32_000, "layout/body.html"),
    "beginnings of tags": ("<p>\n" + "{%" * 32_000, "layout/body.html, line 2: "),
    "beginnings of comments": ("<p>\n\n" + "{#" * 32_000, "layout/body.html, line 3: Missing end of comment tag"),
    "beginnings of elements": ("<" * 65_000, ""),
    "beginnings of metas": ("<meta " * 10_000, ""),
    "beginnings of addresses": (" src = ' " * 7_000, "line 1: src leads to"),
    "beginnings of pictures": ("<style>" + "url( " * 12_000 + "</style>", "styles of a mail load nothing"),
    "places in a style sheet": ("<style>p{color:{{ language }}}</style><p>x<p>y", "cannot be put inline"),
    "marks that stand for places": ("<p><!--place-0-->{{ greeting }}", "cannot be put inline"),
    "a mark of ten thousand digits": ("<p>place-" + "9" * 10_000 + "-here{{ missing }}", "'missing' is undefined"),
    "loops in loops": (
        "{% for a in items %}<p>" * 4 + "{{ a.document }} and more and more" * 1_700 + "</p>{% endfor %}" * 4,
        "puts out more than 2,000,000 characters",
    ),
    "ten thousand tables": ("<table><tr><td>" * 4_300 + "{{ missing }}", "'missing' is undefined"),
}  # fmt: skip
HARMLESS = [name for name, (_, detail) in LAYOUTS.items() if not detail]


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout_bombs_do_not_go_off(tmp_path: Path, name: str) -> None:
    """S2-05: each ends as that company's fault or as a page, in seconds, and in little memory of this process."""
    text, detail = LAYOUTS[name]
    assert len(text) <= TEMPLATE_BYTES_MAX
    (tmp_path / "sample/layout").mkdir(parents=True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started_s = spent_s()
    if name in HARMLESS:
        (tmp_path / "sample/layout/body.html").write_text(text)
        assert len(Renderer(own=tmp_path).message(first(), "email").html) < 2_000_000
    else:
        assert detail in fault(tmp_path, "layout/body.html", text)
    assert SECONDS > spent_s() - started_s
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes


def test_a_fault_is_found_once_for_all_messages(tmp_path: Path) -> None:
    """Ten mails of a company with such a layout cost one process, not ten: others wait behind them."""
    fault(tmp_path, "layout/body.html", "<style>b{a:b}</style>" + "<b>" * 20_500)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(9):
        with pytest.raises(PermanentError):
            Renderer(own=tmp_path).message(first(), "email")
    again = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (children.ru_utime, children.ru_minflt) == (again.ru_utime, again.ru_minflt)


def test_styles_that_cannot_be_put_inline_are_a_fault(tmp_path: Path) -> None:
    """A layout whose template is right goes to nobody without its styles: before, it did, and nobody was told."""
    said = fault(
        tmp_path, "layout/body.html", "<style>p{color:{{ language }}}</style>\n<p>{{ greeting }}</p><p>"
    )
    assert "layout/body.html, line 1: styles cannot be put inline" in said


OUTSIDE = {
    "<p>\n<script>fetch('https://x.example')</script>": "line 2: a mail has no <script>",
    "<link rel=stylesheet href=file:///etc/passwd>": "line 1: a mail has no <link>",
    "<IFRAME src='https://x.example'>": "a mail has no <IFRAME>",
    "<object data=/etc/passwd>": "a mail has no <object>",
    "<embed src=x>": "a mail has no <embed>",
    "<base href='https://x.example'>": "a mail has no <base>",
    "<meta http-equiv=refresh content='0;url=https://x.example'>": "a mail has no <meta>",
    "<p>\n\n<img src='file:///etc/passwd'>": "line 3: src leads to 'file:///etc/passwd'",
    "<img src=/etc/passwd>": "src leads to '/etc/passwd'",
    "<img src='//x.example/a.png'>": "src leads to",
    "<img src='logo.png'>": "src leads to 'logo.png'",
    "<img src='data:image/png;base64,AAAA'>": "src leads to 'data:image/png;base64,AAAA'",
    "<img alt='' SRC = ' JavaScript:alert(1)'>": "leads to",
    "<a href='javascript:alert(1)'>x</a>": "href leads to 'javascript:alert(1)'",
    "<td background='http://x.example/{{ customer }}'><td background='\\\\host\\share'>": "background leads to",
    "<style>@import url('https://x.example/a.css');</style>": "styles of a mail load nothing",
    "<style>@IMPORT '/etc/passwd';</style>": "styles of a mail load nothing",
    "<style>p{background:url(file:///etc/passwd)}</style>": "url(file:///etc/passwd",
    "<style>p{background:url( \"/etc/passwd\" )}</style>": "styles of a mail load nothing",
    "<p style='background:url(&quot;file:///etc/passwd&quot;)'>": "styles of a mail load nothing",
    "<style data-css-inline=keep>@media print{p{background:url(//x.example/a)}}</style>": "styles of a mail load nothing",
}  # fmt: skip


@pytest.mark.parametrize("text", OUTSIDE)
def test_a_layout_reads_and_loads_nothing(tmp_path: Path, text: str) -> None:
    """What runs, or is taken from a file or anywhere but the web, is refused by its line; no file's content is in the fault."""
    said = fault(tmp_path, "layout/body.html", text)
    assert OUTSIDE[text] in said
    assert "root:" not in said


def test_what_a_mail_leads_to_may_stand_in_a_layout() -> None:
    """Addresses of the web, of mail and telephone, parts of the mail and what is filled in are let through."""
    text = (
        "<style>p{background:url(https://x.example/a.png)}</style><p>"
        "<a href='https://x.example'>a</a><a href=\"mailto:a@x.example\">b</a><a href=tel:+34911>c</a><a href='#end'>d</a>"
        "<img src='{{ company.logo }}'><img src='cid:logo'><a href=\"{% if a %}{{ a }}{% endif %}\">e</a><a href=''>f</a></p>"
    )
    styled = inlined(text, is_own=True)
    assert "background: url(https://x.example/a.png)" in styled
    assert '<img src="{{ company.logo }}">' in styled


def test_the_process_that_puts_styles_inline_has_no_files_and_no_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Our own and a company's styles come to the same page; the process is given nothing of the notifier's settings."""
    monkeypatch.setenv("COBRANZA_LINK_SECRETS", "s" * 32)
    page = "<style>p{color:red}</style><p title='{{ a }}'>{{ b }}</p>"
    assert inlined(page) == inlined(page, is_own=True)
    # It could write nowhere and open nothing: its limits are in force before it reads (they end this test's own child, too).
    assert "within what a page may take" in refused("<style>i{a:b}</style>" + "<i>" * 21_000)


def refused(page: str) -> str:
    """Say why a company's page cannot have its styles inline."""
    with pytest.raises(InliningError) as caught:
        inlined(page, is_own=True)
    return str(caught.value)


WORDS = {
    "dots in a name": "a" + ".a" * 30_000 + " = 1",
    "dots in a table": "[a" + ".a" * 15_000 + "]\nb" + ".c" * 15_000 + " = 1",
    "lists in lists": "a = " + "[" * 60_000,
    "tables in tables": "a = " + "{a=" * 20_000,
    "a long number": "a = " + "9" * 60_000,
    "many quotes": 'a = "' + '\\"' * 30_000,
    "beginnings of texts": "a = '''" + "'" * 60_000,
}


@pytest.mark.parametrize("text", WORDS.values(), ids=WORDS.keys())
def test_word_bombs_do_not_go_off(tmp_path: Path, text: str) -> None:
    """A file of words is lines of a word and its text, told by number; the rest of TOML took minutes, or the stack."""
    started_s = spent_s()
    said = fault(tmp_path, "layout/labels.es.toml", text)
    assert 2 > spent_s() - started_s
    assert "labels.es.toml, line " in said


TYPST = (
    '#read("/etc/passwd") #include "letter.typ" #image("/etc/passwd")',
    "#while true {} #let f() = f(); #f()",
    '"; #panic("x") //',
    "\\u{0023}read(\"x\") $x^2$ *a* _b_ `c` <d> @e = F\\",
)  # fmt: skip


@pytest.mark.parametrize("text", TYPST)
def test_no_text_of_a_letter_is_markup(text: str) -> None:
    """What a company writes about itself, a person to a customer, and a customer's own name stand on the letter as they are."""
    made = first(
        text=text, footer=text, payment_instructions=text, customer_name=text[:60], company_name=text[:60]
    )
    pdf = Renderer().message(made, "letter").pdf
    assert pdf.startswith(b"%PDF")
    assert "root:" not in read(pdf)
    assert text.split(maxsplit=1)[0].replace("\\", "") in read(pdf).replace("\\", "")


def read(pdf: bytes) -> str:
    """Read a letter's words."""
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    return "".join(page.extract_text() for page in reader.pages)


def test_the_longest_texts_are_a_letter_all_the_same() -> None:
    """A person's words, footer and ways to pay at their longest, of one word or of many lines: pages, in seconds."""
    started_s = spent_s()
    for filling in ("x", "x\n", "ñ́ "):
        long = filling * (4_000 // len(filling))
        Renderer().message(first(text=long, footer=long, payment_instructions=long), "letter")
    assert 20 > spent_s() - started_s

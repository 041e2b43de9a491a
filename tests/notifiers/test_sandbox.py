"""What a template cannot do: call, multiply, guess, look around, fill the memory, go on for ever."""

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import TemplateError

from notifiers.writing.sandbox import OutputLimitError, TemplateFaultError, TemplateRoom
from notifiers.writing.shelf import TEMPLATE_BYTES_MAX
from notifiers.writing.view import TotalView

LONG = tuple(TotalView(label=f"total {number}", amount="1") for number in range(500))


def render(folder: Path, text: str, *, name: str = "t.txt", **values: object) -> str:
    """Render a text as a template."""
    (folder / name).write_text(text)
    return TemplateRoom(folder).render(name, values, limit=1000)


def fault(folder: Path, text: str, *, t: str = "") -> TemplateFaultError:
    """Give what is wrong with a template."""
    with pytest.raises(TemplateFaultError) as caught:
        render(folder, text, x="abc", rows=LONG, words={"a": "b"}, t=t)
    return caught.value


def test_values_are_filled_in(tmp_path: Path) -> None:
    """The plain case; HTML is escaped, text is not."""
    assert "a <b>" == render(tmp_path, "a {{ x }}", x="<b>")
    assert "a &lt;b&gt;" == render(tmp_path, "a {{ x }}", name="t.html", x="<b>")


def test_what_texts_need_is_there(tmp_path: Path) -> None:
    """Choices, loops with their counts, parts of entries, joined texts, upper case, a list to ask."""
    text = (
        "{% for row in rows if x %}{{ loop.index }}{% if not loop.last %}, {% endif %}{% else %}none{% endfor %}"
        "|{{ rows[0].label }}|{{ x | upper }}|{{ 'a' ~ x ~ 1 }}|{{ ['a', x] | length }}"
        "|{% if x in ('abc', 'd') %}yes{% elif x == 'z' %}z{% else %}no{% endif %}|{{ words.a }}"
    )
    assert "1, 2|total 0|ABC|aabc1|2|yes|b" == render(
        tmp_path, text, x="abc", rows=LONG[:2], words={"a": "b"}
    )


def test_joined_html_is_escaped_once(tmp_path: Path) -> None:
    """What ``~`` and ``join`` put together is as safe as what they were given."""
    text = "{{ x ~ '<i>' }} {{ (x | e) ~ '' }} {{ [x, x] | join('<br>') }}"
    assert "&lt;&lt;i&gt; &lt; &lt;&lt;br&gt;&lt;" == render(tmp_path, text, name="t.html", x="<")


LOOKING_AROUND = [
    "{{ missing }}",
    "{{ x.missing }}",
    "{{ x.upper() }}",
    "{{ x.upper }}",
    "{{ range(3) }}",
    "{{ x.__class__ }}",
    "{{ x['__class__'] }}",
    "{{ ().__class__.__base__.__subclasses__() }}",
    "{{ rows[0].__class__.__init__.__globals__ }}",
    "{{ rows[0].__struct_fields__ }}",
    "{{ x.format.__globals__ }}",
    "{{ '{0.__class__}'.format(x) }}",
    "{{ x | attr('upper') }}",
    "{{ x | map(attribute='__class__') }}",
    "{{ x | format }}",
    "{{ x | safe }}",
    "{{ x | tojson }}",
    "{{ self }}",
    "{{ self.__init__ }}",
    "{{ lipsum }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ joiner }}",
    "{{ namespace }}",
    "{{ rows }}",
    "{{ rows[0] }}",
    "{{ x.format_map }}",
    "{{ x | xmlattr }}",
    "{{ x | urlize }}",
    "{% include '../secret.txt' %}",
    "{% include '../../etc/passwd' %}",
    "{% include '/etc/hostname' %}",
    "{% include x %}",
    "{% include 't.txt' %}",
    "{% extends 't.txt' %}",
    "{% import 'os' as os %}",
    "{% from 't.txt' import a %}",
    "{% import 't.txt' as t %}{{ t.__loader__ }}",
    "{% autoescape false %}{{ x }}{% endautoescape %}",
    "{% trans %}a{% endtrans %}",
    "{% debug %}",
    "{% do x %}",
    "{% call x() %}{% endcall %}",
    "{% filter upper %}a{% endfilter %}",
    "{% block a %}{{ super() }}{% endblock %}",
    "{% with a = x %}{{ a }}{% endwith %}",
    "{{ x if }}",
    "{% for",
    "{{ loop.cycle }}",
    "{{ _private }}",
]


@pytest.mark.parametrize("text", LOOKING_AROUND)
def test_nothing_else_goes(tmp_path: Path, text: str) -> None:
    """Each is an error of the template, not an empty text and not an accident."""
    (tmp_path.parent / "secret.txt").write_text("secret")
    assert "secret" not in fault(tmp_path, text).detail


NESTED = "{% for a in rows %}{% for b in rows %}{% for c in rows %}{% for d in rows %}"
BOMBS = {
    "power": "{{ 9 ** 9 ** 9 }}",
    "product of a text": "{{ x * 10000000 }}",
    "product of a literal": "{{ 'a' * 1000000000 }}",
    "sum of texts": "{{ x + x }}",
    "width": "{{ '%1000000000s' % x }}",
    "width of format": "{{ '{:>1000000000}'.format(x) }}",
    "centred": "{{ x | center(1000000000) }}",
    "long loop": "{% for a in range(1000000000) %}{{ a }}{% endfor %}",
    "silent loops": NESTED + "{% endfor %}" * 4,
    "silent loops that choose": NESTED + "{% if x == 'z' %}{% endif %}" + "{% endfor %}" * 4,
    "loops with a test": "{% for a in rows if x == 'z' %}{% endfor %}" * 20
    + NESTED.replace(" %}", " if x %}")
    + "{% endfor %}" * 4,
    "loops over a text": "{% for a in t %}{% for b in t %}{% for c in t %}{% endfor %}{% endfor %}{% endfor %}",
    "too many loops in loops": "{% for a in rows %}" * 5 + "{% endfor %}" * 5,
    "recursive loop": "{% for a in rows recursive %}{{ loop(rows) }}{% endfor %}",
    "recursive macro": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "doubling": "{% set a = t %}" + "{% set a = a ~ a %}" * 60 + "{{ a }}",
    "block doubling": "{% set a %}{{ t }}{{ t }}{% endset %}{{ a }}",
    "joins of joins": "{{ t" + " | join('01234567890123456789')" * 12 + " }}",
    "joins by a text": "{{ rows | join(t) }}",
    "many joined": "{{ " + " ~ ".join(["t"] * 200) + " }}",
    "joined joined": "{{ ((t ~ t) ~ (t ~ t))" + " | join('01234567890123456789')" * 4 + " }}",
    "a list of lists": "{{ " + "[" * 30 + "x" + "]" * 30 + " | length }}",
    "deep brackets": "{{ " + "(" * 5000 + "x" + ")" * 5000 + " }}",
    "deep ifs": "{% if x %}" * 2000 + "{% endif %}" * 2000,
    "deep nots": "{{ " + "not " * 5000 + "x }}",
    "deep minus": "{{ " + "-" * 20000 + "1 }}",
    "deep choices": "{{ " + "x if x else " * 3000 + "x }}",
    "deep ands": "{{ " + "x and " * 3000 + "x }}",
    "deep filters": "{{ x" + " | upper" * 3000 + " }}",
    "deep attributes": "{{ x" + ".a" * 5000 + " }}",
    "many comparisons": "{{ 1" + " < 1" * 5000 + " }}",
    "a long number": "{{ " + "9" * 50000 + " }}",
    "a long number with lines": "{{ " + "1_" * 20000 + "1 }}",
    "a long float": "{{ 1e999999999 | length }}",
    "many quotes": "{{ '" + "\\'" * 20000 + " }}",
    "an open tag": "{% raw %}" * 5000,
    "large": "x" * (TEMPLATE_BYTES_MAX + 1),
    "many nodes": "{{ x }}" * 5000,
    "escapes of escapes": "{% for a in rows %}{% for b in rows %}{{ (t | e | upper | e | lower)[0] }}{% endfor %}{% endfor %}",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_bombs_do_not_go_off(tmp_path: Path, bomb: str) -> None:
    """Each is refused, or stopped by what it may spend, in well under a second and in little memory."""
    started_s = time.process_time()
    fault(tmp_path, bomb, t="ab&c" * 2500)
    assert 5 > time.process_time() - started_s


def test_output_is_limited(tmp_path: Path) -> None:
    """A template that never stops putting out is stopped."""
    with pytest.raises(OutputLimitError):
        render(tmp_path, "{% for a in x %}{% for b in x %}{{ x }}{% endfor %}{% endfor %}", x="abc" * 100)


PIECES = st.sampled_from([
    "{{ x }}", "{{ t }}", "{{ rows }}", "{{ rows[0].label }}", "{{ x ~ t }}", "{{ t | upper }}", "{{ rows | length }}",
    "{{ t | join('-') }}", "{{ (t ~ x) | join('-') | e }}", "{{ loop.index }}", "{{ x.__class__ }}", "{{ x * 9 }}", "text",
    "{% if x %}", "{% elif t == x %}", "{% else %}", "{% endif %}", "{% for a in rows %}", "{% for a in t %}",
    "{% for a, b in rows if a %}", "{% endfor %}", "{% set x = t %}", "{% include 't.txt' %}", "{{", "}}", "{%", "%}", "{#",
    "#}", "{% raw %}", "{% endraw %}", "{% macro m() %}", "{% endmacro %}", "{{ a.label }}", "{{ x if t else rows }}", "\n", "{{ 1e9 }}",
    "{{ not x }}", "{{ -1 }}", "{{ 'a' in x }}", "{{ x in ('a', 'b') }}", "{{ [x, t] | join(', ') }}", "{{ 1 < 2 < x }}",
])  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PIECES, max_size=40))
def test_whatever_is_written_ends_in_a_text_or_a_fault(tmp_path: Path, pieces: list[str]) -> None:
    """Any heap of pieces of templates gives a text within the limit, or one kind of error; nothing of Python gets out."""
    started_s = time.process_time()
    try:
        text = render(tmp_path, "".join(pieces), x="abc", t="<&>" * 300, rows=LONG[:50])
    except TemplateFaultError:
        return
    finally:
        assert 5 > time.process_time() - started_s
    assert len(text) <= 1000
    assert "0x" not in text
    assert "TotalView(" not in text


@pytest.mark.parametrize(
    ("text", "line", "detail"),
    [
        ("a\nb {{ missing }}\n", 2, "'missing' is undefined"),
        ("a\n\n{% for x in %}", 3, "Expected an expression"),
        ("a\n\n\n{{ x ** 2 }}", 4, "templates have no pow"),
        ("a\n{{ rows }}", 2, "this is no text: tuple"),
        ("a\n\n{% for n in 5 %}{% endfor %}", 3, "not iterable"),
        ("a\n{{ x | nothing }}", 2, "No filter named 'nothing'"),
    ],
)
def test_an_error_says_where(tmp_path: Path, text: str, line: int, detail: str) -> None:
    """Name, line and what it is, for syntax, for what is refused and for what goes wrong while filling in."""
    found = fault(tmp_path, text)
    assert ("t.txt", line) == (found.name, found.line)
    assert detail in found.detail
    assert str(found).startswith(f"t.txt, line {line}: ")


def test_a_link_out_of_the_folder_is_not_there(tmp_path: Path) -> None:
    """A symbolic link to another place is no template."""
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "t.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(TemplateError):
        TemplateRoom(folder).render("t.txt", {}, limit=10)


@pytest.mark.parametrize(
    "name", ["../t.txt", "/etc/hostname", "a/../../t.txt", "a\\b", "t\n.txt", ".hidden", ""]
)
def test_names_that_are_no_names(tmp_path: Path, name: str) -> None:
    """A template's name is letters, digits and slashes; nothing in it leads out."""
    with pytest.raises(TemplateError):
        TemplateRoom(tmp_path).render(name, {}, limit=10)


def test_what_is_no_text_is_said(tmp_path: Path) -> None:
    """A file in another encoding is refused with its line; a byte order mark is not part of a text."""
    (tmp_path / "t.txt").write_bytes(b"a\nb\xff")
    with pytest.raises(TemplateFaultError, match="line 2: is not UTF-8"):
        TemplateRoom(tmp_path).render("t.txt", {}, limit=10)
    (tmp_path / "u.txt").write_bytes(b"\xef\xbb\xbfa")
    assert "a" == TemplateRoom(tmp_path).render("u.txt", {}, limit=10)


def test_half_a_character_is_a_fault_of_the_template(tmp_path: Path) -> None:
    """An escape can write what no message can be encoded with: it is said when it is tried, and not by a notifier that ends."""
    found = fault(tmp_path, "{{ '\\ud83d' }}")
    assert "half a character (U+D83D)" in found.detail
    assert "\U0001f600" == render(tmp_path, "{{ '\\U0001f600' }}")

"""What a template cannot do: call, multiply, guess, look around, go on for ever."""

from pathlib import Path

import pytest
from jinja2 import TemplateError

from notifiers.writing.sandbox import OutputLimitError, TemplateRoom


def render(folder: Path, text: str, *, name: str = "t.txt", **values: object) -> str:
    """Render a text as a template."""
    (folder / name).write_text(text)
    return TemplateRoom(folder).render(name, values, limit=1000)


def test_values_are_filled_in(tmp_path: Path) -> None:
    """The plain case; HTML is escaped, text is not."""
    assert "a <b>" == render(tmp_path, "a {{ x }}", x="<b>")
    assert "a &lt;b&gt;" == render(tmp_path, "a {{ x }}", name="t.html", x="<b>")


@pytest.mark.parametrize(
    "text",
    [
        "{{ missing }}",
        "{{ x.missing }}",
        "{{ x.upper() }}",
        "{{ range(3) }}",
        "{{ x.__class__ }}",
        "{{ x * 10000000 }}",
        "{{ '%1000000s' % x }}",
        "{{ x + x }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ x | attr('upper') }}",
        "{{ x | format }}",
        "{% include '../secret.txt' %}",
        "{% include '/etc/hostname' %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% import 'os' as os %}",
        "{{ self }} {{ lipsum }} {{ cycler }}",
        "{% for",
    ],
)
def test_nothing_else_goes(tmp_path: Path, text: str) -> None:
    """Each is an error of the template, not an empty text and not an accident."""
    (tmp_path.parent / "secret.txt").write_text("secret")
    with pytest.raises(TemplateError):
        render(tmp_path, text, x="abc")


def test_output_is_limited(tmp_path: Path) -> None:
    """A template that never stops putting out is stopped."""
    with pytest.raises(OutputLimitError):
        render(tmp_path, "{% for a in x %}{% for b in x %}{{ x }}{% endfor %}{% endfor %}", x="abc" * 100)

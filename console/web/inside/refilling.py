"""A page as it was written, with one of its forms as a person had filled it in, and what is wrong said at its fields.

One way for every form there is: the page is made by its own route once more, and here the values are put back into
its HTML. It reads pages of ours, whose form and field elements are closed; it knows no route and no rule.
"""

import html
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final, NamedTuple
from urllib.parse import unquote

from msgspec import Struct

__all__ = ["FORM_PAGE", "FormFault", "Typed", "refilled"]

# The name of the hidden field by which a form that came back says on which page it stands.
FORM_PAGE: Final = "form_page"
_NOT_TYPED: Final = ("csrf", "nonce", FORM_PAGE)
_AS_IT_IS: Final = ("hidden", "submit", "button", "file", "password", "image", "reset")
_CONTROLS: Final = ("input", "select", "textarea")
_Attributes = dict[str, str | None]


class FormFault(Struct, frozen=True, kw_only=True):
    """What is wrong with a form: its field ('': the form as a whole), and what a person reads of it."""

    field: str
    text: str


class Typed(Struct, frozen=True, kw_only=True):
    """A form as it came in: where it was sent, and its fields in their order; a name may be there several times."""

    action: str
    fields: tuple[tuple[str, str], ...]

    def of(self, name: str) -> list[str]:
        """List the values of a field."""
        return [value for each, value in self.fields if each == name]


class _Edit(NamedTuple):
    """What stands in the page from ``start`` to ``end`` is replaced."""

    start: int
    end: int
    text: str


@dataclass(slots=True)
class _Tag:
    """A start tag: where it stands and what it says."""

    name: str
    attributes: _Attributes
    start: int
    end: int

    def said(self, name: str) -> str:
        """Give an attribute; '' where it is not there."""
        return self.attributes.get(name) or ""


@dataclass(slots=True)
class _Control:
    """A field: its tag, what is in it, and where a text about it may stand."""

    tag: _Tag
    label: str = ""
    after: int = 0
    options: list[_Tag] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What it is sent as."""
        return self.tag.said("name")

    @property
    def kind(self) -> str:
        """What kind of field it is: the type of an input, else its element."""
        return self.tag.said("type") or "text" if self.tag.name == "input" else self.tag.name


@dataclass(slots=True)
class _Form:
    """A form that posts, with its fields and what is folded around it."""

    tag: _Tag
    folds: list[_Tag]
    controls: list[_Control] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)

    def goes_to(self, action: str) -> bool:
        """Say whether it, or one of its buttons, sends to a path."""
        said = (self.tag.said("action"), *self.actions)
        return any(unquote(each.partition("?")[0]) == unquote(action) for each in said)

    def is_of(self, typed: Typed) -> bool:
        """Say whether it says unseen what a form that came in said."""
        return all(
            each.tag.said("value") in typed.of(each.name)
            for each in self.controls
            if each.kind == "hidden" and each.name not in _NOT_TYPED
        )


def refilled(
    text: str, *, typed: Typed, faults: Sequence[FormFault], heading: str, page: str = ""
) -> str | None:
    """Put what was typed back into the form that it came from; None: the page has no such form.

    Args:
        text: the page.
        typed: the form as it came in.
        faults: what is wrong; each is told at its field, all of them at the top, with links.
        heading: what stands above them.
        page: the address of the page, which each form of it says from now on.
    """
    read = _Reader(text)
    form = _meant(read.forms, typed)
    if form is None:
        return None
    edits = [*_filled(text, form, typed=typed, faults=faults)]
    unnamed = [each for each in faults if all(one.name != each.field for one in form.controls)]
    edits.append(_problems(read, form, faults=faults, unnamed=unnamed, heading=heading))
    edits += [_opened(each) for each in form.folds if "open" not in each.attributes]
    if page:
        hidden = f'<input type="hidden" name="{FORM_PAGE}" value="{html.escape(page)}">'
        edits += [_Edit(each.tag.end, each.tag.end, hidden) for each in read.forms]
    return _edited(text, edits)


def _meant(forms: Sequence[_Form], typed: Typed) -> _Form | None:
    """Find the form that came in: by where it is sent, and, of several that go there, by what each says unseen."""
    there = [each for each in forms if each.goes_to(typed.action)]
    same = [each for each in there if each.is_of(typed)]
    # The only one may say something else by now: what it is about was changed by somebody since.
    return next(iter(same or (there if len(there) == 1 else ())), None)


def _edited(text: str, edits: Sequence[_Edit]) -> str:
    parts, at = [], 0
    for each in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        parts += [text[at : each.start], each.text]
        at = each.end
    return "".join([*parts, text[at:]])


def _filled(text: str, form: _Form, *, typed: Typed, faults: Sequence[FormFault]) -> Iterator[_Edit]:
    wrong: dict[str, str] = {}
    for each in faults:
        wrong[each.field] = f"{wrong.get(each.field, '')} {each.text}".strip()
    used: set[str] = set()
    for control in form.controls:
        tag, name = control.tag, control.name
        fault = "" if name in used or control.kind in _AS_IT_IS else wrong.get(name, "")
        attributes = dict(tag.attributes)
        if name in {each for each, _ in typed.fields} or control.kind in ("checkbox", "radio"):
            yield from _value(text, control, attributes, given=typed.of(name))
        if fault:
            told = f"{_id_of(control)}-fault"
            said = " ".join(filter(None, (tag.said("aria-describedby"), told)))
            attributes |= {"id": _id_of(control), "aria-invalid": "true", "aria-describedby": said}
            if not used:  # where there is something to be mended one goes on
                attributes["autofocus"] = None
            used.add(name)
            said_below = f'<span class="wrong-text" id="{told}">{html.escape(fault)}</span>'
            yield _Edit(control.after, control.after, said_below)
        if attributes != tag.attributes:
            yield _Edit(tag.start, tag.end, _written(tag.name, attributes))


def _value(text: str, control: _Control, attributes: _Attributes, *, given: Sequence[str]) -> Iterator[_Edit]:
    """Put a value into a field: into its attributes, or what is in it."""
    if control.kind in _AS_IT_IS:
        return
    match control.kind:
        case "checkbox" | "radio":
            attributes.pop("checked", None)
            if (control.tag.said("value") or "on") in given:
                attributes["checked"] = None
        case "select":
            yield from _chosen(control, given=given)
        case "textarea":
            end = text.index("</textarea", control.tag.end)
            yield _Edit(control.tag.end, end, f"\n{html.escape(given[0])}")
        case _:
            attributes["value"] = given[0]


def _chosen(control: _Control, *, given: Sequence[str]) -> Iterator[_Edit]:
    """Choose what was chosen; what is none of the options leaves the choice as it is."""
    if not any(each.said("value") in given for each in control.options):
        return
    for each in control.options:
        attributes = {name: value for name, value in each.attributes.items() if name != "selected"}
        if each.said("value") in given:
            attributes["selected"] = None
        yield _Edit(each.start, each.end, _written("option", attributes))


def _opened(fold: _Tag) -> _Edit:
    return _Edit(fold.start, fold.end, _written(fold.name, fold.attributes | {"open": None}))


def _problems(
    read: "_Reader",
    form: _Form,
    *,
    faults: Sequence[FormFault],
    unnamed: Sequence[FormFault],
    heading: str,
) -> _Edit:
    """Say what is wrong where the page begins, each with a link to its field."""
    lines = []
    for each in faults:
        control = next((one for one in form.controls if one.name == each.field), None)
        if control is None or each in unnamed or control.kind in _AS_IT_IS:
            lines.append(f"<li>{html.escape(each.text)}</li>")
            continue
        label = f"{control.label}: " if control.label else ""
        lines.append(f'<li><a href="#{_id_of(control)}">{html.escape(label + each.text)}</a></li>')
    title = html.escape(heading)
    listed = "".join(dict.fromkeys(lines))
    # Where no field is at fault, what is wrong is where one goes on.
    focus = "" if "<a " in listed else ' tabindex="-1" autofocus'
    told = f'<div class="problems" role="alert"{focus}><strong>{title}</strong><ul>{listed}</ul></div>'
    return _Edit(read.begins, read.begins, told)


def _id_of(control: _Control) -> str:
    return control.tag.said("id") or f"field-{control.tag.start}"


def _written(name: str, attributes: Mapping[str, str | None]) -> str:
    said = (each if value is None else f'{each}="{html.escape(value)}"' for each, value in attributes.items())
    return f"<{' '.join([name, *said])}>"


class _Reader(HTMLParser):
    """Finds the forms of a page that post, their fields with labels, and where the page's content begins."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[_Form] = []
        self.begins = 0
        self._text = text
        lines = text.split("\n")
        self._lines = [0, *itertools.accumulate(len(line) + 1 for line in lines)]
        self._folds: list[_Tag] = []
        self._form: _Form | None = None
        self._field: _Control | None = None  # a select or a textarea that is not closed yet
        self._label: _Tag | None = None
        self._said = ""
        self._inside: list[_Control] = []  # the fields within the label
        self._labels: dict[str, str] = {}
        self.feed(text)
        self.close()
        for control in (each for form in self.forms for each in form.controls):
            control.label = (
                self._labels.get(control.tag.said("id"), "")
                or control.label
                or control.tag.said("aria-label")
            )

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element that begins."""
        start = self._at()
        seen = _Tag(tag, dict(attrs), start, start + len(self.get_starttag_text() or ""))
        match tag:
            case "main":
                self.begins = seen.end
            case "details":
                self._folds.append(seen)
            case "form" if seen.said("method") == "post":
                self._form = _Form(seen, list(self._folds))
                self.forms.append(self._form)
            case "label":
                self._label, self._said, self._inside = seen, "", []
            case "button" if self._form is not None and seen.said("formaction"):
                self._form.actions.append(seen.said("formaction"))
            case "option" if self._field is not None:
                self._field.options.append(seen)
            case _ if tag in _CONTROLS and self._form is not None:
                self._take(seen)

    def _take(self, seen: _Tag) -> None:
        control = _Control(seen, after=seen.end)
        if self._form is not None and control.name:
            self._form.controls.append(control)
        if seen.name != "input":
            self._field = control
        if self._label is not None:
            self._inside.append(control)

    def handle_endtag(self, tag: str) -> None:
        """Take an element that ends."""
        end = self._text.index(">", self._at()) + 1
        if tag == "details" and self._folds:
            self._folds.pop()
        elif tag == "form":
            self._form = None
        elif tag in ("select", "textarea") and self._field is not None:
            self._field.after = end
            self._field = None
        elif tag == "label" and self._label is not None:
            said = " ".join(self._said.split()).rstrip(":")
            if self._label.said("for"):
                self._labels[self._label.said("for")] = said
            for control in self._inside:
                control.label, control.after = said, end
            self._label = None

    def handle_data(self, data: str) -> None:
        """Take text: a label's, where it is not a choice."""
        if self._label is not None and self._field is None:
            self._said += data

    def _at(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

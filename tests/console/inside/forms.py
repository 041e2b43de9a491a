"""The forms of a page as a browser knows them: where each is sent, its fields, and what stands in them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

__all__ = ["Field", "Form", "forms_of"]


@dataclass(slots=True)
class Field:
    """A field with what stands in it: ``values`` is what would be sent."""

    name: str
    kind: str
    values: list[str]
    offered: list[str] = field(default_factory=list)
    says: dict[str, str] = field(default_factory=dict)

    @property
    def is_shown(self) -> bool:
        """Say whether a person fills it in."""
        return self.kind not in ("hidden", "submit")


@dataclass(slots=True)
class Form:
    """A form that posts."""

    action: str
    fields: list[Field] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def sent(self) -> dict[str, list[str]]:
        """Give what a browser would send."""
        found: dict[str, list[str]] = {}
        for each in self.fields:
            if each.values:
                found.setdefault(each.name, []).extend(each.values)
        for name, value in self.buttons[:1]:
            found[name] = [value]
        return found

    def shown(self) -> list[Field]:
        """List what a person fills in."""
        return [each for each in self.fields if each.is_shown]

    def of(self, name: str) -> Field:
        """Give a field by name."""
        return next(each for each in self.fields if each.name == name)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._field: Field | None = None

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """Take an element that begins."""
        said = {name: value or "" for name, value in attrs}
        if tag == "form" and said.get("method") == "post":
            self._form = Form(said["action"])
            self.forms.append(self._form)
        if self._form is None:
            return
        if tag == "button" and "name" in said:
            self._form.buttons.append((said["name"], said.get("value", "")))
        if tag in ("input", "select", "textarea") and said.get("name"):
            kind = said.get("type", "text") if tag == "input" else tag
            value = said.get("value", "on" if kind in ("checkbox", "radio") else "")
            chosen = [value] if kind not in ("checkbox", "radio") or "checked" in said else []
            self._field = Field(said["name"], kind, [] if tag != "input" else chosen, says=said)
            self._form.fields.append(self._field)
        if tag == "option" and self._field is not None:
            self._field.offered.append(said.get("value", ""))
            if "selected" in said or not self._field.values:
                self._field.values = [said.get("value", "")]

    def handle_data(self, data: str) -> None:
        """Take what stands in a textarea: its first line's end is not part of it."""
        if self._field is not None and self._field.kind == "textarea":
            self._field.values = ["".join(self._field.values) + data]

    def handle_endtag(self, tag: str) -> None:
        """Take an element that ends."""
        if tag == "form":
            self._form = None
        if tag == "textarea" and self._field is not None:
            self._field.values = ["".join(self._field.values).removeprefix("\n")]
        if tag in ("textarea", "select"):
            self._field = None


def forms_of(text: str) -> list[Form]:
    """List the forms of a page that post."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.forms

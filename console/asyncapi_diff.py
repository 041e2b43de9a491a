"""What changed between two AsyncAPI documents of ours, and whom it breaks; pure.

Who is broken depends on the direction. Of a message that others send us, whatever makes us accept
less breaks them: a new required field, a type that lost a value. Of a message that we send,
whatever makes us say more breaks them: a field that may be missing now, a value that was not there.
A field, message or channel that is gone breaks both. Texts, examples and limits of storage break nobody.
"""

from collections.abc import Iterator
from typing import Any, Literal

from msgspec import Struct

__all__ = ["Change", "changes"]

Json = dict[str, Any]
Direction = Literal["received", "sent"]
_BOUNDS = {"minLength": 1, "minItems": 1, "minimum": 1, "maxLength": -1, "maxItems": -1, "maximum": -1}
_DEEP_MAX = 20


class Change(Struct, frozen=True, kw_only=True, order=True):
    """One change: ``where`` as channel, message and path of the field."""

    where: str
    what: str
    breaking: bool

    def __str__(self) -> str:
        return f"{'BREAKING  ' if self.breaking else 'compatible'}  {self.where}: {self.what}"


def changes(*, old: Json, new: Json) -> list[Change]:
    """List all changes of channels, messages, headers and payloads, by place."""
    return sorted(set(_Comparison(old, new).run()))


class _Comparison:
    def __init__(self, old: Json, new: Json) -> None:
        self._old = old
        self._new = new

    def run(self) -> Iterator[Change]:
        yield from _keys(self._old["channels"], self._new["channels"], where="", what="channel")
        for name, old in self._old["channels"].items():
            new = self._new["channels"].get(name)
            if new is not None:
                yield from _bindings(old, new, where=name)
                yield from _keys(old["messages"], new["messages"], where=name, what="message")
        for name in _messages(self._old).keys() & _messages(self._new).keys():
            yield from self._message(name)

    def _message(self, name: str) -> Iterator[Change]:
        old, new = _messages(self._old)[name], _messages(self._new)[name]
        direction: Direction = "sent" if _is_sent(self._old, name) else "received"
        for part in ("headers", "payload"):
            schemas = _Schemas(self._old, self._new, direction)
            yield from schemas.compare(old.get(part, {}), new.get(part, {}), f"{name} {part}", 0)


class _Schemas:
    """Compares two schemas, following their references."""

    def __init__(self, old: Json, new: Json, direction: Direction) -> None:
        self._documents = (old, new)
        self._direction = direction

    def compare(self, old: Json, new: Json, where: str, depth: int) -> Iterator[Change]:
        old, new = _resolved(old, self._documents[0]), _resolved(new, self._documents[1])
        if old == new or depth > _DEEP_MAX:
            return
        yield from self._values(old, new, where)
        yield from self._limits(old, new, where)
        yield from self._fields(old, new, where, depth)
        for name in ("items", "additionalProperties"):
            ours, theirs = old.get(name), new.get(name)
            if isinstance(ours, dict) and isinstance(theirs, dict):
                yield from self.compare(ours, theirs, f"{where}[]", depth + 1)
            elif ours != theirs:
                yield Change(where=where, what=f"{name} is {theirs}, was {ours}", breaking=True)
        yield from self._branches(old, new, where, depth)

    def _values(self, old: Json, new: Json, where: str) -> Iterator[Change]:
        before, after = _values(old), _values(new)
        if before is not None and after is not None:
            yield from self._set(before - after, where, verb="is gone", narrows=True)
            yield from self._set(after - before, where, verb="is new", narrows=False)
        elif before != after:
            said = "any value of its type" if after is None else ", ".join(sorted(after))
            yield self._change(where, f"takes {said} now", narrows=after is not None)
        types, others = _types(old), _types(new)
        if types != others and types and others:
            what = f"type is {' or '.join(sorted(others))}, was {' or '.join(sorted(types))}"
            if types > others or types < others:
                yield self._change(where, what, narrows=types > others)
            else:
                yield Change(where=where, what=what, breaking=True)

    def _set(self, values: set[str], where: str, *, verb: str, narrows: bool) -> Iterator[Change]:
        for value in values:
            yield self._change(where, f"value {value} {verb}", narrows=narrows)

    def _limits(self, old: Json, new: Json, where: str) -> Iterator[Change]:
        for name, sign in _BOUNDS.items():
            before, after = old.get(name), new.get(name)
            if before != after:
                narrows = before is None or (after is not None and (after - before) * sign > 0)
                yield self._change(where, f"{name} is {after}, was {before}", narrows=narrows)
        for name in ("pattern", "format"):
            before, after = old.get(name), new.get(name)
            if before != after and None in (before, after):
                yield self._change(where, f"{name} is {after}, was {before}", narrows=before is None)
            elif before != after:
                yield Change(where=where, what=f"{name} is {after}, was {before}", breaking=True)

    def _fields(self, old: Json, new: Json, where: str, depth: int) -> Iterator[Change]:
        before, after = old.get("properties", {}), new.get("properties", {})
        needed, needs = set(old.get("required", ())), set(new.get("required", ()))
        for name in before.keys() - after.keys():
            kind = "required field" if name in needed else "field"
            yield Change(where=f"{where}.{name}", what=f"the {kind} is gone", breaking=True)
        for name in after.keys() - before.keys():
            breaks = name in needs and self._direction == "received"
            kind = "required field" if name in needs else "optional field"
            yield Change(where=f"{where}.{name}", what=f"the {kind} is new", breaking=breaks)
        for name in before.keys() & after.keys():
            if (name in needed) != (name in needs):
                said = "required" if name in needs else "optional"
                yield self._change(f"{where}.{name}", f"is {said} now", narrows=name in needs)
            yield from self.compare(before[name], after[name], f"{where}.{name}", depth + 1)

    def _branches(self, old: Json, new: Json, where: str, depth: int) -> Iterator[Change]:
        before = {_label(each): each for each in old.get("anyOf", ())}
        after = {_label(each): each for each in new.get("anyOf", ())}
        if not before and not after:
            return
        yield from self._set(before.keys() - after.keys(), where, verb="is gone", narrows=True)
        yield from self._set(after.keys() - before.keys(), where, verb="is new", narrows=False)
        for name in before.keys() & after.keys():
            yield from self.compare(before[name], after[name], where, depth + 1)

    def _change(self, where: str, what: str, *, narrows: bool) -> Change:
        return Change(where=where, what=what, breaking=narrows == (self._direction == "received"))


def _keys(old: Json, new: Json, *, where: str, what: str) -> Iterator[Change]:
    for name in old.keys() - new.keys():
        yield Change(where=f"{where} {name}".strip(), what=f"the {what} is gone", breaking=True)
    for name in new.keys() - old.keys():
        yield Change(where=f"{where} {name}".strip(), what=f"the {what} is new", breaking=False)


def _bindings(old: Json, new: Json, *, where: str) -> Iterator[Change]:
    """Compare what readers rely on of a topic: who shares partitions, what is kept and for how long."""
    before, after = old["x-partitions"], new["x-partitions"]
    if before != after:
        yield Change(where=where, what=f"partitions are {after}, were {before}: keys move", breaking=True)
    kept, keeps = (each["bindings"]["kafka"]["topicConfiguration"] for each in (old, new))
    for name in sorted(kept.keys() | keeps.keys()):
        was, is_ = kept.get(name), keeps.get(name)
        if was != is_:
            breaks = name == "cleanup.policy" or (name == "max.message.bytes" and (is_ or 0) < (was or 0))
            yield Change(where=where, what=f"{name} is {is_}, was {was}", breaking=breaks)


def _messages(document: Json) -> Json:
    found: Json = document["components"]["messages"]
    return found


def _is_sent(document: Json, name: str) -> bool:
    """Say whether a message is ours: what intake reads is others', even where a part of ours publishes it too."""
    places = [channel for channel, content in document["channels"].items() if name in content["messages"]]
    return not any(f"intake.receive.{channel}" in document["operations"] for channel in places)


def _resolved(schema: Json, document: Json) -> Json:
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def _values(schema: Json) -> set[str] | None:
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    return None if values is None else {str(each) for each in values}


def _types(schema: Json) -> set[str]:
    kind = schema.get("type")
    return set(kind) if isinstance(kind, list) else ({kind} if kind else set())


def _label(branch: Json) -> str:
    return str(branch.get("$ref", branch.get("title", branch.get("type", branch)))).rpartition("/")[2]

"""All that is wrong with an event, each problem with its JSON path.

Decoding stops at the first error, which is right for intake and tiresome for a
person who mends a file: here the fields are decoded one by one. It decides
nothing that intake does not: an event without problems here is accepted there.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Struct, structs

from processors.validation import problems as rule_problems
from schemas.codec import SOURCE_TYPES, ContractError, decode_source, type_of
from schemas.envelope import Envelope, EnvelopeError, from_structured
from schemas.journal import SourceEvent

__all__ = ["Checked", "Problem", "check_data", "check_structured", "problems_of"]

_ENVELOPE_FIELDS = ("specversion", "id", "source", "type")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong at ``path`` (JSONPath, ``$`` is the whole object)."""

    path: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An event that can be published."""

    envelope: Envelope
    event: SourceEvent
    data: bytes


def check_structured(value: bytes) -> Checked | list[Problem]:
    """Read one structured-mode CloudEvent, or say everything that is wrong with it."""
    try:
        envelope, data = from_structured(value)
    except EnvelopeError as error:
        return _envelope_problems(value, first=error)
    checked = check_data(envelope.type, data)
    if isinstance(checked, list):
        return [Problem(path=_below_data(each.path), detail=each.detail) for each in checked]
    return Checked(envelope=envelope, event=checked, data=data)


def check_data(event_type: str, data: bytes) -> SourceEvent | list[Problem]:
    """Read an event's data, or say everything that is wrong with it; paths start at the data."""
    try:
        event = decode_source(event_type, data)
    except ContractError as error:
        if error.reason == "invalid":
            return problems_of(SOURCE_TYPES[event_type], msgspec.json.decode(data))
        path = "$" if error.reason == "not_json" else "$.type"
        return [Problem(path=path, detail=error.detail)]
    found = [_split(text) for text in rule_problems(event)]
    return found or event


def _below_data(path: str) -> str:
    # A wrong type is said by the envelope; the data's own copy of it is optional.
    return "$.type" if path == "$.type" else path.replace("$", "$.data", 1)


def _split(text: str) -> Problem:
    """Take msgspec's trailing `` - at `$.path` `` apart from what it says."""
    detail, mark, path = text.rpartition(" - at `")
    if not mark:
        return Problem(path="$", detail=text)
    return Problem(path=path.rstrip("`"), detail=detail)


def _envelope_problems(value: bytes, *, first: EnvelopeError) -> list[Problem]:
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return [_split(str(first))]
    if not isinstance(found, dict):
        return [_split(str(first))]
    problems = [
        Problem(path=f"$.{name}", detail=f"Expected text, got {_shown(found.get(name))}")
        for name in _ENVELOPE_FIELDS
        if not isinstance(found.get(name), str) or not found[name]
    ]
    if "data" not in found:
        problems.append(Problem(path="$.data", detail="The event has no data"))
    return problems or [_split(str(first))]


def _shown(value: object) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)[:80]


def problems_of(struct: type[Struct], found: object) -> list[Problem]:
    """Say everything that keeps plain values (of JSON or YAML) from being that struct."""
    return list(_problems_of_struct(struct, found, path="$"))


def _problems_of_struct(struct: type[Struct], found: object, *, path: str) -> Iterator[Problem]:
    if not isinstance(found, Mapping):
        yield Problem(path=path, detail=f"Expected an object, got {_shown(found)}")
        return
    fields = {field.encode_name: field for field in structs.fields(struct)}
    tag_field = struct.__struct_config__.tag_field
    for name in found:
        if name not in fields and name != tag_field:
            yield Problem(path=f"{path}.{name}", detail="Unknown field")
    if tag_field in found and found[tag_field] != type_of(struct):
        yield Problem(path=f"{path}.{tag_field}", detail=f"Expected {type_of(struct)!r}")
    for name, field in fields.items():
        if name in found:
            yield from _problems_of_value(field.type, found[name], path=f"{path}.{name}")
        elif field.required:
            yield Problem(path=f"{path}.{name}", detail="Missing required field")


def _problems_of_value(kind: Any, found: object, *, path: str) -> Iterator[Problem]:
    try:
        # The values came from JSON: dates are text there, and a number is no text.
        msgspec.convert(found, kind, strict=True)
    except msgspec.ValidationError as error:
        nested = _struct_in(kind)
        if nested is not None and isinstance(found, dict):
            yield from _problems_of_struct(nested, found, path=path)
        elif nested is not None and isinstance(found, list) and found:
            inner = [
                problem
                for index, each in enumerate(found)
                for problem in _problems_of_value(nested, each, path=f"{path}[{index}]")
            ]
            yield from inner or [Problem(path=path, detail=_split(str(error)).detail)]
        else:
            said = _split(str(error))
            yield Problem(path=said.path.replace("$", path, 1), detail=said.detail)


def _struct_in(kind: Any) -> type[Struct] | None:
    """Find the struct in ``Struct``, ``Struct | None``, ``tuple[Struct, ...]`` or an annotated one."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        return kind
    for each in getattr(kind, "__args__", ()):
        found = _struct_in(each)
        if found is not None:
            return found
    return None

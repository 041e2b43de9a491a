"""The mapping file: how a row of somebody's table becomes events of ours.

A mapping is TOML. Texts may hold columns in braces, ``"{customerID}@example.test"``;
``{column:int}`` alone gives a number. A value whose columns are empty is left
out. What is not declared is not guessed: no date order, no decimal comma.

    source = "import/ibm"                    # CloudEvents source of the events
    [file]       delimiter, encoding
    [dates]      column = "M/D/YYYY"
    [amounts]    column = { decimal = ",", thousands = "." }
    [company]    the fields of collections.company.configure.v1
    [[events]]   type, when = "{column}" (not empty), once_per = "{column}", data = { … }
"""

import string
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from console.checking import check_data
from console.written_values import AmountFormat, DateFormatError, WrittenDate
from infra.errors import OperatorError
from schemas.codec import SOURCE_TYPES, type_of
from schemas.commands import ConfigureCompany

__all__ = ["ColumnMapping", "EventRule", "MappingError", "Template", "columns_of", "load_mapping"]


class MappingError(OperatorError):
    """The mapping file is wrong; says where and why."""


class EventRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event that a row yields; ``once_per``: once for each distinct content."""

    type: str
    data: dict[str, Any]
    when: str = ""
    once_per: str = ""


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] = ","
    encoding: str = "utf-8-sig"


class ColumnMapping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping file as it stands."""

    source: Annotated[str, Meta(min_length=1, max_length=200)]
    company: dict[str, Any]
    events: Annotated[tuple[EventRule, ...], Meta(min_length=1)]
    file: _File = _File()
    dates: dict[str, str] = {}
    amounts: dict[str, AmountFormat] = {}

    @property
    def profile(self) -> ConfigureCompany:
        """The company's profile, as an event that is the same each time.

        Raises:
            MappingError: a field of ``[company]`` is wrong.
        """
        data = {"occurred_at": "1970-01-01", "command": f"profile of {self.source}"} | self.company
        checked = check_data(type_of(ConfigureCompany), msgspec.json.encode(data))
        if isinstance(checked, ConfigureCompany):
            return checked
        problems = checked if isinstance(checked, list) else []
        raise MappingError("\n".join(f"[company] {each.path}: {each.detail}" for each in problems))


class Template:
    """A text with columns in braces, taken apart once.

    Raises:
        MappingError: the braces do not match, or a filter is unknown.
    """

    __slots__ = ("_parts", "as_int", "columns")

    def __init__(self, text: str) -> None:
        try:
            parts = list(string.Formatter().parse(text))
        except ValueError as error:
            raise MappingError(f"template {text!r}: {error}") from error
        self._parts = [(literal, column) for literal, column, _, _ in parts]
        self.columns = tuple(column for _, column in self._parts if column is not None)
        filters = {spec for _, column, spec, _ in parts if column is not None and spec}
        self.as_int = filters == {"int"}
        if (filters - {"int"}) or (self.as_int and (len(parts) != 1 or parts[0][0])):
            raise MappingError(f"template {text!r}: only {{column:int}}, alone, is known")

    def render(self, cells: Mapping[str, str]) -> str:
        """Fill in the cells; empty when the template has columns and one of them is empty."""
        pieces = []
        for literal, column in self._parts:
            pieces.append(literal)
            if column is not None:
                if not cells[column]:
                    return ""
                pieces.append(cells[column])
        return "".join(pieces)


def load_mapping(path: Path) -> ColumnMapping:
    """Read and check a mapping file.

    Raises:
        MappingError: with the file's name and all that is wrong at the first level.
    """
    try:
        found = msgspec.toml.decode(path.read_bytes(), type=ColumnMapping)
    except FileNotFoundError as error:
        raise MappingError(f"There is no mapping {path}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"{path}: {error}") from error
    try:
        _check(found)
    except (MappingError, DateFormatError, LookupError) as error:
        raise MappingError(f"{path}: {error}") from error
    return found


def columns_of(mapping: ColumnMapping) -> list[str]:
    """Give the columns that a file must have, in the order of their first use."""
    found: dict[str, None] = {}
    for rule in mapping.events:
        for text in (rule.when, rule.once_per, *_texts(rule.data)):
            found.update(dict.fromkeys(Template(text).columns))
    return list(found)


def _check(mapping: ColumnMapping) -> None:
    "".encode(mapping.file.encoding)
    for written in mapping.dates.values():
        WrittenDate(written)
    for rule in mapping.events:
        if rule.type not in SOURCE_TYPES:
            raise MappingError(f"[[events]] type {rule.type!r} is unknown")
    if "company" not in mapping.company:
        raise MappingError("[company] has no company: the creditor's id")
    used = set(columns_of(mapping))
    unused = [each for each in (*mapping.dates, *mapping.amounts) if each not in used]
    if unused:
        raise MappingError(f"[dates] or [amounts] name columns that no event uses: {', '.join(unused)}")
    _ = mapping.profile


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return []

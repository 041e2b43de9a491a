"""One row of a table becomes the events that a mapping asks for, or says all that is wrong with it.

Columns are found by name; cells are read as dates and amounts where the mapping
declares them, and go into templates. It knows nothing of files.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from console.checking import check_data
from console.mapping import ColumnMapping, EventRule, Template
from console.written_values import WrittenAmount, WrittenDate
from schemas.journal import SourceEvent

__all__ = ["CellError", "RowError", "RowEvent", "RowReader"]

_Cells = dict[str, str]
RowEvent = tuple[int, str, SourceEvent]


class CellError(Exception):
    """A cell that cannot be used."""

    def __init__(self, *, column: str, reason: str) -> None:
        super().__init__(f"{column}: {reason}")
        self.column = column
        self.reason = reason


class RowError(Exception):
    """A row that cannot be used, with all that is wrong with it."""

    def __init__(self, errors: Iterable[CellError]) -> None:
        self.errors = list({(each.column, each.reason): each for each in errors}.values())
        super().__init__("; ".join(map(str, self.errors)))


class RowReader:
    """Turn the cells of a row into the events that the mapping asks for."""

    def __init__(self, mapping: ColumnMapping, *, places: Mapping[str, int], width: int) -> None:
        self._places = places
        self._width = width
        self._dates = {column: WrittenDate(written) for column, written in mapping.dates.items()}
        self._amounts = {column: WrittenAmount(written) for column, written in mapping.amounts.items()}
        company = mapping.company["company"]
        self._rules = [_Rule(rule, company=company) for rule in mapping.events]

    def read(self, cells: Sequence[str]) -> list[RowEvent]:
        """Give (rule, once-per key, event) of each event of the row.

        Raises:
            RowError: with every error of the first kind found: cells, then events.
        """
        if len(cells) != self._width:
            reason = f"has {len(cells)} columns, the header has {self._width}"
            raise RowError([CellError(column="", reason=reason)])
        values = self._values(cells)
        found, errors = [], []
        for index, rule in enumerate(self._rules):
            if not rule.applies(values):
                continue
            try:
                found.append((index, rule.once_per.render(values), rule.event(values)))
            except RowError as error:
                errors += error.errors
        if errors:
            raise RowError(errors)
        return found

    def _values(self, cells: Sequence[str]) -> _Cells:
        values, errors = {}, []
        for column, place in self._places.items():
            try:
                values[column] = self._value(column, cells[place].strip())
            except CellError as error:
                errors.append(error)
        if errors:
            raise RowError(errors)
        return values

    def _value(self, column: str, text: str) -> str:
        if not text:
            return text
        if any("\udc80" <= each <= "\udcff" for each in text):
            raise CellError(column=column, reason="is not in the file's declared encoding")
        try:
            if column in self._dates:
                return self._dates[column].read(text).isoformat()
            if column in self._amounts:
                return self._amounts[column].read(text)
        except ValueError as error:
            raise CellError(column=column, reason=str(error)) from error
        return text


class _Rule:
    """An event rule with its templates taken apart."""

    def __init__(self, rule: EventRule, *, company: str) -> None:
        self.type = rule.type
        self.once_per = Template(rule.once_per)
        self._when = Template(rule.when)
        self._always = not rule.when
        self._data = _compiled({"company": company} | rule.data)

    def applies(self, cells: _Cells) -> bool:
        return self._always or bool(self._when.render(cells))

    def event(self, cells: _Cells) -> SourceEvent:
        data = _rendered(self._data, cells)
        checked = check_data(self.type, msgspec.json.encode(data))
        if isinstance(checked, list):
            raise RowError(
                CellError(column=self._column_at(each.path), reason=f"{each.detail} ({each.path[2:]})")
                for each in checked
            )
        return checked

    def _column_at(self, path: str) -> str:
        """Name the columns of the template that the field at ``path`` was made of."""
        first = path.removeprefix("$.").split(".")[0].split("[")[0]
        return ", ".join(dict.fromkeys(_columns(self._data.get(first))))


def _compiled(value: object) -> Any:
    if isinstance(value, str):
        return Template(value)
    if isinstance(value, dict):
        return {name: _compiled(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_compiled(each) for each in value]
    return value


def _rendered(value: Any, cells: _Cells) -> Any:
    """Fill templates in; a field whose columns are empty is left out."""
    if isinstance(value, Template):
        text = value.render(cells)
        return int(text) if value.as_int and text.isascii() and text.isdigit() else text
    if isinstance(value, dict):
        rendered = {name: _rendered(each, cells) for name, each in value.items()}
        return {name: each for name, each in rendered.items() if each != ""}
    if isinstance(value, list):
        return [_rendered(each, cells) for each in value]
    return value


def _columns(value: object) -> list[str]:
    if isinstance(value, Template):
        return list(value.columns)
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [column for each in inside for column in _columns(each)]

"""A table of receivables becomes dated facts, and each row that cannot says why.

Reading is a function of the file and the mapping: the same file gives the same
events with the same ids, so that importing twice changes nothing. It publishes
nothing itself.
"""

import csv
import datetime
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

import msgspec

from console.mapping import ColumnMapping, columns_of
from console.publishing import Outgoing, outgoing
from console.row_events import RowError, RowEvent, RowReader
from infra.errors import OperatorError
from processors.calendar import business_day
from schemas.journal import SourceEvent

__all__ = [
    "Fact",
    "ImportFileError",
    "Reading",
    "Reject",
    "Watch",
    "fact_of",
    "profile_record",
    "read_table",
    "write_rejects",
]

_NumberedRow = tuple[int, list[str]]
Watch = Callable[[Iterator[_NumberedRow]], Iterable[_NumberedRow]]


class ImportFileError(OperatorError):
    """The file as a whole cannot be imported: no such file, or a column is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """An event and the company day it belongs to; ``order`` sorts facts of one day."""

    day: datetime.date
    order: tuple[int, int]
    record: Outgoing


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A row that is not imported. ``row`` is as a spreadsheet counts: the header is row 1."""

    row: int
    column: str
    reason: str
    cells: Sequence[str]

    def __str__(self) -> str:
        place = f"row {self.row}, column {self.column}" if self.column else f"row {self.row}"
        return f"{place}: {self.reason}"


@dataclass(slots=True, kw_only=True)
class Reading:
    """What a file came to: ``facts`` in business order, ``rejects`` in file order."""

    header: list[str]
    rows: int = 0
    facts: list[Fact] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    @property
    def rejected_rows(self) -> int:
        """Count the rows that are not imported; one row may have several reasons."""
        return len({each.row for each in self.rejects})


def fact_of(event: SourceEvent, *, source: str, zone: ZoneInfo, order: tuple[int, int]) -> Fact:
    """Make the fact of an event, on its day in the company's zone."""
    return Fact(day=business_day(event.occurred_at, zone), order=order, record=outgoing(event, source=source))


def profile_record(mapping: ColumnMapping) -> Outgoing:
    """Make the record of the mapping's company profile, the same each time."""
    return outgoing(mapping.profile, source=mapping.source)


def read_table(path: Path, *, mapping: ColumnMapping, watch: Watch = iter) -> Reading:
    """Read the whole file.

    Args:
        path: a file with a header row, in the mapping's encoding.
        mapping: what a row means.
        watch: given the numbered rows, gives them back one by one (a progress bar).

    Raises:
        ImportFileError: the file cannot be read, or lacks a column.
    """
    try:
        with path.open(encoding=mapping.file.encoding, errors="surrogateescape", newline="") as file:
            return _read(file, mapping=mapping, watch=watch)
    except (OSError, csv.Error) as error:
        raise ImportFileError(f"{path}: {error}") from error
    except ImportFileError as error:
        raise ImportFileError(f"{path}: {error}") from error


def write_rejects(path: Path, *, reading: Reading, mapping: ColumnMapping) -> None:
    """Write the bad rows as they were, with row, column and reason: to be mended and imported."""
    with path.open("w", encoding=mapping.file.encoding, errors="surrogateescape", newline="") as file:
        writer = csv.writer(file, delimiter=mapping.file.delimiter)
        # In front, so that a row with too many cells keeps its reason in place.
        writer.writerow(["rejected_row", "rejected_column", "rejected_reason", *reading.header])
        rows: dict[int, list[Reject]] = {}
        for each in reading.rejects:
            rows.setdefault(each.row, []).append(each)
        for row, rejects in rows.items():
            reasons = "; ".join(each.reason for each in rejects)
            columns = "; ".join(dict.fromkeys(each.column for each in rejects if each.column))
            writer.writerow([row, columns, reasons, *rejects[0].cells])


def _read(file: TextIO, *, mapping: ColumnMapping, watch: Watch) -> Reading:
    rows = csv.reader(file, delimiter=mapping.file.delimiter, strict=True)
    header = [each.strip() for each in next(rows, [])]
    reading = Reading(header=header)
    reader = RowReader(mapping, places=_places(header, needed=columns_of(mapping)), width=len(header))
    yields = _Yields(mapping)
    for number, cells in watch(_numbered(rows, reading)):
        if not any(cells):
            continue
        reading.rows += 1
        try:
            yields.take(number, reader.read(cells))
        except RowError as error:
            reading.rejects += [
                Reject(row=number, column=each.column, reason=each.reason, cells=cells)
                for each in error.errors
            ]
    reading.facts = yields.facts()
    return reading


def _numbered(rows: Iterator[list[str]], reading: Reading) -> Iterator[_NumberedRow]:
    """Number the rows; one that is no CSV is rejected and the next one is tried."""
    number = 1
    while True:
        number += 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            reading.rows += 1
            reading.rejects.append(Reject(row=number, column="", reason=f"is no CSV: {error}", cells=[]))
            continue
        yield number, cells


def _places(header: Sequence[str], *, needed: Iterable[str]) -> dict[str, int]:
    """Find each column's place; letter case does not matter, two of one name do."""
    places: dict[str, int] = {}
    folded = [each.casefold() for each in header]
    missing = []
    for column in needed:
        count = folded.count(column.casefold())
        if count > 1:
            raise ImportFileError(f"column {column!r} is there {count} times")
        if count == 0:
            missing.append(column)
        else:
            places[column] = folded.index(column.casefold())
    if missing:
        raise ImportFileError(f"columns are missing: {', '.join(missing)}; there are: {', '.join(header)}")
    return places


class _Yields:
    """Collect facts; of a once-per rule, each distinct content is kept where it begins."""

    def __init__(self, mapping: ColumnMapping) -> None:
        self._source = mapping.source
        self._zone = ZoneInfo(mapping.profile.time_zone)
        self._facts: list[Fact] = []
        self._once: dict[tuple[int, str], list[tuple[datetime.date, int, SourceEvent]]] = {}

    def take(self, row: int, events: Sequence[RowEvent]) -> None:
        """Take the events of a row."""
        for rule, key, event in events:
            if key:
                day = business_day(event.occurred_at, self._zone)
                self._once.setdefault((rule, key), []).append((day, row, event))
            else:
                self._add(event, order=(rule, row))

    def facts(self) -> list[Fact]:
        """Give all facts by day; within a day in the mapping's order, then the file's."""
        for (rule, _), found in self._once.items():
            last: SourceEvent | None = None
            for _, row, event in sorted(found, key=lambda each: each[:2]):
                content = msgspec.structs.replace(event, occurred_at="")
                if content != last:
                    self._add(event, order=(rule, row))
                last = content
        self._once = {}
        return sorted(self._facts, key=lambda fact: (fact.day, fact.order))

    def _add(self, event: SourceEvent, *, order: tuple[int, int]) -> None:
        self._facts.append(fact_of(event, source=self._source, zone=self._zone, order=order))

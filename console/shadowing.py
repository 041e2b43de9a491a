"""A shadow with a name: the live journal under other rules and under its own, day by day; stopped, it goes on where it was.

It keeps one file in the data folder, and a line for each day that is over. Both follow from the journal alone:
a shadow whose file is gone begins anew and says the same again (R26). Nothing is sent by it.
"""

import datetime
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from console.comparing import differing
from infra.errors import OperatorError
from processors.alternative import Alternative, AlternativeState, Contact, Log, Rules
from processors.journal_record import JournalRecord
from schemas.journal import TickPassed, decode_entry
from streams.ledger import FOLD_VERSION

__all__ = ["DayDifference", "Shadow"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_DAY: Final = datetime.timedelta(days=1)


class DayDifference(Struct, frozen=True, kw_only=True):
    """A day that is over: how many contacts each side came to, and those that only one of them has."""

    on: datetime.date
    now: int
    other: int
    only_now: list[Contact]
    only_other: list[Contact]


class _Partition(Struct, kw_only=True):
    """``next_offset``: of the record that comes next; ``learnt``: ``log`` knows all before it."""

    next_offset: int = 0
    learnt: int = 0
    at: datetime.datetime | None = None
    log: Log = msgspec.field(default_factory=Log)
    now: AlternativeState | None = None
    other: AlternativeState | None = None


class _Kept(Struct, kw_only=True):
    rules: Rules
    fold_version: int
    partitions: dict[int, _Partition]
    days: dict[datetime.date, tuple[list[Contact], list[Contact]]]


class Shadow:
    """Both sides of each partition, and the contacts of days that are not over yet.

    Args:
        folder: the data folder.
        name: of the shadow.
        rules: in the log's place.
        numbers: of the journal's partitions.

    Raises:
        OperatorError: the name cannot be a file's, or the shadow of this name tries other rules.
    """

    def __init__(self, folder: Path, *, name: str, rules: Rules, numbers: Sequence[int]) -> None:
        if _NAME.fullmatch(name) is None:
            raise OperatorError(f"{name!r} is no name of a shadow: letters, digits, '-' and '_' only")
        self._rules = rules
        self._file = folder / "shadows" / f"{name}.state"
        self.days_file = folder / "shadows" / f"{name}.jsonl"
        kept = self._read(name)
        self._partitions = kept.partitions or {each: _Partition() for each in numbers}
        self._days = kept.days
        self._told = self._last_told()
        self._folds: dict[int, tuple[Alternative, Alternative]] = {}

    def next_offset(self, number: int) -> int:
        """Say which record of a partition comes next."""
        return self._partitions[number].next_offset

    def learn(self, number: int, records: Iterable[JournalRecord]) -> None:
        """Let the log of a partition be known before it is folded for the first time."""
        kept = self._partitions[number]
        for record in records:
            if record.offset >= kept.learnt:
                kept.log.take(record)
                kept.learnt = record.offset + 1

    def take(self, number: int, record: JournalRecord) -> None:
        """Fold the next record of a partition on both sides."""
        kept = self._partitions[number]
        if record.offset < kept.next_offset:
            return
        self.learn(number, [record])
        for side, fold in enumerate(self._fold(number)):
            for contact in fold.take(record):
                if self._rules.concern(contact.account.partition(":")[0]):
                    self._days.setdefault(contact.on, ([], []))[side].append(contact)
        kept.next_offset = record.offset + 1
        event = decode_entry(record.value).event
        if isinstance(event, TickPassed):
            kept.at = event.at

    def over(self) -> list[DayDifference]:
        """Give the days that are over in every partition and everywhere on earth, and write them down: each once, also over several starts."""
        times = [each.at for each in self._partitions.values()]
        if any(at is None for at in times):
            return []
        last_on = min(at.date() for at in times if at is not None) - 2 * _DAY
        found = []
        for on in sorted(day for day in self._days if day <= last_on):
            now, other = self._days.pop(on)
            if self._told is None or on > self._told:
                found.append(_difference(on, now=now, other=other))
                self._write_down(found[-1])
        return found

    def keep(self) -> None:
        """Write down where it is; the file appears whole."""
        for number, (now, other) in self._folds.items():
            kept = self._partitions[number]
            kept.now, kept.other = now.state(), other.state()
        content = msgspec.msgpack.encode(
            _Kept(rules=self._rules, fold_version=FOLD_VERSION, partitions=self._partitions, days=self._days)
        )
        self._file.parent.mkdir(parents=True, exist_ok=True)
        partial = self._file.with_suffix(".partial")
        partial.write_bytes(content)
        partial.replace(self._file)

    def _write_down(self, day: DayDifference) -> None:
        self._told = day.on
        self.days_file.parent.mkdir(parents=True, exist_ok=True)
        with self.days_file.open("ab") as lines:
            lines.write(msgspec.json.encode(day) + b"\n")

    def _last_told(self) -> datetime.date | None:
        """Give the last day that its lines tell of, and cut off a line that was not written to its end."""
        if not self.days_file.is_file():
            return None
        lines = self.days_file.read_bytes()
        whole = lines[: lines.rfind(b"\n") + 1]
        if whole != lines:
            self.days_file.write_bytes(whole)
        return msgspec.json.decode(whole.splitlines()[-1], type=DayDifference).on if whole else None

    def _fold(self, number: int) -> tuple[Alternative, Alternative]:
        folds = self._folds.get(number)
        if folds is None:
            kept = self._partitions[number]
            folds = self._folds[number] = (
                Alternative(number=number, rules=Rules(), log=kept.log, state=kept.now),
                Alternative(number=number, rules=self._rules, log=kept.log, state=kept.other),
            )
        return folds

    def _read(self, name: str) -> _Kept:
        """Read what was kept; by another version of the fold it is folded anew."""
        fresh = _Kept(rules=self._rules, fold_version=FOLD_VERSION, partitions={}, days={})
        if not self._file.is_file():
            return fresh
        try:
            kept = msgspec.msgpack.decode(self._file.read_bytes(), type=_Kept)
        except msgspec.DecodeError as error:
            raise OperatorError(f"{self._file} cannot be read: {error}; remove it to begin anew") from error
        if kept.rules != self._rules:
            raise OperatorError(
                f"the shadow {name!r} tries other rules: choose another name, or remove {self._file} and {self.days_file}"
            )
        return kept if kept.fold_version == FOLD_VERSION else fresh


def _difference(on: datetime.date, *, now: list[Contact], other: list[Contact]) -> DayDifference:
    lines = differing(now, other)
    return DayDifference(
        on=on,
        now=sum(each.fate == "accepted" for each in now),
        other=sum(each.fate == "accepted" for each in other),
        only_now=[each for sign, each in lines if sign == "-"],
        only_other=[each for sign, each in lines if sign == "+"],
    )

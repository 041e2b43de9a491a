"""A shadow with a name: the live journal under other rules and under its own, day by day; stopped, it goes on where it was.

It keeps one file in the data folder, to which it adds what has changed (``console.shadow_file``), and a line for each day that is over. Both follow from the journal alone:
a shadow whose file is gone begins anew and says the same again (R26). Nothing is sent by it.
"""

import datetime
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct, structs

from console.comparing import differing
from console.shadow_file import ShadowFile
from infra.errors import OperatorError
from processors.alternative import Alternative, AlternativeState, Contact, Learnt, Log, Rules
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


class _PartitionPart(Struct, kw_only=True):
    """What is known of a partition, or is new: ``next_offset`` is of the record that comes next, ``learnt`` knows all before it."""

    next_offset: int = 0
    learnt: int = 0
    at: datetime.datetime | None = None
    log: list[Learnt] = msgspec.field(default_factory=list)
    now: AlternativeState | None = None
    other: AlternativeState | None = None


class _Part(Struct, kw_only=True):
    """A part of the file. ``contacts`` of days that are not over stand with their side: 0 now, 1 other."""

    rules: Rules
    fold_version: int
    partitions: dict[int, _PartitionPart]
    contacts: list[tuple[int, Contact]]


class _Partition:
    """Where a partition is: as it was read, and folded from there once a record comes."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.next_offset = self.learnt = 0
        self._kept = (0, 0)
        self.at: datetime.datetime | None = None
        self.log = Log()
        self.new_log: list[Learnt] = []
        self.folds: tuple[Alternative, Alternative] | None = None
        self._rows: tuple[dict[bytes, bytes | None], ...] = ({}, {})
        self._sides: list[AlternativeState | None] = [None, None]

    def take_in(self, part: _PartitionPart) -> None:
        """Go on from what was written down."""
        self.next_offset, self.learnt, self.at = part.next_offset, part.learnt, part.at
        self._kept = (part.next_offset, part.learnt)
        for each in part.log:
            self.log.add(each)
        for side, state in enumerate((part.now, part.other)):
            if state is not None:
                self._sides[side] = state
                self._rows[side].update(state.rows)

    @property
    def is_kept(self) -> bool:
        """Say whether nothing has come since it was written down."""
        return self._kept == (self.next_offset, self.learnt)

    def fold(self, rules: Rules) -> tuple[Alternative, Alternative]:
        """Give both sides, made when first asked for; they tell what changes from then on."""
        if self.folds is None:
            now, other = self._states()
            self.folds = (
                Alternative(number=self.number, rules=Rules(), log=self.log, state=now),
                Alternative(number=self.number, rules=rules, log=self.log, state=other),
            )
            for each in self.folds:
                each.changes()
            self._rows, self._sides = ({}, {}), [None, None]
        return self.folds

    def whole(self) -> _PartitionPart:
        """Write all that is known."""
        self.changes()
        now, other = self._states() if self.folds is None else (each.state() for each in self.folds)
        return self._part(self.log.known(), now, other)

    def changes(self) -> _PartitionPart:
        """Write what is new since this was asked last."""
        learnt, self.new_log = self.new_log, []
        now, other = (None, None) if self.folds is None else (each.changes() for each in self.folds)
        return self._part(learnt, now, other)

    def _part(
        self, log: list[Learnt], now: AlternativeState | None, other: AlternativeState | None
    ) -> _PartitionPart:
        self._kept = (self.next_offset, self.learnt)
        return _PartitionPart(
            next_offset=self.next_offset, learnt=self.learnt, at=self.at, log=log, now=now, other=other
        )

    def _states(self) -> Iterator[AlternativeState | None]:
        for state, rows in zip(self._sides, self._rows, strict=True):
            yield None if state is None else structs.replace(state, rows=list(rows.items()))


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
        self._name, self._rules = name, rules
        self._file = ShadowFile(folder / "shadows" / f"{name}.state")
        self.days_file = folder / "shadows" / f"{name}.jsonl"
        self._partitions = {each: _Partition(each) for each in numbers}
        self._days: dict[datetime.date, tuple[list[Contact], list[Contact]]] = {}
        self._new_contacts: list[tuple[int, Contact]] = []
        for content in self._file.read():
            self._take_in(content)
        self._told = self._last_told()

    def next_offset(self, number: int) -> int:
        """Say which record of a partition comes next."""
        return self._partitions[number].next_offset

    def learn(self, number: int, records: Iterable[JournalRecord]) -> None:
        """Let the log of a partition be known before it is folded for the first time."""
        kept = self._partitions[number]
        for record in records:
            if record.offset >= kept.learnt:
                learnt = kept.log.take(record)
                kept.new_log += [] if learnt is None else [learnt]
                kept.learnt = record.offset + 1

    def take(self, number: int, record: JournalRecord) -> None:
        """Fold the next record of a partition on both sides."""
        kept = self._partitions[number]
        if record.offset < kept.next_offset:
            return
        self.learn(number, [record])
        for side, fold in enumerate(kept.fold(self._rules)):
            for contact in fold.take(record):
                if self._rules.concern(contact.account.partition(":")[0]):
                    self._note(side, contact)
                    self._new_contacts.append((side, contact))
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
        """Write down where it is: what has changed since the last time, or the whole, where the file asks for it."""
        is_whole = self._file.wants_whole
        contacts = self._new_contacts
        if is_whole:
            contacts = [
                (side, each)
                for pair in self._days.values()
                for side, said in enumerate(pair)
                for each in said
            ]
        partitions = {
            number: each.whole() if is_whole else each.changes()
            for number, each in self._partitions.items()
            if is_whole or not each.is_kept
        }
        if not partitions:
            return
        part = _Part(rules=self._rules, fold_version=FOLD_VERSION, partitions=partitions, contacts=contacts)
        (self._file.begin if is_whole else self._file.add)(msgspec.msgpack.encode(part))
        self._new_contacts = []

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

    def _note(self, side: int, contact: Contact) -> None:
        self._days.setdefault(contact.on, ([], []))[side].append(contact)

    def _take_in(self, content: bytes) -> None:
        """Go on from a part of what was kept; by another version of the fold it is folded anew."""
        path = self._file.path
        try:
            part = msgspec.msgpack.decode(content, type=_Part)
        except msgspec.DecodeError as error:
            raise OperatorError(f"{path} cannot be read: {error}; remove it to begin anew") from error
        if part.rules != self._rules:
            raise OperatorError(
                f"the shadow {self._name!r} tries other rules: choose another name, or remove {path} and {self.days_file}"
            )
        if part.fold_version != FOLD_VERSION:
            self._file.forget()
            return
        for number, each in part.partitions.items():
            self._partitions.setdefault(number, _Partition(number)).take_in(each)
        for side, contact in part.contacts:
            self._note(side, contact)


def _difference(on: datetime.date, *, now: list[Contact], other: list[Contact]) -> DayDifference:
    lines = differing(now, other)
    return DayDifference(
        on=on,
        now=sum(each.fate == "accepted" for each in now),
        other=sum(each.fate == "accepted" for each in other),
        only_now=[each for sign, each in lines if sign == "-"],
        only_other=[each for sign, each in lines if sign == "+"],
    )

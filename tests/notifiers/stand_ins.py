"""A log, a provider and a gate that live in files, so that a process may die at any line and be judged.

For runs without a broker only: what the loop does with a real one is proven in ``test_worker`` and
``tests.chaos.senders``.
"""

import datetime
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from kafka import TopicPartition

from notifiers.channel import (
    Message,
    PermanentError,
    Receipt,
    TemporaryError,
    Traits,
    UncertainError,
)
from notifiers.gates.gate import Candidate, Wait

__all__ = [
    "FeedbackWriter",
    "Kind",
    "PaperGate",
    "PaperProvider",
    "PaperReader",
    "PaperTracer",
    "PaperWriter",
    "told_of_steps",
]

# What the provider can do; "limited": it cannot say, and all that limits and answers a notifier stands around it.
Kind = Literal["mute", "tracing", "repeatable", "limited"]
_AT_ONCE: Final = 4
_BREAKS: Final = 2  # over several, and then over the one
_told: Final[list[Callable[[], None]]] = [lambda: None]


def _append(path: Path, line: str) -> None:
    """Add a line that stays when the process is killed: whole or not at all."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(handle, line.encode() + b"\n")
    os.close(handle)
    _told[-1]()


def told_of_steps(tell: Callable[[], None]) -> None:
    """Have this process told of each line that it adds to a file, and of each offset that it keeps."""
    _told.append(tell)


class _Record:
    def __init__(self, value: bytes) -> None:
        self.value = value
        self.key = b"acme:C1"
        self.partition = self.offset = 0
        self.headers: list[tuple[str, bytes]] = []


class PaperReader:
    """Reads a list of reminders as partition 0; its committed offset is a file."""

    def __init__(self, values: Sequence[bytes], *, topic: str, offset: Path) -> None:
        self._values = values
        self._partition = TopicPartition(topic, 0)
        self._offset = offset
        self._at = int(offset.read_text()) if offset.exists() else 0

    def poll(self, *, timeout_ms: int) -> Mapping[TopicPartition, Sequence[Any]]:
        """Give the next few."""
        found = [_Record(value) for value in self._values[self._at : self._at + _AT_ONCE]]
        self._at += len(found)
        return {self._partition: found} if found else {}

    def commit(self, *, timeout_ms: int) -> None:
        """Keep the position."""
        partial = self._offset.with_suffix(".partial")
        partial.write_text(str(self._at))
        partial.replace(self._offset)
        _told[-1]()

    def position(self, _: TopicPartition, *, timeout_ms: int) -> int:
        """Give the next offset to read."""
        return self._at

    def assignment(self) -> set[TopicPartition]:
        """Give the one partition."""
        return {self._partition}

    def paused(self) -> set[TopicPartition]:
        """Nothing is."""
        return set()

    def pause(self, *_: TopicPartition) -> None:
        """Go on: what is read is recorded only."""


class _Sent:
    def get(self, *, timeout: float) -> None:
        """It is in the file already."""


class PaperWriter:
    """Adds each outcome's id to a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, _: str, value: bytes, *, key: bytes, headers: list[tuple[str, bytes]]) -> _Sent:
        """Keep the id."""
        _append(self._path, dict(headers)["ce_id"].decode())
        return _Sent()


class FeedbackWriter:
    """Adds the id of each record of the feedback to a file; of a dead letter, whose it is."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, topic: str, value: bytes, **more: Any) -> _Sent:
        """Keep the id."""
        found = dict(more["headers"]).get("ce_id")
        _append(self._path, f"dead/{more['key'].decode()}" if found is None else found.decode())
        return _Sent()


class PaperProvider:
    """Notes each call, and each message that it takes; a reminder's name says how it answers.

    Args:
        path: its book: lines of ``call <reminder>`` and ``took <reminder>``.
        when_taking: done when a message of that name is taken.
    """

    traits = Traits(provider="paper", endpoint="a file")

    def __init__(self, path: Path, *, when_taking: Mapping[str, Callable[[], None]]) -> None:
        self._path = path
        self._when_taking = when_taking

    def send(self, message: Message) -> Receipt:
        """Take it, or answer as its name says."""
        name = message.reminder
        again = f"call {name}" in self._lines()
        _append(self._path, f"call {name}")
        if name.startswith("busy") and not again:
            raise TemporaryError("429 slow down", provider_down=False)
        if name.startswith("down") and not again:
            raise TemporaryError("connection refused")
        if name.startswith("refused"):
            raise PermanentError(error_type="address_refused", detail="550 no such user")
        if name.startswith("never"):
            raise UncertainError("the line broke before it had it")
        self._take(name)
        if name.startswith("doubt"):
            raise UncertainError("no answer")
        return Receipt(provider_id=f"id-{name}")

    def _take(self, name: str) -> None:
        _append(self._path, f"took {name}")
        self._when_taking.get(name, lambda: None)()

    def _lines(self) -> list[str]:
        return self._path.read_text().splitlines() if self._path.exists() else []


class PaperTracer(PaperProvider):
    """The same, and it can be asked; ``repeatable``: it takes a message once, however often it is handed over."""

    def __init__(
        self, path: Path, *, when_taking: Mapping[str, Callable[[], None]], repeatable: bool = False
    ) -> None:
        super().__init__(path, when_taking=when_taking)
        self.traits = Traits(provider="paper", endpoint="a file", is_repeatable=repeatable)

    def find(self, message: Message) -> Receipt | None:
        """Say whether it took a message; once it is not there to be asked."""
        if message.reminder.startswith("deaf") and "asked deaf" not in self._lines():
            _append(self._path, "asked deaf")
            raise TemporaryError("cannot be asked")
        taken = f"took {message.reminder}" in self._lines()
        return Receipt(provider_id=f"id-{message.reminder}") if taken else None

    def _take(self, name: str) -> None:
        if not (self.traits.is_repeatable and f"took {name}" in self._lines()):
            super()._take(name)


class PaperGate:
    """Holds each reminder named ``gated`` back for a moment, once a process; over one named ``broken`` it breaks at first."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._broke = 0

    def waits(self, candidates: Sequence[Candidate], *, now: datetime.datetime) -> Mapping[str, Wait]:
        """Put off what is met for the first time."""
        if self._broke < _BREAKS and any(each.job.reminder.startswith("broken") for each in candidates):
            self._broke += 1
            raise KeyError("what nobody foresaw")
        names = {each.job.reminder for each in candidates if each.job.reminder.startswith("gated")}
        new, self._seen = names - self._seen, self._seen | names
        until = now + datetime.timedelta(milliseconds=1)
        return {name: Wait(until=until, why="rate", detail="a moment", by="wall") for name in new}

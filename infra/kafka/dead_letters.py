"""Reading dead letters: an overview of the newest, or one as it is; nothing is committed or changed.

Every dead-letter topic is read from its start (they are few, and kept 400 days); values
are not held, so that memory does not grow with them.
"""

import datetime
import heapq
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from msgspec import Struct, structs

from infra.errors import OperatorError
from infra.kafka.consumers import consumer
from infra.kafka.ends import decided_ends
from infra.settings import Settings
from schemas.dead_letters import DeadLetter, noted_place, read_dead_letter
from schemas.registry import DEAD_LETTER_SUFFIX, logical_name, topics

__all__ = [
    "DeadLettersError",
    "Found",
    "Opened",
    "Overview",
    "Place",
    "found_in",
    "letter_records",
    "letter_topics",
    "open_letter",
    "read_letters",
]

_SILENCE_S_MAX: Final = 15
_POLL_MS: Final = 200


class DeadLettersError(OperatorError):
    """A dead-letter topic or a letter is not there, or the broker does not answer."""


class Place(Struct, frozen=True, kw_only=True):
    """Where a letter lies: logical dead-letter topic, partition, offset; ``topic/partition/offset``."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Read ``topic/partition/offset``.

        Raises:
            DeadLettersError: it is not of that form.
        """
        topic, _, numbers = text.partition("/")
        partition, _, offset = numbers.partition("/")
        if not (partition.isdecimal() and offset.isdecimal()):
            raise DeadLettersError(f"{text!r} is not TOPIC/PARTITION/OFFSET, as cobranza dlq list shows it")
        return cls(topic=topic, partition=int(partition), offset=int(offset))


class Found(Struct, frozen=True, kw_only=True):
    """A dead letter at a glance: where it lies, when it came (UTC), why, and how large it is.

    ``size_bytes`` counts key, value and headers; ``replayed_at`` is when it was last sent again.
    """

    place: Place
    at: datetime.datetime
    letter: DeadLetter
    key: bytes | None
    size_bytes: int
    replayed_at: datetime.datetime | None = None


class Opened(Struct, frozen=True, kw_only=True):
    """A dead letter as it lies there: value and headers untouched."""

    found: Found
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class Overview(Struct, frozen=True, kw_only=True):
    """How many letters match, and the newest of them, oldest first."""

    matching: int
    newest: tuple[Found, ...]


def read_letters(
    settings: Settings, *, topic: str | None = None, reason: str | None = None, newest_max: int = 100
) -> Overview:
    """Read all dead letters, or those of one topic (``.dlq`` may be left out) or reason.

    Raises:
        DeadLettersError: the registry knows no such topic, or the broker does not have it.
    """
    count = 0
    replayed: dict[str, datetime.datetime] = {}

    def matching(records: Iterator[Any]) -> Iterator[Found]:
        nonlocal count
        for record in records:
            found = found_in(record, prefix=settings.topic_prefix)
            if noted := noted_place(record.headers):
                replayed[noted] = found.at
            elif reason in (None, found.letter.reason):
                count += 1
                yield found

    records = letter_records(settings, names=letter_topics(topic))
    newest = heapq.nlargest(newest_max, matching(records), key=_age)
    shown = (structs.replace(each, replayed_at=replayed.get(str(each.place))) for each in newest)
    return Overview(matching=count, newest=tuple(sorted(shown, key=_age)))


def letter_records(settings: Settings, *, names: Sequence[str]) -> Iterator[Any]:
    """Give the records of dead-letter topics (logical names), letters and notes, in order within each.

    Raises:
        DeadLettersError: a topic is not there, or the broker gave nothing for 15 s.
    """
    with consumer(bootstrap_servers=settings.brokers(), group=None) as reader:
        partitions = _partitions(reader, settings=settings, names=names)
        reader.assign(partitions)
        yield from _to_end(reader, partitions, settings=settings)


def open_letter(settings: Settings, *, place: Place) -> Opened:
    """Read one dead letter.

    Raises:
        DeadLettersError: there is no such topic, or no record at this offset.
    """
    [name] = letter_topics(place.topic)
    wanted = TopicPartition(settings.topic(name), place.partition)
    with consumer(bootstrap_servers=settings.brokers(), group=None, records_max=1) as reader:
        there = wanted in _partitions(reader, settings=settings, names=[name])
        record = _record_at(reader, wanted, offset=place.offset, settings=settings) if there else None
    if record is None:
        raise DeadLettersError(f"There is no dead letter {place}: cobranza dlq list")
    headers = tuple((each, content or b"") for each, content in record.headers)
    return Opened(found=found_in(record, prefix=settings.topic_prefix), value=record.value, headers=headers)


def letter_topics(topic: str | None) -> list[str]:
    """Return the logical names of all dead-letter topics, or of the one asked for (``.dlq`` may be left out).

    Raises:
        DeadLettersError: the registry knows no such topic.
    """
    names = [name for name in topics() if name.endswith(DEAD_LETTER_SUFFIX)]
    if topic is None:
        return names
    wanted = topic.removesuffix(DEAD_LETTER_SUFFIX) + DEAD_LETTER_SUFFIX
    if wanted not in names:
        raise DeadLettersError(f"{topic!r} has no dead letters; there are: {', '.join(names)}")
    return [wanted]


def _partitions(reader: KafkaConsumer, *, settings: Settings, names: Sequence[str]) -> list[TopicPartition]:
    found: list[TopicPartition] = []
    for physical in map(settings.topic, names):
        numbers = reader.partitions_for_topic(physical)
        if not numbers:
            raise DeadLettersError(f"Topic {physical} does not exist: cobranza topics apply")
        found.extend(TopicPartition(physical, number) for number in sorted(numbers))
    return found


def _record_at(reader: KafkaConsumer, partition: TopicPartition, *, offset: int, settings: Settings) -> Any:
    """Return the record at `offset`, None when there is none (a marker, expired, not yet written)."""
    beginning = reader.beginning_offsets([partition])[partition]
    ends = decided_ends(reader, [partition], bootstrap_servers=settings.brokers())
    if not beginning <= offset < ends[partition]:
        return None
    reader.assign([partition])
    reader.seek(partition, offset)
    record = next(_to_end(reader, [partition], settings=settings), None)
    return record if record is not None and record.offset == offset else None


def _to_end(
    reader: KafkaConsumer, partitions: Sequence[TopicPartition], *, settings: Settings
) -> Iterator[Any]:
    """Yield records up to where the committed ends are now.

    Raises:
        DeadLettersError: nothing moved for 15 s.
    """
    ends = decided_ends(reader, partitions, bootstrap_servers=settings.brokers())
    deadline = time.monotonic() + _SILENCE_S_MAX
    while any(reader.position(one) < ends[one] for one in partitions):
        polled = reader.poll(timeout_ms=_POLL_MS)
        for records in polled.values():
            yield from records
        if polled:
            deadline = time.monotonic() + _SILENCE_S_MAX
        elif time.monotonic() > deadline:
            raise DeadLettersError(f"The broker gave no record for {_SILENCE_S_MAX} s.")


def found_in(record: Any, *, prefix: str) -> Found:
    """Read a record of a dead-letter topic."""
    headers = [(name, content or b"") for name, content in record.headers]
    size = sum(len(name.encode()) + len(content) for name, content in headers)
    topic = logical_name(record.topic, prefix=prefix) or record.topic
    return Found(
        place=Place(topic=topic, partition=record.partition, offset=record.offset),
        at=datetime.datetime.fromtimestamp(record.timestamp / 1000, tz=datetime.UTC),
        letter=read_dead_letter(headers),
        key=record.key,
        size_bytes=size + len(record.key or b"") + len(record.value or b""),
    )


def _age(found: Found) -> tuple[datetime.datetime, str, int, int]:
    return (found.at, found.place.topic, found.place.partition, found.place.offset)

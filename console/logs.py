"""Whole logs of our topics, read to the end that they had when asked; links are passed over."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from console.replaying import COMPARED_TOPICS, Ledger, fold_journal, raised_on
from infra.errors import OperatorError
from infra.kafka.consumers import consumer
from infra.kafka.ends import decided_ends
from infra.kafka.lag import LagReader
from infra.settings import Settings
from processors.partition import KnownFailures
from schemas.journal import JournalMode, TickPassed, decode_entry

__all__ = [
    "LogError",
    "failures",
    "journal",
    "journal_mode",
    "log_size",
    "partitions_of",
    "read_log",
    "replayed_ledger",
    "written_ledger",
]

_INTERNAL = b"\0"
_DECISIONS = "collections.decision.v1"
_JOURNAL = "ledger.journal"
_ROWS = "ledger.account"
_STALLED_S_MAX = 90
_FETCHED_MAX = 10_000


class LogError(OperatorError):
    """A log cannot be read: no such topic, or the broker stopped answering."""


def read_log(settings: Settings, *, topic: str, partition: int | None = None) -> Iterator[Any]:
    """Give the committed records of a topic (or of one partition), in order within each partition.

    Args:
        settings: names the broker and the physical topic.
        topic: the logical name.
        partition: only this one; None: all.

    Raises:
        LogError: there is no such topic, or nothing came for 30 s.
    """
    name = settings.topic(topic)
    reader = consumer(bootstrap_servers=settings.brokers(), group=None, records_max=_FETCHED_MAX)
    try:
        numbers = reader.partitions_for_topic(name)
        if not numbers:
            raise LogError(f"Topic {name} does not exist: cobranza topics apply")
        wanted = [TopicPartition(name, each) for each in sorted(numbers) if partition in (None, each)]
        reader.assign(wanted)
        reader.seek_to_beginning(*wanted)
        ends = decided_ends(reader, wanted, bootstrap_servers=settings.brokers())
        yield from _to_the_end(reader, ends)
    finally:
        reader.close()


def partitions_of(settings: Settings, *, topic: str) -> list[int]:
    """List the partitions of a topic.

    Raises:
        LogError: there is no such topic.
    """
    name = settings.topic(topic)
    reader = consumer(bootstrap_servers=settings.brokers(), group=None)
    try:
        numbers = reader.partitions_for_topic(name)
    finally:
        reader.close()
    if not numbers:
        raise LogError(f"Topic {name} does not exist: cobranza topics apply")
    return sorted(numbers)


def log_size(settings: Settings, *, topic: str) -> int:
    """Count the positions of a topic's log: its records, and a few that mark transactions.

    Raises:
        LogError: there is no such topic.
    """
    places = [TopicPartition(settings.topic(topic), each) for each in partitions_of(settings, topic=topic)]
    reader = consumer(bootstrap_servers=settings.brokers(), group=None)
    try:
        first, last = reader.beginning_offsets(places), reader.end_offsets(places)
    finally:
        reader.close()
    return sum(last[each] - first[each] for each in places)


def _to_the_end(reader: KafkaConsumer, ends: Mapping[TopicPartition, int]) -> Iterator[Any]:
    moved_at = time.monotonic()
    before: dict[TopicPartition, int] = {}
    while True:
        positions = {each: reader.position(each) for each in ends}
        if all(positions[each] >= end for each, end in ends.items()):
            return
        if positions != before:
            before, moved_at = positions, time.monotonic()
        elif time.monotonic() - moved_at > _STALLED_S_MAX:
            raise LogError(f"Reading stopped for {_STALLED_S_MAX} s at {positions}, ends {ends}")
        for records in reader.poll(timeout_ms=500).values():
            for record in records:
                if not (record.key or b"").startswith(_INTERNAL):
                    yield record


def replayed_ledger(settings: Settings) -> Ledger:
    """Fold the whole journal again, partition by partition, without what the ledger raised on.

    Raises:
        LogError: the journal cannot be read.
    """
    return fold_journal(journal(settings), failures=failures(settings))


def failures(settings: Settings) -> dict[int, KnownFailures]:
    """Give, per journal partition, what its ledger raised on and dead-lettered.

    Raises:
        LogError: the ledger's decisions cannot be read.
    """
    numbers = partitions_of(settings, topic=_DECISIONS)
    return {
        each: raised_on(record.value for record in read_log(settings, topic=_DECISIONS, partition=each))
        for each in numbers
    }


def journal(settings: Settings) -> dict[int, Iterator[Any]]:
    """Give the records of each journal partition, to be read one partition after the other.

    Raises:
        LogError: the journal cannot be read.
    """
    numbers = partitions_of(settings, topic=_JOURNAL)
    return {each: read_log(settings, topic=_JOURNAL, partition=each) for each in numbers}


def journal_mode(settings: Settings) -> JournalMode | None:
    """Say whether the journal is live or played; None before its first tick."""
    for record in read_log(settings, topic=_JOURNAL, partition=0):
        event = decode_entry(record.value).event
        if isinstance(event, TickPassed):
            return event.mode
    return None


def written_ledger(settings: Settings) -> Ledger:
    """Read what the ledger's workers wrote: rows (the newest of each key) and facts.

    Raises:
        LogError: a topic cannot be read.
        LogError: the ledger has not read its journal to the end: there is nothing to compare yet.
    """
    ledger = Ledger()
    _require_caught_up(settings)
    for record in read_log(settings, topic=_ROWS):
        if record.value is None:
            ledger.rows.pop(record.key, None)
        else:
            ledger.rows[record.key] = record.value
    for topic in COMPARED_TOPICS:
        for record in read_log(settings, topic=topic):
            ledger.add_fact(topic, account=record.key.decode(), value=record.value)
    return ledger


def _require_caught_up(settings: Settings) -> None:
    with LagReader(settings.brokers()) as reader:
        lags = reader.read({settings.group("ledger"): [settings.topic(_JOURNAL)]})
    behind = sum(each.lag for each in lags)
    if behind:
        raise LogError(
            f"The ledger has {behind} records of the journal still to read: wait, or start its worker."
        )

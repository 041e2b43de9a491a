"""The projector's loop: records of the ledger's topics into SQL, positions and rows in one transaction.

    poll ──► batch ──► BEGIN: move positions (compare and set) · delete · upsert :COMMIT ──► group offsets
      ▲                          │ not where it was thought to be: another one has overtaken
      └──── seek to SQL's ◄──────┘ (roll back, read the positions again)

It assigns itself all partitions from SQL's positions: SQL is the truth, the group's offsets are a
copy for lag tools. It has one thread, and refuses to go on over a log that is not the one it knows.
"""

import datetime
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata
from msgspec import DecodeError
from sqlalchemy import Engine

from infra.database import tables
from infra.database.engine import reading, writing
from infra.database.fit_text import fit_json
from infra.errors import OperatorError
from infra.kafka.arrivals import Arrivals
from infra.kafka.consumers import consumer
from infra.kafka.lag import LagReader
from infra.projection.batch import Batch
from infra.projection.duplicates import record_duplicates
from infra.projection.facts import project_fact, project_outcome
from infra.projection.owed import move_days
from infra.projection.positions import (
    Move,
    OvertakenError,
    add_missing,
    empty_read_model,
    move,
    read_positions,
)
from infra.projection.rows import project_row
from infra.settings import Settings

__all__ = [
    "GROUP",
    "TOPICS",
    "ProjectionError",
    "Projector",
    "log_ends",
    "open_reader",
    "physical_topics",
]

GROUP: Final = "projector"
TOPICS: Final = (
    "ledger.account",
    "ledger.movement",
    "collections.reminder.v1",
    "collections.decision.v1",
    "collections.exception.v1",
    "notify.outcome.v1",
)
# Large enough that a commit costs little per row, small enough that a notifier's write waits < 1 s.
BATCH_RECORDS_MAX: Final = 10_000
# A broker that is away must not keep the loop from ending when asked.
_COPY_TIMEOUT_MS: Final = 5_000
# An answer takes milliseconds; while there is none, what the other partitions have must not wait for it.
_ENDS_TIMEOUT_MS: Final = 1_000
_INTERNAL: Final = b"\0"
_log = structlog.get_logger(__name__)


class ProjectionError(OperatorError):
    """The projector cannot go on: a record or a log is not what it must be."""


def open_reader(settings: Settings) -> KafkaConsumer:
    """Make the projector's consumer; it belongs to the group only to commit the copy of positions."""
    return consumer(
        bootstrap_servers=settings.brokers(),
        group=settings.group(GROUP),
        records_max=BATCH_RECORDS_MAX,
        fetch_wait_ms_max=500,
    )


class Projector:
    """Reads all partitions of `TOPICS` and keeps the read model; `start` first, then `step` again and again."""

    def __init__(self, *, engine: Engine, reader: KafkaConsumer, topics: Mapping[str, str]) -> None:
        """Take what it works with; touch nothing.

        Args:
            engine: of a database whose tables are current.
            reader: with no subscription; it is not closed here.
            topics: logical name to physical name, for each of `TOPICS`.
        """
        self._engine = engine
        self._reader = reader
        self._logical = {physical: logical for logical, physical in topics.items()}
        self._positions: dict[TopicPartition, int] = {}
        self._copied: dict[TopicPartition, int] = {}

    def start(self, *, rebuild: bool = False) -> None:
        """Assign all partitions at SQL's positions; with `rebuild`, empty the read model first.

        Raises:
            ProjectionError: a topic is missing, or a log does not reach the position that SQL has.
        """
        partitions = self._partitions()
        first = self._reader.beginning_offsets(partitions)
        with writing(self._engine) as connection:
            if rebuild:
                empty_read_model(connection)
            known = read_positions(connection)
            starts = {(each.topic, each.partition): first[each] for each in partitions}
            add_missing(connection, starts={name: at for name, at in starts.items() if name not in known})
            move_days(connection)
        self._reader.assign(partitions)
        self._take_positions()
        self._check_logs(first, self._reader.end_offsets(partitions))
        self._copy_positions()

    def run(
        self,
        *,
        stopping: Callable[[], bool],
        wait_ms: int = 500,
        stepped: Callable[[int, str], None] = lambda _records, _trouble: None,
    ) -> None:
        """Step until `stopping()`, which is asked at least every `wait_ms` while the broker answers.

        `stepped` is told the records, and why none come that are there ("": nothing is wrong).
        """
        arrivals = Arrivals(partial(self._reader.end_offsets, timeout_ms=_ENDS_TIMEOUT_MS))
        while not stopping():
            records = self.step(wait_ms=wait_ms)
            stepped(records, arrivals.trouble(self._positions))

    def run_to(self, ends: Mapping[TopicPartition, int], *, stopping: Callable[[], bool]) -> int:
        """Step until these offsets (`log_ends`), or `stopping()`; return how many records were read."""
        records = 0
        while not stopping() and any(self._positions[each] < end for each, end in ends.items()):
            records += self.step(wait_ms=500)
        return records

    def step(self, *, wait_ms: int) -> int:
        """Take what is there, waiting at most `wait_ms` for the first record; return how many records.

        Raises:
            ProjectionError: a record of ours cannot be read, or a log was cut below SQL's position.
        """
        polled: dict[TopicPartition, Sequence[Any]] = self._reader.poll(timeout_ms=wait_ms)
        moves = self._moves()
        if not moves:
            self._copy_positions()
            return 0
        batch, newest = self._batch(polled)
        try:
            self._write(batch, moves, newest)
        except OvertakenError as error:
            _log.warning("projector.overtaken", detail=str(error))
            self._take_positions()
            return 0
        self._positions.update({each: end for each, (_, end) in moves.items()})
        self._copy_positions()
        if batch.skipped["invalid_outcome"]:
            _log.warning(
                "projector.skipped", reason="invalid_outcome", records=batch.skipped["invalid_outcome"]
            )
        return batch.records

    def _partitions(self) -> list[TopicPartition]:
        found = []
        for topic in sorted(self._logical):
            numbers = self._reader.partitions_for_topic(topic)
            if not numbers:
                raise ProjectionError(f"topic {topic} does not exist: run `cobranza topics apply`")
            found += [TopicPartition(topic, number) for number in sorted(numbers)]
        return found

    def _take_positions(self) -> None:
        with reading(self._engine) as connection:
            known = read_positions(connection)
        assigned = self._reader.assignment()
        self._positions = {each: known[each.topic, each.partition] for each in assigned}
        for each, position in self._positions.items():
            self._reader.seek(each, position)

    def _check_logs(self, first: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]) -> None:
        for each, position in self._positions.items():
            if not first[each] <= position <= ends[each]:
                raise ProjectionError(
                    f"{each.topic} {each.partition} has offsets {first[each]} to {ends[each]}, the database has "
                    f"read up to {position}: it belongs to another broker's data, or records were deleted. "
                    "`cobranza projector --rebuild` makes the read model anew from what is there."
                )

    def _moves(self) -> dict[TopicPartition, Move]:
        """Give the partitions that were read on, over control records too, or the lag never reaches 0."""
        moves = {}
        for each, start in self._positions.items():
            end = self._reader.position(each)
            if end < start:
                raise ProjectionError(
                    f"{each.topic} {each.partition} was read up to {start} and now begins at {end}"
                )
            if end > start:
                moves[each] = Move(start, end)
        return moves

    def _batch(self, polled: Mapping[TopicPartition, Sequence[Any]]) -> tuple[Batch, int]:
        batch, newest_ms = Batch(), 0
        for partition, records in polled.items():
            logical = self._logical[partition.topic]
            for record in records:
                _project(batch, logical, record)
            batch.records += len(records)
            newest_ms = max(newest_ms, records[-1].timestamp)
        return batch, newest_ms

    def _write(self, batch: Batch, moves: Mapping[TopicPartition, Move], newest_ms: int) -> None:
        with writing(self._engine) as connection:
            move(connection, moves={(each.topic, each.partition): by for each, by in moves.items()})
            batch.apply(connection)
            items = [(row[2], row[1]) for row in batch.rows(tables.items)]
            notes = [
                (row[2], row[1]) for row in batch.rows(tables.account_credits) if row[3] == "credit_note"
            ]
            record_duplicates(connection, items=items, credit_notes=notes, recorded_at=_instant(newest_ms))

    def _copy_positions(self) -> None:
        behind = {each: at for each, at in self._positions.items() if self._copied.get(each) != at}
        if not behind:
            return
        try:
            copies = {each: OffsetAndMetadata(at, "", -1) for each, at in behind.items()}
            self._reader.commit(copies, timeout_ms=_COPY_TIMEOUT_MS)
        except KafkaError as error:
            # Only lag tools read them; what is behind is tried again with the next step.
            _log.warning("projector.group_offsets", error=repr(error))
        else:
            self._copied.update(behind)


def log_ends(settings: Settings) -> dict[TopicPartition, int]:
    """Return where the topics of the projector end now, open transactions included.

    The ends that a consumer is told leave out what was committed a moment ago.

    Raises:
        LagError: a topic is missing, or the broker does not answer.
    """
    topics = list(physical_topics(settings).values())
    with LagReader(settings.brokers()) as lags:
        found = lags.read({settings.group(GROUP): topics})
    return {TopicPartition(one.topic, one.partition): one.end for one in found}


def physical_topics(settings: Settings) -> dict[str, str]:
    """Return the installation's name of each of `TOPICS`."""
    return {name: settings.topic(name) for name in TOPICS}


def _project(batch: Batch, logical: str, record: Any) -> None:
    if record.key is not None and record.key.startswith(_INTERNAL):
        batch.skipped["internal"] += 1
        return
    value = record.value and fit_json(record.value)
    try:
        if logical == "ledger.account":
            project_row(batch, key=record.key, value=value, partition=record.partition)
        elif logical == "notify.outcome.v1":
            project_outcome(
                batch,
                headers=record.headers,
                value=value,
                partition=record.partition,
                offset=record.offset,
            )
        else:
            project_fact(
                batch, value=value or b"", offset=record.offset, recorded_at=_instant(record.timestamp)
            )
    except (DecodeError, UnicodeDecodeError, TypeError, KeyError) as error:
        where = f"{record.topic} {record.partition} at offset {record.offset}"
        raise ProjectionError(f"{where}: the record is not what this version writes: {error!r}") from error


def _instant(milliseconds: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC)

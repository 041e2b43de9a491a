"""What must be in the topics, folded from the journal, against what is there: as exact sets, in order.

One journal partition at a time. The fold is ``processors.partition.Partition`` over the
journal as it was appended, in runs of its own length: facts may not depend on where a
run ended. Outputs are compared as (id, key, bytes) in order, rows as bytes by key, links
by whether each begins where the one before it ended.
"""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from time import monotonic
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from console.replaying import COMPARED_TOPICS
from infra.settings import Settings
from processors.partition import Partition
from schemas.codec import TOPIC_OF_TYPE, encode, type_of
from schemas.facts import AccountTold, LedgerFact, ReminderDecided, TransferSent
from schemas.fields import account_id
from schemas.journal import JournalEntry, decode_entry, encode_entry
from streams.engine.chain import LINK_KEY, Link, decode_link, holes, is_internal
from streams.intake import place
from streams.ledger import SOURCE
from streams.names import CHAIN, CHANGELOG, JOURNAL

__all__ = [
    "Found",
    "Truth",
    "compare_chain",
    "compare_outputs",
    "compare_rows",
    "compare_told",
    "heard_digest",
    "judge_partition",
]

_FETCH_BYTES: Final = 8 * 1024 * 1024
_STALLED_S_MAX: Final = 60.0
_RUN_RECORDS_MAX: Final = 3_000
_SHOWN: Final = 3
_DIGEST_BYTES: Final = 16
_BY_LEDGER: Final = f',"{SOURCE}"]'.encode()  # how a record ends that a ledger has written to the journal


@dataclass(slots=True)
class Truth:
    """What one journal partition comes to: digests, so that millions fit in memory.

    Attributes:
        records: how many journal records there are; ``end`` where the journal ends, markers included.
        rows: key -> digest of the row.
        outputs: logical topic -> digest and id of each fact, in order.
        reminders: (id, channel) of every delivery.
        refused: records that the fold raised on.
        told: what accounts of other partitions are told, in order: journal partition, digest and id.
        heard: digest and id of each record that a ledger has written to this partition, in order.
    """

    records: int = 0
    end: int = 0
    rows: dict[bytes, bytes] = field(default_factory=dict)
    outputs: dict[str, list[bytes]] = field(default_factory=lambda: {name: [] for name in COMPARED_TOPICS})
    reminders: set[tuple[str, str]] = field(default_factory=set)
    refused: int = 0
    told: list[tuple[int, bytes]] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class Found:
    """The judgement of one partition; ``problems`` names the first of each kind.

    ``told`` and ``heard`` are the truth's; they are compared when all partitions have been read.
    Of ``rows_appended`` records of the changelog (markers included) compaction left ``rows_kept``.
    """

    partition: int
    records: int = 0
    outputs: int = 0
    rows: int = 0
    transactions: int = 0
    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    wrong_rows: int = 0
    chain_breaks: int = 0
    rows_appended: int = 0
    rows_kept: int = 0
    reminders: set[tuple[str, str]] = field(default_factory=set)
    told: list[tuple[int, bytes]] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def note(self, what: str, found: Sequence[str]) -> int:
        """Keep the first few of what was found; give how many there are."""
        self.problems += [f"partition {self.partition}: {what}: {each}" for each in found[:_SHOWN]]
        return len(found)


def judge_partition(settings: Settings, partition: int, seed: int) -> Found:
    """Read a partition of all topics, and compare; positional, for a pool of processes."""
    return asyncio.run(_judge(settings, partition=partition, chance=random.Random(seed)))  # noqa: S311


async def _judge(settings: Settings, *, partition: int, chance: random.Random) -> Found:
    truth = Truth()
    async with _reader(settings) as consumer:
        truth.end = await _end(consumer, settings.topic(JOURNAL), partition)
        journal = _whole(consumer, settings.topic(JOURNAL), partition)
        await _fold(journal, truth=truth, settings=settings, number=partition, chance=chance)
        found = Found(partition, records=truth.records, reminders=truth.reminders)
        found.told, found.heard = truth.told, truth.heard
        if truth.refused:
            found.note("the fold raised", [f"{truth.refused} times, on records of our own making"])
        for name in COMPARED_TOPICS:
            written = [
                _digest(record.key, record.value) + _id_of(record)
                async for records in _whole(consumer, settings.topic(name), partition)
                for record in records
            ]
            found.outputs += len(written)
            compare_outputs(name, true=truth.outputs.pop(name), written=written, found=found)
        links = [
            decode_link(record.value)
            async for records in _whole(consumer, settings.topic(CHAIN), partition)
            for record in records
        ]
        found.rows_appended = await _end(consumer, settings.topic(CHANGELOG), partition)
        rows, newest = await _rows(_whole(consumer, settings.topic(CHANGELOG), partition), found=found)
    compare_rows(true=truth.rows, written=rows, found=found)
    compare_chain(links, newest=newest, end=truth.end, found=found)
    return found


# -- comparing ----------------------------------------------------------------


def compare_outputs(topic: str, *, true: Sequence[bytes], written: Sequence[bytes], found: Found) -> None:
    """Count what is lost, doubled (or made up), and not in its place."""
    if true == written:
        return
    ours, theirs = Counter(true), Counter(written)
    found.lost += found.note(f"LOST on {topic}", _ids((ours - theirs).elements()))
    found.doubled += found.note(f"DOUBLED on {topic}", _ids((theirs - ours).elements()))
    if ours == theirs:
        first = next(at for at, pair in enumerate(zip(true, written, strict=True)) if pair[0] != pair[1])
        found.disordered += found.note(f"OUT OF ORDER on {topic}", [f"from output {first} on"])


def compare_rows(*, true: Mapping[bytes, bytes], written: Mapping[bytes, bytes], found: Found) -> None:
    """Count rows that are missing, that are too many, and that say something else."""
    found.rows = len(written)
    missing = [repr(key) for key in true if key not in written]
    surplus = [repr(key) for key in written if key not in true]
    differing = [repr(key) for key, digest in true.items() if written.get(key, digest) != digest]
    found.wrong_rows += found.note("ROW LOST", missing)
    found.wrong_rows += found.note("ROW that should not be", surplus)
    found.wrong_rows += found.note("ROW DIFFERS", differing)


def compare_chain(links: Sequence[Link], *, newest: Link | None, end: int, found: Found) -> None:
    """Count the breaks: from the journal's beginning to its end each link must meet the next."""
    found.transactions = len(links)
    broken = [f"a link ends at {hole.end}, the next begins at {hole.start}" for hole in holes(links)]
    if not links:
        broken += [f"no link, and {end} records"] if end else []
    else:
        if links[0].start != 0:
            broken.append(f"the first link begins at {links[0].start}")
        if (links[-1].end, links[-1].cursor) != (end, ""):
            broken.append(f"the last link is {links[-1]}, the journal ends at {end}")
        if newest != links[-1]:
            broken.append(f"the changelog's newest link is {newest}, the chain's {links[-1]}")
    found.chain_breaks += found.note("CHAIN BROKEN", broken)


def compare_told(found: Sequence[Found]) -> None:
    """What accounts tell accounts of other partitions stands in those once, and in the order of each teller.

    Noted at who hears it.
    """
    for hearing in found:
        told = {one.partition: [each for at, each in one.told if at == hearing.partition] for one in found}
        true = Counter(chain.from_iterable(told.values()))
        heard = Counter(hearing.heard)
        hearing.lost += hearing.note("LOST, told to", _ids((true - heard).elements()))
        hearing.doubled += hearing.note("DOUBLED, told to", _ids((heard - true).elements()))
        if true == heard:
            teller = {each: number for number, all_ in told.items() for each in all_}
            for number, all_ in told.items():
                if all_ != [each for each in hearing.heard if teller[each] == number]:
                    hearing.disordered += hearing.note("OUT OF ORDER", [f"what partition {number} told"])


def _ids(digests: Iterable[bytes]) -> list[str]:
    return [each[_DIGEST_BYTES:].decode() for each in digests]


# -- folding and reading ------------------------------------------------------


async def _fold(
    journal: AsyncIterator[Sequence[Any]],
    *,
    truth: Truth,
    settings: Settings,
    number: int,
    chance: random.Random,
) -> None:
    partition = Partition(number=number)
    async for records in journal:
        truth.records += len(records)
        truth.heard += [
            heard_digest(record.key, record.value) for record in records if record.value.endswith(_BY_LEDGER)
        ]
        for run in _runs(records, chance=chance):
            _fold_run(partition, run, truth=truth, partitions=settings.partitions)


def _fold_run(partition: Partition, run: Sequence[Any], *, truth: Truth, partitions: int) -> None:
    rest, cursor = run, ""
    while rest:
        step = partition.step(rest, cursor=cursor)
        partition.commit()
        for key, value in step.rows:
            if value is None:
                truth.rows.pop(key, None)
            else:
                truth.rows[key] = _digest(key, value)
        for fact in step.facts:
            _take(fact, truth=truth)
            if isinstance(fact, TransferSent | AccountTold):
                account = account_id(fact.event.company, fact.event.customer)
                entry = encode_entry(JournalEntry(fact.event, fact.id, SOURCE))
                told = heard_digest(account.encode(), entry)
                truth.told.append((place(account, partitions=partitions), told))
        truth.refused += len(step.poison)
        rest, cursor = rest[step.consumed :], step.cursor


def _take(fact: LedgerFact, *, truth: Truth) -> None:
    digest = _digest(fact.account.encode(), encode(fact))
    truth.outputs[TOPIC_OF_TYPE[type_of(fact)]].append(digest + fact.id.encode())
    if isinstance(fact, ReminderDecided):
        truth.reminders |= {(fact.id, delivery.channel) for delivery in fact.deliveries}


def _runs(records: Sequence[Any], *, chance: random.Random) -> Iterator[Sequence[Any]]:
    at = 0
    while at < len(records):
        size = chance.randint(1, _RUN_RECORDS_MAX)
        yield records[at : at + size]
        at += size


async def _rows(
    changelog: AsyncIterator[Sequence[Any]], *, found: Found
) -> tuple[dict[bytes, bytes], Link | None]:
    rows: dict[bytes, bytes] = {}
    newest: Link | None = None
    async for records in changelog:
        found.rows_kept += len(records)
        for record in records:
            if record.key == LINK_KEY:
                newest = decode_link(record.value)
            elif is_internal(record.key):
                continue
            elif record.value is None:
                rows.pop(record.key, None)
            else:
                rows[record.key] = _digest(record.key, record.value)
    return rows, newest


def heard_digest(key: bytes, entry: bytes) -> bytes:
    """Give digest and id of a journal record that a ledger has written."""
    return _digest(key, entry) + decode_entry(entry).id.encode()


def _digest(key: bytes, value: bytes) -> bytes:
    return hashlib.blake2b(b"%b\0%b" % (key, value), digest_size=_DIGEST_BYTES).digest()


def _id_of(record: Any) -> bytes:
    found: bytes = next(value for name, value in record.headers if name == "ce_id")
    return found


def _reader(settings: Settings) -> Any:
    """Make a reader of committed records: aiokafka's, which reads ten times as fast as kafka-python's."""
    return _Reading(
        AIOKafkaConsumer(
            bootstrap_servers=settings.brokers().split(","),
            client_id="chaos-truth",
            group_id=None,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=_FETCH_BYTES,
            check_crcs=False,
        )
    )


class _Reading:
    """A consumer as a context."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer

    async def __aenter__(self) -> Any:
        await self._consumer.start()
        return self._consumer

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()


async def _end(consumer: Any, topic: str, partition: int) -> int:
    tp = TopicPartition(topic, partition)
    end: int = (await consumer.end_offsets([tp]))[tp]
    return end


async def _whole(consumer: Any, topic: str, partition: int) -> AsyncIterator[Sequence[Any]]:
    """Give the committed records of a partition from its start to the end that it has now."""
    tp = TopicPartition(topic, partition)
    consumer.assign([tp])
    await consumer.seek_to_beginning(tp)
    end = await _end(consumer, topic, partition)
    moved_at, before = monotonic(), -1
    while (position := await consumer.position(tp)) < end:
        if position != before:
            before, moved_at = position, monotonic()
        elif monotonic() - moved_at > _STALLED_S_MAX:
            raise TimeoutError(f"{topic}-{partition} cannot be read beyond {position}, its end is {end}")
        records = (await consumer.getmany(tp, timeout_ms=200)).get(tp, [])
        if records:
            yield records

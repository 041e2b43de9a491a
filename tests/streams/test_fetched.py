"""What was fetched, taken out by the batch: the records and the position that aiokafka itself would give; no broker."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from schemas.envelope import UnreadableName
from streams.engine.batches import Filling
from streams.engine.fetched import _Given, take
from streams.engine.stage import NO_HEADERS, Output
from tests.streams.records import Latin1Name

TP = TopicPartition("rows", 0)
ATTRIBUTES_AT, CONTROL = 21, 0x20
COUNT_AT = 57


def _batch(offset: int, values: Sequence[bytes], *, producer: int, key: bytes = b"k") -> bytes:
    filling = Filling(1_000_000)
    filling._builder.set_producer_state(producer, 0, 0)
    filling.fill([Output("rows", 0, key, value, NO_HEADERS) for value in values], start=0)
    written = bytearray(filling._builder.build())
    struct.pack_into(">q", written, 0, offset)
    return bytes(written)


def _marker(offset: int, *, producer: int, commits: bool) -> bytes:
    """Write what ends a transaction; its checksum is that of another batch."""
    written = bytearray(_batch(offset, [b""], producer=producer, key=struct.pack(">hh", 0, int(commits))))
    (attributes,) = struct.unpack_from(">h", written, ATTRIBUTES_AT)
    struct.pack_into(">h", written, ATTRIBUTES_AT, attributes | CONTROL)
    return bytes(written)


# Two writers by turns: 1 commits, 2 is aborted, 1 commits again and leaves a transaction open behind it.
LOG = (
    _batch(0, [b"a", b"b", b"c"], producer=1),
    _batch(3, [b"lost", b"lost too"], producer=2),
    _marker(5, producer=1, commits=True),
    _batch(6, [b"lost as well"], producer=2),
    _marker(7, producer=2, commits=False),
    _batch(8, [b"d"], producer=1),
    _batch(9, [b"e", b"f", b"g", b"h"], producer=1),
    _marker(13, producer=1, commits=True),
    _batch(20, [b"after a hole that compaction left"], producer=2),
    _marker(21, producer=2, commits=True),
)
ENDS = (3, 5, 6, 7, 8, 9, 13, 14, 21, 22)  # where each batch ends
ABORTED_FROM, ABORTED_TO = 3, 7


@dataclass
class _State:
    _position: int
    paused: bool = False

    @property
    def position(self) -> int:
        return self._position

    def consumed_to(self, position: int) -> None:
        self._position = position


@dataclass
class _Assignment:
    state: _State
    active: bool = field(default=True)

    def state_value(self, _tp: TopicPartition) -> _State:
        return self.state


def _fetched(start: int) -> tuple[FetchResult, _State]:
    """Fetch as a broker answers: from the batch that holds the place on, with the aborted transactions after it."""
    state = _State(start)
    given = b"".join(batch for batch, end in zip(LOG, ENDS, strict=True) if end > start)
    aborted = [(2, ABORTED_FROM)] if start <= ABORTED_TO else []
    records = PartitionRecords(TP, MemoryRecords(given), aborted, start, None, None, False, READ_COMMITTED)
    assignment = _Assignment(state)
    return FetchResult(TP, assignment=assignment, partition_records=records, backoff=0), state


def _of(given: bytes, *, start: int = 0, checked: bool = False) -> tuple[FetchResult, _State]:
    """Fetch one answer, nothing of it aborted."""
    state = _State(start)
    records = PartitionRecords(TP, MemoryRecords(given), [], start, None, None, checked, READ_COMMITTED)
    return FetchResult(TP, assignment=_Assignment(state), partition_records=records, backoff=0), state


def _legacy(first: int, values: Sequence[bytes], *, compression: int) -> bytes:
    """Write records as producers of before Kafka 0.11 did, message format 1."""
    builder = LegacyRecordBatchBuilder(magic=1, compression_type=compression, batch_size=1_000_000)
    for place, value in enumerate(values):
        builder.append(first + place, timestamp=1, key=None, value=value)
    return bytes(builder.build())


def _plain(records: Sequence[Any]) -> list[tuple[int, bytes | None]]:
    return [(record.offset, record.value) for record in records]


@pytest.mark.parametrize("start", range(22))
def test_all_that_is_committed_is_taken_from_any_place_on(start: int) -> None:
    """In the midst of a batch, too; what was aborted is left out, and the position moves over markers."""
    (whole, after), (own, expected) = _fetched(start), _fetched(start)
    assert _plain(own.getall(None)) == _plain(take(whole))
    assert (22, False) == (after.position, whole.has_more())
    assert expected.position == after.position


@pytest.mark.parametrize("records_max", range(1, 10))
def test_no_more_than_wanted_but_for_the_rest_of_a_batch(records_max: int) -> None:
    """Nothing is given twice, nothing is left out, and what was given is what the position says."""
    result, state = _fetched(0)
    found: list[tuple[int, bytes | None]] = []
    while result.has_more():
        some = _plain(take(result, records_max=records_max))
        assert len(some) < records_max + 4
        found += some
        assert not some or state.position == some[-1][0] + 1 or not result.has_more()
    assert _plain(_fetched(0)[0].getall(None)) == found
    assert 22 == state.position


@pytest.mark.parametrize("compression", [0, LegacyRecordBatchBuilder.CODEC_GZIP])
@pytest.mark.parametrize("start", range(4))
def test_old_message_formats_are_read_from_any_place_on(start: int, compression: int) -> None:
    """A source topic may hold what was written years ago; the worker ended at it, and again after each start."""
    first = 0 if compression else start  # a compressed set is one message, which the broker gives whole
    log = _legacy(first, [b"a", b"b", b"c", b"d"][first:], compression=compression)
    (whole, after), (own, expected) = _of(log, start=start), _of(log, start=start)
    assert _plain(own.getall(None)) == _plain(take(whole))
    assert expected.position == after.position


def test_a_batch_of_very_many_records_is_not_taken_out_at_once() -> None:
    """A megabyte of compressed small records is a million: a run stays near its limit, and the next goes on there."""
    log = _batch(0, [b"x"] * 3_000, producer=1)
    result, state = _of(log)
    first = take(result, records_max=100)
    assert (500, 500) == (len(first), state.position)
    assert list(range(500, 3_000)) == [record.offset for record in take(result)]
    assert 3_000 == state.position


def test_what_cannot_be_read_leaves_the_position_where_it_was() -> None:
    """A damaged batch behind a sound one: nothing of the sound one is lost, whoever tries again gets it."""
    good, bad = _batch(0, [b"a", b"b"], producer=1), bytearray(_batch(2, [b"c"], producer=1))
    bad[-1] ^= 0xFF
    result, state = _of(good + bytes(bad), checked=True)
    with pytest.raises(CorruptRecordException):
        take(result, records_max=100)
    assert 0 == state.position


def test_nothing_is_taken_of_a_partition_that_was_sought_elsewhere_meanwhile() -> None:
    """As aiokafka does: what was fetched is of another place."""
    result, state = _fetched(0)
    state.consumed_to(9)
    assert ([], 9, False) == (take(result), state.position, result.has_more())


def _odd(*, compression: int = 0, odd: int = 600, count: int = 1_200) -> bytes:
    """Write a batch in which one record has a header whose name is not UTF-8."""
    builder = _DefaultRecordBatchBuilderPy(2, compression, 0, -1, -1, -1, 1_000_000)
    for place in range(count):
        name = Latin1Name("señal") if place == odd else "sign"
        builder.append(place, 1, b"k", b"%d" % place, [(name, b"1")])
    return bytes(builder.build())


@pytest.mark.parametrize("compression", [0, _DefaultRecordBatchBuilderPy.CODEC_GZIP])
@pytest.mark.parametrize("start", [0, 599, 600, 601])
def test_a_header_whose_name_is_not_utf8_is_read_with_its_bytes_escaped(start: int, compression: int) -> None:
    """Its neighbours in the batch are as they are, from any place on; the position moves behind all of them."""
    state = _State(start)
    given = _Given(_odd(compression=compression))
    records = PartitionRecords(TP, given, [], start, None, None, True, READ_COMMITTED)
    result = FetchResult(TP, assignment=_Assignment(state), partition_records=records, backoff=0)
    found = take(result)
    assert [(place, b"%d" % place) for place in range(start, 1_200)] == _plain(found)
    odd = {record.offset: record.headers[0][0] for record in found if record.headers[0][0] != "sign"}
    assert ({600: r"se\xf1al"} if start <= 600 else {}) == odd
    assert {UnreadableName} >= {type(name) for name in odd.values()}
    assert 1_200 == state.position


def test_a_damaged_batch_is_damaged_however_it_is_read() -> None:
    """What is wrong is no name: it is said, and nothing of it is taken."""
    damaged = bytearray(_odd(odd=-1, count=3))
    struct.pack_into(">i", damaged, COUNT_AT, 4)  # there are three
    given = _Given(bytes(damaged))
    state = _State(0)
    records = PartitionRecords(TP, given, [], 0, None, None, False, READ_COMMITTED)
    with pytest.raises(CorruptRecordException):
        take(FetchResult(TP, assignment=_Assignment(state), partition_records=records, backoff=0))
    assert 0 == state.position

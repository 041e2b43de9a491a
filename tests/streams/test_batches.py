"""A step as record batches: order, limits, and links after rows; no broker."""

import pytest
from aiokafka.record.memory_records import MemoryRecords

from streams.engine.batches import Batch, Batches, Filling
from streams.engine.chain import Link
from streams.engine.faults import OutputTooLarge
from streams.engine.stage import Output

BATCH_BYTES = 10_000


def _builder() -> Filling:
    return Filling(BATCH_BYTES)


def _batches(limit: int = 1_000_000) -> Batches:
    return Batches(limits={"t": limit, "rows": limit, "chain": limit}, new_builder=_builder)


def _records(batch: Batch) -> list[tuple[bytes | None, bytes | None]]:
    found = MemoryRecords(bytes(batch.builder._build()))
    return [(record.key, record.value) for record in found.next_batch()]


def test_a_batch_per_partition_in_the_order_given() -> None:
    """Outputs of different partitions may mix; within each the order stays."""
    batches = _batches()
    batches.add_outputs([Output("t", n % 2, b"k", b"%d" % n) for n in range(5)])
    assert [("t", 0), ("t", 1)] == [(batch.topic, batch.partition) for batch in batches.done]
    assert [[b"0", b"2", b"4"], [b"1", b"3"]] == [[v for _, v in _records(batch)] for batch in batches.done]


def test_a_full_batch_is_followed_by_another() -> None:
    """Nothing is lost or turned around where one batch ends and the next begins."""
    batches = _batches()
    batches.add_outputs([Output("t", 0, b"k", b"%05d" % n * 100) for n in range(100)])
    values = [value for batch in batches.done for _, value in _records(batch)]
    assert len(batches.done) > 5
    assert [b"%05d" % n * 100 for n in range(100)] == values


def test_a_record_larger_than_a_batch_has_one_of_its_own() -> None:
    """Dead letters of several MiB go through as long as their topic takes them."""
    batches = _batches(limit=600_000)
    batches.add_outputs(
        [Output("t", 0, None, b"small"), Output("t", 0, None, b"x" * 500_000), Output("t", 0, None, b"after")]
    )
    sizes = [[len(value or b"") for _, value in _records(batch)] for batch in batches.done]
    assert [5, 500_000, 5] == [size for batch in sizes for size in batch]


def test_a_record_over_its_topics_limit_is_refused_before_anything_is_sent() -> None:
    """The limit counts key, headers and framing."""
    with pytest.raises(OutputTooLarge, match="the limit is 500000"):
        _batches(limit=500_000).add_outputs([Output("t", 0, b"k", b"x" * 499_900)])


def test_the_link_follows_its_rows_and_goes_to_the_chain() -> None:
    """A tombstone is a row, too."""
    batches = _batches()
    batches.add_rows("rows", 3, rows=[(b"a", b"1"), (b"b", None)])
    batches.add_link(Link(0, 2, "", 1), changelog="rows", chain="chain", partition=3)
    rows, chain = batches.done
    assert [(b"a", b"1"), (b"b", None), (b"\0link", b'[0,2,"",1,false,1]')] == _records(rows)
    assert [(b"3", b'[0,2,"",1,false,1]')] == _records(chain)

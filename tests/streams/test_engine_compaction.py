"""The chain on a changelog that the cleaner works on (DESIGN 3.8)."""

import asyncio
import random
from functools import partial
from typing import Any

import pytest

from infra.kafka import consumers
from streams.engine.acquire import StateReader
from streams.engine.actions import RowsRead
from streams.engine.chain import LINK_KEY, Link
from streams.engine.faults import ChainBroken
from tests.streams.rig import Rig, until, until_true

SMALL_SEGMENTS = {
    "segment.bytes": str(1024 * 1024),
    "min.cleanable.dirty.ratio": "0.01",
    "min.compaction.lag.ms": "0",
    "delete.retention.ms": "100",
}


def _rig(broker: str, namespace: str) -> Rig:
    rig = Rig(broker, namespace, partitions=1)
    rig.create(rows_configs=SMALL_SEGMENTS)
    return rig


def _links_left(rig: Rig) -> int:
    return sum(record.key == LINK_KEY for record in rig.read("rows"))


def test_a_worker_restarts_on_a_log_whose_old_links_are_gone(broker: str, namespace: str) -> None:
    """Segments of 1 MiB and a cleaner that runs all the time: state and position are still there."""
    rig = _rig(broker, namespace)
    letters = random.Random(1)  # noqa: S311 - only that rows are long and cannot be compressed away
    keys = ["".join(letters.choices("abcdefghij", k=2000)) + str(n) for n in range(40)]

    async def story() -> None:
        sent = 0
        async with rig.worker():
            for _ in range(30):
                for n in range(sent, sent + 40):
                    producer.send(rig.prefix + "src", key=keys[n % 40].encode(), value=b"%d" % n)
                sent += 40
                await until_true(partial(_is_committed, rig, sent))
        assert 30 <= len(rig.links())
        await until_true(lambda: _links_left(rig) < len(rig.links()), deadline_s=60)
        async with rig.worker() as app:
            assert 0 == app.engine.counters.outcomes_unknown
            rig.send([(keys[0], str(sent))])
            await until_true(partial(_is_committed, rig, sent + 1))

    with consumers.producer(bootstrap_servers=broker) as producer:
        asyncio.run(story())
    expected = {key: list(range(n, 1200, 40)) for n, key in enumerate(keys)}
    expected[keys[0]].append(1200)
    assert expected == rig.numbers()


def _is_committed(rig: Rig, offset: int) -> bool:
    return rig.committed().get(0) == offset


def test_the_first_link_may_begin_anywhere(broker: str, namespace: str) -> None:
    """Those before it were compacted away."""
    rig = _rig(broker, namespace)

    async def story() -> None:
        rig.send([("a", "1"), ("a", "2"), ("a", "3")])
        rig.write_links([Link(1, 2, "", 1)])
        async with rig.worker():
            await until_true(lambda: rig.committed().get(0) == 3)

    asyncio.run(story())
    assert ["3"] == rig.said()


def test_a_hole_that_stays_is_a_break(broker: str, namespace: str) -> None:
    """Two full reads show the same: a transaction is missing, and the state must not be used."""
    rig = _rig(broker, namespace)
    rig.send([("a", "1")] * 9)
    rig.write_links([Link(0, 2, "", 1), Link(4, 9, "", 1)])

    async def story() -> None:
        async with rig.worker() as app:
            await until(lambda: app.crash_reason is not None)

    with pytest.raises(ChainBroken, match=r"do not connect: \[Hole\(end=2, start=4\)\]"):
        asyncio.run(story())


def test_a_hole_that_a_second_read_does_not_show_is_none(broker: str, namespace: str) -> None:
    """A segment is replaced under the first read: the state comes from the second, made anew."""
    rig = _rig(broker, namespace)
    rig.send([("a", "1")] * 10)
    rig.write_links([Link(0, 2, "", 1), Link(2, 4, "", 1), Link(4, 9, "", 1)])
    read, reads = StateReader.read, 0

    async def lose_a_link(reader: StateReader, *args: Any, **more: Any) -> RowsRead:
        nonlocal reads
        reads += 1
        found = await read(reader, *args, **more)
        return found._replace(links=[found.links[0], *found.links[2:]]) if reads == 1 else found

    async def story() -> None:
        async with rig.worker():
            await until_true(lambda: rig.committed().get(0) == 10)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StateReader, "read", lose_a_link)
        asyncio.run(story())
    assert ["1"] == rig.said()
    assert 2 <= reads

"""How far a changelog must be read, asked of a real broker: a leader that is new may show less than there is."""

import asyncio
from collections.abc import Iterator

import pytest

from infra.kafka import consumers
from streams.engine.acquire import StateReader
from streams.engine.taking import at_end
from tests.streams import toy
from tests.streams.rig import Rig


@pytest.fixture
def rig(broker: str, namespace: str) -> Iterator[Rig]:
    """Give a changelog with three rows of a transaction whose marker is still to be written."""
    rig = Rig(broker, namespace, partitions=1)
    rig.create()
    with consumers.producer(bootstrap_servers=broker, transactional_id=namespace + "open") as writer:
        writer.init_transactions()
        writer.begin_transaction()
        for value in (b"1", b"2", b"3"):
            writer.send(namespace + "rows", key=b"a", value=value)
        writer.flush()
        yield rig
        writer.abort_transaction()


def test_the_end_is_the_high_watermark_whatever_a_new_leader_shows(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seed 1684 of the simulation: the last stable offset trailed, the leader changed, a link was missed."""

    async def story() -> None:
        reader = await StateReader(bootstrap_servers=[rig.broker], options=toy.QUICK).start()
        try:
            monkeypatch.setattr(reader._consumer, "highwater", lambda _: 0)
            found = await reader.read(rig.prefix + "rows", 0, position=None)
            assert ([], 0, 3) == (found.rows, found.position, found.high)
            assert not at_end(found, 99)
            monkeypatch.setattr(reader._consumer, "highwater", lambda _: 7)
            await reader.read(rig.prefix + "rows", 0, position=0)
            monkeypatch.setattr(reader._consumer, "highwater", lambda _: 0)
            assert 7 == (await reader.read(rig.prefix + "rows", 0, position=0)).high
        finally:
            await reader.stop()

    asyncio.run(story())

"""State that is kept: on a disk across restarts, and as a standby's copy (DESIGN 3.7, 3.8)."""

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from kafka.admin import ConfigResource, ConfigResourceType
from msgspec import structs

from infra.kafka.consumers import admin
from streams.engine.mark import decode_mark, encode_mark
from tests.streams import toy
from tests.streams.rig import Rig, until, until_true

ROOT = Path(__file__).resolve().parents[2]
KEYS = 300


def _numbers(*spans: tuple[int, int]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for first, end in spans:
        for n in range(first, end):
            found.setdefault(f"k{n % KEYS}", []).append(n)
    return found


def _send(rig: Rig, first: int, end: int) -> None:
    rig.send((f"k{n % KEYS}", str(n)) for n in range(first, end))


def _keep_tombstones_for(rig: Rig, *, ms: int) -> None:
    with admin(bootstrap_servers=rig.broker) as client:
        setting = {"delete.retention.ms": str(ms)}
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, rig.prefix + "rows", setting)])


def test_a_restart_reads_only_what_is_newer_than_its_mark(broker: str, namespace: str) -> None:
    """Also what another worker wrote meanwhile; a mark that does not fit means a full read, no break."""
    rig = Rig(broker, namespace, partitions=1)
    rig.create()
    kept: toy.Kept = {}

    async def story() -> None:
        _send(rig, 0, 600)
        async with rig.worker(kept=kept):
            await rig.drained()
        async with rig.worker() as other:
            assert KEYS <= other.engine.counters.rows_restored
            _send(rig, 600, 620)
            await rig.drained()
        async with rig.worker(kept=kept) as app:
            assert 20 == app.engine.counters.rows_restored
            _send(rig, 620, 630)
            await rig.drained()
        state, mark = kept[0]
        found = decode_mark(mark)
        assert found is not None
        # Topics deleted and made anew under their names have other ids.
        kept[0] = ({b"wrong": [1], **state}, encode_mark(structs.replace(found, changelog_id="another")))
        async with rig.worker(kept=kept) as app:
            assert KEYS <= app.engine.counters.rows_restored
            assert b"wrong" not in kept[0][0]
        # What was kept is older than half of the changelog's own delete.retention.ms: a tombstone may be gone.
        _keep_tombstones_for(rig, ms=2)
        async with rig.worker(kept=kept) as app:
            assert KEYS <= app.engine.counters.rows_restored

    asyncio.run(story())
    assert _numbers((0, 630)) == rig.numbers()
    assert _numbers((0, 630)) == {key.decode(): numbers for key, numbers in kept[0][0].items()}


@pytest.mark.system
def test_a_standby_takes_over_reading_only_the_tail(broker: str, namespace: str, tmp_path: Path) -> None:
    """The owner is killed with -9; who has copied its partitions need not read them."""
    rig = Rig(broker, namespace, partitions=4)
    rig.create()
    options = replace(toy.QUICK, standby=True)
    command = [sys.executable, "-m", "tests.streams.toy", rig.broker, rig.prefix, "", "stateful"]

    async def story(owner: "subprocess.Popen[bytes]") -> None:
        await until_true(lambda: "4 partitions in" in (tmp_path / "owner.log").read_text())
        _send(rig, 0, 1200)
        await rig.drained()
        async with rig.worker(partitions=2, options=options) as app:
            engine = app.engine
            await until(lambda: 2 == len(engine.partitions) == len(engine.copied))
            before = engine.counters.rows_restored
            assert 0 < before
            _send(rig, 1200, 1220)
            await rig.drained()
            owner.kill()
            await until(lambda: 4 == sum(one.owned for one in engine.partitions.values()))
            assert engine.counters.rows_restored - before <= 20
            _send(rig, 1220, 1500)
            await rig.drained()

    with (tmp_path / "owner.log").open("wb") as log:
        owner = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            asyncio.run(story(owner))
        finally:
            owner.kill()
            owner.wait(timeout=60)
    assert _numbers((0, 1500)) == rig.numbers()
    assert 1500 == len(rig.said()) == len(set(rig.said()))

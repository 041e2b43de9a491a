"""The engine on a real Kafka: runs, slices, positions, and what stops it (DESIGN 3)."""

import asyncio
import time
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from streams.engine.chain import Link
from streams.engine.faults import ChainBroken, FactsLost, OutputTooLarge, StageStuck
from streams.engine.options import EngineOptions
from streams.engine.report import report
from streams.engine.transaction import Transactions
from streams.engine.worker import EngineApp
from streams.letters import letter_tally
from streams.watching import EngineWatch
from tests.streams import toy
from tests.streams.rig import Rig, until, until_true


@pytest.fixture
def rig(broker: str, namespace: str) -> Rig:
    """Give the toy's topics, two partitions each."""
    rig = Rig(broker, namespace)
    rig.create()
    return rig


def test_every_record_is_folded_and_said_once_across_restarts(rig: Rig) -> None:
    """State, outputs, links and committed offsets agree after two workers, one after the other."""

    async def story() -> None:
        rig.send((f"k{n % 7}", str(n)) for n in range(500))
        async with rig.worker():
            await rig.drained()
        rig.send((f"k{n % 7}", str(n)) for n in range(500, 800))
        async with rig.worker() as app:
            await rig.drained()
            assert 300 == app.engine.counters.records

    asyncio.run(story())
    assert {f"k{k}": list(range(k, 800, 7)) for k in range(7)} == rig.numbers()
    assert sorted(map(str, range(800))) == sorted(rig.said())
    for partition, end in rig.ends().items():
        links = rig.links(partition)
        assert end == links[-1].end
        assert [True] + [False] * (len(links) - 1) == [link.first for link in links]
        assert [link.end for link in links[:-1]] == [link.start for link in links[1:]]


def test_the_position_moves_over_control_records_when_idle(rig: Rig) -> None:
    """Aborted records and transaction markers are no lag, and come into no fold."""

    async def story() -> None:
        async with rig.worker() as app:
            rig.send_in_transaction([("a", "1"), ("b", "2")])
            await rig.drained()
            rig.send_in_transaction([("a", "3")], commit=False)
            await rig.drained()
            assert 2 == app.engine.counters.records

    asyncio.run(story())
    assert {"a": [1], "b": [2]} == rig.numbers()


def test_a_stateless_stage_goes_on_where_its_group_is(rig: Rig) -> None:
    """Without a chain the position is the group offset, committed in the same transactions."""

    async def story() -> None:
        rig.send([("a", "1"), ("b", "2")])
        async with rig.worker(stateful=False):
            await rig.drained()
        rig.send([("a", "3")])
        async with rig.worker(stateful=False) as app:
            await rig.drained()
            assert 1 == app.engine.counters.records

    asyncio.run(story())
    assert ["1", "2", "3"] == sorted(rig.said())


@pytest.mark.parametrize("stateful", [True, False])
def test_a_log_that_starts_above_zero_is_read_from_its_start(rig: Rig, stateful: bool) -> None:
    """A fresh group begins where the source begins; records that expired before are not waited for."""

    async def story() -> None:
        rig.send([("a", str(n)) for n in range(10)], partition=0)
        rig.send([("b", "1")], partition=1)
        rig.expire_before(4, partition=0)
        rig.expire_before(1, partition=1)
        async with rig.worker(stateful=stateful):
            await until_true(lambda: rig.committed().get(0) == 10)

    asyncio.run(story())
    assert [str(n) for n in range(4, 10)] == rig.said()
    if stateful:
        assert Link(4, 10, "", 1, first=True) == rig.links(0)[0]


@pytest.mark.parametrize("stateful", [True, False])
def test_lost_facts_stop_the_worker(rig: Rig, stateful: bool) -> None:
    """A position below the log's start is never rewound over: a person must look."""

    async def story() -> None:
        rig.send([("a", "1"), ("a", "2")], partition=0)
        async with rig.worker(stateful=stateful):
            await until_true(lambda: rig.committed().get(0) == 2)
        rig.send([("a", str(n)) for n in range(3, 8)], partition=0)
        rig.expire_before(5, partition=0)
        async with rig.worker(stateful=stateful, partitions=3):
            pass

    with pytest.raises(FactsLost, match="position 2 is below the log's start 5"):
        asyncio.run(story())


def test_an_expired_group_offset_is_committed_anew(rig: Rig) -> None:
    """The chain is the position: nothing is folded again, and lag tools see the position."""

    async def story() -> None:
        rig.send([("a", "1"), ("b", "2")])
        async with rig.worker():
            await rig.drained()
        before = rig.committed()
        rig.forget_offsets()
        async with rig.worker() as app:
            assert before == rig.committed()
            rig.send([("a", "3")])
            await rig.drained()
            assert 1 == app.engine.counters.records

    asyncio.run(story())
    assert {"a": [1, 3], "b": [2]} == rig.numbers()


def test_a_group_offset_that_contradicts_the_chain_stops_the_worker(rig: Rig) -> None:
    """Somebody moved the group: which of the two is true only a person can say."""

    async def story() -> None:
        rig.send([("a", "1"), ("a", "2")], partition=0)
        async with rig.worker():
            await until_true(lambda: rig.committed().get(0) == 2)
        rig.commit(1, partition=0)
        async with rig.worker(partitions=3):
            pass

    with pytest.raises(ChainBroken, match="the chain ends at 2, the group has committed 1"):
        asyncio.run(story())


def test_a_record_in_slices_takes_several_transactions(rig: Rig) -> None:
    """Its neighbours before it go along with the first slice, those after it with the last."""
    rig.send([("a", "1"), ("t", "slices:3"), ("a", "2")], partition=0)

    async def story() -> None:
        async with rig.worker():
            await until_true(lambda: rig.committed().get(0) == 3)

    asyncio.run(story())
    assert ["1", "slice 1", "slice 2", "slice 3", "2"] == rig.said()
    assert [(0, 1, "1"), (1, 1, "2"), (1, 3, "")] == [
        (one.start, one.end, one.cursor) for one in rig.links(0)
    ]


def test_a_worker_that_ends_between_slices_is_continued(rig: Rig) -> None:
    """The next owner hands the cursor back: no slice is said twice, none is left out."""
    rig.send([("t", "slices:100"), ("a", "1")], partition=0)

    async def story() -> None:
        async with rig.worker() as app:
            await until(lambda: app.engine.counters.transactions >= 5)
        assert 0 == rig.links(0)[-1].end
        async with rig.worker():
            await until_true(lambda: rig.committed().get(0) == 2)

    asyncio.run(story())
    assert [*(f"slice {n}" for n in range(1, 101)), "1"] == rig.said()


def test_an_output_over_the_limit_stops_the_worker_before_anything_is_sent(rig: Rig) -> None:
    """It is found while encoding; nothing of its run is in the log, and nothing loops."""
    rig.send([("a", "1"), ("a", "huge")], partition=0)

    with pytest.raises(OutputTooLarge, match="out: the record with key b'a' has 10000"):
        asyncio.run(_until_it_stops(rig))
    assert [] == rig.said()
    assert {} == rig.committed()


def test_a_stage_that_raises_stops_the_worker(rig: Rig) -> None:
    """A bug in a stage is neither skipped nor retried; the records before it stay unfolded."""
    rig.send([("a", "1"), ("a", "poison")], partition=0)
    with pytest.raises(ValueError, match="poison"):
        asyncio.run(_until_it_stops(rig))
    assert [] == rig.said()


def test_a_stage_without_progress_stops_the_worker(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slice that leaves the cursor it was given would go on for ever."""
    from streams.engine.stage import Step
    from tests.streams.toy import Toy

    monkeypatch.setattr(Toy, "step", lambda *_, cursor: Step((), (), 0, cursor))
    rig.send([("a", "1")], partition=0)
    with pytest.raises(StageStuck, match="no progress"):
        asyncio.run(_until_it_stops(rig))


@pytest.mark.parametrize("standby", [True, False])
def test_a_spare_worker_is_ready(broker: str, namespace: str, standby: bool) -> None:
    """Of two workers on one partition one has none: it follows, with a copy or without, and lacks nothing."""
    rig = Rig(broker, namespace, partitions=1)
    rig.create()
    options = replace(toy.QUICK, standby=standby)

    async def story() -> None:
        rig.send(("a", str(n)) for n in range(50))
        first = toy.build(rig.prefix, bootstrap_servers=broker, options=options)
        assert "the group has assigned no partition" == first.engine.lacks
        async with rig.worker(options=options) as one, rig.worker(options=options, partitions=0) as other:
            engines = (one.engine, other.engine)
            await until(
                lambda: sorted((len(each.partitions), each.lacks) for each in engines) == [(0, ""), (1, "")]
            )
            [spare] = [each for each in engines if not each.partitions]
            assert spare.copied == ({0} if standby else set())

    asyncio.run(story())


def test_a_commit_that_is_not_answered_does_not_keep_a_worker_from_stopping(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/operations.md: within 10 s, also with a session of five minutes; the next owner folds it once."""
    patient = EngineOptions(
        session_timeout_s=300, transaction_timeout_s=300, heartbeat_s=60, request_timeout_s=360
    )
    assert patient.step_end_s <= 5  # and as much again for all else
    patient = replace(patient, step_end_s_max=0.5)
    begun: list[bool] = []

    async def unanswered(*_: Any, **__: Any) -> None:
        begun.append(True)
        await asyncio.get_running_loop().create_future()

    async def story() -> float:
        async with rig.worker(options=patient):
            with monkeypatch.context() as patch:
                patch.setattr(Transactions, "commit", unanswered)
                rig.send([("a", "1")])
                await until(lambda: bool(begun))
                told_s = time.monotonic()
        return time.monotonic() - told_s

    assert asyncio.run(story()) < 10

    async def goes_on() -> None:
        async with rig.worker():
            await rig.drained()

    asyncio.run(goes_on())
    assert {"a": [1]} == rig.numbers()


def test_a_fetching_loop_that_ended_is_told(rig: Rig) -> None:
    """An idle worker comes round; one whose library fetches no more looks idle, and is stalled (issue 4, point 7)."""

    passed_s = [0.0]  # by the watch's clock: how long a round takes is the machine's affair

    def look(watch: EngineWatch, *, after_s: float) -> list[str]:
        passed_s[0] += after_s
        watch.look()
        return watch.stalled()

    async def story() -> None:
        async with rig.worker() as app:
            watch = EngineWatch(
                counters=app.engine.counters,
                reports=lambda: report(app),
                stage="toy",
                letters=letter_tally(),
                stalled_s=15,
                now_s=lambda: passed_s[0],
            )
            for _ in range(3):
                before = app.engine.counters.fetches
                await until(partial(_has_fetched, app, before))
                assert [] == look(watch, after_s=100)
            thread: Any = app.consumer._thread  # type: ignore[attr-defined]
            fetching = thread._consumer._fetcher._fetch_task
            thread.thread_loop.call_soon_threadsafe(fetching.cancel)
            await until(fetching.done)
            await until(lambda: bool(look(watch, after_s=100)))
            assert "the fetching loop has not come round" in watch.stalled()[0]

    asyncio.run(story())


def _has_fetched(app: EngineApp, before: int) -> bool:
    return app.engine.counters.fetches > before


def test_a_paused_partition_leaves_the_others_running(rig: Rig) -> None:
    """What made it pause is committed; what comes after waits, and lag shows it."""
    rig.send([("a", "1"), ("a", "pause"), ("a", "2")], partition=0)

    async def story() -> None:
        async with rig.worker() as app:
            await until(lambda: app.engine.counters.paused == 1)
            rig.send([("b", "3")], partition=1)
            await until_true(lambda: rig.committed().get(1) == 1)
            assert 1 == rig.lag()

    asyncio.run(story())
    assert ["1", "3"] == rig.said()


async def _until_it_stops(rig: Rig) -> None:
    async with rig.worker() as app:
        await until(lambda: app.crash_reason is not None)

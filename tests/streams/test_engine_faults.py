"""What happens between the engine and the broker: lost answers, fencing, dropped runs (DESIGN 3.5)."""

import asyncio
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaError
from aiokafka.producer.sender import EndTxnHandler, TxnOffsetCommitHandler

from infra.kafka.broker import LocalBroker
from streams.engine.batches import Batch
from streams.engine.faults import Fenced
from streams.engine.flow import Run
from streams.engine.partition import OwnedPartition
from streams.engine.report import report
from streams.engine.stage import Output
from streams.engine.transaction import Transactions
from streams.letters import letter_tally
from streams.watching import EngineWatch
from tests.streams import toy
from tests.streams.rig import Rig, until, until_true


@pytest.fixture
def rig(broker: str, namespace: str) -> Rig:
    """Give the toy's topics, one partition each."""
    rig = Rig(broker, namespace, partitions=1)
    rig.create()
    return rig


class _Commits:
    """Lets the first commits pass, then spoils one: its answer or the request itself is lost."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, spoil: int, request_arrives: bool) -> None:
        self.sent = 0
        send = EndTxnHandler.do

        async def do(handler: Any, node: Any) -> Any:
            self.sent += 1
            if self.sent != spoil:
                return await send(handler, node)
            if request_arrives:
                await handler._sender.client.send(node, handler.create_request(), group=handler.group)
            raise KafkaError("the connection is gone")

        monkeypatch.setattr(EndTxnHandler, "do", do)


@pytest.mark.parametrize("stateful", [True, False])
@pytest.mark.parametrize("request_arrives", [True, False])
def test_a_commit_without_an_answer_is_found_out(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, stateful: bool, request_arrives: bool
) -> None:
    """Whether it arrived or not: nothing is lost, nothing is doubled, and it is not sent again."""
    commits = _Commits(monkeypatch, spoil=3, request_arrives=request_arrives)

    async def story() -> None:
        async with rig.worker(stateful=stateful) as app:
            for n in range(6):
                rig.send([("a", str(n))])
                await until_true(partial(_is_committed, rig, n + 1))
            assert 1 == app.engine.counters.outcomes_unknown

    asyncio.run(story())
    assert [str(n) for n in range(6)] == rig.said()
    if stateful:
        assert {"a": list(range(6))} == rig.numbers()
        assert [(n, n + 1) for n in range(6)] == [(link.start, link.end) for link in rig.links()]
    # The worker of a stage without a chain commits its first position, too.
    spent = 6 + (0 if stateful else 1) + (0 if request_arrives else 1)
    assert spent == commits.sent


def test_a_lost_answer_between_slices_keeps_the_cursor(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The re-read link says which slice was the last."""
    _Commits(monkeypatch, spoil=2, request_arrives=True)
    rig.send([("t", "slices:4")])

    async def story() -> None:
        async with rig.worker():
            await until_true(lambda: rig.committed().get(0) == 1)

    asyncio.run(story())
    assert [f"slice {n}" for n in range(1, 5)] == rig.said()


def test_a_fenced_worker_drops_the_partition_and_takes_it_anew(rig: Rig) -> None:
    """It never initialises against the one who fenced it: the group decides who goes on."""

    async def story() -> None:
        async with rig.worker() as app:
            rig.send([("a", "1")])
            await rig.drained()
            thief = Transactions(
                bootstrap_servers=[rig.broker],
                transactional_id=f"{rig.prefix}group-toy-{rig.prefix}src-0",
                options=toy.QUICK,
            )
            await thief.init()
            rig.send([("a", "2")])
            await until(lambda: app.engine.counters.fenced == 1)
            await rig.drained()
            await thief.close()
            assert 2 == app.engine.counters.acquired

    asyncio.run(story())
    assert {"a": [1, 2]} == rig.numbers()
    assert ["1", "2"] == rig.said()


def test_who_was_fenced_can_be_told_without_a_commit(rig: Rig) -> None:
    """The proof leaves nothing behind: no offset, no open transaction."""

    async def story() -> None:
        name = f"{rig.prefix}id"
        first, second = (
            Transactions(bootstrap_servers=[rig.broker], transactional_id=name, options=toy.QUICK)
            for _ in range(2)
        )
        await first.init()
        await first.prove(topic=f"{rig.prefix}src", partition=0, group=f"{rig.prefix}group")
        await second.init()
        with pytest.raises(Fenced):
            await first.prove(topic=f"{rig.prefix}src", partition=0, group=f"{rig.prefix}group")
        await second.prove(topic=f"{rig.prefix}src", partition=0, group=f"{rig.prefix}group")
        await asyncio.gather(first.close(), second.close())

    asyncio.run(story())
    assert {} == rig.committed()


def test_an_offset_without_an_answer_is_not_sent_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first request that comes late would put an old offset into a later transaction."""
    sent = 0
    create = TxnOffsetCommitHandler.create_request

    def lose_the_second(handler: Any) -> Any:
        nonlocal sent
        sent += 1
        if sent == 2:
            raise KafkaError("the connection is gone")
        return create(handler)

    monkeypatch.setattr(TxnOffsetCommitHandler, "create_request", lose_the_second)

    async def story() -> None:
        async with rig.worker() as app:
            for n in range(3):
                rig.send([("a", str(n))])
                await until_true(partial(_is_committed, rig, n + 1))
            assert 1 == app.engine.counters.outcomes_unknown

    asyncio.run(story())
    assert ["0", "1", "2"] == rig.said()


def test_a_rebalance_while_an_outcome_is_unknown_reads_everything_anew(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Initialising then could fence the next owner: the partition is let go, and taken again."""
    _Commits(monkeypatch, spoil=2, request_arrives=True)
    init, broken = Transactions.init, asyncio.Event()

    async def init_once_mended(transactions: Transactions) -> None:
        if broken.is_set():
            raise KafkaError("the broker is away")
        await init(transactions)

    monkeypatch.setattr(Transactions, "init", init_once_mended)

    async def story() -> None:
        async with rig.worker() as app:
            rig.send([("a", "1")])
            await rig.drained()
            broken.set()
            rig.send([("a", "2")])
            await until(lambda: app.engine.counters.outcomes_unknown == 1)
            await app.engine.rejoin()
            await until(lambda: app.rebalancing)
            broken.clear()
            rig.send([("a", "3")])
            await until_true(partial(_is_committed, rig, 3))
            assert 2 == app.engine.counters.acquired

    asyncio.run(story())
    assert {"a": [1, 2, 3]} == rig.numbers()
    assert ["1", "2", "3"] == rig.said()


def test_a_worker_whose_commit_is_not_answered_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 4, point 7: from the frozen broker on until it is back and the transaction is in the log."""
    now_s = 0.0

    async def story(rig: Rig, pid: int) -> None:
        nonlocal now_s
        async with rig.worker() as app:
            watch = EngineWatch(
                counters=app.engine.counters,
                reports=lambda: report(app),
                stage="ledger",
                letters=letter_tally(),
                stalled_s=100,
                now_s=lambda: now_s,
            )
            frozen = _freeze_at_a_commit(monkeypatch, pid)
            rig.send([("a", "1")])
            await until(frozen.is_set)
            watch.look()
            assert [] == watch.unready()
            now_s = 11.0
            watch.look()
            assert [f"{rig.prefix}src-0: its transaction is not committed for 11 s"] == watch.unready()
            os.kill(pid, signal.SIGCONT)
            await until_true(partial(_is_committed, rig, 1))
            await until(lambda: not watch.unready())

    with LocalBroker(tmp_path) as broker:
        rig = Rig(broker.bootstrap_servers, "t.", partitions=1)
        rig.create()
        pid = broker.status().pid
        assert pid is not None
        try:
            asyncio.run(story(rig, pid))
        finally:
            os.kill(pid, signal.SIGCONT)
        assert ["1"] == rig.said()


def _freeze_at_a_commit(monkeypatch: pytest.MonkeyPatch, pid: int) -> asyncio.Event:
    """Let a broker do nothing from when the next commit is sent."""
    send, frozen = EndTxnHandler.do, asyncio.Event()

    async def do(handler: Any, node: Any) -> Any:
        if not frozen.is_set():
            os.kill(pid, signal.SIGSTOP)
            frozen.set()
        return await send(handler, node)

    monkeypatch.setattr(EndTxnHandler, "do", do)
    return frozen


def test_a_producer_that_is_closed_leaves_nothing_running(tmp_path: Path) -> None:
    """Also amid a transaction that a frozen broker does not answer: its sender went on asking, one more each time."""

    async def story(rig: Rig, freeze: Callable[[], None]) -> None:
        producer = Transactions(
            bootstrap_servers=[rig.broker], transactional_id=f"{rig.prefix}id", options=toy.QUICK
        )
        await producer.init()
        builder = producer.new_builder()
        builder.fill([Output(f"{rig.prefix}out", 0, b"k", b"1")], start=0)
        freeze()
        committing = asyncio.create_task(
            producer.commit(
                [Batch(f"{rig.prefix}out", 0, builder)],
                offsets={(f"{rig.prefix}src", 0): 0},
                group=f"{rig.prefix}group",
            )
        )
        await until(lambda: bool(producer._started._txn_manager.partitions_to_add()))
        committing.cancel()
        await asyncio.wait([committing])
        await producer.close()
        await until(lambda: asyncio.all_tasks() == {asyncio.current_task()}, deadline_s=20)

    with LocalBroker(tmp_path) as broker:
        rig = Rig(broker.bootstrap_servers, "t.", partitions=1)
        rig.create()
        pid = broker.status().pid
        assert pid is not None
        try:
            asyncio.run(story(rig, lambda: os.kill(pid, signal.SIGSTOP)))
        finally:
            os.kill(pid, signal.SIGCONT)


def test_a_run_that_never_arrived_is_sought_back(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fetched run that a rebalance dropped is seen by the next one's position, and read again."""
    accept = OwnedPartition.accept
    seen: list[Run] = []

    def lose_the_second(owned: OwnedPartition, run: Run) -> None:
        seen.append(run)
        if len(seen) != 2:
            accept(owned, run)

    monkeypatch.setattr(OwnedPartition, "accept", lose_the_second)

    async def story() -> None:
        async with rig.worker() as app:
            for n in range(4):
                rig.send([("a", str(n))])
                await until(partial(_has_more_than, seen, n))
            await rig.drained()
            assert 1 == app.engine.counters.gaps

    asyncio.run(story())
    assert {"a": [0, 1, 2, 3]} == rig.numbers()
    assert ["0", "1", "2", "3"] == rig.said()


def test_two_workers_share_and_hand_over(broker: str, namespace: str) -> None:
    """Partitions move when a worker comes and goes; the one that stays reads no state again."""
    rig = Rig(broker, namespace, partitions=4)
    rig.create()

    async def story() -> None:
        async with rig.worker() as first:
            rig.send((f"k{n % 9}", str(n)) for n in range(200))
            async with rig.worker(partitions=2) as second:
                rig.send((f"k{n % 9}", str(n)) for n in range(200, 400))
                await rig.drained()
                assert 2 == len(first.engine.partitions) == len(second.engine.partitions)
                assert 4 == first.engine.counters.acquired
            rig.send((f"k{n % 9}", str(n)) for n in range(400, 600))
            await rig.drained()
            assert 6 == first.engine.counters.acquired

    asyncio.run(story())
    assert {f"k{k}": list(range(k, 600, 9)) for k in range(9)} == rig.numbers()
    assert 600 == len(rig.said()) == len(set(rig.said()))


def _is_committed(rig: Rig, offset: int) -> bool:
    return rig.committed().get(0) == offset


def _has_more_than(seen: list[Run], count: int) -> bool:
    return len(seen) > count

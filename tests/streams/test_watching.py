"""What workers and clock say of themselves: progress, or nothing to do; partitions, or why not."""

import asyncio
import datetime
import threading
import time

import pytest

from infra.metrics.pulse import Pulses
from infra.metrics.register import Sample, sample
from infra.metrics.scrape import ask
from infra.metrics.server import MetricsServer
from infra.metrics.settings import MetricsSettings
from schemas.dead_letters import DeadLetter
from schemas.journal import TickPassed
from streams.engine.counters import Counters
from streams.engine.faults import FOR_A_PERSON, ChainBroken
from streams.engine.report import PartitionReport
from streams.letters import LetterBook, letter_tally
from streams.watching import ClockWatch, EngineWatch


def _partition(
    number: int = 0,
    *,
    owned: bool = True,
    paused: bool = False,
    working: bool = False,
    uncommitted: tuple[int, str] | None = None,
) -> PartitionReport:
    return PartitionReport(
        topic="src",
        partition=number,
        owned=owned,
        paused=paused,
        working=working,
        uncommitted=uncommitted,
    )


class _Worker:
    """A watch over what the test says, on a clock that it sets."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.counters = Counters()
        self.partitions: list[PartitionReport] = []
        self.answers: dict[str, int | None] = {}
        self.letters = letter_tally()
        self.watch = EngineWatch(
            counters=self.counters,
            reports=lambda: self.partitions,
            stage="ledger",
            letters=self.letters,
            answers=lambda: self.answers,
            stalled_s=100,
            now_s=lambda: self.now_s,
        )

    def pass_s(self, seconds: int, *, fetching: bool = True) -> None:
        for _ in range(seconds):
            self.now_s += 1
            self.counters.fetches += fetching
            self.watch.look()


@pytest.fixture
def worker() -> _Worker:
    """Give a worker without partitions."""
    return _Worker()


def test_idle_worker_is_healthy_for_ever(worker: _Worker) -> None:
    """Nothing to do is no standstill."""
    worker.partitions = [_partition()]
    worker.pass_s(1000)
    assert ([], []) == (worker.watch.stalled(), worker.watch.unready())


def test_worker_with_work_and_no_transaction_is_stalled(worker: _Worker) -> None:
    """It is named with the partition; a transaction makes it healthy again."""
    worker.partitions = [_partition(working=True), _partition(1)]
    worker.pass_s(90)
    assert [] == worker.watch.stalled()
    worker.pass_s(20)
    assert ["no progress for 109 s, work left on: src-0"] == worker.watch.stalled()
    worker.counters.transactions += 1
    worker.pass_s(1)
    assert [] == worker.watch.stalled()


def test_long_taking_is_no_standstill(worker: _Worker) -> None:
    """Rows that are read back are progress: 5,000,000 of them take longer than the patience of a probe."""
    worker.partitions = [_partition(owned=False, working=True)]
    for _ in range(300):
        worker.counters.rows_restored += 5000
        worker.pass_s(1, fetching=False)
    assert [] == worker.watch.stalled()
    worker.pass_s(101, fetching=False)
    assert ["no progress for 101 s, work left on: src-0"] == worker.watch.stalled()


def test_fetcher_that_hangs_is_stalled(worker: _Worker) -> None:
    """Nothing to do is only what a round of fetching has found: a loop that stands still brings nothing for ever."""
    worker.partitions = [_partition()]
    worker.pass_s(10)
    worker.pass_s(101, fetching=False)
    assert ["the fetching loop has not come round for 101 s"] == worker.watch.stalled()
    worker.pass_s(1)
    assert [] == worker.watch.stalled()


def test_worker_without_partitions_fetches_nothing(worker: _Worker) -> None:
    """A spare one has nothing to fetch: that is no standstill."""
    worker.pass_s(1000, fetching=False)
    assert [] == worker.watch.stalled()


def test_worker_whose_loop_does_not_come_round_is_stalled(worker: _Worker) -> None:
    """A fold that never ends blocks the looks, too."""
    worker.partitions = [_partition(working=True)]
    worker.pass_s(1)
    worker.now_s += 101
    assert 1 == len(worker.watch.stalled())


async def _stuck(watch: EngineWatch, *, blocked: threading.Event, release: threading.Event) -> None:
    """Look once a second, as a worker does, until a fold keeps the loop."""
    looking = asyncio.create_task(watch.look_for_ever())
    await asyncio.sleep(0)
    blocked.set()
    release.wait(120)  # the fold that does not end: nothing else runs in this loop
    looking.cancel()


def test_fold_that_does_not_end_is_told_over_http() -> None:
    """/healthz is answered while the loop is held, and says that it stands still."""
    watch = EngineWatch(
        counters=Counters(),
        reports=lambda: [_partition(working=True)],
        stage="ledger",
        letters=letter_tally(),
        stalled_s=0.2,
    )
    blocked, release = threading.Event(), threading.Event()
    loop = threading.Thread(target=lambda: asyncio.run(_stuck(watch, blocked=blocked, release=release)))
    with MetricsServer(MetricsSettings(port=0), probe=watch, samples=watch.samples) as server:
        loop.start()
        assert blocked.wait(60)
        deadline_s = time.monotonic() + 60
        while not (answer := ask(f"127.0.0.1:{server.port}")).stalled:
            assert time.monotonic() < deadline_s
        release.set()
    loop.join()
    assert "work left on: src-0" in answer.stalled
    assert 0.0 == answer.total("cobranza_healthy")


def test_readiness_names_what_is_missing(worker: _Worker) -> None:
    """Issue 4, point 7: no partitions, being taken, paused."""
    assert ["the group has assigned no partition"] == worker.watch.unready()
    worker.partitions = [_partition(owned=False), _partition(1, paused=True), _partition(2)]
    assert ["src-1: paused, too much in it is bad", "src-0: being taken"] == worker.watch.unready()


def test_a_worker_whose_broker_does_not_answer_is_not_ready(worker: _Worker) -> None:
    """Issue 4, point 7: with nothing to do it was ready, also where nobody would have told it of anything."""
    worker.partitions = [_partition(), _partition(1)]
    for at_ms in range(20):
        worker.answers = {"src-0": at_ms, "src-1": 7}
        worker.pass_s(1)
        assert at_ms > 10 or [] == worker.watch.unready()
    assert ["src-1: the broker has not answered for 19 s"] == worker.watch.unready()
    worker.answers = {"src-0": 20, "src-1": 8}
    assert [] == worker.watch.unready()


def test_what_is_worked_on_does_not_wait_for_the_broker(worker: _Worker) -> None:
    """Its records are here, and no more are asked for meanwhile: the waiting begins when it is done."""
    worker.partitions = [_partition(working=True)]
    worker.answers = {"src-0": 7}
    worker.pass_s(5)
    worker.answers = {}
    worker.pass_s(60)
    worker.answers = {"src-0": 7}
    worker.pass_s(10)
    assert [] == worker.watch.unready()


def test_who_waits_for_his_sisters_does_not_wait_for_the_broker(worker: _Worker) -> None:
    """Nothing is fetched until all partitions are taken: a long taking of one is what is told, and no broker is blamed."""
    worker.partitions = [_partition(), _partition(1, owned=False)]
    worker.answers = {"src-0": 7}
    for _ in range(30):
        worker.pass_s(1)
        assert ["src-1: being taken"] == worker.watch.unready()
    worker.partitions = [_partition(), _partition(1)]
    worker.pass_s(2)
    assert [] == worker.watch.unready()


def test_a_worker_that_cannot_commit_is_not_ready(worker: _Worker) -> None:
    """Issue 4, point 7: with work it was ready until it was taken for dead, though nothing of it could be done."""
    for position in range(60):  # one that is busy: each look finds a transaction on its way, another one
        worker.partitions = [_partition(working=True, uncommitted=(position, "")), _partition(1)]
        worker.pass_s(1)
        assert [] == worker.watch.unready()
    worker.pass_s(10)
    assert [] == worker.watch.unready()
    worker.pass_s(1)
    assert ["src-0: its transaction is not committed for 11 s"] == worker.watch.unready()
    assert [] == worker.watch.stalled()
    worker.partitions = [_partition(working=True, uncommitted=(59, "a tick's second slice")), _partition(1)]
    assert [] == worker.watch.unready()


def test_a_spare_worker_whose_group_is_not_coordinated_is_not_ready(worker: _Worker) -> None:
    """It would not be told that it has to take over."""
    watch = EngineWatch(
        counters=Counters(),
        reports=list,
        lacks=lambda: "",
        stage="ledger",
        letters=letter_tally(),
        stalled_s=100,
        answers=lambda: {"the group's coordinator": None},
        now_s=lambda: worker.now_s,
    )
    watch.look()
    assert [] == watch.unready()
    worker.now_s = 11
    assert ["the group's coordinator: the broker has not answered for 11 s"] == watch.unready()


def test_spare_worker_is_ready_once_it_follows() -> None:
    """Without partitions it is where it should be: a member of its group, its copies complete (ProcessNotReady)."""
    waits = "2 of its copies are not complete"
    watch = EngineWatch(
        counters=Counters(),
        reports=list,
        lacks=lambda: waits,
        stage="ledger",
        letters=letter_tally(),
        stalled_s=100,
    )
    assert [waits] == watch.unready()
    waits = ""
    assert [] == watch.unready()


def test_worker_that_stopped_says_for_what(worker: _Worker) -> None:
    """Until it ends it is not ready, with the fault, and its partitions, gone by then, are no standstill."""
    worker.partitions = [_partition(working=True)]
    quiet = {each for each in worker.watch.samples() if each.name == "cobranza_stopped"}
    assert {("ledger", kind.__name__) for kind in FOR_A_PERSON} == {each.labels for each in quiet}
    assert {0.0} == {each.value for each in quiet}
    worker.watch.stopped(ChainBroken("links do not connect"))
    worker.pass_s(1000, fetching=False)
    assert ([], ["stopped: ChainBroken: links do not connect"]) == (
        worker.watch.stalled(),
        worker.watch.unready(),
    )
    found = [each.labels for each in worker.watch.samples() if each.name == "cobranza_stopped" and each.value]
    assert [("ledger", "ChainBroken")] == found


def test_paused_partition_is_a_metric(worker: _Worker) -> None:
    """Which one is paused can be alarmed on."""
    worker.partitions = [_partition(0, paused=True), _partition(1)]
    found = set(worker.watch.samples())
    assert sample("cobranza_partition_paused", 1, "ledger", "src", "0") in found
    assert sample("cobranza_partition_paused", 0, "ledger", "src", "1") in found
    assert sample("cobranza_partitions_owned", 2, "ledger") in found


def test_dead_letters_count_when_they_are_committed(worker: _Worker) -> None:
    """A step that is made again counts once; a flood of letters is counted in full."""
    book = LetterBook(worker.letters)
    letter = DeadLetter(reason="invalid", detail="", stage="intake", topic="src", partition=0, offset=1)
    book.note(letter, event_id="e")
    book.discard()
    assert 0 == worker.letters.count("intake", "src", "invalid")
    for _ in range(30):
        book.note(letter, event_id="e")
    book.commit()
    book.commit()
    assert 30 == worker.letters.count("intake", "src", "invalid")


def test_clock_tells_its_newest_tick() -> None:
    """Ticks are counted; a round without one is not ready."""
    pulses = Pulses(["clock"], stalled_s=10)
    watch = ClockWatch(pulses)
    at = datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)
    watch.told(TickPassed(at=at, mode="live", lagging=("billing.invoice.v1",)))
    watch.told(None)
    assert ["clock: no tick can be written"] == pulses.unready()
    assert [
        Sample("cobranza_ticks_total", 1),
        Sample("cobranza_tick_timestamp_seconds", at.timestamp()),
        Sample("cobranza_tick_lagging_topics", 1),
    ] == list(watch.samples())

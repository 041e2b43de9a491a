"""The judgement of a run: every partition against the truth, open transactions, sendings; one line says it."""

import gc
import multiprocessing
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from kafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.protocol.consumer import IsolationLevel

from infra.kafka.consumers import admin
from infra.settings import Settings
from tests.chaos.truth import Found, compare_told, judge_partition

__all__ = ["Verdict", "judge_ledger", "not_done", "open_transactions"]

_PROCESSES: Final = 2
_EVENTS_OF_ONE_PROCESS: Final = 10_000  # to start others would take longer than the work
# For markers that are being written. What was left open stays so for its time-out, 6 s and more.
MARKERS_S_MAX: Final = 2.0
_POLL_S: Final = 0.1


@dataclass(slots=True)
class Verdict:
    """What became of it.

    Attributes:
        events: how many entries were written to the journal.
        done: what was done to workers and brokers, by name; see ``not_done``.
        counted: what the workers have counted themselves.
        found: the judgement per partition.
        problems: what else is wrong; each one makes the verdict bad.
        sendings: what became of the deliveries, if they are part of the run.
    """

    events: int = 0
    done: Counter[str] = field(default_factory=Counter)
    counted: Counter[str] = field(default_factory=Counter)
    found: list[Found] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    sendings: Counter[str] = field(default_factory=Counter)

    @property
    def is_good(self) -> bool:
        """Whether nothing at all is wrong."""
        return not self.problems and not any(one.problems for one in self.found)

    def all_problems(self) -> list[str]:
        """List the first problems of each kind and partition."""
        return [*self.problems, *(problem for one in self.found for problem in one.problems)]

    def total(self, name: str) -> int:
        """Add up a number of all partitions."""
        return sum(int(getattr(one, name)) for one in self.found)

    def line(self) -> str:
        """Say it all in one line."""
        done = "".join(f", {count:,} {what}" for what, count in self.done.items() if count)
        said = (
            f"{self.events:,} events{done}: {self.total('outputs'):,} outputs and {self.total('rows'):,} rows"
            f" in {self.total('transactions'):,} transactions, {self.total('lost')} lost,"
            f" {self.total('doubled')} doubled, {self.total('disordered')} out of order,"
            f" {self.total('wrong_rows')} rows wrong, {self.total('chain_breaks')} chain breaks,"
            f" {sum(len(one.heard) for one in self.found):,} told by accounts to accounts,"
            f" {len(self.problems)} other problems"
        )
        if self.sendings:
            said += f", {sum(self.sendings.values()):,} deliveries"
        lost = self.total("lost")
        bad = f"LOST {lost}" if lost else "BAD"
        return f"verdict: {'ok' if self.is_good else bad}, {said}"


def not_done(asked: Mapping[str, int], *, done: Mapping[str, int]) -> list[str]:
    """Say which faults were done less often than was asked: what was not done proves nothing."""
    return [
        f"{wanted} {what} were asked for, {done.get(what, 0)} were done"
        for what, wanted in asked.items()
        if done.get(what, 0) < wanted
    ]


def judge_ledger(settings: Settings, *, verdict: Verdict, seed: int) -> None:
    """Compare every partition with the truth, two at a time."""
    seeds = {number: seed * 31 + number for number in range(settings.partitions)}
    if verdict.events <= _EVENTS_OF_ONE_PROCESS:
        verdict.found = [judge_partition(settings, *one) for one in seeds.items()]
    else:
        spawning = multiprocessing.get_context("spawn")
        # They end after their work, which makes no garbage in cycles but much for the collector to look at.
        with ProcessPoolExecutor(_PROCESSES, mp_context=spawning, initializer=gc.disable) as pool:
            tasks = [pool.submit(judge_partition, settings, *one) for one in seeds.items()]
            verdict.found = [task.result() for task in tasks]
    compare_told(verdict.found)
    records = verdict.total("records")
    if records < verdict.events:
        verdict.problems.append(f"the journal holds {records} records, {verdict.events} were acknowledged")


def open_transactions(settings: Settings, *, markers_s_max: float = MARKERS_S_MAX) -> list[str]:
    """Name the partitions, internal ones too, with a transaction that is open now and ``markers_s_max`` later.

    Where one is open, the last stable offset stays below the high watermark. To be asked when all work
    is done, and at once: the broker aborts by itself what is left open, after its time-out.
    """
    deadline = time.monotonic() + markers_s_max
    with admin(bootstrap_servers=settings.brokers()) as client:
        partitions = [
            TopicPartition(topic["name"], one["partition_index"])
            for topic in client.describe_topics(_topics(client.list_topics(), prefix=settings.topic_prefix))
            for one in topic["partitions"]
        ]
        wanted = dict.fromkeys(partitions, OffsetSpec.LATEST)
        while True:
            # The end first: what is appended between the two questions is not taken for open.
            high = client.list_partition_offsets(wanted, IsolationLevel.READ_UNCOMMITTED)
            stable = client.list_partition_offsets(wanted, IsolationLevel.READ_COMMITTED)
            still_open = [
                f"an open transaction on {tp.topic}-{tp.partition}: stable to {stable[tp].offset}, end {one.offset}"
                for tp, one in high.items()
                if stable[tp].offset < one.offset
            ]
            if not still_open or time.monotonic() > deadline:
                return still_open
            time.sleep(_POLL_S)


def _topics(names: Sequence[str], *, prefix: str) -> list[str]:
    return [name for name in names if name.startswith((prefix, "__"))]

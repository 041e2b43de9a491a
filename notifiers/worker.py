"""The sending loop of one channel: reminders from Kafka into jobs, jobs through the channel, outcomes to Kafka.

::

    poll ──► record jobs (SQL) ──► commit offsets ──► run jobs ──► publish outcomes ──► poll …
      └────► what cannot be read: dead letters ──┘

The order is the promise: an offset is committed when its jobs are in SQL, or its dead letter in Kafka; an
outcome is marked as published when Kafka has it. Whatever dies in between is
done again, and natural keys absorb it. A broker that is away ends nothing: what is recorded is sent, what cannot be
said waits in SQL (`outcomes`). It waits in ``poll``, and a moment for each answer of the broker.
"""

import datetime
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import structlog
from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.errors import KafkaTimeoutError, RetriableError

from infra.database.send_ledger import SendLedger
from infra.errors import OperatorError
from infra.kafka.arrivals import Arrivals
from infra.kafka.consumers import positions
from infra.metrics.pulse import Pulses
from notifiers.commits import Commits
from notifiers.dispatch import Dispatcher
from notifiers.outcomes import OutcomePublisher
from notifiers.reading import PutAside, sorted_out

__all__ = ["GroupError", "Worker"]

# After a record its transaction's marker is still to be passed, which takes another poll.
_LIVELY_S: Final = 0.1
_LIVELY_MS: Final = 5
# Jobs that wait for the read model are looked at ever less often: each look adds a sixth at most to
# what has been waited already.
_WAITING_GROWTH: Final = 1.2
_WAITING_MS_MAX: Final = 250
_IDLE_MS: Final = 500
# An answer takes milliseconds; while there is none, jobs must not wait for it.
_ENDS_TIMEOUT_MS: Final = 1_000
_REBALANCE_S_MAX: Final = 60
_RESTS: Final = {
    "asked": "as the provider has asked (Retry-After)",
    "pace": "at the pace that is set (COBRANZA_SEND_RATE_…)",
}
_log = structlog.get_logger(__name__)


class GroupError(OperatorError):
    """The worker cannot take part in its consumer group."""


class Worker:
    """Runs one channel until it is told to stop; one thread.

    Args:
        reader: a consumer in the channel's group, without a subscription.
        source: physical name of ``collections.reminder.v1``.
        outcomes: says how jobs ended.
        ledger, dispatcher: of the same channel.
        aside: takes what is no reminder.
        still_present: raises when others may take this worker for gone; see ``infra.database.presence``.
        pulses: gets a sign of life after each round, under the channel's name.
    """

    def __init__(
        self,
        *,
        reader: KafkaConsumer,
        source: str,
        outcomes: OutcomePublisher,
        ledger: SendLedger,
        dispatcher: Dispatcher,
        aside: PutAside,
        still_present: Callable[[], None],
        pulses: Pulses | None = None,
    ) -> None:
        self._reader = reader
        self._source = source
        self._outcomes = outcomes
        self._ledger = ledger
        self._dispatcher = dispatcher
        self._aside = aside
        self._still_present = still_present
        self._pulses = pulses or Pulses([ledger.channel], stalled_s=0.0)
        self._partitions: list[int] = []
        self._commits = Commits(reader, channel=ledger.channel)
        self._wait_ms = 0.0
        self._lively_until_s = 0.0
        self._work_left = True
        self._rebalancing_since_s: float | None = None
        self._waited_s = 0.0

    def run(self, *, stopping: Callable[[], bool]) -> None:
        """Work until `stopping()`; it is asked at least twice a second, every few seconds while the broker is away.

        Raises:
            GroupError: there is no such topic, or the consumer group does not come to rest.
        """
        self._reader.subscribe([self._source], listener=_Rebalances(self))
        # Only now, and asked of the broker: kafka-python 3.0 joins again when it hears of the topic's
        # partitions after its first join, and it forgets a join that outlasts a short poll.
        if self._source not in self._reader.topics():
            raise GroupError(f"Topic {self._source} does not exist: cobranza topics apply")
        # What takes the loop's time otherwise (a slow provider) is no waiting for records.
        arrivals = Arrivals(
            partial(self._reader.end_offsets, timeout_ms=_ENDS_TIMEOUT_MS), now_s=lambda: self._waited_s
        )
        while not stopping():
            self.step()
            troubles = (self._missing(arrivals), self._outcomes.trouble, self._commits.trouble)
            waiting_for, resting = self._waiting_for()
            waiting_for = waiting_for or "; ".join(filter(None, troubles))
            self._pulses.beat(self._ledger.channel, waiting_for=waiting_for, resting=resting)

    def step(self) -> None:
        """Do one round: read, record, commit, run, publish."""
        began_s = time.monotonic()
        polled: Mapping[TopicPartition, Sequence[Any]] = self._reader.poll(timeout_ms=int(self._wait_ms))
        self._waited_s += time.monotonic() - began_s
        self._take_over()
        usable, refused = sorted_out(polled)
        if not self._put_aside(refused, polled=polled):
            return
        recorded = self._dispatcher.record(usable)
        self._commits.step()
        self._dispatcher.tend()
        ended = self._dispatcher.look_after(partitions=self._partitions)
        self._work_left = self._work_left or recorded + ended > 0
        moved = self._dispatch() if self._work_left else 0
        idle = self._wait_ms >= _WAITING_MS_MAX
        if moved or idle:
            self._outcomes.step(partitions=self._partitions)
        self._pause()
        self._plan_wait(moved=moved, read=bool(polled))

    def _dispatch(self) -> int:
        self._still_present()
        return self._dispatcher.run(partitions=self._partitions)

    def revoked(self) -> None:
        """Note that the group rebalances; nothing is to be saved, what was read is in SQL."""
        self._rebalancing_since_s = time.monotonic()

    def assigned(self, partitions: Sequence[TopicPartition]) -> None:
        """Note what is ours; the work that follows from it is done outside of the client's call."""
        self._rebalancing_since_s = None
        self._commits.forget()
        _log.info("send_assigned", channel=self._ledger.channel, partitions=sorted(p for _, p in partitions))

    def _waiting_for(self) -> tuple[str, str]:
        """Say why nothing is sent, and why it pauses as it should; "" when nothing stands in the way."""
        if not self._partitions:
            return "the group has assigned no partition", ""
        pause = self._dispatcher.pause
        if pause is None:
            return "", ""
        until = f"{pause.until.astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S} UTC"
        if pause.why == "down":
            return f"the provider takes nothing at present, and is tried again at {until}", ""
        return "", f"rests until {until}, {_RESTS[pause.why]}: no fault"

    def _missing(self, arrivals: Arrivals) -> str:
        """Say what is asked for and does not come; "": all that is there comes."""
        asked_for = sorted(self._reader.assignment() - self._reader.paused())
        try:
            return arrivals.trouble(positions(self._reader, partitions=asked_for))
        except KafkaTimeoutError:
            return ""  # the commits, which ask first, tell it once it lasts

    def _take_over(self) -> None:
        """On partitions that have become ours, clear up what was interrupted and say what was not said."""
        since_s = self._rebalancing_since_s
        if since_s is not None and time.monotonic() - since_s > _REBALANCE_S_MAX:
            raise GroupError(
                f"The group of {self._ledger.channel} has been rebalancing for {_REBALANCE_S_MAX} s: start again"
            )
        assigned = sorted(each.partition for each in self._reader.assignment())
        if assigned == self._partitions:
            return
        self._partitions = assigned
        self._dispatcher.recover(partitions=assigned)
        self._outcomes.step(partitions=assigned)
        self._work_left = True

    def _put_aside(self, refused: Sequence[Any], *, polled: Mapping[TopicPartition, Sequence[Any]]) -> bool:
        """Put aside what cannot be used; False: the broker does not take it, and what was polled is read again."""
        try:
            self._aside.put(refused)
        except RetriableError as error:
            _log.warning("dead_letters_wait", channel=self._ledger.channel, detail=repr(error))
            for partition, records in polled.items():
                self._reader.seek(partition, records[0].offset)
            return False
        return True

    def _pause(self) -> None:
        """Read no more for partitions whose provider takes nothing: their lag shows the backlog."""
        closed = self._dispatcher.closed
        wanted = {each for each in self._reader.assignment() if each.partition in closed}
        paused = self._reader.paused()
        if wanted - paused:
            self._reader.pause(*(wanted - paused))
        if paused - wanted:
            self._reader.resume(*(paused - wanted))

    def _plan_wait(self, *, moved: int, read: bool) -> None:
        """Choose how long the next poll may wait: not at all while there is work, half a second when idle."""
        now_s = time.monotonic()
        if read or moved:
            self._lively_until_s = now_s + _LIVELY_S
        if moved:
            self._wait_ms = 0
            return
        self._work_left = self._ledger.backlog(partitions=self._partitions).scheduled > 0
        if now_s < self._lively_until_s:
            self._wait_ms = _LIVELY_MS
        elif self._work_left:
            self._wait_ms = min(_WAITING_MS_MAX, max(_LIVELY_MS, self._wait_ms * _WAITING_GROWTH))
        else:
            self._wait_ms = _IDLE_MS


class _Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types
    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def on_partitions_revoked(self, revoked: Any) -> None:  # noqa: ARG002 - kafka-python's signature
        """Say that a rebalance begins."""
        self._worker.revoked()

    def on_partitions_assigned(self, assigned: Any) -> None:
        """Say what is ours now."""
        self._worker.assigned(list(assigned))

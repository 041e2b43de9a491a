"""Outcomes as they are said: from a job's row, so that saying it again says the same.

A broker that is away keeps nobody from sending: what is unsaid stays so in SQL, and is said when it is back. What was
handed to the producer is not handed to it again before its fate is known: it may get there all the same. What Kafka
refuses for another reason ends the notifier: an idempotent producer is of no use after that, and a new one may be.
"""

import datetime
import time
from collections.abc import Callable, Collection
from typing import Any, Final

import structlog
from kafka import KafkaProducer
from kafka.errors import KafkaError, RetriableError

from infra.database.send_ledger import SendLedger
from infra.database.send_values import Job
from schemas.codec import encode, type_of
from schemas.envelope import Envelope, to_headers
from schemas.fields import split_account_id
from schemas.outcomes import DeliveryStatus, OutcomeReported

__all__ = ["OutcomePublisher", "occurred_at", "outcome_of"]

_SOURCE: Final = "/cobranza/notifier"
_PUBLISHED_MAX: Final = 500
# An acknowledgment takes milliseconds; who waits longer would not hear that it has to stop.
_MOMENT_S: Final = 0.5
_TROUBLE_S: Final = 5.0
_log = structlog.get_logger(__name__)


def occurred_at(job: Job, *, now: datetime.datetime) -> str:
    """Give the instant of an outcome: the wall clock's with a live journal, the newest tick's with a played one."""
    if job.mode == "live":
        return now.isoformat(timespec="milliseconds")
    return max(job.tick, job.clock_at or job.tick).isoformat()


def outcome_of(job: Job) -> tuple[Envelope, OutcomeReported]:
    """Say what became of a job; the same job in the same state says the same.

    Raises:
        ValueError: nothing has become of it yet.
    """
    if job.state == "scheduled" or job.state == "claimed" or job.state == "sending":  # noqa: PLR1714 - mypy narrows this form
        raise ValueError(f"reminder {job.reminder} over {job.channel} is {job.state}: it has no outcome")
    status: DeliveryStatus = job.state
    company, customer = split_account_id(job.account)
    outcome = OutcomeReported(
        company=company,
        customer=customer,
        occurred_at=job.occurred_at,
        reminder=job.reminder,
        channel=job.channel,
        status=status,
        provider_id=job.provider_id,
        error_type=job.error_type,
        detail=job.detail if status != "accepted" else "",
    )
    envelope = Envelope(
        id=f"{job.reminder}/{job.channel}/{status}",
        source=_SOURCE,
        type=type_of(outcome),
        time=job.occurred_at,
        subject=job.account,
    )
    return envelope, outcome


class OutcomePublisher:
    """Says how the jobs of one channel ended, until Kafka is known to have it; one thread.

    Args:
        writer: a producer.
        target: physical name of ``notify.outcome.v1``.
        ledger: of the channel.
        now_s: a clock that never goes back.
    """

    def __init__(
        self,
        writer: KafkaProducer,
        *,
        target: str,
        ledger: SendLedger,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._writer, self._target, self._ledger, self._now_s = writer, target, ledger, now_s
        self._under_way: list[tuple[Job, Any]] = []
        self._refused = ""
        self._unsaid_since_s: float | None = None

    @property
    def trouble(self) -> str:
        """Say since when Kafka takes no outcomes; "": it takes them, or there are none."""
        if self._unsaid_since_s is None:
            return ""
        for_s = self._now_s() - self._unsaid_since_s
        why = f": {self._refused}" if self._refused else ""
        return f"the broker has not taken outcomes for {for_s:.0f} s{why}" if for_s > _TROUBLE_S else ""

    def step(self, *, partitions: Collection[int]) -> None:
        """Say what is unsaid of these partitions, as far as Kafka takes it within a moment; the rest is the next step's.

        Raises:
            KafkaError: Kafka refuses one, and would refuse it again.
        """
        if self._under_way and not self._settled():
            return
        while True:
            jobs = self._ledger.unpublished(partitions=partitions, limit=_PUBLISHED_MAX)
            self._hand_over(jobs)
            if not self._settled() or len(jobs) < _PUBLISHED_MAX:
                return

    def _hand_over(self, jobs: Collection[Job]) -> None:
        self._refused = ""
        for job in jobs:
            envelope, outcome = outcome_of(job)
            try:
                future = self._writer.send(
                    self._target, encode(outcome), key=job.account.encode(), headers=to_headers(envelope)
                )
            except RetriableError as error:  # nobody tells where the topic is; what is left stays unsaid
                self._refused = repr(error)
                return
            self._under_way.append((job, future))

    def _settled(self) -> bool:
        """Note which outcomes have arrived; False: some have not within a moment, or were refused."""
        until_s = self._now_s() + _MOMENT_S
        arrived, under_way, fatal = [], [], None
        for job, future in self._under_way:
            try:
                future.get(timeout=max(0.0, until_s - self._now_s()))
            except KafkaError as error:
                if not future.is_done:
                    under_way.append((job, future))
                    continue
                self._refused = repr(error)  # its row still has it unsaid
                fatal = fatal if isinstance(error, RetriableError) else error
            else:
                arrived.append(job)
        self._under_way = under_way
        self._ledger.mark_published(arrived)
        if fatal is not None:
            raise fatal
        is_settled = not (under_way or self._refused)
        self._tell(is_settled=is_settled)
        return is_settled

    def _tell(self, *, is_settled: bool) -> None:
        if is_settled:
            if self.trouble:
                _log.info("outcomes_said_again", channel=self._ledger.channel)
            self._unsaid_since_s = None
        elif self._unsaid_since_s is None:
            self._unsaid_since_s = self._now_s()
            _log.warning("outcomes_wait", channel=self._ledger.channel, detail=self._refused)

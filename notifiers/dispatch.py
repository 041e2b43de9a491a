"""What happens to the jobs of one channel: taken, carried, noted. No Kafka here, and no waiting.

::

    ready ──render──► claim (R32, one statement) ──► channel.send ──► finish
                        │ overtaken: superseded        ├ temporary: put back, with a wait
                        │ not yet fresh: left alone    ├ permanent: failed
                                                       └ uncertain: asked, or held, or sent again
"""

import datetime
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal, assert_never, get_args

import structlog
from msgspec import Struct, json
from msgspec.structs import replace

from infra.database.send_ledger import Ending, Job, NewJob, SendLedger
from infra.metrics.tally import Tally
from notifiers.channel import (
    Channel,
    Message,
    PermanentError,
    Receipt,
    TemporaryError,
    TracingChannel,
    UncertainError,
)
from notifiers.outcomes import occurred_at
from notifiers.gates.law import allowed_at
from notifiers.settings import DoubtPolicy
from schemas.facts import MessageDecided, ReminderDecided
from schemas.fields import Channel as ChannelName
from schemas.outcomes import DeliveryStatus, ErrorType

__all__ = ["Dispatcher", "Manner", "ReadReminder", "sendings_tally"]

Rendered = Message | PermanentError
_TEXT_MAX: Final = 2_000
_BATCH_OF_TRACING: Final = 50
_OUTCOMES: Final = (*get_args(DeliveryStatus), "put_back")
_DOUBT: Final = "nobody knows whether it went out: "
_log = structlog.get_logger(__name__)
_decoder = json.Decoder(ReminderDecided)
_read_decoder: json.Decoder[ReminderDecided | MessageDecided] = json.Decoder(ReminderDecided | MessageDecided)


def sendings_tally(*, channels: Iterable[ChannelName] = ()) -> Tally:
    """Make the count of attempts by outcome that these channels of a process share."""
    known = [(channel, outcome) for channel in channels for outcome in _OUTCOMES]
    return Tally("cobranza_sendings_total", known=known)


class ReadReminder(Struct, frozen=True, kw_only=True):
    """A reminder as it was read: the partition is its account's."""

    partition: int
    value: bytes


class Manner(Struct, frozen=True, kw_only=True):
    """How a channel's failures are dealt with; see ``SendSettings``."""

    doubt: DoubtPolicy
    attempts_max: int
    retry_s_first: float
    retry_s_max: float

    def wait_s(self, attempts: int, *, jitter: float) -> float:
        """Give the wait after so many attempts; ``jitter`` in [0, 1) spreads its upper half."""
        full = min(self.retry_s_max, self.retry_s_first * 2.0 ** min(attempts - 1, 30))
        return full * (0.5 + jitter / 2)


class Dispatcher:
    """Runs the jobs of one channel.

    Args:
        ledger: where they are.
        channel: who carries them.
        render: writes a reminder for a channel, or raises `PermanentError`.
        manner: what to do when it goes wrong.
        clock: the wall clock, UTC.
        jitter: gives a number in [0, 1).
        sendings: counts the attempts by how they ended.
    """

    def __init__(
        self,
        *,
        ledger: SendLedger,
        channel: Channel,
        render: Callable[[ReminderDecided, ChannelName], Message],
        manner: Manner,
        clock: Callable[[], datetime.datetime],
        jitter: Callable[[], float],
        sendings: Tally | None = None,
    ) -> None:
        self._ledger = ledger
        self._sendings = sendings or sendings_tally()
        self._channel = channel
        self._render = render
        self._manner = manner
        self._clock = clock
        self._jitter = jitter
        self._closed_until: dict[int, datetime.datetime] = {}
        # What a crash leaves in doubt is one mail, unless the channel can say what became of many.
        self._batch = _BATCH_OF_TRACING if isinstance(channel, TracingChannel) else 1

    @property
    def closed(self) -> set[int]:
        """Partitions whose jobs wait because the provider takes nothing at present."""
        now = self._clock()
        return {partition for partition, until in self._closed_until.items() if until > now}

    def record(self, reminders: Iterable[ReadReminder]) -> int:
        """Note the deliveries of these reminders that are this channel's; return how many they are.

        Repetitions change nothing.
        """
        jobs = []
        for read in reminders:
            fact = _read_decoder.decode(read.value)
            reminder = fact.content if isinstance(fact, MessageDecided) else fact
            if reminder is not fact:
                read = replace(read, value=json.encode(reminder))  # noqa: PLW2901 - what is kept is the content
            mine = [each.not_before for each in reminder.deliveries if each.channel == self._ledger.channel]
            if mine:
                jobs.append(_job_of(reminder, read=read, not_before=min(mine)))
                self._tell_recorded(reminder)
        self._ledger.record(jobs)
        return len(jobs)

    def run(self, *, partitions: Iterable[int]) -> int:
        """Move the jobs that can be moved now, up to a batch; return how many were taken or ended."""
        closed = self.closed
        open_partitions = [each for each in partitions if each not in closed]
        jobs = self._ledger.ready(partitions=open_partitions, now=self._clock(), limit=self._batch)
        if not jobs:
            return 0
        rendered = {job.reminder: self._rendering(job) for job in jobs}
        now = self._clock()
        happened_at = {job.reminder: occurred_at(job, now=now) for job in jobs}
        taken, superseded = self._ledger.claim(jobs, now=now, occurred_at=happened_at)
        for reminder in superseded:
            self._sendings.add(self._ledger.channel, "superseded")
            _log.info("send_superseded", reminder=reminder, channel=self._ledger.channel)
        sent = [
            self._send(job, rendered[job.reminder])
            for job in jobs
            if job.reminder in taken and self._lawful(job)
        ]
        self._finish([each for each in sent if each is not None])
        return len(taken) + len(superseded)

    def recover(self, *, partitions: Sequence[int]) -> None:
        """Clear up what another worker left in ``sending`` on partitions that are ours now."""
        self._closed_until.clear()
        for job in self._ledger.interrupted(partitions=partitions):
            _log.warning("send_interrupted", reminder=job.reminder, channel=job.channel)
            rendered = self._rendering(job)
            ending = self._in_doubt(
                job, rendered, detail=_DOUBT + "the worker ended while it was being sent", retry_at=None
            )
            if ending is not None:
                self._finish([ending], owner=job.owner)

    def _lawful(self, job: Job) -> bool:
        """Ask the law once more; what may not go now is put off to its next allowed instant, never dropped."""
        law = _decoder.decode(job.reminder_json).law
        if law is None or job.channel == "task":
            return True
        now = self._clock()
        at = allowed_at(self._ledger.engine, job, law=law, now=now)
        if at <= datetime.datetime.fromisoformat(occurred_at(job, now=now)):
            return True
        detail = f"the law ({law.profile}) allows it from {at.isoformat()}"
        self._ledger.postpone(job.reminder, until=at, detail=detail)
        self._sendings.add(job.channel, "put_back")
        _log.info(
            "send_postponed",
            reminder=job.reminder,
            account=job.account,
            channel=job.channel,
            until=at.isoformat(),
        )
        return False

    def _rendering(self, job: Job) -> Rendered:
        """Write a job's message before it is claimed: what cannot be written has not been sent."""
        try:
            return self._render(_decoder.decode(job.reminder_json), self._ledger.channel)
        except PermanentError as error:
            return error

    def _send(self, job: Job, message: Rendered) -> Ending | None:
        """Have one job carried; None: it is put back."""
        try:
            if isinstance(message, PermanentError):
                raise message
            return self._accepted(job, message, self._channel.send(message))
        except PermanentError as error:
            _log.warning(
                "send_failed",
                reminder=job.reminder,
                account=job.account,
                channel=job.channel,
                error=error.error_type,
                detail=error.detail,
            )
            return self._failed(job, message, error)
        except TemporaryError as error:
            return self._put_back(job, message, error)
        except UncertainError as error:
            return self._in_doubt(
                job, message, detail=_DOUBT + error.detail, retry_at=self._retry_at(job.attempts + 1)
            )

    def _put_back(self, job: Job, message: Rendered, error: TemporaryError) -> Ending | None:
        attempts = job.attempts + 1
        if attempts >= self._manner.attempts_max:
            refused = PermanentError(
                error_type="provider_unavailable", detail=f"tried {attempts} times: {error.detail}"
            )
            return self._failed(job, message, refused)
        until = self._retry_at(attempts)
        self._sendings.add(job.channel, "put_back")
        _log.warning(
            "send_waits",
            reminder=job.reminder,
            account=job.account,
            channel=job.channel,
            detail=error.detail,
        )
        self._ledger.put_back(job.reminder, retry_at=until, detail=error.detail[:_TEXT_MAX])
        if error.provider_down:
            self._closed_until[job.partition] = until
        return None

    def _in_doubt(
        self, job: Job, message: Rendered, *, detail: str, retry_at: datetime.datetime | None
    ) -> Ending | None:
        """End a job that may have been sent, or put it back; ``job.owner`` has it."""
        found = self._trace(message)
        if isinstance(found, Receipt):
            return self._accepted(job, message, found)
        if found == "cannot say" and self._manner.doubt == "hold":
            _log.error(
                "send_in_doubt",
                reminder=job.reminder,
                account=job.account,
                channel=job.channel,
                detail=detail,
            )
            return self._ending(job, message, status="unknown", error_type="interrupted", detail=detail)
        self._sendings.add(job.channel, "put_back")
        self._ledger.put_back(
            job.reminder, retry_at=retry_at, detail=detail[:_TEXT_MAX], owner=job.owner or None
        )
        return None

    def _trace(self, message: Rendered) -> Receipt | Literal["not taken", "cannot say"]:
        if not isinstance(message, Message) or not isinstance(self._channel, TracingChannel):
            return "cannot say"
        try:
            return self._channel.find(message) or "not taken"
        except TemporaryError as error:
            _log.warning("send_untraced", reminder=message.reminder, detail=error.detail)
            return "cannot say"

    def _accepted(self, job: Job, message: Rendered, receipt: Receipt) -> Ending:
        _log.info(
            "send_accepted",
            reminder=job.reminder,
            account=job.account,
            channel=job.channel,
            provider_id=receipt.provider_id,
        )
        return self._ending(job, message, status="accepted", provider_id=receipt.provider_id)

    def _failed(self, job: Job, message: Rendered, error: PermanentError) -> Ending:
        return self._ending(job, message, status="failed", error_type=error.error_type, detail=error.detail)

    def _ending(
        self,
        job: Job,
        message: Rendered,
        *,
        status: DeliveryStatus,
        provider_id: str = "",
        error_type: ErrorType = "",
        detail: str = "",
    ) -> Ending:
        return Ending(
            reminder=job.reminder,
            status=status,
            occurred_at=occurred_at(job, now=self._clock()),
            provider_id=provider_id[:_TEXT_MAX],
            error_type=error_type,
            detail=detail[:_TEXT_MAX],
            recipient=_recipient(message),
            subject=message.subject if isinstance(message, Message) else "",
        )

    def _finish(self, endings: Sequence[Ending], *, owner: str | None = None) -> None:
        lost = self._ledger.finish(endings, owner=owner)
        for reminder in lost:
            _log.warning("send_taken_over", reminder=reminder, channel=self._ledger.channel)
        for ending in endings:
            if ending.reminder not in lost:
                self._sendings.add(self._ledger.channel, ending.status)

    def _tell_recorded(self, reminder: ReminderDecided) -> None:
        """Tell which items a reminder is about: from an item to what was sent for it."""
        _log.info(
            "reminder_recorded",
            reminder=reminder.id,
            account=reminder.account,
            channel=self._ledger.channel,
            step=reminder.step,
            tick=reminder.tick.isoformat(),
            items=[each.item for each in reminder.items],
        )

    def _retry_at(self, attempts: int) -> datetime.datetime:
        wait_s = self._manner.wait_s(attempts, jitter=self._jitter())
        return self._clock() + datetime.timedelta(seconds=wait_s)


def _recipient(message: Rendered) -> str:
    if isinstance(message, PermanentError):
        return ""
    contact = message.contact
    match message.channel:
        case "email":
            return contact.email
        case "sms":
            return contact.phone
        case "letter":
            return ", ".join(contact.address)
        case "task":
            return ", ".join(dict.fromkeys(note.responsible for note in message.tasks if note.responsible))
        case _:
            assert_never(message.channel)


def _job_of(reminder: ReminderDecided, *, read: ReadReminder, not_before: datetime.datetime) -> NewJob:
    return NewJob(
        reminder=reminder.id,
        account=reminder.account,
        company=reminder.company,
        partition=read.partition,
        mode=reminder.mode,
        tick=reminder.tick,
        not_before=not_before,
        decision_version=reminder.decision_version,
        # PostgreSQL's text holds any character but this one; a free text that has it must not stop all.
        reminder_json=read.value.decode().replace("\\u0000", "\\ufffd"),
    )

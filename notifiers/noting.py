"""What is noted of a delivery, in the send ledger, the log and the tally: each move once, in all three."""

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, assert_never, get_args

import structlog
from msgspec import Struct, json
from msgspec.structs import replace

from infra.database.send_ledger import SendLedger
from infra.database.send_values import Claim, Ending, Job
from infra.metrics.tally import Tally
from notifiers.channel import Cost, Message, PermanentError, Receipt, TemporaryError, Traits
from notifiers.faults import FAULT, FaultError, Faults
from notifiers.outcomes import occurred_at
from notifiers.retry_after import RETRY_AFTER_S_MAX
from notifiers.second_look import OUTSIDE
from notifiers.settings import DoubtPolicy
from schemas.facts import ReminderDecided
from schemas.fields import Channel as ChannelName
from schemas.outcomes import DeliveryStatus, ErrorType

__all__ = [
    "Manner",
    "Noter",
    "PutBack",
    "Written",
    "recipient_of",
    "sendings_tally",
    "write",
    "written_of",
]

# A message; or why there is none: it never will be, or not until an error of ours is mended.
Written = Message | PermanentError | FaultError
_TEXT_MAX: Final = 2_000
_OUTCOMES: Final = (*get_args(DeliveryStatus), "put_back", "capped", FAULT, OUTSIDE)
_log = structlog.get_logger(__name__)
_decoder = json.Decoder(ReminderDecided)


def sendings_tally(*, channels: Iterable[ChannelName] = ()) -> Tally:
    """Make the count of attempts by outcome that these channels of a process share."""
    known = [(channel, outcome) for channel in channels for outcome in _OUTCOMES]
    return Tally("cobranza_sendings_total", known=known)


class Manner(Struct, frozen=True, kw_only=True):
    """How a channel's failures are dealt with; see ``SendSettings``."""

    doubt: DoubtPolicy
    attempts_max: int
    retry_s_first: float
    retry_s_max: float
    wait_days_max: float = 5.0
    retry_after_s_max: float = RETRY_AFTER_S_MAX

    def wait_s(self, attempts: int, *, jitter: float) -> float:
        """Give the wait after so many attempts; ``jitter`` in [0, 1) spreads its upper half."""
        full = min(self.retry_s_max, self.retry_s_first * 2.0 ** min(attempts - 1, 30))
        return full * (0.5 + jitter / 2)

    def asked_until(self, error: TemporaryError, *, now: datetime.datetime) -> datetime.datetime | None:
        """Give the instant before which a provider asks not to be tried again, within the bound; None: it asks for nothing."""
        wait_s = min(self.retry_after_s_max, error.retry_after_s)
        return now + datetime.timedelta(seconds=wait_s) if wait_s > 0.0 else None


class PutBack(Struct, frozen=True, kw_only=True):
    """A job waits until an instant; ``is_ours`` is False when another worker has taken it over: its row is as it was."""

    until: datetime.datetime
    is_ours: bool


class Noter:
    """Writes down what becomes of the jobs of one channel.

    Args:
        ledger: where they are.
        manner: how often one is tried, and how long it waits.
        clock: the wall clock, UTC.
        jitter: gives a number in [0, 1).
        sendings: counts the attempts by how they ended.
    """

    def __init__(
        self,
        *,
        ledger: SendLedger,
        manner: Manner,
        clock: Callable[[], datetime.datetime],
        jitter: Callable[[], float],
        sendings: Tally,
    ) -> None:
        self._ledger = ledger
        self._manner = manner
        self._clock = clock
        self._jitter = jitter
        self._sendings = sendings
        self._events: Mapping[str, Sequence[str]] = {}

    def claim_of(self, job: Job, written: Written, *, traits: Traits, mark: str = "") -> Claim:
        """Give the claim of a job, with the evidence that it leaves should the worker not come back; ``mark``: see channels."""
        cost = written.cost if isinstance(written, Message) else None
        return Claim(
            reminder=job.reminder,
            occurred_at=occurred_at(job, now=self._clock()),
            recipient=recipient_of(written),
            subject=written.subject if isinstance(written, Message) else "",
            provider=traits.provider,
            endpoint=traits.endpoint,
            mark=mark,
            cost_currency="" if cost is None else cost.currency,
            cost_micros=0 if cost is None else cost.micros,
            cost_parts=0 if cost is None else cost.parts,
        )

    def about(self, events: Mapping[str, Sequence[str]]) -> None:
        """Note which events are behind the reminders of this round: its lines name them."""
        self._events = events

    def _of(self, job: Job) -> dict[str, object]:
        named = {"reminder": job.reminder, "account": job.account, "channel": job.channel}
        return {**named, "events": list(self._events.get(job.reminder, ()))}

    def accepted(self, job: Job, written: Written, receipt: Receipt) -> Ending:
        """Give the ending of a message that was taken."""
        _log.info("send_accepted", **self._of(job), provider_id=receipt.provider_id)
        cost = receipt.cost or (written.cost if isinstance(written, Message) else None)
        return self._ending(job, written, status="accepted", provider_id=receipt.provider_id, cost=cost)

    def failed(self, job: Job, written: Written, error: PermanentError) -> Ending:
        """Give the ending of a message that will never be taken."""
        _log.warning("send_failed", **self._of(job), error=error.error_type, detail=error.detail)
        if error.error_type == OUTSIDE:
            self._sendings.add(job.channel, OUTSIDE)
        return self._ending(job, written, status="failed", error_type=error.error_type, detail=error.detail)

    def unknown(
        self,
        job: Job,
        written: Written,
        *,
        detail: str,
        ask_at: datetime.datetime | None,
        may_go_on: bool,
    ) -> Ending:
        """Give the ending of a message that may have been taken.

        Args:
            job, written: the message.
            detail: what is known of it.
            ask_at: when the provider is asked; None: it cannot be.
            may_go_on: the worker that was sending it has not said that its call is over.
        """
        _log.error("send_in_doubt", **self._of(job), detail=detail)
        cost = written.cost if isinstance(written, Message) else None
        ending = self._ending(
            job, written, status="unknown", error_type="interrupted", detail=detail, ask_at=ask_at, cost=cost
        )
        return replace(ending, may_go_on=may_go_on)

    def put_back(
        self,
        job: Job,
        written: Written,
        error: TemporaryError,
        *,
        closed_until: datetime.datetime | None = None,
    ) -> Ending | PutBack:
        """Schedule a job again after a temporary failure, and say until when; or end it, tried too often.

        Args:
            job, written, error: the message, and why it was not taken.
            closed_until: the provider takes nothing, or nothing of this sender, and all wait until then. That is
                no attempt of this message: a day without a provider, or with a wrong password, fails none.
        """
        attempts = job.attempts + 1
        is_word_on_it = closed_until is None and not isinstance(error, FaultError)
        if is_word_on_it and attempts >= self._manner.attempts_max:
            refused = PermanentError(
                error_type="provider_unavailable", detail=f"tried {attempts} times: {error.detail}"
            )
            return self.failed(job, written, refused)
        until = closed_until or self.retry_at(attempts)
        if (asked := self._manner.asked_until(error, now=self._clock())) is not None:
            until = max(until, asked)
        self._sendings.add(job.channel, "put_back")
        _log.warning("send_waits", **self._of(job), detail=error.detail)
        is_ours = self._ledger.put_back(
            job.reminder,
            retry_at=until,
            detail=error.detail[:_TEXT_MAX],
            is_attempt=closed_until is None,
            waits_since=self._clock(),
            give_up_at=self.give_up_at(),
        )
        return PutBack(until=until, is_ours=is_ours)

    def sent_again(self, job: Job, *, detail: str, retry_at: datetime.datetime | None) -> bool:
        """Schedule a job again that was in doubt; whoever holds it. False: that one has lost it meanwhile."""
        self._sendings.add(job.channel, "put_back")
        return self._ledger.put_back(
            job.reminder, retry_at=retry_at, detail=detail[:_TEXT_MAX], owner=job.owner or None
        )

    def postponed(self, job: Job, *, until: datetime.datetime, why: str) -> None:
        """Note that a job waits, unsent; its row says so already."""
        self._sendings.add(job.channel, "capped" if why == "daily_cap" else "put_back")
        _log.info("send_postponed", **self._of(job), until=until.isoformat(), why=why)

    def give_up_at(self) -> datetime.datetime | None:
        """Give the instant at which what waits from now on for somebody else has waited for too long; None: never."""
        days = self._manner.wait_days_max
        return self._clock() + datetime.timedelta(days=days) if days else None

    def given_up(self, job: Job, *, detail: str, error_type: ErrorType = "expired") -> Ending:
        """Give the ending of a job that has waited for days; where it was to go stays on it."""
        days = self._manner.wait_days_max
        error = PermanentError(error_type=error_type, detail=f"given up after {days:g} days: {detail}")
        return replace(self.failed(job, error, error), recipient=job.recipient, subject=job.subject)

    def superseded(self, reminders: Iterable[str]) -> None:
        """Note that jobs have ended because their accounts have changed (R32); their rows say so already."""
        for reminder in reminders:
            self._sendings.add(self._ledger.channel, "superseded")
            events = list(self._events.get(reminder, ()))
            _log.info("send_superseded", reminder=reminder, channel=self._ledger.channel, events=events)

    def ended(self, endings: Sequence[Ending], *, lost: Iterable[str]) -> None:
        """Count endings that are written; those of the jobs in ``lost`` were taken over and are not."""
        missing = set(lost)
        for ending in endings:
            if ending.reminder not in missing:
                self._sendings.add(self._ledger.channel, ending.status)

    def retry_at(self, attempts: int) -> datetime.datetime:
        """Give the instant of the next try after so many."""
        wait_s = self._manner.wait_s(attempts, jitter=self._jitter())
        return self._clock() + datetime.timedelta(seconds=wait_s)

    def _ending(
        self,
        job: Job,
        written: Written,
        *,
        status: DeliveryStatus,
        provider_id: str = "",
        error_type: ErrorType = "",
        detail: str = "",
        ask_at: datetime.datetime | None = None,
        cost: Cost | None = None,
    ) -> Ending:
        return Ending(
            reminder=job.reminder,
            status=status,
            occurred_at=occurred_at(job, now=self._clock()),
            provider_id=provider_id[:_TEXT_MAX],
            error_type=error_type,
            detail=detail[:_TEXT_MAX],
            recipient=recipient_of(written),
            subject=written.subject if isinstance(written, Message) else "",
            ask_at=ask_at,
            cost_currency="" if cost is None else cost.currency,
            cost_micros=0 if cost is None else cost.micros,
            cost_parts=0 if cost is None else cost.parts,
        )


def written_of(
    job: Job, *, render: Callable[[ReminderDecided, ChannelName], Message], faults: Faults
) -> Written:
    """Write a job's message; one that cannot be written is known before it is claimed."""
    return write(_decoder.decode(job.reminder_json), job.channel, render=render, faults=faults)


def write(
    reminder: ReminderDecided,
    channel: ChannelName,
    *,
    render: Callable[[ReminderDecided, ChannelName], Message],
    faults: Faults,
) -> Written:
    """Write a message, or say why it cannot be."""
    try:
        return render(reminder, channel)
    except PermanentError as error:
        return error
    except Exception as error:  # noqa: BLE001 - one message, one template must not end the channel
        return FaultError(faults.told(error, within="write", reminder=reminder.id))


def recipient_of(written: Written) -> str:
    """Give whom a message goes to, as people read it; "" for one that could not be written."""
    if not isinstance(written, Message):
        return ""
    contact = written.contact
    match written.channel:
        case "email":
            return contact.email
        case "sms":
            return contact.phone
        case "letter":
            return ", ".join(contact.address)
        case "task":
            return ", ".join(dict.fromkeys(note.responsible for note in written.tasks if note.responsible))
        case _:
            assert_never(written.channel)

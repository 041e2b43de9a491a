"""What is done about deliveries of which nobody knows whether they went out.

::

    found in `sending`, its worker away  ┐                      taken ──► accepted
    no answer to a call                  ├─► ask the provider ──┼ not taken, and nobody can still be
    `unknown`, and its time to ask       ┘   (if it can say)    │ at it ──► scheduled; tried too often: failed
                                                                └ cannot say ──► unknown, with the evidence;
                                                                                 asked again after a while

That a provider has not got a message proves something only when nobody can still bring it and the
provider has had time to show it. A frozen worker goes on with its call when it wakes: it must be known
to be gone, or must have said itself that its call has ended.
"""

import datetime
from collections.abc import Callable, Sequence
from typing import Final, Literal, get_args

import structlog
from msgspec import Struct

from infra.database.rates import Rest
from infra.database.send_doubts import Doubts, Note, Said, Word
from infra.database.send_ledger import SendLedger
from infra.database.send_values import Ending, Job
from notifiers.channel import (
    Channel,
    Message,
    PermanentError,
    Receipt,
    TemporaryError,
    TracingChannel,
    traits_of,
)
from notifiers.faults import Faults
from notifiers.noting import Manner, Noter, Written
from notifiers.outcomes import occurred_at

__all__ = ["Arbiter"]

_DOUBT: Final = "nobody knows whether it went out: "
_ASKED_AT_ONCE: Final = 50
_ASKED_AGAIN_S_MIN: Final = 30.0
_ASKED_AGAIN_S_MAX: Final = 6 * 3600.0
_ASKED_DAYS_MAX: Final = 7
# A worker that holds something for so long and is not known to be gone is taken for it.
_HELD_S_MAX: Final = 60.0
_log = structlog.get_logger(__name__)


class _Silence(Struct, frozen=True, kw_only=True):
    """The provider's answer decides nothing; ``why`` is for the person who may have to, before ``until`` it asks not to be asked.

    ``was_asked`` False: it had asked that before, and was left alone.
    """

    why: str
    until: datetime.datetime | None = None
    was_asked: bool = True


# "may go again": nobody has said that it was not taken, but twice would be once.
_Found = Receipt | Literal["not taken", "may go again"] | _Silence


class Arbiter:
    """Ends doubts of one channel, or holds them for a person.

    Args:
        ledger: where the jobs are.
        channel: who is asked, if it can say.
        render: writes a job's message once more.
        noter: notes what comes of it.
        manner: whether to hold or to send again what nobody can say.
        clock: the wall clock, UTC.
        is_gone: says whether the worker that held a job is known not to exist any more.
        faults: told of what a channel should not raise when it is asked.
    """

    def __init__(
        self,
        *,
        ledger: SendLedger,
        channel: Channel,
        render: Callable[[Job], Written],
        noter: Noter,
        manner: Manner,
        clock: Callable[[], datetime.datetime],
        is_gone: Callable[[Job], bool],
        faults: Faults,
    ) -> None:
        self._ledger = ledger
        self._doubts = Doubts(ledger.engine, channel=ledger.channel)
        self._channel = channel
        self._traits = traits_of(channel)
        self._render = render
        self._noter = noter
        self._manner = manner
        self._clock = clock
        self._is_gone = is_gone
        self._faults = faults
        # Kept in SQL: it is us whom the provider asks to wait, whichever process, and whichever person, is about to ask.
        self._rest = Rest(name=f"{self._traits.provider}, questions")

    def recover(self, *, partitions: Sequence[int], all_: bool) -> None:
        """Clear up what other workers hold on partitions that are ours.

        Args:
            partitions: ours.
            all_: what any other holds, since the group has just given these to us; else only what
                is held by one that is gone, or has been held for a minute.
        """
        held = [
            job
            for job in self._ledger.interrupted(partitions=partitions)
            if all_ or self._is_gone(job) or self._is_old(job)
        ]
        released = self._ledger.release_claimed([job.reminder for job in held if job.state == "claimed"])
        for reminder in released:
            _log.info("send_released", reminder=reminder, channel=self._ledger.channel)
        for job in held:
            if job.state == "sending":
                self._interrupted(job)

    def no_answer(
        self, job: Job, written: Written, *, detail: str, retry_at: datetime.datetime
    ) -> Ending | None:
        """Judge a call of ours that ended without an answer; None: it is scheduled again."""
        self._note(job, "no_answer", detail)
        return self._judge(job, written, detail=_DOUBT + detail, retry_at=retry_at, by_itself=True)

    def ask(self, *, partitions: Sequence[int]) -> int:
        """Ask the provider about unknown deliveries whose time has come; return how many doubts ended.

        Once it says when to ask again, the others wait until then, too: it speaks to us, not of one delivery.
        """
        ended = 0
        for job in self._doubts.due(partitions=partitions, now=self._clock(), limit=_ASKED_AT_ONCE):
            if self.asks_not_before() is not None:
                break
            ended += self.ask_about(job) in get_args(Said)
        return ended

    def asks_not_before(self) -> datetime.datetime | None:
        """Give until when the provider asks to be asked about nothing; None: it does not."""
        now, until = self._clock(), self._rest.until(self._ledger.engine)
        # One beyond the bound: the clock has been set back since, or the bound is another one.
        latest = now + datetime.timedelta(seconds=self._manner.retry_after_s_max)
        return until if until is not None and now < until <= latest else None

    def ask_about(self, job: Job) -> Said | Literal["cannot say", "asked later"]:
        """Ask the provider about one unknown delivery, and do as it says.

        While it asks to be left alone, it is asked when that is over: by who looks after doubts, without anybody's help.
        """
        found = self._found(job, self._render(job), is_over=_has_ended(job) or self._is_gone(job))
        is_last = job.attempts >= self._manner.attempts_max
        if found == "may go again" and is_last:
            found = _Silence(why=f"it was tried {job.attempts} times, and the provider cannot say")
        if isinstance(found, _Silence):
            ask_at = self._ask_at(job, least=found.until) if found.was_asked else found.until
            self._doubts.ask_again(job.reminder, ask_at=ask_at, note=self._word("not_asked", found.why))
            return "cannot say" if found.until is None or ask_at is None else "asked later"
        said: Said = "accepted" if isinstance(found, Receipt) else "failed" if is_last else "resend"
        detail = "it has the message" if isinstance(found, Receipt) else "it has not got the message"
        if said == "failed":
            detail += f", after {job.attempts} tries"
        self._doubts.resolve(
            job.reminder,
            said=said,
            occurred_at=occurred_at(job, now=self._clock()),
            note=Note(
                at=self._clock(), author=f"provider {self._traits.provider}", what="asked", detail=detail
            ),
            provider_id=found.provider_id if isinstance(found, Receipt) else "",
        )
        _log.info("send_doubt_ended", reminder=job.reminder, channel=job.channel, said=said)
        return said

    def came_late(self, ending: Ending | str, *, detail: str) -> None:
        """Say how a call of ours ended, or that there was none, of a job that was taken from us meanwhile."""
        note = self._word("late_word", detail)
        ended = self._doubts.late_word(ending, owner=self._ledger.owner, note=note)
        reminder = ending if isinstance(ending, str) else ending.reminder
        _log.warning("send_taken_over", reminder=reminder, channel=self._ledger.channel, ended_doubt=ended)

    def _interrupted(self, job: Job) -> None:
        is_gone = self._is_gone(job)
        _log.warning("send_interrupted", reminder=job.reminder, channel=job.channel, is_gone=is_gone)
        since = job.intended_at.isoformat(timespec="milliseconds") if job.intended_at else "?"
        worker = "has ended" if is_gone else "may still exist"
        self._note(
            job, "interrupted", f"worker {job.owner}, which {worker}, was handing it over since {since}"
        )
        detail = _DOUBT + "the worker ended while it was being sent"
        ending = self._judge(
            job, self._render(job), detail=detail, retry_at=None, by_itself=False, is_gone=is_gone
        )
        if ending is not None:
            lost = self._ledger.finish([ending], owner=job.owner)
            self._noter.ended([ending], lost=lost)

    def _judge(
        self,
        job: Job,
        written: Written,
        *,
        detail: str,
        retry_at: datetime.datetime | None,
        by_itself: bool,
        is_gone: bool = False,
    ) -> Ending | None:
        """Say what becomes of a call; ``by_itself``: the worker that made it says that it has ended."""
        found = self._found(job, written, is_over=by_itself or is_gone)
        if isinstance(found, Receipt):
            return self._noter.accepted(job, written, found)
        tries = job.attempts + by_itself  # our own was not counted yet when the job was read
        is_last = tries >= self._manner.attempts_max
        if found == "not taken" and is_last:
            return self._noter.failed(job, written, _tried(tries, detail))
        if is_last or (isinstance(found, _Silence) and self._manner.doubt == "hold"):
            least = found.until if isinstance(found, _Silence) else None
            ask_at = self._ask_at(job, least=least) if isinstance(self._channel, TracingChannel) else None
            return self._noter.unknown(job, written, detail=detail, ask_at=ask_at, may_go_on=not by_itself)
        is_held = self._noter.sent_again(job, detail=detail, retry_at=retry_at)
        if by_itself and not is_held:
            self.came_late(job.reminder, detail="no answer came, and the provider has not got it")
        return None

    def _found(self, job: Job, written: Written, *, is_over: bool) -> _Found:
        """Ask, and believe a no only where nothing can come after it."""
        if not isinstance(written, Message):
            return _Silence(why=f"it cannot be written again: {written.detail}")
        if isinstance(self._channel, TracingChannel):
            found = self._asked(written)
            if isinstance(found, Receipt):
                return found
            if isinstance(found, _Silence):
                return "may go again" if self._traits.is_repeatable else found
            if is_over and self._has_settled(job):
                return "not taken"
        return "may go again" if self._traits.is_repeatable else _Silence(why=self._why_no_is_none(is_over))

    def _asked(self, written: Message) -> Receipt | _Silence | None:
        """Ask the provider; whatever goes wrong with that, the doubt stays and it is asked again later."""
        if not isinstance(self._channel, TracingChannel):
            return _Silence(why="the provider cannot be asked")
        before = self.asks_not_before()
        if before is not None:
            why = f"the provider asks not to be asked before {before.isoformat(timespec='seconds')}"
            return _Silence(why=why, until=before, was_asked=False)
        try:
            return self._channel.find(written)
        except TemporaryError as error:
            _log.warning("send_untraced", reminder=written.reminder, detail=error.detail)
            until = self._manner.asked_until(error, now=self._clock())
            if until is not None:
                self._rest.begin(self._ledger.engine, until=until)
                self._doubts.none_before(until)
            return _Silence(why=f"the provider cannot say: {error.detail}", until=until)
        except Exception as error:  # noqa: BLE001 - one doubt must not end the channel, nor all the others
            return _Silence(why=self._faults.told(error, within="find", reminder=written.reminder))

    def _why_no_is_none(self, is_over: bool) -> str:
        if not isinstance(self._channel, TracingChannel):
            return "the provider cannot be asked"
        if not is_over:
            return "the provider has not got it, and its worker may still bring it"
        return f"the provider has not got it, and may need {self._traits.settles_s:g} s to show what it has"

    def _has_settled(self, job: Job) -> bool:
        if self._traits.settles_s <= 0.0 or job.intended_at is None:
            return self._traits.settles_s <= 0.0
        return (self._clock() - job.intended_at).total_seconds() >= self._traits.settles_s

    def _is_old(self, job: Job) -> bool:
        since = job.intended_at or job.held_since
        return since is None or (self._clock() - since).total_seconds() >= _HELD_S_MAX

    def _ask_at(self, job: Job, *, least: datetime.datetime | None) -> datetime.datetime | None:
        """Give the next instant to ask: after as long again as the doubt is old; after a week nobody asks."""
        now = self._clock()
        age_s = (now - (job.intended_at or now)).total_seconds()
        if age_s > datetime.timedelta(days=_ASKED_DAYS_MAX).total_seconds():
            return None
        first_s = max(_ASKED_AGAIN_S_MIN, self._traits.settles_s)
        ask_at = now + datetime.timedelta(seconds=min(_ASKED_AGAIN_S_MAX, max(first_s, age_s)))
        return ask_at if least is None else max(ask_at, least)

    def _note(self, job: Job, what: Word, detail: str) -> None:
        self._doubts.note(job.reminder, self._word(what, detail))

    def _word(self, what: Word, detail: str) -> Note:
        return Note(at=self._clock(), author=self._ledger.owner or "a person", what=what, detail=detail)


def _tried(times: int, detail: str) -> PermanentError:
    return PermanentError(error_type="provider_unavailable", detail=f"tried {times} times: {detail}")


def _has_ended(job: Job) -> bool:
    """Say whether the worker that made the call has said itself that it is over: it is not at it any more."""
    return job.state == "unknown" and job.held_since is None and job.intended_at is not None

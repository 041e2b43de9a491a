"""What happens to the jobs of one channel: taken, carried, noted. No Kafka here, and no waiting.

::

    ready ──► write ──► gates ──► claim (R32) ──► law ──► intend (R32 again) ──► channel.send ──► finish
                        │ put off │ overtaken:    │ put off   │ overtaken:       ├ temporary: put back, with a wait
                        │         │ superseded    │           │ superseded       ├ permanent: failed
                                  │ not yet fresh: left alone │ not ours: left   └ uncertain: see `doubt`

A worker that dies before `intend` has handed over nothing: what it had claimed is simply taken back.
"""

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

import structlog
from msgspec import json

from infra.database.fit_text import fit_json
from infra.database.send_ledger import SendLedger
from infra.database.send_values import Claim, Ending, Job, NewJob
from infra.metrics.tally import Tally
from notifiers.carrying import Answer, Carrier, Parcel
from notifiers.channel import (
    Channel,
    MarkingChannel,
    Message,
    PermanentError,
    Receipt,
    TemporaryError,
    TendedChannel,
    traits_of,
)
from notifiers.doubt import Arbiter
from notifiers.faults import FaultError, Faults
from notifiers.following import events_behind
from notifiers.gates.gate import Candidate, Gate, Screen, Wait, all_pass, asked
from notifiers.gates.law import allowed_at
from notifiers.noting import Manner, Noter, Written, sendings_tally, write, written_of
from notifiers.outages import Outages, Pause
from notifiers.outcomes import occurred_at
from notifiers.patience import Patience
from notifiers.reading import ReadReminder
from schemas.facts import ReminderDecided
from schemas.fields import Channel as ChannelName
from schemas.law import LawTerms

__all__ = ["Dispatcher", "Manner", "sendings_tally"]

_Of = TypeVar("_Of", int, str)
_BATCH: Final = 50
# What was claimed and has not had its turn by then is given back, so that the loop reads and stops in time.
_RUN_S_MAX: Final = 5.0
_LOOK_AFTER_S: Final = 5.0
_log = structlog.get_logger(__name__)
_decoder = json.Decoder(ReminderDecided)


class Dispatcher:
    """Runs the jobs of one channel.

    Args:
        ledger: where they are.
        channel: who carries them.
        render: writes a reminder for a channel, or raises `PermanentError`.
        manner: what to do when it goes wrong.
        clock: the wall clock, UTC.
        jitter: gives a number in [0, 1).
        is_gone: says whether the worker that held a job is known not to exist any more.
        gates: what may put a delivery off before it is claimed, asked in this order.
        screen: says which of some reminders must not be written to where they go, and why; asked once a round.
        sendings: counts the attempts by how they ended.
        prepare: told which jobs are about to be written, all of a round at once.
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
        is_gone: Callable[[Job], bool],
        gates: Sequence[Gate] = (),
        screen: Screen = all_pass,
        sendings: Tally | None = None,
        prepare: Callable[[Sequence[Job]], None] | None = None,
    ) -> None:
        self._ledger = ledger
        self._prepare = prepare
        self._render = render
        self._screen = screen
        self._clock = clock
        self._gates = gates
        self._manner = manner
        self._partitions: list[int] = []
        self._channel = channel
        self._traits = traits_of(channel)
        sendings = sendings or sendings_tally()
        self._faults = Faults(ledger.channel, sendings=sendings)
        self._carrier = Carrier(channel, clock=clock, faults=self._faults)
        self._noter = Noter(ledger=ledger, manner=manner, clock=clock, jitter=jitter, sendings=sendings)
        self._patience = Patience(ledger=ledger, noter=self._noter, days=manner.wait_days_max, clock=clock)
        self._arbiter = Arbiter(
            ledger=ledger,
            channel=channel,
            render=partial(written_of, render=render, faults=self._faults),
            noter=self._noter,
            manner=manner,
            clock=clock,
            is_gone=is_gone,
            faults=self._faults,
        )
        self._outages = Outages[int](clock=clock, retry_at=self._noter.retry_at)
        self._refused = Outages[str](clock=clock, retry_at=self._noter.retry_at)
        # Since and until when; a clock that was set back ends it.
        self._channel_waits: tuple[datetime.datetime, datetime.datetime] | None = None
        self._batch = _BATCH
        self._looked_after_at: datetime.datetime | None = None

    @property
    def closed(self) -> set[int]:
        """Partitions whose jobs wait because the provider takes nothing at present."""
        return self._outages.closed

    @property
    def pause(self) -> Pause | None:
        """Until when nothing goes, of some partitions at least, and why; None: nothing stands in the way."""
        if (
            self._channel_waits is not None
            and self._channel_waits[0] <= self._clock() < self._channel_waits[1]
        ):
            return self._outages.pause or Pause(until=self._channel_waits[1], why="pace")
        return self._outages.pause

    def record(self, reminders: Iterable[ReadReminder]) -> int:
        """Note the deliveries of these reminders that are this channel's; return how many they are.

        Repetitions change nothing.
        """
        jobs, told = [], []
        for read in reminders:
            deliveries = read.reminder.deliveries
            mine = [each.not_before for each in deliveries if each.channel == self._ledger.channel]
            if mine:
                jobs.append(_job_of(read, not_before=min(mine)))
                told.append(read.reminder)
        self._ledger.record(jobs)
        self._tell_recorded(told)
        return len(jobs)

    def run(self, *, partitions: Iterable[int]) -> int:
        """Move the jobs that can be moved now, up to a batch; return how many were taken, put off or ended."""
        now = self._clock()
        if self._channel_waits is not None and self._channel_waits[0] <= now < self._channel_waits[1]:
            return 0
        closed = self.closed
        self._partitions = list(partitions)
        open_partitions = [each for each in self._partitions if each not in closed]
        jobs = self._ledger.ready(
            partitions=open_partitions, now=now, limit=self._batch, without=self._refused.closed
        )
        if not jobs:
            return 0
        self._get_ready(jobs)
        reminders = {job.reminder: _decoder.decode(job.reminder_json) for job in jobs}
        self._noter.about(events_behind(reminders.values(), causes=self._ledger.causes))
        written = self._write(reminders)
        waits = self._ask_gates(jobs, written)
        may_go = [job for job in jobs if job.reminder not in waits]
        self._plan_batch(len(may_go))
        claims = {job.reminder: self._claim_of(job, written[job.reminder]) for job in may_go}
        taken, superseded = self._ledger.claim(list(claims.values()), now=self._clock())
        self._noter.superseded(superseded)
        laws = {name: each.law for name, each in reminders.items()}
        self._carry(
            [job for job in may_go if job.reminder in taken], claims=claims, written=written, laws=laws
        )
        put_off = sum(each.holds == "delivery" for each in waits.values())
        return put_off + len(taken) + len(superseded)

    def tend(self) -> None:
        """Let the channel do what it has to do beside its messages."""
        if not isinstance(self._channel, TendedChannel):
            return
        try:
            self._channel.tend()
        except Exception as error:  # noqa: BLE001 - no message waits for it, and none may end by it
            self._faults.told(error, within="tend")

    def recover(self, *, partitions: Sequence[int]) -> None:
        """Clear up what other workers hold on partitions that are ours now."""
        self._outages.forget()
        self._refused.forget()
        self._patience.reckon(partitions=partitions)
        self._arbiter.recover(partitions=partitions, all_=True)

    def look_after(self, *, partitions: Sequence[int]) -> int:
        """Every few seconds, ask about what is in doubt, clear up after workers that are gone, and give up what waits for days.

        Returns how many doubts and waits have ended.
        """
        now = self._clock()
        last = self._looked_after_at
        if last is not None and 0.0 <= (now - last).total_seconds() < _LOOK_AFTER_S:
            return 0
        self._looked_after_at = now
        self._arbiter.recover(partitions=partitions, all_=False)
        return self._patience.give_up(partitions=partitions) + self._arbiter.ask(partitions=partitions)

    def _get_ready(self, jobs: Sequence[Job]) -> None:
        """Tell who prepares which jobs come next; what it does not do then is done when each is written."""
        if self._prepare is None:
            return
        try:
            self._prepare(jobs)
        except Exception as error:  # noqa: BLE001 - only what one of them wants can be at fault
            self._faults.told(error, within="prepare")

    def _write(self, reminders: Mapping[str, ReminderDecided]) -> dict[str, Written]:
        """Write messages; what must not go where it would is asked last: meanwhile somebody may have said stop."""
        channel = self._ledger.channel
        made = {
            name: write(each, channel, render=self._render, faults=self._faults)
            for name, each in reminders.items()
        }
        return {**made, **self._screen(list(reminders.values()), channel)}

    # -- what must wait ----------------------------------------------------------------------

    def _ask_gates(self, jobs: Sequence[Job], written: dict[str, Written]) -> dict[str, Wait]:
        """Ask every gate about what the ones before it let through; note what has to wait.

        What is overtaken (R32) has to end, not to wait. What a gate breaks over is not ``written`` any more.
        """
        left = [
            Candidate(job=job, message=message)
            for job in jobs
            if isinstance(message := written[job.reminder], Message) and not job.is_overtaken
        ]
        waits: dict[str, Wait] = {}
        for gate in self._gates:
            held, broken = asked(gate, left, now=self._clock(), faults=self._faults)
            waits |= held
            written |= broken
            left = [
                each for each in left if each.job.reminder not in held and each.job.reminder not in broken
            ]
        by_name = {job.reminder: job for job in jobs}
        put_off = {name: wait for name, wait in waits.items() if wait.holds == "delivery"}
        self._patience.put_off({name: by_name[name] for name in put_off}, waits=put_off)
        whole = [wait.until for wait in waits.values() if wait.holds == "channel"]
        self._channel_waits = (self._clock(), min(whole)) if whole else None
        return waits

    def _claim_of(self, job: Job, written: Written) -> Claim:
        mark = ""
        if isinstance(self._channel, MarkingChannel) and isinstance(written, Message):
            try:
                mark = self._channel.mark(written)
            except Exception as error:  # noqa: BLE001 - a doubt of it could be told apart less well, no more
                self._faults.told(error, within="send", reminder=job.reminder)
        return self._noter.claim_of(job, written, traits=self._traits, mark=mark)

    def _plan_batch(self, let_go: int) -> None:
        """Write no more messages next time than may go at the pace of this one: a letter costs more than its wait."""
        room = 2 * let_go if self._channel_waits is not None else 2 * self._batch
        self._batch = min(_BATCH, max(1, room))

    def _law_waits(self, job: Job, *, law: LawTerms | None) -> Wait | FaultError | None:
        """Ask the law, once the claim shows others that we are about to write to this person."""
        if law is None or job.channel == "task":
            return None
        now = self._clock()
        try:
            at = allowed_at(self._ledger.engine, job, law=law, now=now)
        except Exception as error:  # noqa: BLE001 - what cannot be judged does not go; others do
            return FaultError(self._faults.told(error, within="law", reminder=job.reminder))
        if at <= datetime.datetime.fromisoformat(occurred_at(job, now=now)):
            return None
        detail = f"the law ({law.profile}) allows it from {at.isoformat()}"
        return Wait(until=at, why="law", detail=detail)

    # -- what goes ---------------------------------------------------------------------------

    def _carry(
        self,
        taken: Sequence[Job],
        *,
        claims: dict[str, Claim],
        written: dict[str, Written],
        laws: Mapping[str, LawTerms | None],
    ) -> None:
        """Have claimed jobs carried, wave by wave; give back what had no turn."""
        open_ = {job.reminder for job in taken}
        uncalled: set[str] = set()
        endings: list[Ending] = []
        parcels: list[Parcel] = []
        for job in taken:
            message = written[job.reminder]
            if isinstance(message, PermanentError):
                endings.append(self._noter.failed(job, message, message))
                continue
            held = (
                message if isinstance(message, FaultError) else self._law_waits(job, law=laws[job.reminder])
            )
            if isinstance(held, FaultError):
                self._noter.put_back(job, message, held)
            elif isinstance(held, Wait):
                over = self._patience.over(job, held)
                if over is None:
                    self._patience.put_off({job.reminder: job}, waits={job.reminder: held})
                else:
                    endings.append(over)
            elif isinstance(message, Message):
                parcels.append(Parcel(job=job, claim=claims[job.reminder], message=message))
        started_at = self._clock()
        while parcels and (self._clock() - started_at).total_seconds() <= _RUN_S_MAX:
            wave, parcels = parcels[: self._carrier.wave_max], parcels[self._carrier.wave_max :]
            going = self._intend(wave, endings)
            endings = []
            for parcel, answer in self._carrier.carry(going):
                if answer == "not called":
                    uncalled.add(parcel.job.reminder)
                    parcels.append(parcel)
                    continue
                uncalled.discard(parcel.job.reminder)
                open_.discard(parcel.job.reminder)
                ending = self._ending_of(parcel, answer)
                endings += [] if ending is None else [ending]
            closed, refused = self.closed, self._refused.closed
            parcels = [
                each
                for each in parcels
                if each.job.partition not in closed and each.job.company not in refused
            ]
        open_ -= {each.reminder for each in endings}
        self._finish(endings)
        # What was intended, not handed over, and is not ours to give back was taken for handed over.
        for name in sorted(uncalled - self._ledger.release(open_)):
            self._arbiter.came_late(name, detail="it was not handed over")

    def _intend(self, wave: Sequence[Parcel], endings: Sequence[Ending]) -> list[Parcel]:
        """Write the intent of a wave, and how the one before it ended; give what may be handed over now."""
        intended = self._ledger.intend([each.claim for each in wave], now=self._clock(), endings=endings)
        self._noter.superseded(intended.superseded)
        self._ended(endings, lost=intended.lost)
        # What is neither was taken from us, or the reader has fallen behind: that is given back at the end.
        return [each for each in wave if each.job.reminder in intended.going]

    def _ending_of(self, parcel: Parcel, answer: Answer) -> Ending | None:
        """Judge one answer; None: the job is put back."""
        job, message = parcel.job, parcel.message
        if isinstance(answer, Receipt | PermanentError):
            self._judges_again(job)
        if isinstance(answer, Receipt):
            return self._noter.accepted(job, message, answer)
        if isinstance(answer, PermanentError):
            return self._noter.failed(job, message, answer)
        if isinstance(answer, TemporaryError):
            put_back = self._noter.put_back(job, message, answer, closed_until=self._held_until(job, answer))
            if isinstance(put_back, Ending):
                return put_back
            if not put_back.is_ours:
                self._arbiter.came_late(job.reminder, detail=f"it was not taken: {answer.detail}")
            return None
        if answer == "not called":
            raise AssertionError(f"{job.reminder} was not handed over: there is nothing to judge")
        return self._arbiter.no_answer(
            job, message, detail=answer.detail, retry_at=self._noter.retry_at(job.attempts + 1)
        )

    def _held_until(self, job: Job, answer: TemporaryError) -> datetime.datetime | None:
        """Give until when all of a partition, or of a company, waits; None: this message alone. The others wait from now on."""
        least = self._manner.asked_until(answer, now=self._clock())
        if answer.provider_down:
            # A provider that says when speaks to all of us: what is of other partitions must not ask it before.
            if least is not None:
                for each in self._partitions:
                    if each != job.partition:
                        self._rests(each, least=least)
            return self._held(self._outages, job.partition, least=least)
        return self._held(self._refused, job.company, least=least) if answer.sender_refused else None

    def _held(self, outages: Outages[_Of], one: _Of, *, least: datetime.datetime | None) -> datetime.datetime:
        is_new = one not in outages.closed
        until = outages.down(one, least=least)
        if is_new:
            self._ledger.waits.wait_with(one, now=self._clock(), give_up_at=self._noter.give_up_at())
        return until

    def _rests(self, partition: int, *, least: datetime.datetime) -> None:
        """Have a partition wait that has not tried itself: the wait is not longer for having tried in vain."""
        is_new = partition not in self.closed
        self._outages.rest(partition, least=least)
        if is_new:
            self._ledger.waits.wait_with(partition, now=self._clock(), give_up_at=self._noter.give_up_at())

    def _judges_again(self, job: Job) -> None:
        """Note that the provider has judged a message: what waited with it waits no more."""
        if self._outages.answered(job.partition):
            self._ledger.waits.wait_no_more(job.partition, now=self._clock(), but=self._refused.closed)
        if self._refused.answered(job.company):
            self._ledger.waits.wait_no_more(job.company, now=self._clock())

    def _finish(self, endings: Sequence[Ending]) -> None:
        self._ended(endings, lost=self._ledger.finish(endings))

    def _ended(self, endings: Sequence[Ending], *, lost: Sequence[str]) -> None:
        self._noter.ended(endings, lost=lost)
        for ending in endings:
            if ending.reminder in lost:
                self._arbiter.came_late(
                    ending, detail=f"{ending.status}: {ending.provider_id or ending.detail}"
                )

    def _tell_recorded(self, reminders: Sequence[ReminderDecided]) -> None:
        """Tell which items and events reminders are about: from one of them to what was sent for it."""
        events = events_behind(reminders, causes=self._ledger.causes)
        for reminder in reminders:
            _log.info(
                "reminder_recorded",
                reminder=reminder.id,
                account=reminder.account,
                channel=self._ledger.channel,
                step=reminder.step,
                tick=reminder.tick.isoformat(),
                items=[each.item for each in reminder.items],
                events=events[reminder.id],
            )


def _job_of(read: ReadReminder, *, not_before: datetime.datetime) -> NewJob:
    reminder = read.reminder
    return NewJob(
        reminder=reminder.id,
        account=reminder.account,
        company=reminder.company,
        partition=read.partition,
        mode=reminder.mode,
        tick=reminder.tick,
        not_before=not_before,
        decision_version=reminder.decision_version,
        reminder_json=fit_json(read.text.encode()).decode(),
    )

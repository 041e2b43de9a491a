"""The way of words to the ledger: each one becomes an outcome, a command, or a dead letter; never nothing.

::

    waiting ──► its delivery is found ──► outcome to Kafka ──► said
       │   ├──► a reader's stop, start ──► opt-out, opt-in of each account written to there ──► said
       │   ├──► a reader's reply ─────────► a task of the account written to last ──► said
       │   │                                (who was merged meanwhile: of the one that lives)
       │   └──► a delay, or neither a yes nor a no ────────────────────────────────► noted
       └──► nobody's, for longer than the patience ──► dead letter ──► dead

A word over which this breaks is tried again while the patience lasts, and is a dead letter then; others go on.
What is sent twice (a crash between Kafka and SQL) has the same id and counts once. An address that
bounced for good, complained or said stop goes on the list of those not written to; start takes off it
what stop has put there, and what a number that writes to us disproves.
"""

import datetime
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import structlog
from msgspec import Struct, json
from msgspec.structs import replace

from infra.database.engine import again_if_undone, writing
from infra.database.feedback import FeedbackInbox, Heard, SentJob, Settled, Word
from infra.database.send_doubts import Doubts, Note
from infra.database.suppressions import Suppression, normal_address, release, suppress
from infra.kafka.consumers import acknowledged
from infra.metrics.tally import Tally
from processors.fates import error_of
from schemas.codec import TOPIC_OF_TYPE, encode, type_of
from schemas.commands import OptIn, OptOut, RecordReply
from schemas.dead_letters import DeadLetter, dead_letter_headers
from schemas.envelope import Envelope, to_headers
from schemas.facts import ReminderDecided
from schemas.fields import Channel, split_account_id
from schemas.journal import SourceEvent
from schemas.outcomes import OutcomeReported
from schemas.registry import dead_letter_of

__all__ = ["FeedbackPublisher", "feedback_letters", "feedback_tally"]

_SOURCE: Final = "/cobranza/feedback/"
_OUTCOMES: Final = "notify.outcome.v1"
_BATCH: Final = 200
_LEASE: Final = datetime.timedelta(seconds=60)
_LOOK_AGAIN: Final = datetime.timedelta(seconds=2)
_MENDED: Final = datetime.timedelta(seconds=60)  # so long a word waits over which something broke
_FAULT: Final = "fault"
_UNKNOWN: Final = "unknown_delivery"
_STAGE: Final = "feedback"
_FATES: Final = ("delivered", "bounced", "returned", "complained", "failed")
_SAID: Final = (*_FATES, "delayed", "unclear", "stop", "start", "reply", "unknown", _FAULT)
# Why nobody is written to there again, and whether the reason is the address itself, for every company.
_FOR_ALL: Final = frozenset(
    {"address_bounced", "address_suppressed", "number_unreachable", "letter_returned"}
)
_FOR_COMPANY: Final = frozenset({"complaint", "opted_out"})
_STOPS: Final = frozenset({"complaint", "opted_out"})
_LIFTED_BY_START: Final = ("opted_out", "number_unreachable")
_log = structlog.get_logger(__name__)
_decoder = json.Decoder(ReminderDecided)


class Sender(Protocol):
    """What a Kafka producer is to us."""

    def send(self, topic: str, value: bytes, **more: Any) -> Any:
        """Hand a record over; the future that it gives is done when it is written."""
        ...


def feedback_tally(*, channels: Sequence[Channel] = ("email", "sms", "letter")) -> Tally:
    """Make the count of what came back, by channel and word."""
    known = [(channel, said) for channel in channels for said in _SAID]
    return Tally("cobranza_feedback_total", known=known)


def feedback_letters(*, source: str) -> list[tuple[str, str, str]]:
    """List stage, topic and reason of the dead letters that may come; ``source``: physical name of the outcomes' topic."""
    return [(_STAGE, source, reason) for reason in (_UNKNOWN, _FAULT)]


class _Record(Struct, frozen=True, kw_only=True):
    """A record as Kafka takes it; ``topic`` is the physical name."""

    topic: str
    value: bytes
    key: bytes
    headers: Any


class _Said(Struct, frozen=True, kw_only=True):
    """What follows from a word: records to send, how the word is settled, and who goes on or off the list.

    ``ready`` are the records as they are sent; ``fault``: what broke over a word, which is why it is dead.
    """

    settled: Settled
    records: tuple[tuple[Envelope, SourceEvent], ...] = ()
    ready: tuple[_Record, ...] = ()
    fault: str = ""
    suppressed: tuple[Suppression, ...] = ()
    released: tuple[tuple[Channel, str, str], ...] = ()


class FeedbackPublisher:
    """Takes words from the inbox to Kafka; one round is a ``step``.

    Args:
        inbox: where they are.
        sender: a producer.
        topic_name: gives the physical name of a topic.
        clock: the wall clock, UTC.
        patience_s: so long a word waits for its delivery.
        tally: counts them (``feedback_tally``).
        letters: counts the dead letters (``feedback_letters``).
        stopping: says whether to wait for the broker no more.
    """

    def __init__(
        self,
        *,
        inbox: FeedbackInbox,
        sender: Sender,
        topic_name: Callable[[str], str],
        clock: Callable[[], datetime.datetime],
        patience_s: float,
        tally: Tally | None = None,
        letters: Tally | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._inbox = inbox
        self._sender = sender
        self._topic_name = topic_name
        self._clock = clock
        self._patience = datetime.timedelta(seconds=patience_s)
        self._tally = tally or feedback_tally()
        self._letters = letters or Tally("cobranza_dead_letters_total")
        self._stopping = stopping

    def step(self) -> int:
        """Deal with what waits, up to a batch; return how many words were settled.

        Raises:
            KafkaError: the broker does not take them; they wait.
        """
        now = self._clock()
        heard = self._inbox.claim(now=now, until=now + _LEASE, limit=_BATCH)
        if not heard:
            return 0
        said: list[tuple[Heard, _Said]] = []
        early: dict[datetime.timedelta, list[str]] = {_LOOK_AGAIN: [], _MENDED: []}
        for each in heard:
            what = self._judged(each, now=now)
            if isinstance(what, _Said):
                said.append((each, what))
            else:
                early[what].append(each.word.word)
        for wait, words in early.items():
            if words:
                self._inbox.put_back(words, until=now + wait)
        self._send(said)
        self._note(said)
        return len(said)

    # -- what follows ----------------------------------------------------------

    def _judged(self, heard: Heard, *, now: datetime.datetime) -> _Said | datetime.timedelta:
        """Give what follows from a word, ready to be sent; or how long it is left alone."""
        word = heard.word
        try:
            what = self._what_follows(heard, now=now)
            return _LOOK_AGAIN if what is None else replace(what, ready=tuple(map(self._ready, what.records)))
        except Exception as error:  # noqa: BLE001 - one word must not keep back all others, nor end the channels
            _log.exception("feedback_broke", word=word.word, source=word.source, reminder=word.reminder)
            self._tally.add(word.channel, _FAULT)
            if now - heard.received_at < self._patience:
                return _MENDED
            return _dead(word, fault=type(error).__name__)

    def _what_follows(self, heard: Heard, *, now: datetime.datetime) -> _Said | None:
        """Give what follows from a word; None: it is too early to say."""
        word = heard.word
        if word.said in ("delayed", "unclear"):
            return _Said(settled=Settled(word=word.word, state="noted", reminder=word.reminder))
        is_late = now - heard.received_at >= self._patience
        if word.said in ("stop", "start", "reply"):
            return self._of_reader(word, is_late=is_late)
        job = self._inbox.job_of(word)
        if job is None:
            return _dead(word) if is_late else None
        if not job.published and not is_late:
            return None  # its sender is heard first, though the ledger would not mind
        what = _fate_of_copy(word, job) if _is_of_copy(word, job) else _fate(word, job)
        living = self._inbox.living(job.account)
        if living == job.account or not what.records or _error_of(word) not in _STOPS:
            return what
        # The delivery is of the account that it was decided for; whom it reached is somebody else's by now.
        stop = _opting(replace(word, said="stop"), replace(job, account=living))
        return replace(what, records=(*what.records, stop))

    def _of_reader(self, word: Word, *, is_late: bool) -> _Said | None:
        jobs = self._jobs_to(word)
        if not jobs and word.said == "reply":
            return _dead(word) if is_late else None
        if word.said == "reply":
            return _reply(word, replace(jobs[0], account=self._inbox.living(jobs[0].account)))
        newest = {job.account: job for job in reversed(jobs)}
        for job in list(newest.values()):
            newest.setdefault(living := self._inbox.living(job.account), replace(job, account=living))
        return _stop_or_start(word, [newest[name] for name in sorted(newest)])

    def _jobs_to(self, word: Word) -> list[SentJob]:
        """List what was sent to whom a word comes from, the newest first."""
        if word.reminder:
            job = self._inbox.job_of(word)
            return [] if job is None else [job]
        return self._inbox.jobs_to(word.address, channel=word.channel)

    # -- done ------------------------------------------------------------------

    def _send(self, said: Sequence[tuple[Heard, _Said]]) -> None:
        futures = [
            self._sender.send(each.topic, each.value, key=each.key, headers=each.headers)
            for _, what in said
            for each in what.ready
        ]
        dead = [(each, self._letter(each, what)) for each, what in said if what.settled.state == "dead"]
        futures += [self._put_aside(each, letter) for each, letter in dead]
        for future in futures:
            acknowledged(future, stopping=self._stopping)
        for _, letter in dead:
            self._letters.add(letter.stage, letter.topic, letter.reason)

    def _ready(self, record: tuple[Envelope, SourceEvent]) -> _Record:
        envelope, event = record
        return _Record(
            topic=self._topic_name(TOPIC_OF_TYPE[envelope.type]),
            value=encode(event),
            key=envelope.subject.encode(),
            headers=to_headers(envelope),
        )

    def _letter(self, heard: Heard, what: _Said) -> DeadLetter:
        """Say of a word that it is of nobody, or what broke over it."""
        word = heard.word
        broke = f" broke by {what.fault}" if what.fault else ""
        return DeadLetter(
            reason=_FAULT if what.fault else _UNKNOWN,
            detail=f"{word.source}: {word.said} of {word.reminder or word.provider_id or word.address or 'nothing'}"
            f"{broke}; cobranza feedback retry has it looked for again",
            stage=_STAGE,
            topic=self._topic_name(_OUTCOMES),
            partition=-1,
            offset=-1,
        )

    def _put_aside(self, heard: Heard, letter: DeadLetter) -> Any:
        """Put a word where other records are that could not be used."""
        word = heard.word
        headers = dead_letter_headers(letter, original=[("cobranza_feedback", word.word.encode())])
        target = self._topic_name(dead_letter_of(_OUTCOMES))
        return self._sender.send(target, json.encode(word), key=word.word.encode(), headers=headers)

    @again_if_undone
    def _note_suppressed(self, said: Sequence[tuple[Heard, _Said]]) -> None:
        """Put addresses on the list of who is not written to, and take them from it."""
        with writing(self._inbox.engine) as connection:
            for _, what in said:
                for entry in what.suppressed:
                    suppress(connection, entry)
                for channel, address, company in what.released:
                    release(
                        connection,
                        channel=channel,
                        address=address,
                        company=company,
                        reasons=_LIFTED_BY_START,
                    )

    def _note(self, said: Sequence[tuple[Heard, _Said]]) -> None:
        self._note_suppressed(said)
        for heard, what in said:
            if heard.word.said in _FATES and what.settled.state == "said":
                envelope, _ = what.records[0]
                self._end_doubt(heard.word, reminder=what.settled.reminder, occurred_at=envelope.time)
        self._inbox.settle([what.settled for _, what in said])
        for heard, what in said:
            word = heard.word
            if word.said == "unclear":  # a person may know what to make of it, or tell us
                _log.warning(
                    "feedback_unclear", source=word.source, reminder=word.reminder, detail=word.detail
                )
            label = "unknown" if what.settled.state == "dead" else word.said
            if not what.fault:  # that is counted
                self._tally.add(word.channel, label)
            _log.info(
                "feedback",
                source=word.source,
                said=label,
                channel=word.channel,
                reminder=what.settled.reminder,
                account=what.settled.account,
                error=word.error_type,
                records=len(what.records),
            )

    def _end_doubt(self, word: Word, *, reminder: str, occurred_at: str) -> None:
        """A provider that says what became of a delivery has had it: nobody need ask, and nobody may send it again."""
        said = f"{word.said} {word.detail}".strip()
        Doubts(self._inbox.engine, channel=word.channel).resolve(
            reminder,
            said="accepted",
            occurred_at=occurred_at,
            note=Note(at=self._clock(), author=f"provider ({word.source})", what="said", detail=said),
            provider_id=word.provider_id,
        )


def _error_of(word: Word) -> str:
    return word.error_type or ("complaint" if word.said == "complained" else "")


def _dead(word: Word, *, fault: str = "") -> _Said:
    return _Said(settled=Settled(word=word.word, state="dead", reminder=word.reminder), fault=fault)


def _fate(word: Word, job: SentJob) -> _Said:
    """Say the fate of a delivery: one outcome per (reminder, channel, fate), however often it is told."""
    company, customer = split_account_id(job.account)
    address = _address(word, job)
    outcome = OutcomeReported(
        company=company,
        customer=customer,
        occurred_at=_instant(word, job),
        reminder=job.reminder,
        channel=job.channel,
        status=word.said,  # type: ignore[arg-type]  # one of the fates
        provider_id=word.provider_id,
        error_type=word.error_type,
        detail=word.detail,
        address=address,
    )
    envelope = Envelope(
        id=f"{job.reminder}/{job.channel}/{word.said}",
        source=_SOURCE + word.source,
        type=type_of(outcome),
        time=outcome.occurred_at,
        subject=job.account,
    )
    settled = Settled(word=word.word, state="said", reminder=job.reminder, account=job.account)
    entry = _suppression(word, outcome)
    return _Said(
        settled=settled, records=((envelope, outcome),), suppressed=() if entry is None else (entry,)
    )


def _address(word: Word, job: SentJob) -> str:
    """Give the address as the reminder had it; where it went elsewhere (a rehearsal), what the provider says."""
    reminder = _decoder.decode(job.reminder_json)
    contact = next((each.contact for each in reminder.deliveries if each.channel == job.channel), None)
    if contact is None:
        return word.address
    known = {"email": contact.email, "sms": contact.phone, "letter": ", ".join(contact.address)}
    meant = known.get(job.channel, "")
    went_to = word.address or job.recipient
    is_same = normal_address(went_to, channel=job.channel) == normal_address(meant, channel=job.channel)
    return meant if is_same or not went_to else went_to


def _is_of_copy(word: Word, job: SentJob) -> bool:
    """Say whether a word is of somebody who got a copy: whom the mail is for has it all the same (B-13)."""
    if job.channel != "email" or not word.address:
        return False
    said = normal_address(word.address, channel=job.channel)
    if said == normal_address(job.recipient, channel=job.channel):
        return False
    reminder = _decoder.decode(job.reminder_json)
    mails = [each for each in reminder.deliveries if each.channel == job.channel]
    to = {normal_address(each.contact.email, channel=job.channel) for each in mails}
    copies = {normal_address(one.email, channel=job.channel) for each in mails for one in each.cc}
    return said in copies - to


def _fate_of_copy(word: Word, job: SentJob) -> _Said:
    """No fate of the delivery, and no wish of the customer's: no more copies to that address, where it is bad or complains."""
    company, customer = split_account_id(job.account)
    outcome = OutcomeReported(
        company=company,
        customer=customer,
        occurred_at=_instant(word, job),
        reminder=job.reminder,
        channel=job.channel,
        status=word.said,  # type: ignore[arg-type]  # one of the fates
        error_type=word.error_type,
        address=word.address,
    )
    entry = _suppression(word, outcome)
    settled = Settled(word=word.word, state="noted", reminder=job.reminder, account=job.account)
    return _Said(settled=settled, suppressed=() if entry is None else (entry,))


def _instant(word: Word, job: SentJob) -> str:
    """With a played journal an outcome has the business time of the delivery's own (DESIGN 4)."""
    return word.occurred_at if job.mode == "live" or not job.occurred_at else job.occurred_at


def _suppression(word: Word, outcome: OutcomeReported) -> Suppression | None:
    """Say who is not written to any more, by the ledger's own reading of what is wrong."""
    error = error_of(outcome)
    if not outcome.address or error not in _FOR_ALL | _FOR_COMPANY or word.said == "delivered":
        return None
    return Suppression(
        channel=outcome.channel,
        address=outcome.address,
        company="" if error in _FOR_ALL else outcome.company,
        reason=error,
        source=word.source,
        since=datetime.datetime.fromisoformat(word.occurred_at),
        detail=word.detail[:500],
    )


def _stop_or_start(word: Word, jobs: Sequence[SentJob]) -> _Said:
    """Opt out, or in again, each account that was written to at this address; of nobody we know, the address alone."""
    records = tuple(_opting(word, job) for job in jobs)
    companies = sorted({job.company for job in jobs}) or [""]
    account = jobs[0].account if len(jobs) == 1 else ""
    settled = Settled(word=word.word, state="said", reminder=word.reminder, account=account)
    if word.said == "start":
        address = word.address
        return _Said(
            settled=settled,
            records=records,
            released=tuple((word.channel, address, each) for each in {*companies, ""}),
        )
    entry = Suppression(
        channel=word.channel,
        address=word.address,
        company="",
        reason="opted_out",
        source=word.source,
        since=datetime.datetime.fromisoformat(word.occurred_at),
        detail=word.reply[:200],
    )
    entries = tuple(replace(entry, company=each) for each in companies)
    return _Said(settled=settled, records=records, suppressed=entries if word.address else ())


def _opting(word: Word, job: SentJob) -> tuple[Envelope, SourceEvent]:
    company, customer = split_account_id(job.account)
    fields: dict[str, Any] = {
        "company": company,
        "customer": customer,
        "occurred_at": _instant(word, job),
        "command": f"{word.said}-{_digest(word.word)}",
        "author": word.source,
        "channel": word.channel,
    }
    event = OptOut(**fields, reason=f"{word.source}: {word.reply or word.detail}"[:500])
    command: SourceEvent = event if word.said == "stop" else OptIn(**fields)
    return _enveloped(command, word, account=job.account), command


def _reply(word: Word, job: SentJob) -> _Said:
    company, customer = split_account_id(job.account)
    command = RecordReply(
        company=company,
        customer=customer,
        occurred_at=_instant(word, job),
        command=f"reply-{_digest(word.word)}",
        author=word.source,
        channel=word.channel,
        text=word.reply,
        reminder=job.reminder,
        address=word.address,
    )
    settled = Settled(word=word.word, state="said", reminder=job.reminder, account=job.account)
    return _Said(settled=settled, records=((_enveloped(command, word, account=job.account), command),))


def _enveloped(command: SourceEvent, word: Word, *, account: str) -> Envelope:
    return Envelope(
        id=f"{word.word}/{account}",
        source=_SOURCE + word.source,
        type=type_of(command),
        time=word.occurred_at,
        subject=account,
    )


def _digest(text: str) -> str:
    return hashlib.blake2s(text.encode(), digest_size=12).hexdigest()

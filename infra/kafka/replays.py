"""Dead letters sent again: to the topic that they came from, each once, with a note of it beside the letter.

Record, note and the request to release an account are one transaction, so a
command that is killed has either sent and noted a letter or done neither; a
second one that runs at the same time is fenced. A reminder that a notifier
could not read goes again when this version can read it: who has it already
knows it by its id. Words of providers are left alone: they wait in SQL.
"""

import datetime
from collections.abc import Iterator
from typing import Any, Final

from kafka import KafkaProducer
from kafka.errors import KafkaError
from msgspec import Struct

from infra.kafka.consumers import producer
from infra.kafka.dead_letters import DeadLettersError, Found, Place, found_in, letter_records, letter_topics
from infra.settings import Settings
from schemas.codec import ContractError, encode, type_of
from schemas.commands import ReleaseQuarantine
from schemas.dead_letters import REPLAY_OF, note_headers, noted_place, own_headers
from schemas.envelope import Envelope, to_headers
from schemas.fields import split_account_id
from schemas.journal import BROADCAST_KEY
from schemas.registry import DEAD_LETTER_SUFFIX
from schemas.reminders import read_reminder

__all__ = ["Replayed", "Wanted", "replay_letters"]

JOURNAL: Final = "ledger.journal"
COMMANDS: Final = "collections.command.v1"
REMINDERS: Final = "collections.reminder.v1"
_FEEDBACK: Final = "feedback"  # the stage whose letters are words of providers
_BATCH_RECORDS_MAX: Final = 200  # of one transaction, which may take 10 s
_BATCH_BYTES_MAX: Final = 8 * 1024 * 1024
_SENT_S_MAX: Final = 60
_SOURCE: Final = "cobranza/dlq"


class Wanted(Struct, frozen=True, kw_only=True):
    """Which letters: of a topic, with a reason, at places (none: all); ``again``: also those sent before."""

    topic: str | None = None
    reason: str | None = None
    places: tuple[Place, ...] = ()
    again: bool = False

    def takes(self, found: Found) -> bool:
        """Say whether a letter is one of these."""
        return self.reason in (None, found.letter.reason) and (not self.places or found.place in self.places)


class Replayed(Struct, kw_only=True):
    """What was done, or would be.

    Attributes:
        sent: how many records to which topic (logical name).
        ticks: letters of ticks: nothing is sent, the next tick decides.
        before: wanted, and left out because they were sent again before.
        lasting: wanted, and left out: reminders that this version cannot read either.
        words: wanted, and left out: words of providers, which wait in SQL.
        released: accounts whose release was asked for; ``waiting``: those that have other letters left.
    """

    sent: dict[str, int] = {}
    ticks: int = 0
    before: int = 0
    lasting: int = 0
    words: int = 0
    released: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


class _Plan(Struct, kw_only=True):
    """Which letters go, and which complete an account: place -> (account, its last failure's journal offset)."""

    places: set[str]
    completing: dict[str, tuple[str, int]]
    done: Replayed


def replay_letters(
    settings: Settings, *, wanted: Wanted, now: datetime.datetime, dry_run: bool = False
) -> Replayed:
    """Send dead letters again that were not sent again before.

    Raises:
        DeadLettersError: there is no such topic, or a broker did not take a batch; those before it are sent.
    """
    names = _names(wanted)
    plan = _plan(settings, names=names, wanted=wanted)
    if not dry_run and plan.places:
        with producer(
            bootstrap_servers=settings.brokers(), transactional_id=settings.group("dlq-replay")
        ) as writer:
            writer.init_transactions()
            for batch in _batches(settings, names=names, places=plan.places):
                _send(writer, batch, settings=settings, plan=plan, now=now)
    return plan.done


def _names(wanted: Wanted) -> list[str]:
    if wanted.topic is None and wanted.places:
        return sorted({name for place in wanted.places for name in letter_topics(place.topic)})
    return letter_topics(wanted.topic)


def _plan(settings: Settings, *, names: list[str], wanted: Wanted) -> _Plan:
    """Read all letters once, without keeping them, and choose."""
    noted: set[str] = set()
    chosen: dict[str, str] = {}  # place -> source
    accounts: dict[str, list[tuple[str, int]]] = {}  # account -> (place, journal offset), in order
    ticks: set[str] = set()
    done = Replayed()
    for record in letter_records(settings, names=names):
        place = noted_place(record.headers)
        if place:
            noted.add(place)
            continue
        found = found_in(record, prefix=settings.topic_prefix)
        source = found.place.topic.removesuffix(DEAD_LETTER_SUFFIX)
        if source == JOURNAL:
            account = found.letter.account or (record.key or b"").decode(errors="replace")
            if account != BROADCAST_KEY.decode():
                accounts.setdefault(account, []).append((str(found.place), found.letter.offset))
            if record.key == BROADCAST_KEY:
                ticks.add(str(found.place))
        if wanted.takes(found) and not _stays(record, found, done=done):
            chosen[str(found.place)] = source
    if not wanted.again:
        done.before = len(chosen.keys() & noted)
        chosen = {place: source for place, source in chosen.items() if place not in noted}
    for place, source in chosen.items():
        if place in ticks:
            done.ticks += 1
        else:
            done.sent[source] = done.sent.get(source, 0) + 1
    completing = _completing(accounts, noted=noted, chosen=chosen, done=done)
    return _Plan(places=set(chosen), completing=completing, done=done)


def _stays(record: Any, found: Found, *, done: Replayed) -> bool:
    """Say whether a letter is left alone, and count it: sent again, it would only be refused again."""
    if found.letter.stage == _FEEDBACK:
        done.words += 1
        return True
    if found.place.topic != REMINDERS + DEAD_LETTER_SUFFIX:
        return False
    try:
        read_reminder(record.value)
    except ContractError:
        done.lasting += 1
        return True
    return False


def _completing(
    accounts: dict[str, list[tuple[str, int]]], *, noted: set[str], chosen: dict[str, str], done: Replayed
) -> dict[str, tuple[str, int]]:
    """Find the letters with which an account is complete, and say which accounts are not."""
    completing: dict[str, tuple[str, int]] = {}
    released, waiting = [], []
    for account, letters in accounts.items():
        going = [place for place, _ in letters if place in chosen]
        if going and all(place in chosen or place in noted for place, _ in letters):
            completing[going[-1]] = (account, max(offset for _, offset in letters))
            released.append(account)
        elif going:
            waiting.append(account)
    done.released, done.waiting = tuple(sorted(released)), tuple(sorted(waiting))
    return completing


def _batches(settings: Settings, *, names: list[str], places: set[str]) -> Iterator[list[tuple[Found, Any]]]:
    batch: list[tuple[Found, Any]] = []
    size_bytes = 0
    for record in letter_records(settings, names=names):
        found = found_in(record, prefix=settings.topic_prefix)
        if str(found.place) in places and not noted_place(record.headers):
            batch.append((found, record))
            size_bytes += found.size_bytes
        if len(batch) == _BATCH_RECORDS_MAX or size_bytes > _BATCH_BYTES_MAX:
            yield batch
            batch, size_bytes = [], 0
    if batch:
        yield batch


def _send(
    writer: KafkaProducer,
    batch: list[tuple[Found, Any]],
    *,
    settings: Settings,
    plan: _Plan,
    now: datetime.datetime,
) -> None:
    writer.begin_transaction()
    try:
        futures = []
        for found, record in batch:
            futures += _resend(writer, found, record, settings=settings)
            if str(found.place) in plan.completing:
                account, offset = plan.completing[str(found.place)]
                futures.append(_ask_release(writer, account, up_to_offset=offset, settings=settings, now=now))
        for future in futures:
            future.get(timeout=_SENT_S_MAX)
        writer.commit_transaction()
    except KafkaError as error:
        first = batch[0][0].place
        raise DeadLettersError(
            f"The batch from {first} on was not sent, nor what follows: {error!r}"
        ) from error


def _resend(writer: KafkaProducer, found: Found, record: Any, *, settings: Settings) -> list[Any]:
    """Send the original record to where it came from, and the note of it."""
    source = found.place.topic.removesuffix(DEAD_LETTER_SUFFIX)
    place = str(found.place)
    note = writer.send(
        settings.topic(found.place.topic),
        None,
        key=record.key,
        partition=found.place.partition,
        headers=note_headers(place),
    )
    if record.key == BROADCAST_KEY and source == JOURNAL:
        return [note]
    # The journal has no headers; its partitions never change, and an account stays in its own.
    own = [each for each in own_headers(record.headers) if each[0] != REPLAY_OF]
    headers = [] if source == JOURNAL else [*own, (REPLAY_OF, place.encode())]
    topic, partition = settings.topic(source), found.letter.partition
    there = writer.partitions_for(topic) or ()  # a source that is not ours may have been made anew
    sent = writer.send(
        topic,
        record.value,
        key=record.key,
        partition=partition if partition in there else None,
        headers=headers,
    )
    return [note, sent]


def _ask_release(
    writer: KafkaProducer, account: str, *, up_to_offset: int, settings: Settings, now: datetime.datetime
) -> Any:
    company, customer = split_account_id(account)
    command = ReleaseQuarantine(
        company=company,
        customer=customer,
        occurred_at=now.isoformat(timespec="seconds"),
        command=f"dlq-replay/{up_to_offset}/{now.isoformat()}",
        author=_SOURCE,
        up_to_offset=up_to_offset,
    )
    envelope = Envelope(id=f"{account}/{command.command}", source=_SOURCE, type=type_of(command))
    return writer.send(
        settings.topic(COMMANDS), encode(command), key=account.encode(), headers=to_headers(envelope)
    )

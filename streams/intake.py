"""Intake: foreign records become journal entries, keyed anew, or dead letters (DESIGN 1, 9).

A record is admitted when it is a CloudEvent, of a type that belongs to its topic, that
decodes and has no problems. Everything else goes to ``<topic>.dlq`` as it came, with
headers that say why; its neighbours are not affected. Intake keeps no state and knows no
other rule.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, NamedTuple

from aiokafka.partitioner import murmur2

from infra.metrics.tally import Tally
from processors.validation import problems
from schemas.codec import TOPIC_OF_TYPE, ContractError, decode_source
from schemas.commands import COMPANY_COMMANDS
from schemas.dead_letters import DeadLetter, dead_letter_headers
from schemas.envelope import Envelope, EnvelopeError, from_headers
from schemas.fields import account_id
from schemas.journal import BROADCAST_KEY, JournalEntry, SourceEvent, encode_entries
from streams.engine.stage import NO_HEADERS, Output, Record, Step
from streams.letters import LetterBook, letter_tally

__all__ = [
    "RECORD_BYTES_MAX",
    "Admitted",
    "BadLimits",
    "Intake",
    "Refused",
    "RefusedReason",
    "admit",
    "open_intake",
    "place",
]

RECORD_BYTES_MAX = 1_048_576
_ID_CHARACTERS_MAX = 1024
_PLACES_KEPT_MAX = 1_000_000
# As ``Output(...)`` does, without a call of Python for each record.
_output = partial(tuple.__new__, Output)

RefusedReason = Literal[
    "too_large",
    "not_cloudevent",
    "unknown_type",
    "unknown_version",
    "wrong_topic",
    "not_json",
    "invalid",
]


class Admitted(NamedTuple):
    """What goes to the journal; ``account`` is "" for what concerns a whole company."""

    account: str
    entry: JournalEntry


class Refused(NamedTuple):
    """Why a record goes to the dead letters."""

    reason: str
    detail: str


class BadLimits(NamedTuple):
    """When a source partition is paused: so many bad records in a row, or too large a share."""

    in_a_row_max: int = 1000
    ratio_max: float = 0.5
    window: int = 10_000


def admit(record: Record, *, topic: str) -> Admitted | Refused:
    """Decide whether a record of the (logical) `topic` becomes a journal entry."""
    value = record.value
    if value is not None and len(value) + len(record.key or b"") > RECORD_BYTES_MAX:
        return Refused(
            "too_large", f"the record has {len(value)} bytes, at most {RECORD_BYTES_MAX} are taken"
        )
    try:
        envelope, data = from_headers(record.headers, value)
    except EnvelopeError as error:
        return Refused("not_cloudevent", str(error))
    try:
        event = decode_source(envelope.type, data)
    except ContractError as error:
        return Refused(error.reason, error.detail)
    wrong = _misplaced(envelope, topic=topic)
    if wrong is not None:
        return wrong
    found = problems(event)
    if found:
        return Refused("invalid", "; ".join(found))
    return Admitted(_account_of(event), JournalEntry(event, envelope.id, envelope.source))


def place(account: str, *, partitions: int) -> int:
    """Give an account's journal partition: what Kafka's default partitioner would choose."""
    return int(murmur2(account.encode()) & 0x7FFFFFFF) % partitions


def _misplaced(envelope: Envelope, *, topic: str) -> Refused | None:
    home = TOPIC_OF_TYPE[envelope.type]
    if home != topic:
        return Refused("wrong_topic", f"events of type {envelope.type!r} belong to {home}, not to {topic}")
    if len(envelope.id) > _ID_CHARACTERS_MAX or len(envelope.source) > _ID_CHARACTERS_MAX:
        return Refused("not_cloudevent", f"ce_id and ce_source have at most {_ID_CHARACTERS_MAX} characters")
    return None


def _account_of(event: SourceEvent) -> str:
    if isinstance(event, COMPANY_COMMANDS):
        return ""
    return account_id(event.company, event.customer)


class Intake:
    """The stage of one source partition.

    Args:
        topic: the source's logical name.
        source: its physical name and partition, for the dead letters' headers.
        journal: the journal's physical name and number of partitions.
        dead_letters: physical name and partition that bad records go to.
        limits: when to stop taking bad records.
        places: journal partition by account; shared by all partitions of a worker.
        letters: counts what is refused; shared likewise.
    """

    def __init__(
        self,
        *,
        topic: str,
        source: tuple[str, int],
        journal: tuple[str, int],
        dead_letters: tuple[str, int],
        limits: BadLimits,
        places: dict[str, tuple[int, bytes]],
        letters: Tally | None = None,
    ) -> None:
        self._topic = topic
        self._source = source
        self._journal, self._partitions = journal
        self._dead_letters = dead_letters
        self._limits = limits
        self._places = places
        self._letters = LetterBook(letters or letter_tally())
        self._counted, self._committed = _Counted(), _Counted()

    def step(self, records: Sequence[Record], *, cursor: str) -> Step:
        """Admit or refuse each record, until too many are bad."""
        del cursor  # every record is done at once
        topic, reason = self._topic, ""
        verdicts: list[Admitted | Refused] = []
        for record in records:
            verdict = admit(record, topic=topic)
            verdicts.append(verdict)
            reason = self._count(bad=type(verdict) is Refused)
            if reason:
                break
        return Step((), self._outputs(records, verdicts), len(verdicts), "", reason)

    def commit(self) -> None:
        """Keep what was counted."""
        self._committed = replace(self._counted)
        self._letters.commit()

    def discard(self) -> None:
        """Count the same records again when they come again."""
        self._counted = replace(self._committed)
        self._letters.discard()

    def _outputs(self, records: Sequence[Record], verdicts: Sequence[Admitted | Refused]) -> list[Output]:
        """Write what becomes of records: their entries in one go, for which each alone would cost more."""
        values = iter(encode_entries([each.entry for each in verdicts if type(each) is Admitted]))
        outputs: list[Output] = []
        journal = self._journal
        for record, verdict in zip(records, verdicts, strict=False):  # those after a pause have none
            if isinstance(verdict, Refused):
                outputs.append(self._letter(record, verdict))
            elif verdict.account:
                partition, key = self._place(verdict.account)
                outputs.append(_output((journal, partition, key, next(values), NO_HEADERS)))
            else:
                value = next(values)
                outputs += [Output(journal, each, BROADCAST_KEY, value) for each in range(self._partitions)]
        return outputs

    def _place(self, account: str) -> tuple[int, bytes]:
        found = self._places.get(account)
        if found is None:
            if len(self._places) >= _PLACES_KEPT_MAX:
                self._places.clear()
            found = self._places[account] = (place(account, partitions=self._partitions), account.encode())
        return found

    def _letter(self, record: Record, refused: Refused) -> Output:
        topic, partition = self._source
        letter = DeadLetter(
            reason=refused.reason,
            detail=refused.detail,
            stage="intake",
            topic=topic,
            partition=partition,
            offset=record.offset,
        )
        self._letters.note(letter, event_id=_event_id(record))
        headers = dead_letter_headers(letter, original=record.headers)
        return Output(*self._dead_letters, record.key, record.value, headers)

    def _count(self, *, bad: bool) -> str:
        """Count one record; give the reason to pause, if there is one now."""
        counted, limits = self._counted, self._limits
        if counted.seen >= limits.window:
            counted.bad = counted.seen = 0
        counted.seen += 1
        if not bad:
            counted.in_a_row = 0
        else:
            counted.in_a_row += 1
            counted.bad += 1
            if counted.in_a_row >= limits.in_a_row_max:
                return f"{counted.in_a_row} bad records in a row"
        if counted.seen >= limits.window and counted.bad > limits.ratio_max * counted.seen:
            return f"{counted.bad} of the last {counted.seen} records are bad"
        return ""


@dataclass(slots=True)
class _Counted:
    in_a_row: int = 0
    bad: int = 0
    seen: int = 0


def _event_id(record: Record) -> str:
    """Give the id that a refused record came with, as far as it has one."""
    ids = [content for name, content in record.headers if name == "ce_id" and content]
    return ids[0].decode(errors="replace")[:_ID_CHARACTERS_MAX] if ids else ""


def open_intake(
    *,
    logical: Mapping[str, str],
    journal: str,
    dead_letters: Mapping[str, str],
    limits: BadLimits,
    tally: Tally | None = None,
) -> Callable[[str, int, Mapping[str, int]], Intake]:
    """Give the function that makes the stage of a source partition (``StageSpec.open``).

    Args:
        logical: logical name by physical name of each source.
        journal: the journal's physical name.
        dead_letters: physical name of the dead-letter topic by that of its source.
        limits: when to stop taking bad records.
        tally: counts what is refused.
    """
    places: dict[str, tuple[int, bytes]] = {}

    def make(topic: str, partition: int, counts: Mapping[str, int]) -> Intake:
        letters = dead_letters[topic]
        return Intake(
            topic=logical[topic],
            source=(topic, partition),
            journal=(journal, counts[journal]),
            dead_letters=(letters, partition % counts[letters]),
            limits=limits,
            places=places,
            letters=tally,
        )

    return make

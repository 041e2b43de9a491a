"""Records of the reminders' topic: those that can be used, and those that are put aside with their reason.

What cannot be read must not end the loop, nor be passed over: it goes to the topic's dead letters before the
offset is committed, and the records behind it go on. A crash in between leaves a second letter, never none.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import structlog
from msgspec import Struct

from infra.metrics.tally import Tally
from schemas.codec import ContractError
from schemas.dead_letters import DeadLetter, dead_letter_headers
from schemas.facts import ReminderDecided
from schemas.fields import Channel
from schemas.reminders import UNREADABLE, read_reminder

__all__ = ["PutAside", "ReadReminder", "aside_tally", "sorted_out"]

_INTERNAL: Final = b"\0"
# An acknowledgment takes milliseconds; who waits longer would not hear that it has to stop. What is not acknowledged is read again.
_ACKNOWLEDGED_S_MAX: Final = 2
# A flood of bad records must not become a flood of lines; the topic has them all.
_LINES_MAX: Final = 20
_log = structlog.get_logger(__name__)


class ReadReminder(Struct, frozen=True, kw_only=True):
    """A reminder as it was read, and its JSON; the partition is its account's."""

    partition: int
    reminder: ReminderDecided
    text: str


def aside_tally(
    channels: Iterable[Channel], *, source: str, others: Iterable[tuple[str, str, str]] = ()
) -> Tally:
    """Make the count of the records that these channels put aside, and `others`; ``source`` is the topic's physical name."""
    known = [(f"notify-{channel}", source, reason) for channel in channels for reason in UNREADABLE]
    return Tally("cobranza_dead_letters_total", known=[*known, *others])


def sorted_out(
    polled: Mapping[Any, Sequence[Any]],
) -> tuple[list[ReadReminder], list[tuple[Any, ContractError]]]:
    """Give what can be used of the records of a poll, and the records that cannot, each with the reason."""
    usable: list[ReadReminder] = []
    refused: list[tuple[Any, ContractError]] = []
    for records in polled.values():
        for record in records:
            if (record.key or b"").startswith(_INTERNAL):
                continue
            try:
                reminder, text = read_reminder(record.value)
            except ContractError as error:
                refused.append((record, error))
            else:
                usable.append(ReadReminder(partition=record.partition, reminder=reminder, text=text))
    return usable, refused


class PutAside:
    """Takes the records that one channel cannot use to the dead letters, untouched.

    Args:
        writer: a producer.
        channel: whose loop has read them.
        source: physical name of the topic that they come from; ``target``: of its dead letters.
        tally: counts them (``aside_tally``).
    """

    def __init__(self, writer: Any, *, channel: Channel, source: str, target: str, tally: Tally) -> None:
        self._writer = writer
        self._stage = f"notify-{channel}"
        self._source = source
        self._target = target
        self._tally = tally

    def put(self, refused: Sequence[tuple[Any, ContractError]]) -> None:
        """Put records aside; they are in Kafka when this returns.

        Raises:
            KafkaError: the broker does not take them; they are read again.
        """
        letters = [(record, self._letter(record, error)) for record, error in refused]
        futures = [
            self._writer.send(
                self._target,
                record.value,
                key=record.key,
                headers=dead_letter_headers(letter, original=record.headers),
            )
            for record, letter in letters
        ]
        for future in futures:
            future.get(timeout=_ACKNOWLEDGED_S_MAX)
        for _, letter in letters:
            self._tally.add(letter.stage, letter.topic, letter.reason)
        for record, letter in letters[:_LINES_MAX]:
            _tell(letter, headers=record.headers)
        if len(letters) > _LINES_MAX:
            _log.warning("dead_letters_more", count=len(letters) - _LINES_MAX, topic=self._source)

    def _letter(self, record: Any, error: ContractError) -> DeadLetter:
        return DeadLetter(
            reason=error.reason,
            detail=error.detail,
            stage=self._stage,
            topic=self._source,
            partition=record.partition,
            offset=record.offset,
        )


def _tell(letter: DeadLetter, *, headers: Any) -> None:
    event_id = next((bytes(content or b"") for name, content in headers if name == "ce_id"), b"")
    _log.warning(
        "dead_letter",
        event_id=event_id.decode(errors="replace"),
        stage=letter.stage,
        reason=letter.reason,
        detail=letter.detail,
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
    )

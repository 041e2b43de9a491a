"""Why a record lies in a dead-letter topic, and whether it was sent again: headers, added to the record's own.

Key, value and own headers of the record are untouched, so that it can be looked at,
mended and published again. The reason is a closed label (a metric's too), the detail
is for people. What was sent again is noted in the topic itself, by a record without
value (a *note*) that names the letter's place: it lasts as long as the letter.
"""

from typing import Any

from msgspec import Struct

__all__ = [
    "REPLAY_OF",
    "DeadLetter",
    "dead_letter_headers",
    "note_headers",
    "noted_place",
    "own_headers",
    "read_dead_letter",
]

Headers = list[tuple[str, bytes]]
_PREFIX = "dlq_"
_DETAIL_CHARACTERS_MAX = 2_000
_REPLAYED = "dlq_replayed"
REPLAY_OF = "cobranza_replay_of"  # on a record that was sent again: the place of its letter


class DeadLetter(Struct, frozen=True, kw_only=True):
    """Where a dead letter comes from, and why it was not used.

    ``topic`` is the physical name; ``stage`` who refused it (``intake``, ``ledger``,
    ``notify-email``, ...). ``partition`` and ``offset`` are -1 where the headers are not ours.
    ``account`` is whose fold raised, "" where it was refused before any account saw it.
    """

    reason: str
    detail: str
    stage: str
    topic: str
    partition: int
    offset: int
    account: str = ""


def dead_letter_headers(letter: DeadLetter, *, original: Any) -> Headers:
    """Return the headers of a dead letter: the record's own, then ours.

    Args:
        letter: where from and why; of its detail at most 2,000 characters are kept.
        original: the record's headers, pairs of (name, bytes or None), as clients give them.
    """
    own = [(str(name), content or b"") for name, content in original]
    ours = {
        "reason": letter.reason,
        "detail": letter.detail[:_DETAIL_CHARACTERS_MAX],
        "stage": letter.stage,
        "topic": letter.topic,
        "partition": str(letter.partition),
        "offset": str(letter.offset),
        "account": letter.account,
    }
    return own + [(_PREFIX + name, text.encode()) for name, text in ours.items()]


def read_dead_letter(headers: Any) -> DeadLetter:
    """Read where a dead letter comes from; what is missing, or not ours, is said as unknown."""
    # A letter that was sent again and failed again has two sets: the last one counts.
    found = {
        str(name).removeprefix(_PREFIX): (content or b"").decode(errors="replace")
        for name, content in headers
        if str(name).startswith(_PREFIX)
    }
    return DeadLetter(
        reason=found.get("reason", "unknown"),
        detail=found.get("detail", ""),
        stage=found.get("stage", "unknown"),
        topic=found.get("topic", "unknown"),
        partition=_number(found.get("partition", "")),
        offset=_number(found.get("offset", "")),
        account=found.get("account", ""),
    )


def own_headers(headers: Any) -> Headers:
    """Return the headers that a letter's record came with."""
    return [(str(name), content or b"") for name, content in headers if not str(name).startswith(_PREFIX)]


def note_headers(place: str) -> Headers:
    """Return the headers of the note that the letter at ``topic/partition/offset`` was sent again."""
    return [(_REPLAYED, place.encode())]


def noted_place(headers: Any) -> str:
    """Read which letter a record of a dead-letter topic says was sent again; "" when it is a letter itself."""
    for name, content in headers:
        if name == _REPLAYED:
            return bytes(content or b"").decode(errors="replace")
    return ""


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else -1

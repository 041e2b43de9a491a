"""Why a record lies in a dead-letter topic: headers, added to the record's own.

Key, value and own headers of the record are untouched, so that it can be looked at,
mended and published again. The reason is a closed label (a metric's too), the detail
is for people.
"""

from typing import Any

from msgspec import Struct

__all__ = ["DeadLetter", "dead_letter_headers", "read_dead_letter"]

Headers = list[tuple[str, bytes]]
_PREFIX = "dlq_"
_DETAIL_CHARACTERS_MAX = 2_000


class DeadLetter(Struct, frozen=True, kw_only=True):
    """Where a dead letter comes from, and why it was not used.

    ``topic`` is the physical name; ``stage`` who refused it (``intake``, ``ledger``,
    ``notify-email``, ...). ``partition`` and ``offset`` are -1 where the headers are not ours.
    """

    reason: str
    detail: str
    stage: str
    topic: str
    partition: int
    offset: int


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
    )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else -1

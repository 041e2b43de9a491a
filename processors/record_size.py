"""What one record can hold: lists are cut to it, and what is larger still is refused by the fold.

A row or fact that its topic does not take would stop the worker at every
start; refused here, it is poison of one account (DESIGN 3.6). Measuring
costs as much as encoding, so only what can be large is measured.
"""

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import TypeVar

from schemas.codec import encode
from schemas.facts import (
    ExceptionRaised,
    LedgerFact,
    MessageDecided,
    Movement,
    ReminderDecided,
    ReminderEnded,
    ReminderProposed,
    ReminderWithheld,
)
from schemas.rows import CreditRow, encode_row

__all__ = [
    "ENTRIES_MAX",
    "EXCEPTION_BYTES_MAX",
    "RECORD_BYTES_MAX",
    "TEXT_BYTES_MAX",
    "RecordTooLarge",
    "fitting",
    "require_credit_fits",
    "split",
    "text_bytes",
    "too_large",
]

RECORD_BYTES_MAX = 2_000_000  # of rows and facts: their topics take 2 MiB with key and headers
EXCEPTION_BYTES_MAX = 4_000_000  # these carry two contents; their topic takes 4 MiB
_SURELY_FIT_ENTRIES = 50  # each is limited by its contract
_SURELY_FIT_NAMES = 1500  # beside a document of 1 MiB, the most that enters the journal
ENTRIES_MAX = 500  # DESIGN 3.6: items that a reminder names
TEXT_BYTES_MAX = 600_000  # of the 1 MiB of a record: fixed fields, quotes and escapes need the rest

Entry = TypeVar("Entry")


class RecordTooLarge(ValueError):  # noqa: N818 - it reads as what happened
    """A row or fact that no record can hold; raised by the fold, which quarantines the account."""


def fitting(facts: list[LedgerFact]) -> list[LedgerFact]:
    """Give the facts back, all of which a record can hold.

    Raises:
        RecordTooLarge: one is larger than its topic takes.
    """
    for fact in facts:
        if type(fact) is not Movement and _entries(fact) > _SURELY_FIT_ENTRIES:
            limit = EXCEPTION_BYTES_MAX if type(fact) is ExceptionRaised else RECORD_BYTES_MAX
            _require_fits(len(encode(fact)), limit=limit, what=f"the fact {type(fact).__name__} {fact.id}")
    return facts


def require_credit_fits(credit: CreditRow) -> None:
    """Check the one row that events can make ever larger: a credit, by the items that it names.

    Raises:
        RecordTooLarge: it names more than a record holds.
    """
    if len(credit.names) > _SURELY_FIT_NAMES:
        what = f"{credit.credit}, which names {len(credit.names)} items,"
        _require_fits(len(encode_row(credit)), limit=RECORD_BYTES_MAX, what=what)


def too_large(rows: Sequence[tuple[bytes, bytes | None]]) -> list[bytes]:
    """List the keys of encoded rows that no record holds."""
    if max(map(len, filter(None, map(itemgetter(1), rows))), default=0) <= RECORD_BYTES_MAX:
        return []
    return [key for key, value in rows if value is not None and len(value) > RECORD_BYTES_MAX]


def _entries(fact: LedgerFact) -> int:
    match fact:
        case ReminderDecided():
            return len(fact.items) + len(fact.others)
        case ReminderProposed() | MessageDecided():
            return len(fact.content.items) + len(fact.content.others)
        case ReminderWithheld():
            return len(fact.items)
        case ReminderEnded():
            return len(fact.consumed)
        case ExceptionRaised():
            return _SURELY_FIT_ENTRIES + 1  # rare, and it may carry two whole events
        case _:
            return 0


def _require_fits(size: int, *, limit: int, what: str) -> None:
    if size > limit:
        raise RecordTooLarge(f"{what} has {size} bytes; a record holds {limit}")


def text_bytes(*texts: str) -> int:
    """Count the bytes of texts in UTF-8."""
    return sum(len(text) if text.isascii() else len(text.encode()) for text in texts)


def split(entries: Sequence[Entry], *, size_of: Callable[[Entry], int]) -> Iterator[list[Entry]]:
    """Cut a list into parts that each fit; an entry alone always does."""
    part: list[Entry] = []
    room = TEXT_BYTES_MAX
    for entry in entries:
        size = size_of(entry)
        if part and (len(part) == ENTRIES_MAX or size > room):
            yield part
            part, room = [], TEXT_BYTES_MAX
        part.append(entry)
        room -= size
    if part:
        yield part

"""Lists that one record can hold: at most so many entries, and so many bytes of text."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

__all__ = ["ENTRIES_MAX", "TEXT_BYTES_MAX", "split", "text_bytes"]

ENTRIES_MAX = 500  # DESIGN 3.6: items that a reminder names
TEXT_BYTES_MAX = 600_000  # of the 1 MiB of a record: fixed fields, quotes and escapes need the rest

Entry = TypeVar("Entry")


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

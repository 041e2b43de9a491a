"""The mark: what a local state holds, and by which it may be used again. Pure.

A stage keeps the mark with its state, in the same write. Whoever takes the partition reads
on from it, or wipes the state when the mark does not fit the log any more. It says nothing
of money, and a state with a bad mark is never a break: everything is on the changelog.
"""

from msgspec import DecodeError, Struct, ValidationError, json

from streams.engine.chain import Link

__all__ = ["Mark", "decode_mark", "encode_mark", "unfit"]


class Mark(Struct, frozen=True, array_like=True, gc=False, kw_only=True):
    """What a state holds.

    Attributes:
        newest: the last link in the state; None: no transaction was ever committed.
        position: everything on the changelog below it is in the state.
        changelog_id: the changelog's topic id, as hexadecimal digits.
        source_id: the source's.
        at_ms: when ``position`` was the changelog's end, in milliseconds since the epoch.
        fold_version: the version of the code that kept the state.
        row_version: the version of the rows that it kept.
    """

    newest: Link | None
    position: int
    changelog_id: str
    source_id: str
    at_ms: int
    fold_version: int
    row_version: int


_encoder = json.Encoder()
_decoder = json.Decoder(Mark)


def encode_mark(mark: Mark) -> bytes:
    """Write a mark as a stage keeps it."""
    return _encoder.encode(mark)


def decode_mark(value: bytes | None) -> Mark | None:
    """Read a mark; None when there is none, or none that this version can read."""
    if value is None:
        return None
    try:
        return _decoder.decode(value)
    except (DecodeError, ValidationError):
        return None


def unfit(mark: Mark, *, now: Mark, changelog: tuple[int, int], age_ms_max: int) -> str:
    """Say why a state with `mark` cannot be read on from; "" when it can.

    Args:
        mark: the one found with the state.
        now: ids, versions and time as they are now; its link and position are not looked at.
        changelog: the first offset that the changelog holds, and its high watermark.
        age_ms_max: half of the changelog's ``delete.retention.ms``: a tombstone that was
            written while nobody read may be gone after twice that.
    """
    start, high = changelog
    if mark.changelog_id != now.changelog_id or mark.source_id != now.source_id:
        return "a topic was made anew"
    if (mark.fold_version, mark.row_version) != (now.fold_version, now.row_version):
        return "another version of the code kept it"
    if not start <= mark.position <= high:
        return f"position {mark.position} is not within the changelog, {start} to {high}"
    if abs(now.at_ms - mark.at_ms) > age_ms_max:
        return f"it is {abs(now.at_ms - mark.at_ms) // 1000} s old"
    return ""

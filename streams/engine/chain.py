"""The chain: one link per transaction, and the rules by which links connect. Pure.

A link says which source positions a transaction moved over. It is written in that
transaction, to the changelog (under one key, so that compaction keeps the newest) and to
the chain topic (where none is ever lost). The newest link on the changelog *is* the
position; the group offset is its copy, for tools that show lag.

    [0, 40, "", 1, true] ─► [40, 40, "1", 1, false] ─► [40, 43, "", 1, false] ─► …
     first: from the log's start   a slice of the record at 40    its last slice and two more
"""

from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Struct, json

from streams.engine.faults import ChainBroken, FactsLost, NewerRows

__all__ = [
    "LINK_HEADERS",
    "LINK_KEY",
    "Hole",
    "Link",
    "LogBounds",
    "Start",
    "Thread",
    "check_held",
    "check_version",
    "decode_link",
    "encode_link",
    "holes",
    "is_internal",
    "starting_point",
]

LINK_KEY = b"\0link"
LINK_HEADERS = [("ce_type", b"cobranza.internal.link.v1")]


class Link(Struct, frozen=True, array_like=True, gc=False):
    """One transaction: source positions ``start`` to ``end``, control records included.

    ``cursor`` is where within the record at ``end`` the fold stopped ("": before it).
    ``first`` marks the one link that begins a chain, at the start of the source's log.
    Links that were written before rows had versions have rows of version 1.
    """

    start: int
    end: int
    cursor: str
    fold_version: int
    first: bool = False
    row_version: int = 1


class LogBounds(NamedTuple):
    """The first offset that a log holds, and the next that readers will see."""

    start: int
    end: int


class Hole(NamedTuple):
    """Two neighbouring links that do not connect."""

    end: int
    start: int


class Start(NamedTuple):
    """Where a partition goes on; ``commit_anew``: its group offset is missing (they expire)."""

    position: int
    cursor: str
    first: bool
    commit_anew: bool


_encoder = json.Encoder()
_decoder = json.Decoder(Link)


def encode_link(link: Link) -> bytes:
    """Write a link's record value."""
    return _encoder.encode(link)


def decode_link(value: bytes) -> Link:
    """Read a link's record value."""
    return _decoder.decode(value)


def is_internal(key: bytes | None) -> bool:
    """Say whether a record of our topics is the engine's own; readers skip those."""
    return key is not None and key.startswith(b"\0")


def holes(links: Iterable[Link]) -> list[Hole]:
    """List the places where a link does not begin where the one before it ended.

    The first may begin anywhere: compaction has taken those before it.
    """
    thread = Thread()
    thread.follow(links)
    return thread.holes


class Thread:
    """Follows a chain as it is read, a few links at a time; it keeps the newest only.

    Attributes:
        newest: the last link; None: there was none yet.
        holes: where two neighbours did not connect.
    """

    def __init__(self, newest: Link | None = None) -> None:
        self.newest = newest
        self.holes: list[Hole] = []

    def follow(self, links: Iterable[Link]) -> None:
        """Take the next links."""
        newest = self.newest
        for link in links:
            if newest is not None and link.start != newest.end:
                self.holes.append(Hole(newest.end, link.start))
            newest = link
        self.newest = newest


def starting_point(
    *, partition: str, newest: Link | None, group_offset: int | None, log_start: int, log_end: int
) -> Start:
    """Decide where to go on, from the chain, its copy and the source's log.

    Raises:
        ChainBroken: the group offset contradicts the chain.
        FactsLost: the source does not hold the position (any more).
    """
    if newest is None:
        if group_offset is not None:
            raise ChainBroken(
                f"{partition}: the group has committed {group_offset}, but the changelog holds no link: "
                "state was lost, or the changelog is another one"
            )
        return Start(log_start, "", first=True, commit_anew=False)
    if group_offset is not None and group_offset != newest.end:
        raise ChainBroken(
            f"{partition}: the chain ends at {newest.end}, the group has committed {group_offset}"
        )
    check_held(partition=partition, position=newest.end, log_start=log_start, log_end=log_end)
    return Start(newest.end, newest.cursor, first=False, commit_anew=group_offset is None)


def check_held(*, partition: str, position: int, log_start: int, log_end: int) -> None:
    """Raise ``FactsLost`` unless the source's log reaches from before ``position`` to it."""
    if position < log_start:
        raise FactsLost(
            f"{partition}: position {position} is below the log's start {log_start}: "
            f"{log_start - position} records expired before they were read"
        )
    if position > log_end:
        raise FactsLost(
            f"{partition}: position {position} is beyond the log's end {log_end}: "
            "the topic was truncated, or deleted and made anew"
        )


def check_version(newest: Link | None, *, partition: str, fold_version: int, row_version: int) -> None:
    """Raise ``NewerRows`` when `newest` was written by newer code than ours."""
    if newest is not None and (newest.fold_version > fold_version or newest.row_version > row_version):
        raise NewerRows(
            f"{partition}: its rows were written by fold version {newest.fold_version}, row version "
            f"{newest.row_version}; this worker has {fold_version} and {row_version}: run the newer release"
        )

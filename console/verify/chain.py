"""The rules that ``ledger.chain`` must keep, link by link; pure.

    first ─► link ─► link ─► …     each begins where the last one ended, exactly one is the first,
                                   and it begins at the start of the journal.

Here nothing is compacted, so that every hole is a break.
"""

from msgspec import Struct, field

from console.verify.findings import PartitionReport
from streams.engine.chain import Link

__all__ = ["ChainAudit", "Folded", "place_of", "shown"]


class Folded(Struct):
    """Journal positions ``start`` to ``end`` that one fold version went over."""

    version: int
    start: int
    end: int


def place_of(link: Link) -> tuple[int, int]:
    """Give how far a link reached: position, and slices of the record there; it only ever grows."""
    return (link.end, int(link.cursor or 0))


def shown(link: Link) -> str:
    """Write a link for a person."""
    slice_ = f" slice {link.cursor}" if link.cursor else ""
    return f"link {link.start}–{link.end}{slice_}"


class ChainAudit(Struct, kw_only=True):
    """Takes the links of one partition in log order.

    Attributes:
        log_start: where the journal's partition begins now.
        span: links that lie wholly outside these journal positions are not judged.
        newest: the last link seen.
        folded: which version went over which positions, in order.
        recent: the places of the newest links, to find those of other logs among them.
    """

    report: PartitionReport
    log_start: int
    span: tuple[int, float] = (0, float("inf"))
    newest: Link | None = None
    folded: list[Folded] = field(default_factory=list)
    recent: dict[tuple[int, int], Link] = field(default_factory=dict)

    def see(self, link: Link) -> None:
        """Take the next link."""
        self.report.links += 1
        if self.newest is None:
            self._see_first(link)
        elif link.end >= self.span[0] and link.start <= self.span[1]:
            self._see_next(link, after=self.newest)
        self._note_version(link)
        self.newest = link
        self.recent[place_of(link)] = link
        if len(self.recent) > _RECENT_MAX:
            del self.recent[next(iter(self.recent))]

    def _see_first(self, link: Link) -> None:
        if not link.first:
            self._object(link, expected="the first link of the chain")
        elif link.start > self.log_start:
            self._object(link, expected=f"a first link from the journal's start, {self.log_start}")

    def _see_next(self, link: Link, *, after: Link) -> None:
        if link.first:
            self._object(link, expected=f"no second first link after {shown(after)}")
        if link.start != after.end:
            self._object(link, expected=f"a link from {after.end} on, after {shown(after)}")
        elif place_of(link) <= place_of(after):
            self._object(link, expected=f"a link that goes further than {shown(after)}")

    def _object(self, link: Link, *, expected: str) -> None:
        row = f"journal positions {link.start}–{link.end}"
        self.report.object_to("chain", row=row, expected=expected, found=shown(link))

    def _note_version(self, link: Link) -> None:
        if self.folded and self.folded[-1].version == link.fold_version:
            self.folded[-1].end = link.end
        else:
            self.folded.append(Folded(link.fold_version, link.start, link.end))


# Between two looks at a log a busy partition commits some dozens of links.
_RECENT_MAX = 10_000

"""A partition folded again up to a link: the one place of this package that knows the core's interface; pure.

The same class as the worker's folds the same records. What the worker raised on it has said, and it
is left out here too, its account quarantined by the same step, also when the bug has been mended since.
"""

from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import NamedTuple

from processors.account_cache import RowsBudget
from processors.partition import JournalRecord, KnownFailures, Partition, PartitionStep
from processors.row_store import RowStore
from schemas.codec import TOPIC_OF_TYPE, encode, type_of
from streams.engine.chain import Link

__all__ = ["Folding", "Said"]

_RUN_RECORDS_MAX = 2_000
_CACHED_ROWS_MAX = 100_000  # about 300 MB: an audit may take its time, not the machine


class Said(NamedTuple):
    """A fact of the replay: where it goes, and where the run that it came from begins in the journal."""

    topic: str
    account: str
    value: bytes
    position: int


class Folding:
    """The replay of one partition.

    Args:
        until: the link that it stops at, within a tick if that did.
        store: where the rows are kept; an empty one.
        cuts: journal positions that no run goes across, so that facts are told apart by them.
        failures: what the worker raised on, by journal offset.
    """

    def __init__(
        self,
        *,
        number: int,
        until: Link,
        slice_accounts_max: int,
        store: RowStore,
        cuts: Sequence[float] = (),
        failures: KnownFailures = MappingProxyType({}),
    ) -> None:
        self._store = store
        self._partition = Partition(
            number=number,
            slice_accounts_max=slice_accounts_max,
            store=store,
            budget=RowsBudget(rows_max=_CACHED_ROWS_MAX),
            failures=failures,
        )
        self._until = until
        self._cuts = cuts
        self._cursor = ""
        self.records = 0
        self.refused = 0

    @property
    def arrived(self) -> bool:
        """Whether it stopped within the very slice that the link ended with."""
        return self._cursor == self._until.cursor

    def facts(self, records: Iterator[JournalRecord]) -> Iterator[list[Said]]:
        """Fold the journal from its start on, and give what each step says."""
        for run in self._runs(records):
            stop_at = self._until.cursor if run[0].offset >= self._until.end else ""
            yield from self._fold(run, stop_at=stop_at)

    def rows(self) -> Iterator[tuple[bytes, bytes]]:
        """Give the rows after it, in the order of the store."""
        return self._store.items()

    def _fold(self, run: Sequence[JournalRecord], *, stop_at: str) -> Iterator[list[Said]]:
        while run and not (stop_at and self._cursor == stop_at):
            step = self._partition.step(run, cursor=self._cursor)
            self._partition.commit()
            self.records += step.consumed
            self.refused += len(step.poison)
            self._cursor = step.cursor
            yield _said(step, position=run[0].offset)
            run = run[step.consumed :]

    def _runs(self, records: Iterator[JournalRecord]) -> Iterator[list[JournalRecord]]:
        """Cut the journal in runs; with a cursor, the record that it stopped within is the last one."""
        until, run = self._until, list[JournalRecord]()
        for record in records:
            within = record.offset >= until.end
            if within and not (until.cursor and record.offset == until.end):
                break
            cut = within or any(run[0].offset < each <= record.offset for each in self._cuts if run)
            if run and (cut or len(run) == _RUN_RECORDS_MAX):
                yield run
                run = []
            run.append(record)
            if within:
                break
        if run:
            yield run


def _said(step: PartitionStep, *, position: int) -> list[Said]:
    return [Said(TOPIC_OF_TYPE[type_of(fact)], fact.account, encode(fact), position) for fact in step.facts]

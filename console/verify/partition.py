"""The audit of one ledger partition, while its worker goes on or not.

    changelog ──► rows and newest link C: all is compared as of C
    chain     ──► every link connects; C is one of them
    changelog ──► its newest link is the chain's newest, the group's offset too
    movements ──► summed, up to C: the rows' amounts
    journal   ──► folded up to C: the same rows, the same facts in the same order

Rows and C come from one log and one transaction, so they belong together whatever is committed
meanwhile. The cleaner may take a row away for a newer one while it is read; so the log is read on
once to the end that it has then, which holds the newer one.
"""

import shutil
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec import Struct

from console.replaying import COMPARED_TOPICS, raised_on, value_difference
from console.verify.chain import ChainAudit, place_of, shown
from console.verify.findings import PartitionReport
from console.verify.fold import Folding
from console.verify.logs import Logs, PartitionLog, await_true
from console.verify.matching import FactMatch
from console.verify.money import MoneyAudit
from console.verify.sheet import Sheet
from infra.local_rows import LocalRows, RowsMemory
from schemas.journal import BROADCAST_KEY
from schemas.rows import decode_key
from streams.engine.chain import LINK_KEY, Link, decode_link, is_internal
from streams.ledger import FOLD_VERSION
from streams.names import CHAIN, CHANGELOG, JOURNAL

__all__ = ["Wanted", "verify_partition"]

_BATCH = 10_000
_DECISIONS = "collections.decision.v1"
_ROWS_READS = 2


class Wanted(Struct, frozen=True, kw_only=True):
    """What is audited.

    Attributes:
        account: money, rows and facts of this one only; "" for all.
        since, until: facts and links of these journal positions only; None: from the start, to the newest.
        slice_accounts_max: as the worker has it, for a state within a tick.
        patience_s: how long what one transaction wrote may take to be readable everywhere.
    """

    account: str = ""
    since: Callable[[PartitionLog], int] | None = None
    until: Callable[[PartitionLog], int] | None = None
    slice_accounts_max: int
    patience_s: float = 10.0


def verify_partition(
    number: int, *, logs: Logs, wanted: Wanted, committed: Callable[[], int | None], folder: Path
) -> PartitionReport:
    """Audit one partition.

    Args:
        number: of the partition.
        logs: where its topics are read.
        wanted: what is audited.
        committed: asks for the group's offset.
        folder: an empty place for what does not fit in memory.
    """
    report = PartitionReport(partition=number)
    with Sheet(folder) as sheet:
        audit = _PartitionAudit(number, logs=logs, wanted=wanted, report=report, sheet=sheet, folder=folder)
        audit.run(committed)
    return report


class _PartitionAudit:
    def __init__(
        self,
        number: int,
        *,
        logs: Logs,
        wanted: Wanted,
        report: PartitionReport,
        sheet: Sheet,
        folder: Path,
    ) -> None:
        self._number = number
        self._logs = logs
        self._wanted = wanted
        self._report = report
        self._sheet = sheet
        self._folder = folder
        self._newest: Link | None = None  # on the changelog, as far as it was read
        journal = logs.open(JOURNAL, partition=number)
        self._journal_start = journal.start
        since = journal.start if wanted.since is None else wanted.since(journal)
        until = float("inf") if wanted.until is None else float(wanted.until(journal))
        self._span = (since, until)

    def run(self, committed: Callable[[], int | None]) -> None:
        """Check everything, the cheap things first."""
        changelog = self._logs.open(CHANGELOG, partition=self._number)
        for _ in range(_ROWS_READS):
            self._read_rows(changelog)
        chain = ChainAudit(report=self._report, log_start=self._journal_start, span=self._span)
        links = self._logs.open(CHAIN, partition=self._number)
        _read_links(links, chain=chain)
        if self._newest is None and chain.newest is not None:  # begun this moment, or state was lost
            await_true(lambda: self._begun(changelog), patience_s=self._wanted.patience_s)
        point = self._newest
        if point is None:
            self._check_not_begun(chain, committed())
            return
        report = self._report
        report.position, report.cursor, report.fold_version = point.end, point.cursor, point.fold_version
        self._check_newest(changelog, links=links, chain=chain, point=point)
        self._check_offset(committed, links=links, chain=chain, point=point)
        at_rest = self._check_money(links, chain=chain, point=point)
        if self._comparable(chain, point=point):
            self._compare(point, at_rest=at_rest)

    # -- the position ---------------------------------------------------------

    def _read_rows(self, changelog: PartitionLog) -> None:
        records = changelog.to_end()
        while batch := list(islice(records, _BATCH)):
            rows = []
            for record in batch:
                if record.key == LINK_KEY:
                    self._newest = decode_link(record.value)
                elif not is_internal(record.key):
                    key = decode_key(record.key)
                    rows.append((record.key, key.kind, key.owner, record.value))
            self._sheet.put_rows(rows)

    def _begun(self, changelog: PartitionLog) -> bool:
        self._read_rows(changelog)
        return self._newest is not None

    def _check_not_begun(self, chain: ChainAudit, offset: int | None) -> None:
        rows = self._sheet.count_rows()
        for what, found in (
            ("the chain", chain.newest and shown(chain.newest)),
            ("the group's offset", offset),
            ("the rows", rows or None),
        ):
            if found is not None:
                self._report.object_to(
                    "position", row=what, expected="none, as the changelog holds no link", found=found
                )
        self._report.notes.append("the ledger has not begun with this partition")

    def _check_newest(
        self, changelog: PartitionLog, *, links: PartitionLog, chain: ChainAudit, point: Link
    ) -> None:
        def chain_has_point() -> bool:
            _read_links(links, chain=chain)
            return chain.recent.get(place_of(point)) == point

        if not await_true(chain_has_point, patience_s=self._wanted.patience_s):
            found = "no link" if chain.newest is None else shown(chain.newest)
            expected = f"the changelog's newest, {shown(point)}"
            self._report.object_to("position", row="the chain's newest link", expected=expected, found=found)
            return
        newest_in_chain = chain.newest
        newest = point

        def changelog_has_newest() -> bool:
            nonlocal newest
            for record in changelog.to_end():  # rows are passed over: they are as of the point
                if record.key == LINK_KEY:
                    newest = decode_link(record.value)
            return newest_in_chain is None or place_of(newest) >= place_of(newest_in_chain)

        if not await_true(changelog_has_newest, patience_s=self._wanted.patience_s):
            self._report.object_to(
                "position",
                row="the changelog's newest link",
                expected=f"the chain's newest, {newest_in_chain and shown(newest_in_chain)}",
                found=shown(newest),
            )

    def _check_offset(
        self, committed: Callable[[], int | None], *, links: PartitionLog, chain: ChainAudit, point: Link
    ) -> None:
        offset: int | None = None

        def agrees() -> bool:
            nonlocal offset
            offset = committed()
            _read_links(links, chain=chain)
            ends = {end for end, _ in chain.recent if end >= point.end} | {point.end}
            return offset is None or offset in ends

        if not await_true(agrees, patience_s=self._wanted.patience_s):
            expected = f"{point.end}, where the newest link ends"
            self._report.object_to("position", row="the group's offset", expected=expected, found=offset)
        if offset is None:
            self._report.notes.append("the group has no offset: it has expired, and is committed anew")

    # -- money, rows, facts ---------------------------------------------------

    def _check_money(self, links: PartitionLog, *, chain: ChainAudit, point: Link) -> bool:
        """Compare movements and rows; say whether nothing was committed after the point."""
        audit = MoneyAudit(sheet=self._sheet, report=self._report, account=self._wanted.account or None)
        movements = self._logs.open("ledger.movement", partition=self._number)
        audit.take(record.value for record in movements.to_end() if not is_internal(record.key))
        _read_links(links, chain=chain)
        at_rest = chain.newest is None or place_of(chain.newest) <= place_of(point)
        audit.compare(at_rest=at_rest)
        return at_rest

    def _comparable(self, chain: ChainAudit, *, point: Link) -> bool:
        """Say whether one version, ours, has folded all up to the point; if not, note why."""
        notes = self._report.notes
        folded = [each for each in chain.folded if each.start < point.end]
        if [each.version for each in folded] != [FOLD_VERSION]:
            ranges = ", ".join(f"{each.start}–{each.end} by {each.version}" for each in folded)
            notes.append(f"not compared with a replay, which is of fold version {FOLD_VERSION}: {ranges}")
        elif self._journal_start > folded[0].start:
            notes.append(f"not compared with a replay: the journal begins at {self._journal_start} now")
        elif self._wanted.account and point.cursor:
            notes.append("not compared with a replay: the partition is within a tick; ask again")
        else:
            return True
        return False

    def _compare(self, point: Link, *, at_rest: bool) -> None:
        report = self._report
        store = LocalRows(self._folder / "replayed", memory=RowsMemory())
        folding = Folding(
            number=self._number,
            until=point,
            slice_accounts_max=self._wanted.slice_accounts_max,
            store=store,
            cuts=self._span,
            failures=self._failures(),
        )
        try:
            self._compare_facts(folding, at_rest=at_rest)
            report.records, report.refused = folding.records, folding.refused
            if folding.arrived:
                self._compare_rows(folding.rows())
                report.compared = True
            else:
                report.notes.append(
                    f"rows not compared: slice {point.cursor} of a tick is not one of "
                    f"{self._wanted.slice_accounts_max} accounts (COBRANZA_STREAM_SLICE_ACCOUNTS_MAX)"
                )
        finally:
            store.close()
            shutil.rmtree(self._folder / "replayed")

    def _failures(self) -> dict[int, list[tuple[str, str]]]:
        decisions = self._logs.open(_DECISIONS, partition=self._number)
        return raised_on(record.value for record in decisions.to_end() if not is_internal(record.key))

    def _compare_facts(self, folding: Folding, *, at_rest: bool) -> None:
        matches, written = {}, {}
        for topic in COMPARED_TOPICS:
            matches[topic] = FactMatch(topic=topic, report=self._report, span=self._span)
            written[topic] = self._written(topic)
        for step in folding.facts(self._journal()):
            counts = dict.fromkeys(COMPARED_TOPICS, 0)
            for fact in step:
                if self._wanted.account in ("", fact.account):
                    matches[fact.topic].replay(fact.account, value=fact.value, position=fact.position)
                    counts[fact.topic] += 1
            for topic, count in counts.items():
                for account, value in islice(written[topic], count):
                    matches[topic].read(account, value=value)
        for topic, match in matches.items():
            for account, value in written[topic]:
                if not (at_rest or match.lacks):
                    break
                match.read(account, value=value)
            match.end(at_rest=at_rest)

    def _compare_rows(self, replayed: Iterator[tuple[bytes, bytes]]) -> None:
        """Walk both sides, which are in the order of their keys."""
        ours = next(replayed, None)
        for key, owner, value in self._sheet.rows():
            while ours is not None and ours[0] < key:
                self._compare_row(ours[0], replayed=ours[1], written=None)
                ours = next(replayed, None)
            same = ours is not None and ours[0] == key
            self._compare_row(key, owner=owner, replayed=ours[1] if ours and same else None, written=value)
            if same:
                ours = next(replayed, None)
        while ours is not None:
            self._compare_row(ours[0], replayed=ours[1], written=None)
            ours = next(replayed, None)

    def _compare_row(
        self, key: bytes, *, owner: str = "", replayed: bytes | None, written: bytes | None
    ) -> None:
        owner = owner or decode_key(key).owner
        if self._wanted.account not in ("", owner):
            return
        self._report.rows += 1
        what = value_difference(replayed=replayed, written=written)
        if what:
            row = f"row {key.decode()}"
            expected = "no such row" if replayed is None else "a row as replayed"
            self._report.object_to("rows", account=owner, row=row, expected=expected, found=what)

    def _journal(self) -> Iterator[Any]:
        log = self._logs.open(JOURNAL, partition=self._number)
        keys = (self._wanted.account.encode(), BROADCAST_KEY)
        for record in log.to_end():
            if not is_internal(record.key) and (not self._wanted.account or record.key in keys):
                yield record

    def _written(self, topic: str) -> Iterator[tuple[str, bytes]]:
        log = self._logs.open(topic, partition=self._number)
        for record in log.to_end():
            if is_internal(record.key):
                continue
            account = record.key.decode()
            if self._wanted.account in ("", account):
                yield account, record.value


def _read_links(log: PartitionLog, *, chain: ChainAudit) -> None:
    for record in log.to_end():
        chain.see(decode_link(record.value))

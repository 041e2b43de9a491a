"""One journal partition as a fold: its accounts, companies, clock and wakes.

The ledger worker, ``cobranza replay`` and the scenario tests run this very class. Committed
rows are in a ``RowStore``, live aggregates are a cache of them: a step that does not reach the log
is forgotten by dropping the aggregates that it touched. It refuses to know of Kafka, SQL and clocks.
"""

import contextlib
import datetime
import heapq
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple

from processors.account import Account
from processors.account_cache import AccountCache, RowsBudget
from processors.broadcasts import bank_alerts, company_key, conflict, said_of, tick_refused, why_refused
from processors.calendar import business_day, epoch_s
from processors.company import Company
from processors.decide import evaluate
from processors.failures import (
    Failure,
    KnownFailures,
    Poison,
    Stage,
    StepFailed,
    failed_before,
    quarantined,
    require_rows_fit,
)
from processors.fold import fold
from processors.in_flight import InFlight
from processors.journal_record import Entry, JournalRecord, until_tick
from processors.record_size import too_large
from processors.row_store import KeptRow, MemoryRows, RowStore, Wake, WakeChange
from processors.wake import reschedule
from schemas.bank import BankLineUnmatched
from schemas.commands import COMPANY_COMMANDS, CompanyCommand
from schemas.facts import LedgerFact
from schemas.fields import split_account_id
from schemas.journal import AccountEvent, TickPassed
from schemas.outcomes import OutcomeReported
from schemas.rows import (
    AccountRow,
    ClockRow,
    Row,
    RowKey,
    decode_key,
    decode_row,
    encode_key,
    encode_keys,
    encode_row,
    encode_rows,
)

__all__ = [
    "SLICE_ACCOUNTS_MAX",
    "SLICE_ROWS_MAX",
    "JournalRecord",
    "KnownFailures",
    "Partition",
    "PartitionStep",
    "Poison",
]

SLICE_ACCOUNTS_MAX = 5000  # DESIGN 3.1: accounts of one tick in one transaction
SLICE_ROWS_MAX = 50_000  # of one tick in one transaction, about: purging writes more than deciding

# Place in a tick: accounts that their company's changes concern, then those whose time has come.
_Turn = tuple[int, str, int, str]


class PartitionStep(NamedTuple):
    """What one transaction holds: see ``docs/architecture.md``."""

    rows: list[KeptRow]
    facts: list[LedgerFact]
    poison: list[Poison]
    consumed: int
    cursor: str


class _At(NamedTuple):
    """A record and its place in the run."""

    place: int
    record: JournalRecord


class Partition:
    """The state of one journal partition (DESIGN 1: each one's log alone determines it).

    Args:
        number: of the partition.
        slice_accounts_max: accounts of one tick in one step.
        store: of the committed rows; in memory when not given.
        budget: of the live accounts that are kept between steps, shared with others of this process.
        failures: journal offset -> (account, error) of what was raised on when this log was first
            folded. A replay leaves out the same, also when what raised has been mended since.
    """

    def __init__(
        self,
        *,
        number: int,
        slice_accounts_max: int = SLICE_ACCOUNTS_MAX,
        store: RowStore | None = None,
        budget: RowsBudget | None = None,
        failures: KnownFailures = MappingProxyType({}),
    ) -> None:
        self.number = number
        self.slice_accounts_max = slice_accounts_max
        self._store: RowStore = MemoryRows() if store is None else store
        self._cache = AccountCache(budget)
        self._companies: dict[str, Company] = {}
        self._in_flight = InFlight(self._store, account=self.account)
        self._changed_companies: set[str] = set()
        self._all_changed = True  # which companies have changed is not known: it may be any
        self._touched: dict[str, Account] = {}
        self._broadcast_rows: dict[bytes, bytes | None] = {}
        self._rows: list[KeptRow] = []
        self._known_failures = failures
        self._failures: dict[tuple[int, str], Failure] = {}
        self._new_failures: dict[tuple[int, str], Failure] = {}
        self._failed_now: set[str] = set()
        self._measured: set[str] = set()
        self._stage: Stage = "fold"
        self.clock: ClockRow | None = None
        self._clock_before: ClockRow | None = None
        self._read_clock()

    # -- reading back ---------------------------------------------------------

    def mark(self) -> bytes | None:
        """Give the mark that is kept with the rows."""
        return self._store.mark()

    def restore(self, rows: Sequence[KeptRow], *, mark: bytes | None = None) -> None:
        """Take committed rows (None: a tombstone), in log order; repeats are harmless."""
        self._store.take_back(rows, mark=mark)
        self._forget_live()

    def wipe(self) -> None:
        """Forget all state."""
        self._store.wipe()
        self._forget_live()

    def close(self) -> None:
        """Let go of what the store holds, and of all that lives."""
        self._store.close()
        self._cache.clear()

    def account(self, account: str) -> Account:
        """Give the live aggregate of an account, built from its rows when first asked for."""
        live = self._cache.get(account)
        return live if live is not None else self._load((account,))[0]

    def company(self, company: str) -> Company:
        """Give the live company, built from its rows when first asked for."""
        live = self._companies.get(company)
        if live is None:
            rows = self._store.load((company,)).get(company, ())
            live = Company.restore(company, rows=[decode_row(value) for value in rows])
            self._companies[company] = live
        return live

    def rows(self) -> dict[bytes, bytes]:
        """Give all committed rows by key: what ``replay`` compares."""
        return dict(self._store.items())

    # -- a step ---------------------------------------------------------------

    def step(self, records: Sequence[JournalRecord], *, cursor: str) -> PartitionStep:
        """Fold records until the run ends or a tick's slice is full.

        A record that raises is found, left out, and its account quarantined
        in the same step (DESIGN 3.6). ``commit`` or ``discard`` must follow.
        """
        self._measured = set()
        self._failures = failed_before((each.offset for each in records), known=self._known_failures)
        while True:
            try:
                return self._attempt(records, cursor=cursor)
            except StepFailed as failed:
                self.discard()
                self._failures |= failed.failures

    def commit(self, *, mark: bytes | None = None) -> None:
        """Make the last step the state, with its mark: its transaction is in the log."""
        wakes = []
        for name, account in self._touched.items():
            row = account.row
            wake = account.kept_wake
            if wake is None or wake.at_s != row.wake_at_s or wake.version != row.config_version:
                account.kept_wake = Wake(row.wake_at_s, row.config_version)
                wakes.append(WakeChange(name, wake, account.kept_wake))
        self._store.write(self._rows, wakes=wakes, mark=mark)
        self._clock_before = self.clock
        written = len(self._rows)
        self._in_flight.note(self._touched.values())
        self._forget()
        self._cache.grow(written)

    def discard(self) -> None:
        """Forget the last step: what it touched is built again from committed rows."""
        for account in self._touched:
            self._cache.drop(account)
        self._companies.clear()
        self._all_changed = True
        self.clock = self._clock_before
        self._forget()

    def _attempt(self, records: Sequence[JournalRecord], *, cursor: str) -> PartitionStep:
        facts: list[LedgerFact] = []
        self._new_failures = {}
        consumed = 0
        next_cursor = ""
        while consumed < len(records):
            entries, tick = until_tick(records, start=consumed)
            self._fold_entries(entries, records, start=consumed, facts=facts)
            consumed += len(entries)
            if tick is not None:
                if not self._tick(tick, at=_At(consumed, records[consumed]), facts=facts):
                    next_cursor = str(int(cursor or 0) + 1)
                    break
                cursor = ""
                consumed += 1
        if self._new_failures:
            raise StepFailed(self._new_failures)
        self._rows = self._encode_rows()
        owners = {decode_key(key).owner for key in too_large(self._rows)} & self._touched.keys()
        if not owners <= self._measured:
            self._measured |= owners
            raise StepFailed({})  # made again, to find the record that did it
        poison = [each.poison for (place, _), each in self._failures.items() if place <= consumed]
        return PartitionStep(self._rows, facts, poison, consumed, next_cursor)

    def _fold_entries(
        self,
        entries: Sequence[Entry],
        records: Sequence[JournalRecord],
        *,
        start: int,
        facts: list[LedgerFact],
    ) -> None:
        self._load_absent(entries)
        touched, companies, failures = self._touched, self._companies, self._failures
        now = self.clock.at if self.clock is not None else None
        is_live = self.clock is not None and self.clock.mode == "live"
        for place, (event, name, cause) in enumerate(entries, start):
            if isinstance(event, COMPANY_COMMANDS):
                facts += self._fold_company(event)
            elif failures and (place, name) in failures:
                self._fold_failed(event, name, cause, at=_At(place, records[place]), facts=facts)
            elif name not in self._failed_now:
                # One that failed in this attempt is left: it will be made again without what it failed on.
                account = touched.get(name)
                if account is None:
                    account = self._touch(name)
                company = companies.get(event.company)
                if company is None:
                    company = self.company(event.company)
                try:
                    heard_ms = records[place].timestamp if is_live else None
                    self._fold_account(
                        account, event, cause, facts, company=company, now=now, heard_ms=heard_ms
                    )
                except (MemoryError, RecursionError, OSError):
                    raise
                except Exception as error:  # noqa: BLE001 - any other raise is routed, not swallowed
                    self._fail(place, name, error)

    def _fold_account(
        self,
        account: Account,
        event: AccountEvent,
        cause: str,
        facts: list[LedgerFact],
        *,
        company: Company,
        now: datetime.datetime | None,
        heard_ms: int | None,
    ) -> None:
        row = account.row
        version, purge_on = row.version, row.purge_on
        self._stage = "fold"
        facts += fold(account, event, cause=cause, company=company, now=now, heard_ms=heard_ms)
        self._stage = "schedule"
        if row.quarantined:
            account.forget_stale()
        elif (
            row.version != version
            or account.stale
            or type(event) is OutcomeReported
            or row.purge_on != purge_on
        ):
            heard_on = business_day(event.occurred_at, company.zone)
            reschedule(account, company=company, now=now, heard_on=heard_on)
        if row.account in self._measured:
            self._stage = "fold"
            require_rows_fit(account)

    def _fold_failed(
        self, event: AccountEvent, name: str, cause: str, *, at: _At, facts: list[LedgerFact]
    ) -> None:
        """Fold what can be of a record that raised, and quarantine its account."""
        failure = self._failures[at.place, name]
        account = self._touch(name)
        if failure.stage != "fold":
            clock, company = self.clock, self.company(event.company)
            heard_ms = at.record.timestamp if clock is not None and clock.mode == "live" else None
            now = clock.at if clock is not None else None
            facts += fold(account, event, cause=cause, company=company, now=now, heard_ms=heard_ms)
        account.forget_stale()
        facts.append(quarantined(account, failure, offset=at.record.offset, wake_at_s=0))

    def _fail(self, place: int, name: str, error: Exception) -> None:
        """Note that the fold of one account raised; a raise is our bug and is routed (DESIGN 3.6).

        What the machine did (memory, stack, I/O) is no property of the log,
        so it must not become state: the worker crashes instead.
        """
        text = f"{self._stage}: {type(error).__name__}: {error}"
        self._new_failures[place, name] = Failure(Poison(place, name, text), self._stage)
        self._failed_now.add(name)

    def _fold_company(self, event: CompanyCommand) -> list[LedgerFact]:
        company = self.company(event.company)
        if company.conflicts(event):
            return [conflict(event, company=company)]
        rows = company.apply(event)
        if rows:
            self._changed_companies.add(event.company)
        for row in rows:
            self._write(company_key(row), row)
        for gone in company.banks.take_gone():
            self._broadcast_rows[encode_key(company_key(gone))] = None
        if rows and isinstance(event, BankLineUnmatched):
            for name in self._in_flight.overtaken(event, company, clock=self.clock, touched=self._touched):
                self._touch(name).advance()
        return said_of(event, company=company) if rows else []

    # -- ticks ----------------------------------------------------------------

    def _tick(self, tick: TickPassed, *, at: _At, facts: list[LedgerFact]) -> bool:
        """Evaluate the accounts that are due; False when the slice is full before all are."""
        refusal = why_refused(tick, appended_ms=at.record.timestamp, clock=self.clock)
        if refusal:
            facts.append(tick_refused(tick, partition=self.number, offset=at.record.offset, detail=refusal))
            return True
        if self.clock is not None and tick.at < self.clock.at:
            return True  # the ledger's now is max(T): an older tick says nothing new
        names = self._due(epoch_s(tick.at), limit=self.slice_accounts_max + 1)
        self._load([name for name in names if name not in self._touched and self._cache.get(name) is None])
        rows = 0
        for count, name in enumerate(names[: self.slice_accounts_max], start=1):
            self._evaluate(name, tick=tick, at=at, facts=facts)
            rows += self._touched[name].changed_rows() if name in self._touched else 0
            if rows >= SLICE_ROWS_MAX and count < len(names):
                return False
        if len(names) > self.slice_accounts_max:
            return False
        self._changed_companies.clear()
        self._all_changed = False
        since = self._since() or tick.at
        self.clock = ClockRow(at=tick.at, mode=tick.mode, journal_offset=at.record.offset, since=since)
        self._write(RowKey("clock", "", str(self.number)), self.clock)
        return True

    def _due(self, now_s: int, *, limit: int) -> list[str]:
        """List who is to be looked at by ``now_s``, the first ``limit`` of them.

        Who was touched in this step is judged by what it is now, the others
        by what is in the store; the order does not depend on which.
        """
        touched = self._touched
        turns = sorted(
            turn for name, account in touched.items() if (turn := self._turn(name, account.row, now_s))
        )
        with contextlib.ExitStack() as closing:
            kept = self._kept_turns(now_s, closing=closing)
            others = (turn for turn in kept if turn[3] not in touched)
            return [turn[3] for turn in islice(heapq.merge(turns, others), limit)]

    def _kept_turns(self, now_s: int, *, closing: contextlib.ExitStack) -> Iterator[_Turn]:
        concerned: set[str] = set()
        for company in self._store.companies() if self._all_changed else sorted(self._changed_companies):
            walk = self._store.outdated(company, version=self.company(company).version)
            for version, name in _closed_by(closing, walk):
                concerned.add(name)
                yield 0, company, version, name
        for at_s, name in _closed_by(closing, self._store.waking(now_s)):
            if name not in concerned:
                yield 1, "", at_s, name

    def _turn(self, name: str, row: AccountRow, now_s: int) -> _Turn | None:
        company, _ = split_account_id(name)
        if row.config_version != self.company(company).version:
            return 0, company, row.config_version, name
        if row.wake_at_s is not None and row.wake_at_s <= now_s:
            return 1, "", row.wake_at_s, name
        return None

    def _evaluate(self, name: str, *, tick: TickPassed, at: _At, facts: list[LedgerFact]) -> None:
        if name in self._failed_now:
            return
        account = self._touch(name)
        company = self.company(split_account_id(name)[0])
        failure = self._failures.get((at.place, name))
        if failure is not None:
            facts.append(quarantined(account, failure, offset=at.record.offset, wake_at_s=None))
            # What a finished evaluation notes by itself: seen with this profile, or it would be woken again.
            account.row.config_version = company.version
            return
        self._stage = "evaluate"
        try:
            facts += evaluate(account, tick=tick, company=company, since=self._since())
            for alert, row in bank_alerts(company, at=tick.at):
                facts.append(alert)
                self._write(company_key(row), row)
            if name in self._measured:
                require_rows_fit(account)
        except (MemoryError, RecursionError, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - any other raise is routed, not swallowed
            self._fail(at.place, name, error)

    def _since(self) -> datetime.datetime | None:
        """Give the ledger's first tick."""
        return self.clock.since if self.clock is not None else None

    def _touch(self, name: str) -> Account:
        account = self._touched.get(name)
        if account is None:
            account = self._touched[name] = self.account(name)
            if account.kept_wake is None:
                account.touch(account.row)  # whatever it holds, an account has its row: its wake is in it
        return account

    def _load_absent(self, entries: Iterable[Entry]) -> None:
        """Read the accounts of many events at once."""
        live = self._cache.young
        absent = {name: None for _, name, _ in entries if name not in live}
        names = [name for name in absent if name and self._cache.get(name) is None]
        if names:
            self._load(names)

    def _load(self, names: Sequence[str]) -> list[Account]:
        kept = self._store.load(names)
        loaded = []
        for name in names:
            rows = kept.get(name, ())
            account = Account.restore(name, rows=[decode_row(value) for value in rows])
            if rows:
                account.kept_wake = Wake(account.row.wake_at_s, account.row.config_version)
            self._cache.put(name, account)
            loaded.append(account)
        return loaded

    def _write(self, key: RowKey, row: Row) -> None:
        self._broadcast_rows[encode_key(key)] = encode_row(row)

    def _encode_rows(self) -> list[KeptRow]:
        keys: list[tuple[str, str, str]] = []
        changed: list[Row | None] = []
        for account in self._touched.values():
            account.list_changes(keys, changed)
        return [*self._broadcast_rows.items(), *zip(encode_keys(keys), encode_rows(changed), strict=True)]

    def _forget(self) -> None:
        self._failed_now = set()
        for account in self._touched.values():
            account.forget_changes()
        self._touched = {}
        self._broadcast_rows = {}
        self._rows = []

    def _forget_live(self) -> None:
        self._cache.clear()
        self._companies.clear()
        self._in_flight.forget()
        self._all_changed = True
        self._read_clock()

    def _read_clock(self) -> None:
        rows = [decode_row(value) for value in self._store.load(("",)).get("", ())]
        self.clock = next((row for row in rows if isinstance(row, ClockRow)), None)
        self._clock_before = self.clock


def _closed_by(closing: contextlib.ExitStack, walk: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """See that a walk is over, finished or not, when its caller is."""
    close = getattr(walk, "close", None)
    if close is not None:
        closing.callback(close)
    return walk

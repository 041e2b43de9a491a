"""One journal partition as a fold: its accounts, companies, clock and wake index.

The ledger worker, ``cobranza replay`` and the scenario tests run this very
class. It holds the committed rows as bytes, and live aggregates as a cache of
them: a step that does not reach the log is forgotten by dropping the
aggregates that it touched. It refuses to know of Kafka, SQL and clocks.
"""

import datetime
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from msgspec import Raw, json

from processors.account import Account
from processors.calendar import epoch_s
from processors.company import Company
from processors.decide import evaluate
from processors.fold import fold
from processors.wake import reschedule
from processors.wake_index import WakeIndex
from schemas.commands import ConfigureCompany, PublishPlan
from schemas.facts import AccountQuarantined, ExceptionRaised, LedgerFact
from schemas.fields import account_id, split_account_id
from schemas.journal import AccountEvent, TickPassed, decode_entry
from schemas.outcomes import OutcomeReported
from schemas.rows import (
    AccountRow,
    ClockRow,
    CompanyRow,
    PlanRow,
    Row,
    RowKey,
    decode_key,
    decode_row,
    encode_key,
    encode_row,
)

__all__ = ["SLICE_ACCOUNTS_MAX", "JournalRecord", "Partition", "PartitionStep", "Poison"]

SLICE_ACCOUNTS_MAX = 5000  # DESIGN 3.1: accounts of one tick in one transaction
TICK_AHEAD_MAX = datetime.timedelta(minutes=5)  # DESIGN 1: a live tick further ahead is refused
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class JournalRecord(Protocol):
    """What the fold needs of a consumed record; Kafka clients' records have it."""

    @property
    def offset(self) -> int:
        """Position in the partition."""

    @property
    def timestamp(self) -> int:
        """Log-append time, in milliseconds since the epoch."""

    @property
    def value(self) -> bytes:
        """An encoded ``JournalEntry``."""


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that the fold raised on: our bug. For a tick, one per account."""

    index: int  # in the run
    account: str
    error: str


class PartitionStep(NamedTuple):
    """What one transaction holds: see ``docs/architecture.md``."""

    rows: list[tuple[bytes, bytes | None]]
    facts: list[LedgerFact]
    poison: list[Poison]
    consumed: int
    cursor: str


@dataclass(frozen=True, slots=True)
class _At:
    """A record and its place in the run."""

    index: int
    record: JournalRecord


class _Failure(NamedTuple):
    """Where a fold raised, and whether the record had been taken in by then."""

    poison: Poison
    stage: Literal["fold", "schedule", "evaluate"]


class _StepFailed(Exception):  # noqa: N818 - it never leaves this module
    """Accounts' folds raised; the step starts anew and leaves those out."""

    def __init__(self, failures: dict[tuple[int, str], _Failure]) -> None:
        super().__init__(f"{len(failures)} accounts")
        self.failures = failures


class Partition:
    """The state of one journal partition (DESIGN 1: each one's log alone determines it)."""

    def __init__(self, *, number: int, slice_accounts_max: int = SLICE_ACCOUNTS_MAX) -> None:
        self.number = number
        self.slice_accounts_max = slice_accounts_max
        self.clock: ClockRow | None = None
        self._committed: dict[str, dict[bytes, bytes]] = {}
        self._accounts: dict[str, Account] = {}
        self._companies: dict[str, Company] = {}
        self._wakes = WakeIndex()
        self._stale_companies: set[str] = set()
        self._touched: dict[str, Account] = {}
        self._touched_companies: set[str] = set()
        self._owned_rows: dict[tuple[str, bytes], bytes | None] = {}
        self._clock_before: ClockRow | None = None
        self._failures: dict[tuple[int, str], _Failure] = {}
        self._new_failures: dict[tuple[int, str], _Failure] = {}
        self._failed_now: set[str] = set()

    # -- reading back ---------------------------------------------------------

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Take one committed row (None: a tombstone), in log order; repeats are harmless."""
        row_key = decode_key(key)
        self._commit_row(row_key.owner, key, value)
        match row_key.kind:
            case "clock":
                self.clock = self._clock_before = _clock(value)
            case "company" | "plan":
                self._companies.pop(row_key.owner, None)
                self._stale_companies.add(row_key.owner)
            case "account":
                self._accounts.pop(row_key.owner, None)
                self._wakes.set(row_key.owner, self._committed_wake(row_key.owner))
            case _:
                self._accounts.pop(row_key.owner, None)

    def account(self, account: str) -> Account:
        """Give the live aggregate of an account, built from its rows when first asked for."""
        live = self._accounts.get(account)
        if live is None:
            rows = self._committed.get(account, {})
            live = Account.restore(account, rows=[decode_row(value) for value in rows.values()])
            self._accounts[account] = live
        return live

    def company(self, company: str) -> Company:
        """Give the live company, built from its rows when first asked for."""
        live = self._companies.get(company)
        if live is None:
            rows = self._committed.get(company, {})
            live = Company.restore(company, rows=[decode_row(value) for value in rows.values()])
            self._companies[company] = live
        return live

    def rows(self) -> dict[bytes, bytes]:
        """Give all committed rows by key: what ``replay`` compares."""
        return {key: value for owned in self._committed.values() for key, value in owned.items()}

    # -- a step ---------------------------------------------------------------

    def step(self, records: Sequence[JournalRecord], *, cursor: str) -> PartitionStep:
        """Fold records until the run ends or a tick's slice is full.

        A record that raises is found, left out, and its account quarantined
        in the same step (DESIGN 3.6). ``commit`` or ``discard`` must follow.
        """
        self._failures = {}
        while True:
            try:
                return self._attempt(records, cursor=cursor)
            except _StepFailed as failed:
                self.discard()
                self._failures |= failed.failures

    def commit(self) -> None:
        """Make the last step the state: its transaction is in the log."""
        for (owner, key), value in self._owned_rows.items():
            self._commit_row(owner, key, value)
        self._clock_before = self.clock
        self._forget()

    def discard(self) -> None:
        """Forget the last step: what it touched is built again from committed rows."""
        for account in self._touched:
            self._accounts.pop(account, None)
            self._wakes.set(account, self._committed_wake(account))
        for company in self._touched_companies:
            self._companies.pop(company, None)
            self._stale_companies.add(company)
        self.clock = self._clock_before
        self._forget()

    def _attempt(self, records: Sequence[JournalRecord], *, cursor: str) -> PartitionStep:
        facts: list[LedgerFact] = []
        self._new_failures = {}
        consumed = 0
        next_cursor = ""
        for index, record in enumerate(records):
            entry = decode_entry(record.value)
            event = entry.event
            if isinstance(event, TickPassed):
                if not self._tick(event, at=_At(index, record), facts=facts):
                    next_cursor = str(int(cursor or 0) + 1)
                    break
                cursor = ""
            elif isinstance(event, PublishPlan | ConfigureCompany):
                facts += self._fold_company(event)
            else:
                self._fold_account(event, cause=entry.id, at=_At(index, record), facts=facts)
            consumed = index + 1
        if self._new_failures:
            raise _StepFailed(self._new_failures)
        poison = [each.poison for each in self._failures.values()]
        return PartitionStep(self._encode_rows(), facts, poison, consumed, next_cursor)

    def _fold_account(self, event: AccountEvent, *, cause: str, at: _At, facts: list[LedgerFact]) -> None:
        name = account_id(event.company, event.customer)
        if name in self._failed_now:
            return  # it failed in this attempt, which will be made again without what it failed on
        account = self._touch(name)
        company = self.company(event.company)
        row = account.row
        version = row.version
        if name not in self._committed:
            account.touch(row)  # whatever it holds, an account has its row: who takes over wakes it by that
        failure = self._failures.get((at.index, name))
        if failure is None or failure.stage != "fold":
            self._guard(
                lambda: facts.extend(fold(account, event, cause=cause, company=company)), at, name, "fold"
            )
        if failure is not None:
            facts.append(
                _quarantine(account, error=failure.poison.error, offset=at.record.offset, wake_at_s=0)
            )
        elif not row.quarantined and (
            row.version != version or account.stale or type(event) is OutcomeReported
        ):
            self._guard(lambda: reschedule(account, company=company), at, name, "schedule")
        self._wakes.set(name, self._wake_of(account.row))

    def _guard(
        self, call: Callable[[], None], at: _At, name: str, stage: Literal["fold", "schedule", "evaluate"]
    ) -> None:
        """Call the fold of one account; a raise is our bug and is routed (DESIGN 3.6).

        What the machine did (memory, stack, I/O) is no property of the log,
        so it must not become state: the worker crashes instead.
        """
        if name in self._failed_now:
            return
        try:
            call()
        except (MemoryError, RecursionError, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - any other raise is routed, not swallowed
            text = f"{stage}: {type(error).__name__}: {error}"
            self._new_failures[at.index, name] = _Failure(Poison(at.index, name, text), stage)
            self._failed_now.add(name)

    def _fold_company(self, event: PublishPlan | ConfigureCompany) -> list[LedgerFact]:
        company = self.company(event.company)
        if company.conflicts(event):
            return [_conflict(event, company=company)]
        rows = company.apply(event)
        if rows:
            self._touched_companies.add(event.company)
            self._stale_companies.add(event.company)
        for row in rows:
            self._write(_company_key(row), row)
        return []

    # -- ticks ----------------------------------------------------------------

    def _tick(self, tick: TickPassed, *, at: _At, facts: list[LedgerFact]) -> bool:
        """Evaluate the accounts that are due; False when the slice is full before all are."""
        refusal = self._refusal(tick, record=at.record)
        if refusal:
            facts.append(_refused(tick, partition=self.number, offset=at.record.offset, detail=refusal))
            return True
        if self.clock is not None and tick.at < self.clock.at:
            return True  # the ledger's now is max(T): an older tick says nothing new
        self._wake_stale_companies()
        now_s = epoch_s(tick.at)
        for name in self._wakes.due(now_s, limit=self.slice_accounts_max):
            self._evaluate(name, tick=tick, at=at, facts=facts)
            if name in self._failed_now:
                self._wakes.set(name, None)  # or it would stay due for ever in this attempt
        if self._wakes.any_due(now_s):
            return False
        self.clock = ClockRow(at=tick.at, mode=tick.mode, journal_offset=at.record.offset)
        self._write(RowKey("clock", "", str(self.number)), self.clock)
        return True

    def _evaluate(self, name: str, *, tick: TickPassed, at: _At, facts: list[LedgerFact]) -> None:
        account = self._touch(name)
        company = self.company(split_account_id(name)[0])
        failure = self._failures.get((at.index, name))
        if failure is not None:
            facts.append(
                _quarantine(account, error=failure.poison.error, offset=at.record.offset, wake_at_s=None)
            )
            # What a finished evaluation notes by itself: seen with this profile, or it would be woken again.
            account.row.config_version = company.version
        else:
            self._guard(
                lambda: facts.extend(_evaluated(account, tick=tick, company=company)), at, name, "evaluate"
            )
        self._wakes.set(name, account.row.wake_at_s)

    def _refusal(self, tick: TickPassed, *, record: JournalRecord) -> str:
        if self.clock is not None and self.clock.mode != tick.mode:
            return f"the journal is {self.clock.mode}, the tick is {tick.mode}"
        appended = EPOCH + datetime.timedelta(milliseconds=record.timestamp)
        if tick.mode == "live" and tick.at - appended > TICK_AHEAD_MAX:
            return f"a live tick at {tick.at.isoformat()} was appended at {appended.isoformat()}"
        return ""

    def _wake_stale_companies(self) -> None:
        """A changed profile or plan can make any step of its accounts due: look at each once."""
        for company in sorted(self._stale_companies):
            prefix = f"{company}:"
            for name in {*self._committed, *self._accounts}:
                if name.startswith(prefix):
                    live = self._accounts.get(name)
                    wake = self._wake_of(live.row) if live is not None else self._committed_wake(name)
                    self._wakes.set(name, wake)
        self._stale_companies.clear()

    def _wake_of(self, row: AccountRow) -> int | None:
        company = self.company(split_account_id(row.account)[0])
        return 0 if row.config_version != company.version else row.wake_at_s

    # -- rows -----------------------------------------------------------------

    def _touch(self, name: str) -> Account:
        account = self._touched.get(name)
        if account is None:
            account = self._touched[name] = self.account(name)
        return account

    def _write(self, key: RowKey, row: Row) -> None:
        self._owned_rows[key.owner, encode_key(key)] = encode_row(row)

    def _encode_rows(self) -> list[tuple[bytes, bytes | None]]:
        owned = self._owned_rows
        for name, account in self._touched.items():
            for key, row in account.changes().items():
                owned[name, encode_key(key)] = None if row is None else encode_row(row)
        return [(key, value) for (_, key), value in owned.items()]

    def _commit_row(self, owner: str, key: bytes, value: bytes | None) -> None:
        if value is not None:
            self._committed.setdefault(owner, {})[key] = value
        elif owner in self._committed:
            self._committed[owner].pop(key, None)

    def _committed_wake(self, name: str) -> int | None:
        value = self._committed.get(name, {}).get(encode_key(RowKey("account", name, "")))
        row = None if value is None else decode_row(value)
        return self._wake_of(row) if isinstance(row, AccountRow) else None

    def _forget(self) -> None:
        self._failed_now = set()
        for account in self._touched.values():
            account.forget_changes()
        self._touched = {}
        self._touched_companies = set()
        self._owned_rows = {}


def _evaluated(account: Account, *, tick: TickPassed, company: Company) -> list[LedgerFact]:
    facts = evaluate(account, tick=tick, company=company)
    now_s = epoch_s(tick.at)
    wake_at_s = account.row.wake_at_s
    if wake_at_s is not None and wake_at_s <= now_s:
        # An evaluation that wants to be repeated at once would never let the tick end.
        raise AssertionError(f"next wake {wake_at_s} is not after {now_s}")
    return facts


def _quarantine(account: Account, *, error: str, offset: int, wake_at_s: int | None) -> AccountQuarantined:
    """Stop the account's dunning: what is pending is stale by the new version (R32); money goes on."""
    account.row.quarantined = error[:500]
    account.row.version += 1
    account.row.wake_at_s = wake_at_s
    account.touch(account.row)
    return AccountQuarantined(
        id=f"{account.id}/{account.next_sequence()}",
        account=account.id,
        error=error[:500],
        journal_offset=offset,
    )


def _conflict(event: PublishPlan | ConfigureCompany, *, company: Company) -> ExceptionRaised:
    """Say that a plan's version or a command came again with other content; every partition says the same."""
    second = json.encode(event)
    plan = company.plan(event.plan.id, version=event.plan.version) if isinstance(event, PublishPlan) else None
    return ExceptionRaised(
        id=f"conflict/{event.company}/{event.command}/{hashlib.blake2s(second, digest_size=8).hexdigest()}",
        account=f"{event.company}:*",
        reason="conflict",
        key=f"plan/{event.plan.id}/{event.plan.version}" if isinstance(event, PublishPlan) else event.command,
        detail="what was published first stands",
        first=Raw(json.encode(plan if plan is not None else company.profile)),
        second=Raw(second),
    )


def _refused(tick: TickPassed, *, partition: int, offset: int, detail: str) -> ExceptionRaised:
    return ExceptionRaised(
        id=f"tick/{partition}/{offset}",
        account="*",
        reason="tick_refused",
        key=f"tick/{tick.at.isoformat()}",
        detail=detail,
    )


def _clock(value: bytes | None) -> ClockRow | None:
    row = None if value is None else decode_row(value)
    return row if isinstance(row, ClockRow) else None


def _company_key(row: Row) -> RowKey:
    match row:
        case CompanyRow():
            return RowKey("company", row.company, "")
        case PlanRow():
            return RowKey("plan", row.company, f"{row.plan.id}/{row.plan.version}")
        case _:
            raise TypeError(f"a {type(row).__name__} is no row of a company")

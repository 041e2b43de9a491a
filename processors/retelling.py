"""One account told again from its log: what was decided on a day, and from which facts (R31).

The account's own records are folded up to the last tick of the day, by the
worker's fold. That tick is then looked at once more with an account that does
not remember what it has said: so each item has its word, also on days on which
nothing was said anew. Beside it stands what the log really said.
"""

import datetime
from collections.abc import Iterable, Iterator
from typing import Protocol

from msgspec import Struct, field

from processors.alone import Alone
from processors.calendar import business_day, epoch_s, instant_of_ms, local_day
from processors.company import Company
from processors.ladder import Rung, rung_at, standing_of
from processors.partition import KnownFailures
from processors.plan import last_index
from schemas.commands import COMPANY_COMMANDS
from schemas.facts import LedgerFact, Movement, ReminderDecided, ReminderEnded, ReminderWithheld, Withheld
from schemas.fields import split_account_id
from schemas.journal import BROADCAST_KEY, AccountEvent, JournalEntry, TickPassed, decode_entry
from schemas.outcomes import OutcomeReported
from schemas.rows import AccountRow, ItemRow, decode_row, encode_row

__all__ = ["DayTold", "Heard", "ItemTold", "KeyedRecord", "Said", "retell"]


class KeyedRecord(Protocol):
    """A record of the journal with its key: the account, or all."""

    @property
    def offset(self) -> int:
        """Position in the partition."""

    @property
    def timestamp(self) -> int:
        """Log-append time, in milliseconds since the epoch."""

    @property
    def key(self) -> bytes | None:
        """The account id, or ``BROADCAST_KEY``."""

    @property
    def value(self) -> bytes:
        """An encoded ``JournalEntry``."""


class Heard(Struct, frozen=True, kw_only=True):
    """An event of the account: its CloudEvents id, its business day, and since when it was known.

    ``recorded_at`` is when the journal took it; in a played journal that says
    nothing, but ``since`` does: the ledger's newest tick then (None: before the first).
    """

    id: str
    offset: int
    event: AccountEvent
    on: datetime.date
    recorded_at: datetime.datetime
    since: datetime.datetime | None = None


class Said(Struct, frozen=True, kw_only=True):
    """A fact of the log; ``at`` is the ledger's newest tick then."""

    fact: LedgerFact
    at: datetime.datetime | None


class ItemTold(Struct, kw_only=True):
    """What is to be said of one item at the end of a day.

    Attributes:
        word: why its due step did not go out; None: it did, or none was due.
        said: the fact that said so first, which stands; None: it was not said (the ledger had not looked).
        reminder: the open reminder that has it, or the one of this day.
        next: its next step, with the plan's day for it; None: it has none.
        movements: of its amount, each with the id of its event.
    """

    row: ItemRow
    word: Withheld | None = None
    said: Said | None = None
    reminder: ReminderDecided | None = None
    next: Rung | None = None
    movements: list[Movement] = field(default_factory=list)


class DayTold(Struct, kw_only=True):
    """A day of an account.

    Attributes:
        tick: the last tick of the day, or before it if it had none; None: the ledger had not begun.
        has_tick: the day had one; ``decides``: from the decision hour on.
        decided: what the log said on the day, in order, movements left out.
        heard: all events of the account until that tick, by id.
        late: dated until the day, and heard after that tick: nobody knew.
        fates: reminder -> how it ended, of those that have.
        rows: the account's and its company's rows after the tick, as they are kept.
    """

    account: str
    day: datetime.date
    row: AccountRow
    company: Company
    tick: TickPassed | None = None
    has_tick: bool = False
    decides: bool = False
    decided: list[Said] = field(default_factory=list)
    items: dict[str, ItemTold] = field(default_factory=dict)
    heard: dict[str, Heard] = field(default_factory=dict)
    late: list[Heard] = field(default_factory=list)
    fates: dict[str, str] = field(default_factory=dict)
    customer_name: str = ""
    rows: dict[bytes, bytes] = field(default_factory=dict)


def retell(
    records: Iterable[KeyedRecord],
    *,
    account: str,
    day: datetime.date | None,
    number: int = 0,
    failures: KnownFailures | None = None,
) -> DayTold:
    """Tell an account's day from the records of its journal partition, from its beginning.

    Args:
        records: of the whole partition, in order; other accounts' are passed over unread.
        account: ``'<company>:<customer>'``.
        day: a company day; None: the day of the newest tick.
        number: of the partition.
        failures: what the ledger raised on and left out.
    """
    teller = _Teller(account, day=day, number=number, failures=failures)
    for record, entry in _own(records, account=account):
        teller.take(record, entry)
    return teller.told()


def _own(records: Iterable[KeyedRecord], *, account: str) -> Iterator[tuple[KeyedRecord, JournalEntry]]:
    key, company = account.encode(), split_account_id(account)[0]
    for record in records:
        if record.key not in (key, BROADCAST_KEY):
            continue
        entry = decode_entry(record.value)
        if not isinstance(entry.event, TickPassed) and entry.event.company != company:
            continue
        yield record, entry


class _Teller:
    """Folds one account, one tick behind: the last tick of the day is looked at twice."""

    def __init__(
        self, account: str, *, day: datetime.date | None, number: int, failures: KnownFailures | None
    ) -> None:
        self._account = account
        self._day = day
        self._alone = Alone(number=number, failures=failures)
        self._held: tuple[KeyedRecord, TickPassed] | None = None
        self._behind: list[tuple[KeyedRecord, JournalEntry]] = []
        self._heard: dict[str, Heard] = {}
        self._late: list[Heard] = []
        self._said: list[Said] = []
        self._words: dict[str, Said] = {}
        self._movements: dict[str, list[Movement]] = {}
        self._is_over = False

    def take(self, record: KeyedRecord, entry: JournalEntry) -> None:
        """Take the next record; what comes after the day is only noted."""
        event = entry.event
        if isinstance(event, TickPassed):
            if not self._is_over:
                self._tick(record, event)
        elif self._is_over:
            if not isinstance(event, COMPANY_COMMANDS):
                self._late.append(self._hear(record, entry))
        elif self._held is None:
            self._fold(record, entry)
        else:
            self._behind.append((record, entry))

    def _tick(self, record: KeyedRecord, tick: TickPassed) -> None:
        zone = self._company().zone
        if self._day is not None and local_day(tick.at, zone) > self._day:
            self._is_over = True
            return
        clock = self._alone.partition.clock
        if clock is not None and clock.mode != tick.mode:
            return  # refused by the ledger (DESIGN 1)
        if self._held is not None:
            if tick.at <= self._held[1].at:
                return  # not newer than the one before: it decides nothing, and is no look
            if self._behind or self._is_look(self._held[1]):
                self._let_go()
        self._held = (record, tick)

    def _is_look(self, tick: TickPassed) -> bool:
        """Say whether the account is looked at by a tick; one that is not only moves the clock, as the next will."""
        if self._alone.partition.clock is None:
            return True  # the first tick of a ledger is remembered
        row = self._alone.partition.account(self._account).row
        if row.config_version != self._company().version:
            return True
        return row.wake_at_s is not None and row.wake_at_s <= epoch_s(tick.at)

    def _let_go(self) -> None:
        """Fold the tick that was held back, and what came after it."""
        if self._held is not None:
            record, tick = self._held
            self._see(self._alone.fold(record), at=tick.at)
            self._held = None
        for record, entry in self._behind:
            self._fold(record, entry)
        self._behind = []

    def _fold(self, record: KeyedRecord, entry: JournalEntry) -> None:
        clock = self._alone.partition.clock
        self._see(self._alone.fold(record), at=None if clock is None else clock.at)
        if not isinstance(entry.event, COMPANY_COMMANDS):
            self._heard[entry.id] = self._hear(record, entry)

    def _hear(self, record: KeyedRecord, entry: JournalEntry) -> Heard:
        event = entry.event
        if isinstance(event, (TickPassed, *COMPANY_COMMANDS)):
            raise TypeError(f"a {type(event).__name__} is no event of an account")
        clock = self._alone.partition.clock
        return Heard(
            id=entry.id,
            offset=record.offset,
            event=event,
            on=business_day(event.occurred_at, self._company().zone),
            recorded_at=instant_of_ms(record.timestamp),
            since=None if clock is None else clock.at,
        )

    def _see(self, facts: Iterable[LedgerFact], *, at: datetime.datetime | None) -> None:
        for fact in facts:
            if isinstance(fact, Movement):
                if fact.item:
                    self._movements.setdefault(fact.item, []).append(fact)
                continue
            said = Said(fact=fact, at=at)
            self._said.append(said)
            if isinstance(fact, ReminderWithheld):
                self._words |= {each.item: said for each in fact.items}

    def _company(self) -> Company:
        return self._alone.partition.company(split_account_id(self._account)[0])

    # -- the day ----------------------------------------------------------------

    def told(self) -> DayTold:
        """Look at the last tick once more, fold it and tell."""
        held = self._held
        behind, self._behind = self._behind, []
        words = self._look(held)
        self._let_go()
        self._end_day(behind)
        company = self._company()
        tick = None if held is None else held[1]
        looked_on = None if tick is None else local_day(tick.at, company.zone)
        day = self._day or looked_on or datetime.date.min
        live = self._alone.partition.account(self._account)
        told = DayTold(
            account=self._account,
            day=day,
            row=live.row,
            company=company,
            tick=tick,
            has_tick=looked_on == day,
            decides=tick is not None
            and epoch_s(tick.at) >= company.decides_from_s(local_day(tick.at, company.zone)),
            decided=[each for each in self._said if _said_on(each, company=company) == day],
            heard=self._heard,
            late=[heard for heard in self._late if heard.on <= day],
            fates={s.fact.reminder: s.fact.status for s in self._said if isinstance(s.fact, ReminderEnded)},
            customer_name="" if live.customer is None else live.customer.customer.name,
            rows=self._alone.partition.rows(),
        )
        self._tell_items(told, words=words)
        return told

    def _end_day(self, behind: list[tuple[KeyedRecord, JournalEntry]]) -> None:
        """Fold the fates of what the day's last tick decided; what else came after it, nobody has looked at yet."""
        unseen = []
        for record, entry in behind:
            if isinstance(entry.event, OutcomeReported):
                self._fold(record, entry)
            elif not isinstance(entry.event, COMPANY_COMMANDS):
                unseen.append(self._hear(record, entry))
        self._late[:0] = unseen

    def _look(self, held: tuple[KeyedRecord, TickPassed] | None) -> dict[str, Withheld]:
        """Let the last tick decide for an account that remembers nothing of what it has said; give item -> last word."""
        if held is None:
            return {}
        again = Alone(number=self._alone.partition.number, rows=_forgetful(self._alone.partition.rows()))
        words: dict[str, Withheld] = {}
        for fact in again.take(held[1], at=instant_of_ms(held[0].timestamp)):
            if isinstance(fact, ReminderWithheld):
                words |= {each.item: each for each in fact.items}
            elif isinstance(fact, ReminderDecided):
                for each in fact.items:
                    words.pop(each.item, None)
        return words

    def _tell_items(self, told: DayTold, *, words: dict[str, Withheld]) -> None:
        live = self._alone.partition.account(self._account)
        company = told.company
        reminders = {s.fact.id: s.fact for s in self._said if isinstance(s.fact, ReminderDecided)}
        today = [s.fact for s in told.decided if isinstance(s.fact, ReminderDecided)]
        in_force = [reminders[live.row.open_reminder]] if live.row.open_reminder in reminders else []
        named = {each.item: fact for fact in (*in_force, *today) for each in fact.items}
        for name, row in live.items.items():
            item = ItemTold(row=row, movements=self._movements.get(name, []))
            item.reminder, item.word = named.get(name), words.get(name)
            if row.pending is not None and in_force:
                item.reminder = in_force[0]
            said = self._words.get(name)
            if item.word is not None and said is not None and _says(said, item.word):
                item.said = said
            if row.status == "open" and row.open_minor > 0:
                standing = standing_of(row, company=company, customer=live.customer)
                if standing is not None and standing.consumed < last_index(standing.plan):
                    item.next = rung_at(row, standing=standing, index=standing.consumed + 1, company=company)
            told.items[name] = item


def _said_on(said: Said, *, company: Company) -> datetime.date | None:
    """Give the company day of a fact: its tick's; what providers' words led to has a day of its own (R19)."""
    if isinstance(said.fact, ReminderEnded) and said.fact.given_back:
        return said.fact.on
    return None if said.at is None else local_day(said.at, company.zone)


def _says(said: Said, word: Withheld) -> bool:
    fact = said.fact
    return isinstance(fact, ReminderWithheld) and any(
        each.item == word.item and each.reason == word.reason for each in fact.items
    )


def _forgetful(rows: dict[bytes, bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Give rows that say nothing was said, and that are to be looked at."""
    for key, value in rows.items():
        row = decode_row(value)
        if isinstance(row, AccountRow):
            row.wake_at_s = 0
        elif isinstance(row, ItemRow):
            row.judged = ""
        yield key, encode_row(row)

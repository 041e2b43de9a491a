"""What an account is judged by at one tick, and what a judgement is.

It judges and changes nothing; the checks are in ``processors.withholding``.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from processors.account import Account
from processors.addressing import contacts_for, deliveries_for, unusable_channels
from processors.arrangements import asked_minor, running_plan
from processors.company import Company
from processors.cover import Cover, counted, cover
from processors.ladder import Rung, level_offset_days
from processors.law.permits import Permits
from processors.law.register import on_their_way, permits_for
from processors.residual import Residual, is_owed, residual_of
from schemas.events import Contact
from schemas.facts import Delivery, Reason
from schemas.journal import TickPassed
from schemas.rows import BankLineRow, ItemRow, ReminderRowItem

__all__ = ["Case", "Circumstances", "Verdict", "failed_until", "is_before_start"]

_DAY = datetime.timedelta(days=1)


class Verdict(NamedTuple):
    """A reason, the first day on which it may not hold any more (None: an event must come), its values.

    ``until_s`` is the instant (epoch seconds) where the day does not say enough.
    """

    reason: Reason
    until: datetime.date | None
    values: dict[str, str]
    until_s: int | None = None


@dataclass(slots=True)
class Circumstances:
    """What all items of an account are judged by at one tick.

    Attributes:
        due: the items with a step due on ``day``, in a reminder or not.
        in_reminder: item -> its step in the open reminder.
        now_because: a person's reason for which gap, minimum and bank gate do not count now.
    """

    account: Account
    company: Company
    tick: TickPassed
    day: datetime.date
    due: frozenset[str] = frozenset()
    in_reminder: Mapping[str, ReminderRowItem] = field(default_factory=dict)
    now_because: str = ""
    _dunnable: list[ItemRow] | None = None
    _next_overdue_on: dict[str, datetime.date | None] = field(default_factory=dict)
    _totals_minor: dict[str, int] | None = None
    _covers: dict[str, Cover | None] = field(default_factory=dict)
    _bank_lines: list[BankLineRow] | None = None
    _worst_due_on: datetime.date | None = None
    _permits: Permits | None = None
    _step_deliveries: dict[tuple[str, int, int, Contact | None], tuple[Delivery, ...]] = field(
        default_factory=dict
    )

    def step_deliveries(self, rung: Rung, *, item: ItemRow) -> tuple[Delivery, ...]:
        """Give how a step would be carried for an item alone: by which channels, where an address is missing."""
        key = (rung.plan.id, rung.plan.version, rung.step_index, item.contact)
        found = self._step_deliveries.get(key)
        if found is None:
            found = self._step_deliveries[key] = deliveries_for(
                rung.step.actions,
                contacts=contacts_for(self.account, items=[item], role=rung.step.role),
                failed=unusable_channels(self.account),
                not_before=self.tick.at,
                language=self.company.profile.language,
                opted_out=self.account.row.opted_out,
            )
        return found

    def permits(self) -> Permits:
        """Give the law for the account's debtor, with the contacts made so far and the messages on their way."""
        if self._permits is None:
            self._permits = permits_for(self.account, company=self.company, on=self.day)
            for made in on_their_way(self.account):
                self._permits.add(made)
        return self._permits

    def dunnable(self) -> list[ItemRow]:
        """List what counts for minimum and account grace: not held, and overdue or with a step due (R8, R11).

        Items that are not handled yet (S4-03, S4-04) do not count.
        """
        if self._dunnable is None:
            items = self.account.items
            names = dict.fromkeys((*self.account.opened.overdue(self.day), *self.due))
            self._dunnable = [item for name in names if self.counts(item := items[name])]
        return self._dunnable

    def dunnable_minor(self, currency: str) -> int:
        """Give the total of what is dunnable in a currency: of each item what is not disputed (R29)."""
        if self._totals_minor is None:
            self._totals_minor = {}
            for item in self.dunnable():
                total_minor = self._totals_minor.get(item.currency, 0)
                self._totals_minor[item.currency] = total_minor + asked_minor(self.account, item)
        return self._totals_minor.get(currency, 0)

    def cover(self, currency: str) -> Cover | None:
        """Give what credit covers of what is dunnable in a currency (R11, R12); None: there is none to count."""
        if currency not in self._covers:
            self._covers[currency] = self._cover(currency)
        return self._covers[currency]

    def _cover(self, currency: str) -> Cover | None:
        balance = self.account.row.balances.get(currency)
        if balance is None or not balance.credit_minor:
            return None
        self.account.unapplied.fill(self.account.credits.values())
        left = counted(self.account.unapplied.left(currency), policy=self.company.profile.credit_policy)
        if not any(left):
            return None
        items = [item for item in self.dunnable() if item.currency == currency]
        levels = dict.fromkeys((item.item for item in items), 0)
        if left.notes_minor:
            levels = {item.item: self._level(item) for item in items}
        asked = (
            None
            if self.account.arrangements is None
            else {each.item: asked_minor(self.account, each) for each in items}
        )
        return cover(items, levels=levels, left=left, asked=asked)

    def _level(self, item: ItemRow) -> int:
        return level_offset_days(item, company=self.company, customer=self.account.customer, day=self.day)

    def worst_due_on(self) -> datetime.date:
        """Give the first due date of what is dunnable: of something, when a step is due."""
        if self._worst_due_on is None:
            self._worst_due_on = min(item.due_on for item in self.dunnable())
        return self._worst_due_on

    def next_overdue_on(self, currency: str) -> datetime.date | None:
        """Give the next day on which the total of a currency grows by itself: another item is overdue then."""
        if currency not in self._next_overdue_on:
            items = self.account.items

            def is_wanted(name: str) -> bool:
                item = items[name]
                return name not in self.due and item.currency == currency and self.counts(item)

            due_on = self.account.opened.first_coming(self.day, is_wanted=is_wanted)
            self._next_overdue_on[currency] = None if due_on is None else due_on + _DAY
        return self._next_overdue_on[currency]

    def residual(self, item: ItemRow) -> Residual | None:
        """Give why what is left of an item is no debt to dun; None: it is one."""
        return residual_of(self.account, item, company=self.company)

    def stale_banks(self) -> dict[str, datetime.date | None]:
        """Give the bank accounts that reminders of the day wait for, unless a person has overridden it (R21)."""
        banks = self.company.banks
        if not self.company.profile.bank_accounts or banks.override(self.day) is not None:
            return {}
        return banks.stale(self.company.profile, day=self.day)

    def bank_lines(self) -> list[BankLineRow]:
        """List the unmatched credits that may be this customer's and still hold reminders (R21)."""
        if self._bank_lines is None:
            self._bank_lines = self.company.banks.lines_of(self.account)
        return [row for row in self._bank_lines if self.day < row.until]

    def old_bank_lines(self) -> list[BankLineRow]:
        """List those that have held them long enough: a person is to look."""
        self.bank_lines()
        return [row for row in self._bank_lines or () if self.day >= row.until]

    def counts(self, item: ItemRow) -> bool:
        """Say whether an item is open, more than a residual, not held and handled at all."""
        return (
            item.status == "open"
            and item.open_minor > 0
            and asked_minor(self.account, item) > 0
            and is_owed(self.account, item, company=self.company)
            and not (item.due_on <= self.day and running_plan(self.account, item) is not None)
            and not is_before_start(item, company=self.company)
        )


@dataclass(slots=True)
class Case:
    """One due step of one item; ``overtaken``: a courtesy that the day has passed."""

    at: Circumstances
    item: ItemRow
    rung: Rung | None
    overtaken: bool


def failed_until(failed_on: datetime.date, *, company: Company) -> datetime.date:
    """Give the day from which a step that failed on all channels is tried again (R19): the gap, at least a day."""
    return failed_on + datetime.timedelta(days=max(1, company.profile.min_days_between_contacts))


def is_before_start(item: ItemRow, *, company: Company) -> bool:
    """Say whether the company's start dates leave an item out (S4-03: past_from, S4-04: new_from)."""
    past_from, new_from = company.profile.past_from, company.profile.new_from
    if past_from is None and new_from is None:
        return False
    handled = (past_from is not None and item.due_on >= past_from) or (
        new_from is not None and item.issued_on >= new_from
    )
    return not handled

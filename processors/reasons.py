"""Why a due step is not sent: the first reason of R15 that applies, with what it was judged by (R31).

It judges and changes nothing.
"""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from processors.account import Account
from processors.company import Company
from processors.holds import account_hold, in_force, item_hold
from processors.ladder import Rung, is_level
from processors.money import to_minor
from schemas.facts import Reason
from schemas.journal import TickPassed
from schemas.rows import HoldRow, ItemRow, ReminderRowItem

__all__ = ["Circumstances", "Verdict", "failed_until", "judge"]

_DAY = datetime.timedelta(days=1)


class Verdict(NamedTuple):
    """A reason, the first day on which it may not hold any more (None: an event must come), its values."""

    reason: Reason
    until: datetime.date | None
    values: dict[str, str]


@dataclass(slots=True)
class Circumstances:
    """What all items of an account are judged by at one tick.

    Attributes:
        due: the items with a step due on ``day``, in a reminder or not.
        in_reminder: item -> its step in the open reminder.
    """

    account: Account
    company: Company
    tick: TickPassed
    day: datetime.date
    due: frozenset[str] = frozenset()
    in_reminder: Mapping[str, ReminderRowItem] = field(default_factory=dict)
    _dunnable: list[ItemRow] | None = None
    _next_overdue_on: dict[str, datetime.date | None] = field(default_factory=dict)
    _totals_minor: dict[str, int] | None = None
    _worst_due_on: datetime.date | None = None

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
        """Give the total of what is dunnable in a currency."""
        if self._totals_minor is None:
            self._totals_minor = {}
            for item in self.dunnable():
                total_minor = self._totals_minor.get(item.currency, 0)
                self._totals_minor[item.currency] = total_minor + item.open_minor
        return self._totals_minor.get(currency, 0)

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

    def counts(self, item: ItemRow) -> bool:
        """Say whether an item is open, not held and handled at all."""
        return (
            item.status == "open"
            and item.open_minor > 0
            and item_hold(self.account, item.item) is None
            and not _is_before_start(item, company=self.company)
        )


@dataclass(slots=True)
class _Case:
    """One due step of one item; ``overtaken``: a courtesy that the day has passed."""

    at: Circumstances
    item: ItemRow
    rung: Rung | None
    overtaken: bool


def judge(at: Circumstances, *, item: ItemRow, rung: Rung | None, overtaken: bool = False) -> Verdict | None:
    """Give the first reason against sending an item's step now; None: it goes out.

    Args:
        rung: the due step; None when the item has no plan to stand on.
        overtaken: it is a courtesy that comes too late.
    """
    case = _Case(at, item, rung, overtaken)
    for check in _CHECKS:
        verdict = check(case)
        if verdict is not None:
            return verdict
    return None


def failed_until(failed_on: datetime.date, *, company: Company) -> datetime.date:
    """Give the day from which a step that failed on all channels is tried again (R19): the gap, at least a day."""
    return failed_on + datetime.timedelta(days=max(1, company.profile.min_days_between_contacts))


# -- one check per reason, in the order of R15 ---------------------------------


def _quarantined(case: _Case) -> Verdict | None:
    error = case.at.account.row.quarantined
    return Verdict("quarantined", None, {"error": error}) if error else None


def _held_account(case: _Case) -> Verdict | None:
    hold = account_hold(case.at.account, case.at.day)
    return None if hold is None else _held(hold)


def _excluded(case: _Case) -> Verdict | None:
    hold = item_hold(case.at.account, case.item.item)
    return None if hold is None else _held(hold)


def _snoozed(case: _Case) -> Verdict | None:
    hold = case.at.account.holds.get("snoozed")
    return _held(hold) if hold is not None and in_force(hold, case.at.day) else None


def _held(hold: HoldRow) -> Verdict:
    values = {"reason": hold.reason, "author": hold.author, "placed_at": hold.placed_at}
    if hold.review_on is not None:
        values["review_on"] = hold.review_on.isoformat()
    return Verdict(hold.hold, hold.until, {name: value for name, value in values.items() if value})


def _before_start(case: _Case) -> Verdict | None:
    if not _is_before_start(case.item, company=case.at.company):
        return None
    profile = case.at.company.profile
    return Verdict(
        "before_start",
        None,
        {
            "due_on": case.item.due_on.isoformat(),
            "issued_on": case.item.issued_on.isoformat(),
            "past_from": "" if profile.past_from is None else profile.past_from.isoformat(),
            "new_from": "" if profile.new_from is None else profile.new_from.isoformat(),
        },
    )


def _is_before_start(item: ItemRow, *, company: Company) -> bool:
    past_from, new_from = company.profile.past_from, company.profile.new_from
    if past_from is None and new_from is None:
        return False
    handled = (past_from is not None and item.due_on >= past_from) or (
        new_from is not None and item.issued_on >= new_from
    )
    return not handled


def _no_plan(case: _Case) -> Verdict | None:
    if case.rung is not None:
        return None
    values = {"plan": case.at.company.plan_name(case.item, case.at.account.customer)}
    level = getattr(case.item.document, "level", "")
    if level:
        values["level"] = level
    return Verdict("no_plan", None, values)


def _reminder_open(case: _Case) -> Verdict | None:
    reminder = case.at.account.row.open_reminder
    return Verdict("reminder_open", None, {"reminder": reminder}) if reminder else None


def _failed(case: _Case) -> Verdict | None:
    row, failed_on = case.at.account.row, case.item.failed_on
    if failed_on is None or row.failed_on is None:
        return None
    until = failed_until(failed_on, company=case.at.company)
    if case.at.day >= until:
        return None
    return Verdict(
        "failed", until, {"failed_on": failed_on.isoformat(), "channels": ", ".join(row.failed_channels)}
    )


def _manual_mode(case: _Case) -> Verdict | None:
    if case.at.account.row.mode == "manual":
        return Verdict("manual_mode", None, {"set_for": "customer"})
    if not case.at.company.profile.automatic:
        return Verdict("manual_mode", None, {"set_for": "company"})
    if case.rung is not None and not case.rung.step.automatic:
        return Verdict("manual_mode", None, {"set_for": "step"})
    return None


def _switched_off(case: _Case) -> Verdict | None:
    if case.rung is None or is_level(case.rung.step) or case.at.company.profile.courtesies:
        return None
    return Verdict("switched_off", None, {"switch": "courtesies"})


def _courtesy_passed(case: _Case) -> Verdict | None:
    if not case.overtaken:
        return None
    return Verdict("courtesy_passed", None, {"due_on": case.item.due_on.isoformat()})


def _below_minimum(case: _Case) -> Verdict | None:
    currency = case.item.currency
    minimum = case.at.company.profile.minimums.get(currency)
    if minimum is None:
        return None
    minimum_minor = to_minor(minimum, currency=currency)
    total_minor = case.at.dunnable_minor(currency)
    if total_minor >= minimum_minor:
        return None
    return Verdict(
        "below_minimum",
        case.at.next_overdue_on(currency),
        {"currency": currency, "total_minor": str(total_minor), "minimum_minor": str(minimum_minor)},
    )


def _account_grace(case: _Case) -> Verdict | None:
    if case.rung is None or not is_level(case.rung.step):
        return None
    grace_days = case.rung.plan.account_grace_days
    if not grace_days:
        return None
    worst_due_on = case.at.worst_due_on()
    until = worst_due_on + datetime.timedelta(days=grace_days)
    if case.at.day >= until:
        return None
    return Verdict(
        "account_grace", until, {"worst_due_on": worst_due_on.isoformat(), "grace_days": str(grace_days)}
    )


def _source_lag(case: _Case) -> Verdict | None:
    lagging = case.at.tick.lagging
    return Verdict("source_lag", None, {"topics": ", ".join(lagging)}) if lagging else None


def _gap(case: _Case) -> Verdict | None:
    last_on = case.at.account.row.last_contact_on
    min_days = case.at.company.profile.min_days_between_contacts
    if last_on is None:
        return None
    until = last_on + datetime.timedelta(days=min_days)
    if case.at.day >= until:
        return None
    return Verdict("gap", until, {"last_contact_on": last_on.isoformat(), "min_days": str(min_days)})


_CHECKS: tuple[Callable[[_Case], Verdict | None], ...] = (
    _quarantined,
    _held_account,
    _excluded,
    _snoozed,
    _before_start,
    _no_plan,
    _reminder_open,
    _failed,
    _manual_mode,
    _switched_off,
    _courtesy_passed,
    _below_minimum,
    _account_grace,
    _source_lag,
    _gap,
)

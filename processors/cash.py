"""When open money may come in (U-9): as agreed with the customer, on its due date, or when the plan's next level asks for it.

Nothing is guessed of how customers pay. What is open of an item is cut into parts, each with a day, or with the
reason why there is none; the parts of an account add up to what it owes.
"""

import datetime
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from processors.account import Account
from processors.arrangements import (
    asked_minor,
    disputed_minor,
    held_part_minor,
    open_promise,
    running_plan,
)
from processors.circumstances import is_before_start
from processors.company import Company
from processors.cover import counted, shares_minor
from processors.credit_index import Left
from processors.holds import account_hold, in_force, item_hold
from processors.ladder import Standing, current_rung, is_level, level_offset_days, rung_at, standing_of
from processors.plan import last_index
from processors.promised_money import counts_for, first_due
from processors.residual import is_owed
from schemas.charges import ClaimDocument
from schemas.rows import ItemRow, PromiseRow

__all__ = ["Basis", "CashPart", "expected_cash"]

Basis = Literal[
    "promised",
    "instalment",
    "not_cleared",
    "on_due_date",
    "asked",
    "next_level",
    "disputed",
    "held",
    "credit",
    "no_date",
]
_DAY = datetime.timedelta(days=1)


class CashPart(Struct, frozen=True, kw_only=True):
    """A part of what is open of an item: integer minor units, and the company day on which it may come.

    ``on`` None: there is no day. ``basis`` says why: ``promised`` (the day of the promise), ``instalment`` (of a running
    payment plan), ``not_cleared`` (a cheque, from the day it can be cashed), ``on_due_date`` (not overdue), ``asked`` (the pay-by
    day of the last level sent), ``next_level`` (that of the next one); without a day ``disputed``, ``held``, ``credit`` (the money
    is here, and not applied), ``no_date``. ``plan`` is the reminder plan that the item stands on, '' for none.
    """

    item: str
    currency: str
    amount_minor: int
    basis: Basis
    on: datetime.date | None = None
    plan: str = ""


def expected_cash(account: Account, *, company: Company, day: datetime.date) -> Iterator[CashPart]:
    """Cut all that an account owes into parts, the oldest item first, as of a company day.

    Credit that counts is set against what is not held as in a decision (R11, R12), a promise against the oldest that it covers (R35), and
    first of all the money that has come for it and is not applied.
    The next level is the plan's: gap, law and conditions may move it.
    """
    credited_minor = _credited_minor(account, company=company, day=day)
    promised_minor: dict[str, int] = {}
    for item in sorted(account.items.values(), key=lambda row: (row.due_on, row.item)):
        if item.status != "open" or item.open_minor <= 0:
            continue
        standing = standing_of(item, company=company, customer=account.customer)
        plan = "" if standing is None else standing.plan.id
        rest_minor = item.open_minor
        for part in _held_parts(account, item, day=day, plan=plan):
            rest_minor -= part.amount_minor
            yield part
        credit_minor = credited_minor.get(item.item, 0)
        if credit_minor:
            rest_minor -= credit_minor
            yield _part(item, credit_minor, "credit", None, plan=plan)
        since = _quiet_until(account, day)
        promise = open_promise(account, item)
        if rest_minor and promise is not None:
            covers_minor = promised_minor.setdefault(promise.promise, _promised_minor(promise))
            covered_minor = min(rest_minor, covers_minor)
            promised_minor[promise.promise] -= covered_minor
            rest_minor -= covered_minor
            since = max(since, promise.until + _DAY)
            if covered_minor:
                yield _part(item, covered_minor, "promised", max(day, promise.due_on), plan=plan)
        if rest_minor:
            basis, on = _when(account, item, standing=standing, company=company, day=day, since=since)
            yield _part(item, rest_minor, basis, on, plan=plan)


def _credited_minor(account: Account, *, company: Company, day: datetime.date) -> dict[str, int]:
    """Give how much of each item credit is set against: as at the next decision, what is not due yet after what is.

    Money that has come for a promise is set against what that covers, and against nothing else. Nothing of what is held otherwise,
    of instalments of a running payment plan, of claims, of residuals, and of what is not handled.
    """
    account.unapplied.fill(account.credits.values())
    if account_hold(account, day) is not None:
        return {}
    found: dict[str, int] = {}
    for currency in sorted({item.currency for item in account.items.values()}):
        left = counted(account.unapplied.left(currency), policy=company.profile.credit_policy)
        if not any(left):
            continue
        come_minor = _come_for_promises_minor(account, currency=currency, cash_minor=left.cash_minor)
        left = left._replace(cash_minor=left.cash_minor - sum(come_minor.values()))
        found |= come_minor
        items = [
            item
            for item in account.items.values()
            if item.currency == currency and _takes_credit(account, item, company=company)
        ]
        due = [item for item in items if _is_due(account, item, company=company, day=day)]
        names = {item.item for item in due}
        for together in (due, [item for item in items if item.item not in names]):
            shares = _shares_minor(account, together, left=left, company=company, day=day)
            of_notes_minor = min(left.notes_minor, sum(shares.values()))  # they go first
            of_cash_minor = sum(shares.values()) - of_notes_minor
            left = Left(left.cash_minor - of_cash_minor, left.notes_minor - of_notes_minor)
            found |= shares
    return found


def _shares_minor(
    account: Account, items: list[ItemRow], *, left: Left, company: Company, day: datetime.date
) -> dict[str, int]:
    levels = {
        item.item: level_offset_days(item, company=company, customer=account.customer, day=day)
        for item in items
    }
    asked = {item.item: asked_minor(account, item) for item in items}
    return shares_minor(items, levels=levels, left=left, asked=asked)


def _is_due(account: Account, item: ItemRow, *, company: Company, day: datetime.date) -> bool:
    """Say whether an item is overdue, or has a step due: what a decision sets credit against (R11)."""
    if item.due_on < day:
        return True
    standing = standing_of(item, company=company, customer=account.customer)
    if standing is None:
        return False
    _, rung = current_rung(item, standing=standing, day=day, company=company)
    return rung is not None


def _come_for_promises_minor(account: Account, *, currency: str, cash_minor: int) -> dict[str, int]:
    """Give how much of each promised item the money is here for: its promise counts it (R35), and nobody has applied it."""
    arranged = account.arrangements
    found: dict[str, int] = {}
    if arranged is None:
        return found
    open_ones = [
        row for row in arranged.promises.values() if row.status == "open" and row.currency == currency
    ]
    rests = {name: account.credits[name].rest_minor for name in account.unapplied.names(currency)}
    for promise in first_due(open_ones):
        come_minor = min(_come_minor(account, promise, rests=rests), promise.amount_minor)
        items = (account.items[name] for name in arranged.covered.get(promise.promise, ()))
        for item in sorted(items, key=lambda row: (row.due_on, row.item)):
            asked_of_it_minor = item.open_minor - held_part_minor(account, item)
            taken_minor = min(cash_minor, come_minor, asked_of_it_minor)
            if taken_minor > 0 and item.status == "open" and item_hold(account, item.item) is None:
                found[item.item] = taken_minor
                come_minor -= taken_minor
                cash_minor -= taken_minor
    return found


def _come_minor(account: Account, promise: PromiseRow, *, rests: dict[str, int]) -> int:
    """Give what of the credits that are left (``rests``, by name) counts for a promise, and leave the rest for the next one."""
    come_minor = 0
    for name, rest_minor in rests.items():
        minor = counts_for(account.credits[name], promise, rest_minor=rest_minor)
        rests[name] -= minor
        come_minor += minor
    return come_minor


def _takes_credit(account: Account, item: ItemRow, *, company: Company) -> bool:
    return (
        item.status == "open"
        and asked_minor(account, item) > 0
        and is_owed(account, item, company=company)
        and running_plan(account, item) is None
        and not is_before_start(item, company=company)
    )


def _part(item: ItemRow, amount_minor: int, basis: Basis, on: datetime.date | None, *, plan: str) -> CashPart:
    return CashPart(
        item=item.item, currency=item.currency, amount_minor=amount_minor, basis=basis, on=on, plan=plan
    )


def _promised_minor(promise: PromiseRow) -> int:
    return max(0, promise.amount_minor - promise.received_minor)


def _held_parts(account: Account, item: ItemRow, *, day: datetime.date, plan: str) -> Iterator[CashPart]:
    """Cut off what nobody asks for: disputed, and what has been handed over and has not cleared (R29, S1-21)."""
    rest_minor = item.open_minor
    if minor := disputed_minor(account, item):
        rest_minor -= minor
        yield _part(item, minor, "disputed", None, plan=plan)
    arranged = account.arrangements
    covers = {} if arranged is None else arranged.conditional.get(item.item, {})
    for name, covered_minor in sorted(covers.items()):
        minor = min(rest_minor, covered_minor)
        if arranged is not None and minor:
            payable_on = arranged.instruments[name].document.payable_on
            rest_minor -= minor
            on = None if payable_on is None else max(day, payable_on)
            yield _part(item, minor, "not_cleared", on, plan=plan)


def _quiet_until(account: Account, day: datetime.date) -> datetime.date:
    """Give the first day on which a level may go: not before the next date by hand (R20)."""
    snoozed = account.holds.get("snoozed")
    if snoozed is None or snoozed.until is None or not in_force(snoozed, day):
        return day
    return snoozed.until


def _when(
    account: Account,
    item: ItemRow,
    *,
    standing: Standing | None,
    company: Company,
    day: datetime.date,
    since: datetime.date,
) -> tuple[Basis, datetime.date | None]:
    """Say when an item may be paid of which nothing special is known, no level before ``since``."""
    if item_hold(account, item.item) is not None:
        return "held", None
    if running_plan(account, item) is not None:
        return "instalment", max(day, item.due_on)
    if item.due_on >= day:
        return "on_due_date", item.due_on
    if account_hold(account, day) is not None:
        return "held", None
    if type(item.document) is ClaimDocument or standing is None:
        return "no_date", None
    return _asked(item, standing=standing, company=company, since=since)


def _asked(
    item: ItemRow, *, standing: Standing, company: Company, since: datetime.date
) -> tuple[Basis, datetime.date | None]:
    """Say until when the last level of an overdue item asks for the money, else the next one, if it has one left."""
    if standing.pay_by_on is not None and standing.pay_by_on >= since:
        return "asked", standing.pay_by_on
    for index in range(standing.consumed + 1, last_index(standing.plan) + 1):
        rung = rung_at(item, standing=standing, index=index, company=company)
        if is_level(rung.step):
            asked_on = max(rung.due_on, since) + datetime.timedelta(days=rung.step.pay_by_days)
            return "next_level", asked_on
    return "no_date", None

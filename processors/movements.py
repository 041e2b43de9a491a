"""Postings: the only place where an open amount or a credit's rest changes, each change said as a movement.

Dates are chosen so that no past day ever shows less than nothing open, or
less than nothing left of a credit (``docs/domain.md``, Settlement).
"""

import datetime

from processors.account import Account
from processors.context import FoldContext
from schemas.facts import ExceptionRaised, ExceptionReason, LedgerFact, Movement, MovementKind
from schemas.rows import ApplicationRow, CreditRow, ItemRow

__all__ = ["Postings", "entered_on", "latest_first"]


class Postings:
    """What one event changes in an account's money.

    Attributes:
        facts: movements and exceptions so far.
        grown: items that money was taken off, and ``freed`` the credits that it went back to:
            ``settle.cascade`` serves those who name the first, and what the second name.
        correcting: money taken off an item was never there (the bank corrects, a name
            is served late), so it is dated as its application was; otherwise it goes on the event's day.
    """

    __slots__ = ("account", "cause", "context", "correcting", "day", "facts", "freed", "grown")

    def __init__(self, account: Account, context: FoldContext, *, correcting: bool = False) -> None:
        self.account = account
        self.cause = context.cause
        self.day = context.day
        self.context = context
        self.correcting = correcting
        self.facts: list[LedgerFact] = []
        self.grown: list[ItemRow] = []
        self.freed: dict[str, CreditRow] = {}

    def change_item(self, item: ItemRow, *, kind: MovementKind, amount_minor: int, on: datetime.date) -> None:
        """Change an open amount from outside: issue, amendment, cancellation."""
        account = self.account
        item.open_minor += amount_minor
        account.balance(item.currency).open_minor += amount_minor
        _set_status(item)
        account.touch_item(item)
        self.facts.append(
            Movement(
                id=self._next_id(),
                account=account.row.account,
                currency=item.currency,
                kind=kind,
                amount_minor=amount_minor,
                business_date=on,
                cause=self.cause,
                item=item.item,
                due_on=None if kind == "cancelled" else item.due_on,
            )
        )

    def change_credit(
        self, credit: CreditRow, *, kind: MovementKind, amount_minor: int, on: datetime.date
    ) -> None:
        """Change what a credit counts from outside: receipt, reversal, refund."""
        account = self.account
        credit.rest_minor += amount_minor
        account.balance(credit.currency).credit_minor += amount_minor
        account.touch_credit(credit)
        self.facts.append(
            Movement(
                id=self._next_id(),
                account=account.row.account,
                currency=credit.currency,
                kind=kind,
                amount_minor=amount_minor,
                business_date=on,
                cause=self.cause,
                credit=credit.credit,
            )
        )

    def apply(self, credit: CreditRow, item: ItemRow, *, amount_minor: int, automatic: bool = False) -> None:
        """Set an amount of a credit against an item, dated from the later of the two."""
        account = self.account
        on = max(credit.received_on, item.entered_on or item.issued_on)
        if credit.freed_on is not None and credit.freed_on > on:
            on = credit.freed_on
        if item.grown_on is not None and item.grown_on > on:
            on = item.grown_on
        known = account.applications.get(item.item)
        row = None if known is None else known.get(credit.credit)
        if row is None:
            row = ApplicationRow(
                account=account.row.account,
                credit=credit.credit,
                item=item.item,
                amount_minor=amount_minor,
                applied_on=on,
                automatic=automatic,
                order=account.row.sequence + 1,
            )
            account.put_application(row)
        else:
            row.amount_minor += amount_minor
            row.applied_on = max(row.applied_on, on)
            account.touch(row)
        self._pair("applied", credit, item, amount_minor=amount_minor, on=on)

    def unapply(self, row: ApplicationRow, *, amount_minor: int) -> None:
        """Take an amount of an application back: the item is open again, the money is credit again."""
        account = self.account
        credit, item = account.credits[row.credit], account.items[row.item]
        on = row.applied_on
        if not self.correcting and self.day > on:
            on = self.day
        row.amount_minor -= amount_minor
        if row.amount_minor:
            account.touch(row)
        else:
            account.drop_application(row)
        if on > max(credit.received_on, entered_on(item)):
            # Until that day the money was on the item, so that neither it nor its place is free earlier.
            item.grown_on = max(item.grown_on or on, on)
            credit.freed_on = max(credit.freed_on or on, on)
        self._pair("unapplied", credit, item, amount_minor=-amount_minor, on=on)
        account.settling.loosen(credit)
        self.grown.append(item)
        if len(credit.names) > 1:
            self.freed[credit.credit] = credit

    def release(self, item: ItemRow, *, excess_minor: int) -> None:
        """Take so much of what settles an item off it, the last applied first: it is worth less now."""
        for row in latest_first(self.account, item):
            if excess_minor <= 0:
                break
            amount_minor = min(excess_minor, row.amount_minor)
            self.unapply(row, amount_minor=amount_minor)
            excess_minor -= amount_minor

    def object_to(self, *, reason: ExceptionReason, key: str, detail: str) -> None:
        """Say that a person must look at something."""
        self.facts.append(
            ExceptionRaised(
                id=self._next_id(), account=self.account.row.account, reason=reason, key=key, detail=detail
            )
        )

    def _pair(
        self, kind: MovementKind, credit: CreditRow, item: ItemRow, *, amount_minor: int, on: datetime.date
    ) -> None:
        """Move ``amount_minor`` from credit to item (negative: back), and say both sides."""
        account, row, cause = self.account, self.account.row, self.cause
        name, sequence, currency = row.account, row.sequence, item.currency
        row.sequence = sequence + 2
        credit.rest_minor -= amount_minor
        item.open_minor -= amount_minor
        balance = account.balance(currency)
        balance.open_minor -= amount_minor
        balance.credit_minor -= amount_minor
        _set_status(item)
        account.touch_item(item)
        account.touch_credit(credit)
        if item.status == "open" and amount_minor < 0:
            account.settling.open_item(item)
        self.facts.append(
            Movement(
                id=f"{name}/{sequence + 1}",
                account=name,
                currency=currency,
                kind=kind,
                amount_minor=-amount_minor,
                business_date=on,
                cause=cause,
                item=item.item,
                counterpart=credit.credit,
            )
        )
        self.facts.append(
            Movement(
                id=f"{name}/{sequence + 2}",
                account=name,
                currency=currency,
                kind=kind,
                amount_minor=-amount_minor,
                business_date=on,
                cause=cause,
                credit=credit.credit,
                counterpart=item.item,
            )
        )

    def _next_id(self) -> str:
        row = self.account.row
        row.sequence = sequence = row.sequence + 1
        return f"{row.account}/{sequence}"


def entered_on(item: ItemRow) -> datetime.date:
    """Give the day from which an item is in the account: its issue, or when it was brought in."""
    return item.entered_on or item.issued_on


def latest_first(account: Account, item: ItemRow) -> list[ApplicationRow]:
    """List what settles an item, the last applied first."""
    rows = account.applications.get(item.item, {}).values()
    return sorted(rows, key=lambda row: row.order, reverse=True)


def _set_status(item: ItemRow) -> None:
    if item.status != "cancelled":
        item.status = "open" if item.open_minor else "settled"

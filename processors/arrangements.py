"""What was arranged with a customer, and what of each item it takes out of dunning (R15, R29, R35).

An account has this only once something was arranged. It holds rows and the
indexes beside them; who makes and ends them is in ``promises`` and ``disputes``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from processors.dispute_notes import share_notes
from schemas.rows import ChildRow, DisputeRow, InstrumentRow, ItemRow, PaymentPlanRow, PromiseRow

if TYPE_CHECKING:
    from processors.account import Account

__all__ = [
    "Arrangements",
    "asked_minor",
    "conditional_minor",
    "disputed_minor",
    "held_part_minor",
    "open_promise",
    "running_plan",
]


class Arrangements:
    """Rows by id, and what they say of which item.

    Attributes:
        covered: promise -> the items that it is the last to cover.
        disputed: item -> its disputes by id.
        amended_away: item -> its disputes that an amendment has ended, by id: what one takes, another may give back.
        conditional: item -> payment that has not cleared -> how much of the item it covers.
        children: the customers that belong to this one (B-13).
        recounted: promise -> by how much the event at hand has changed what counts for it, in minor units (R35).
        split: item or instalment -> the payment plans that it is part of.
    """

    __slots__ = (
        "amended_away",
        "children",
        "conditional",
        "covered",
        "disputed",
        "disputes",
        "instruments",
        "payment_plans",
        "promises",
        "recounted",
        "split",
    )

    def __init__(self) -> None:
        self.promises: dict[str, PromiseRow] = {}
        self.covered: dict[str, dict[str, None]] = {}
        self.disputes: dict[str, DisputeRow] = {}
        self.disputed: dict[str, dict[str, DisputeRow]] = {}
        self.amended_away: dict[str, dict[str, DisputeRow]] = {}
        self.instruments: dict[str, InstrumentRow] = {}
        self.conditional: dict[str, dict[str, int]] = {}
        self.children: dict[str, ChildRow] = {}
        self.recounted: dict[str, int] = {}
        self.payment_plans: dict[str, PaymentPlanRow] = {}
        self.split: dict[str, list[PaymentPlanRow]] = {}

    def size(self) -> int:
        """Count the rows."""
        return (
            len(self.promises)
            + len(self.disputes)
            + sum(map(len, self.amended_away.values()))
            + len(self.instruments)
            + len(self.payment_plans)
            + len(self.children)
        )

    def holds_something(self) -> bool:
        """Say whether anything may be held by what was arranged now."""
        return bool(
            self.disputed
            or self.conditional
            or any(row.status == "open" for row in self.promises.values())
            or any(row.status == "running" for row in self.payment_plans.values())
        )

    def cover(self, item: ItemRow, *, promise: str) -> None:
        """Enter that a promise covers an item."""
        self.covered.setdefault(promise, {})[item.item] = None

    def uncover(self, item: ItemRow) -> None:
        """Take an item out of what its promise covers."""
        items = self.covered.get(item.promise)
        if items is not None:
            items.pop(item.item, None)
            if not items:
                del self.covered[item.promise]

    def add_dispute(self, row: DisputeRow) -> None:
        """Enter a dispute, or one that is remembered only."""
        if row.is_over:
            self.amended_away.setdefault(row.item, {})[row.dispute] = row
            return
        self.disputes[row.dispute] = row
        self.disputed.setdefault(row.item, {})[row.dispute] = row

    def drop_dispute(self, row: DisputeRow) -> None:
        """Take a dispute out."""
        del self.disputes[row.dispute]
        others = self.disputed[row.item]
        del others[row.dispute]
        if not others:
            del self.disputed[row.item]

    def remember_dispute(self, row: DisputeRow) -> None:
        """Let a dispute hold its item no more that an amendment has ended, and may bring back."""
        self.drop_dispute(row)
        row.is_over = True
        self.add_dispute(row)

    def reopen_dispute(self, row: DisputeRow) -> None:
        """Let a dispute that is remembered hold its item again."""
        ended = self.amended_away[row.item]
        del ended[row.dispute]
        if not ended:
            del self.amended_away[row.item]
        row.is_over = False
        self.add_dispute(row)

    def add_instrument(self, row: InstrumentRow) -> None:
        """Enter a payment that has not cleared, with what it covers."""
        self.instruments[row.payment] = row
        for part in row.covers:
            self.conditional.setdefault(part.item, {})[row.payment] = part.amount_minor

    def uncover_by(self, row: InstrumentRow) -> None:
        """Take out what a payment covers."""
        for part in row.covers:
            others = self.conditional[part.item]
            del others[row.payment]
            if not others:
                del self.conditional[part.item]

    def add_payment_plan(self, row: PaymentPlanRow) -> None:
        """Enter a payment plan with its instalments."""
        self.payment_plans[row.payment_plan] = row
        for name in (row.item, *row.instalments):
            self.split.setdefault(name, []).append(row)

    def kin(self, item: str) -> Iterator[str]:
        """Walk the items that an item was split into or from: they are remembered together."""
        for row in self.split.get(item, ()):
            yield from (row.item, *row.instalments)

    def forget_item(self, item: ItemRow) -> Iterator[DisputeRow | PaymentPlanRow]:
        """Take an item out that is forgotten; gives the rows that go with it."""
        self.uncover(item)
        for row in list(self.disputed.get(item.item, {}).values()):
            self.drop_dispute(row)
            yield row
        yield from self.amended_away.pop(item.item, {}).values()
        for plan in self.split.pop(item.item, ()):
            if self.payment_plans.pop(plan.payment_plan, None) is not None:
                yield plan


def open_promise(account: Account, item: ItemRow) -> PromiseRow | None:
    """Give the promise under which an item's dunning sleeps (R35)."""
    if not item.promise or account.arrangements is None:
        return None
    promise = account.arrangements.promises.get(item.promise)
    return promise if promise is not None and promise.status == "open" else None


def disputed_minor(account: Account, item: ItemRow) -> int:
    """Give how much of an item's open amount is disputed, or waits for the credit note of a ruling (R29).

    Credit notes that came after a dispute are what the dispute led to, each for one.
    """
    if account.arrangements is None:
        return 0
    disputes = account.arrangements.disputed.get(item.item)
    if not disputes:
        return 0
    if any(row.amount_minor is None for row in disputes.values()):
        return item.open_minor
    return min(item.open_minor, sum(share.left_minor for share in share_notes(account, item).values()))


def conditional_minor(account: Account, item: ItemRow) -> int:
    """Give how much of an item's open amount is covered by payments that have not cleared (S1-21)."""
    if account.arrangements is None or item.item not in account.arrangements.conditional:
        return 0
    return min(item.open_minor, sum(account.arrangements.conditional[item.item].values()))


def held_part_minor(account: Account, item: ItemRow) -> int:
    """Give how much of an item's open amount is not asked for while the rest is (R29, S1-21)."""
    if account.arrangements is None:
        return 0
    return min(item.open_minor, disputed_minor(account, item) + conditional_minor(account, item))


def running_plan(account: Account, item: ItemRow) -> PaymentPlanRow | None:
    """Give the payment plan that an item is an instalment of, while it runs (R25)."""
    if account.arrangements is None:
        return None
    plans = account.arrangements.split.get(item.item, ())
    return next((row for row in plans if row.status == "running" and row.item != item.item), None)


def asked_minor(account: Account, item: ItemRow) -> int:
    """Give how much of an item may be asked for: what is open, less what is held of it; 0 where all of it is held (R15).

    Holds of the whole account are not looked at.
    """
    if account.holds and f"excluded/{item.item}" in account.holds:
        return 0
    if account.arrangements is None:
        return item.open_minor
    if open_promise(account, item) is not None:
        return 0
    return item.open_minor - held_part_minor(account, item)

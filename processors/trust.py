"""How far a customer is trusted: from the own history of payments and promises, or as a person said (R34).

Counters on the account's row follow each item that money has settled; an
event costs what it touches. ``docs/domain.md`` has the formula. It decides nothing:
plans may condition on it.
"""

import datetime

from processors import identity
from processors.account import Account
from processors.context import FoldContext
from schemas.charges import ClaimDocument
from schemas.commands import SetTrust
from schemas.facts import LedgerFact
from schemas.rows import AccountRow, ItemRow, Trust

__all__ = ["JUDGED_FROM", "derived_trust", "note_payment", "note_promise", "set_trust"]

JUDGED_FROM = 3  # paid items from which a history says something
_BAD_MEAN_DAYS = 15
_BAD_PROMISES = 2
_GOOD_MEAN_DAYS = 3
_GOOD_SHARE = 10  # one of so many may be late
_BAD_SHARE = 2


def derived_trust(row: AccountRow) -> Trust:
    """Give what the customer's history says: share paid late, mean days late, broken promises."""
    paid, late, days = row.paid_items, row.late_items, row.late_days
    if row.broken_promises >= _BAD_PROMISES:
        return "bad"
    if paid < JUDGED_FROM:
        return "normal"
    if late * _BAD_SHARE >= paid and days > _BAD_MEAN_DAYS * paid:
        return "bad"
    if not row.broken_promises and late * _GOOD_SHARE <= paid and days <= _GOOD_MEAN_DAYS * paid:
        return "good"
    return "normal"


def note_payment(account: Account, item: ItemRow) -> None:
    """Count an item that money has settled, once, or take it back when it is not any more; it was touched."""
    late_days = _late_days(account, item)
    if late_days == item.late_days:
        return
    row = account.row
    _count(row, item.late_days, by=-1)
    _count(row, late_days, by=1)
    item.late_days = late_days
    _refresh(account)


def note_promise(account: Account, *, before: str, after: str) -> None:
    """Count a promise that was broken, or take it back when late money shows that it was not (R35)."""
    by = (after == "broken") - (before == "broken")
    if by:
        account.row.broken_promises += by
        _refresh(account)


def set_trust(account: Account, event: SetTrust, *, context: FoldContext) -> list[LedgerFact]:
    """Take a person's word, which stands until it is cleared (``derived``)."""
    key = f"command/{event.command}"
    repeated = identity.remember_for_retention(account, event, key=key, context=context)
    if repeated is not None:
        return repeated
    account.row.trust_set = None if event.trust == "derived" else event.trust
    _refresh(account)
    return []


def _late_days(account: Account, item: ItemRow) -> int | None:
    """Give how many days after its due date the last money came that settled an item; None: no money did."""
    if item.status != "settled" or type(item.document) is ClaimDocument:
        return None
    applied: datetime.date | None = None
    for credit, row in account.applications.get(item.item, {}).items():
        if credit.startswith("payment/") and (applied is None or row.applied_on > applied):
            applied = row.applied_on
    return None if applied is None else max(0, (applied - item.due_on).days)


def _count(row: AccountRow, late_days: int | None, *, by: int) -> None:
    if late_days is not None:
        row.paid_items += by
        row.late_items += by if late_days else 0
        row.late_days += by * late_days


def _refresh(account: Account) -> None:
    row = account.row
    trust = row.trust_set or derived_trust(row)
    account.touch(row)
    if trust != row.trust:
        row.trust = trust
        account.advance()  # a plan may condition on it

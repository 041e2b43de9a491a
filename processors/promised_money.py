"""Which money counts for which promise (R35): each minor unit for one of them, whichever falls due first.

An account has more than one promise of a currency where a merged customer's goes on beside its own. A payment notes
what of it counts for whom, so that money which goes back is taken from the promise that had counted it.
"""

from collections.abc import Iterable

from processors.account import Account
from schemas.facts import LedgerFact, Movement
from schemas.rows import CreditRow, PromiseRow

__all__ = ["count_anew", "count_money", "counts_for", "first_due"]

_MONEY = frozenset({"received", "reversed", "refunded", "transferred_in"})
_OVER = frozenset({"replaced", "withdrawn", "moved"})  # no money keeps these, or breaks them


def count_money(account: Account, facts: Iterable[LedgerFact]) -> list[PromiseRow]:
    """Count what movements bring for the promises that it is dated for, and what they take no more; give those that it changed."""
    changed: dict[str, PromiseRow] = {}
    for fact in facts:
        if type(fact) is not Movement or fact.kind not in _MONEY or not fact.credit.startswith("payment/"):
            continue
        credit = account.credits[fact.credit]
        if fact.amount_minor > 0:
            new_minor = credit.amount_minor - sum(
                credit.promised.values()
            )  # what comes home may have counted before it went
            rows = _count(account, credit, amount_minor=min(fact.amount_minor, max(0, new_minor)))
        else:
            rows = _take_back(account, credit, amount_minor=-fact.amount_minor)
        changed |= {row.promise: row for row in rows}
    return list(changed.values())


def count_anew(account: Account, promise: str) -> list[PromiseRow]:
    """Count the money of a promise that was taken back for the others that it is dated for; give those that it changed."""
    changed: dict[str, PromiseRow] = {}
    for credit in sorted(account.credits.values(), key=lambda row: (row.order, row.credit)):
        amount_minor = credit.promised.pop(promise, 0)
        if amount_minor:
            account.touch(credit)
            rows = _count(account, credit, amount_minor=amount_minor)
            changed |= {row.promise: row for row in rows}
    return list(changed.values())


def counts_for(credit: CreditRow, promise: PromiseRow, *, rest_minor: int) -> int:
    """Give how much of what is left of a credit counts for a promise, in minor units."""
    return min(rest_minor, credit.promised.get(promise.promise, 0))


def first_due(promises: Iterable[PromiseRow]) -> list[PromiseRow]:
    """Put promises in the order in which money is counted for them: by their day, those of one day as they were made."""
    return sorted(promises, key=lambda row: (row.due_on, row.order, row.promise))


def _count(account: Account, credit: CreditRow, *, amount_minor: int) -> list[PromiseRow]:
    """Fill the promises that money is dated for, the first due first; what is over counts for the last of them."""
    promises = first_due(account.arranged().promises.values())
    fitting = [row for row in promises if row.status not in _OVER and _is_for(row, credit)]
    changed: list[PromiseRow] = []
    for place, row in enumerate(fitting, start=1):
        lacks_minor = max(0, row.amount_minor - row.received_minor)
        taken_minor = amount_minor if place == len(fitting) else min(amount_minor, lacks_minor)
        if taken_minor:
            amount_minor -= taken_minor
            row.received_minor += taken_minor
            credit.promised[row.promise] = credit.promised.get(row.promise, 0) + taken_minor
            changed.append(row)
    if changed:
        account.touch(credit)
    return changed


def _take_back(account: Account, credit: CreditRow, *, amount_minor: int) -> list[PromiseRow]:
    """Count what is gone of a credit no more: the last due of its promises loses it first, as it was the last to have it."""
    known = account.arranged().promises
    changed: list[PromiseRow] = []
    for row in reversed(first_due(known[name] for name in credit.promised if name in known)):
        taken_minor = min(amount_minor, credit.promised[row.promise])
        amount_minor -= taken_minor
        row.received_minor -= taken_minor
        credit.promised[row.promise] -= taken_minor
        if not credit.promised[row.promise]:
            del credit.promised[row.promise]
        if taken_minor:
            changed.append(row)
    if changed:
        account.touch(credit)
    return changed


def _is_for(promise: PromiseRow, credit: CreditRow) -> bool:
    """Say whether money may count for a promise: it was heard after it, and is dated from its day to the end of its tolerance."""
    is_dated = promise.made_on <= credit.received_on <= promise.until
    is_money = credit.credit_kind == "payment" and credit.currency == promise.currency
    return is_dated and is_money and credit.order > promise.order

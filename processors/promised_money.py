"""Which money counts for which promise (R35): each minor unit for one of them, whichever falls due first.

An account has more than one promise of a currency where a merged customer's goes on beside its own. A payment notes
what of it counts for whom, so that money which goes back, or goes to another customer, is taken from the promise that
had counted it. What has changed in an event is in ``Arrangements.recounted``: ``promises.review`` judges by it once.
"""

from collections.abc import Iterable

from processors.account import Account
from schemas.facts import LedgerFact, Movement
from schemas.rows import CreditRow, PromiseRow

__all__ = [
    "count_anew",
    "count_credit",
    "count_money",
    "counts_for",
    "first_due",
    "is_recounted",
    "let_go",
    "take_back",
    "uncount",
]

_MONEY = frozenset({"received", "converted", "reversed", "refunded"})
_ELSEWHERE = ""  # for whom money counts whose promise stays where it was judged
_OVER = frozenset({"replaced", "withdrawn", "moved"})  # no money keeps these, or breaks them


def count_money(account: Account, facts: Iterable[LedgerFact]) -> None:
    """Count what movements bring for the promises that it is dated for, and what they take no more."""
    if account.arrangements is None:
        return
    for fact in facts:
        if type(fact) is not Movement or fact.kind not in _MONEY or not fact.credit.startswith("payment/"):
            continue
        credit = account.credits[fact.credit]
        if fact.amount_minor > 0:
            count_credit(account, credit, amount_minor=fact.amount_minor)
        else:
            take_back(account, credit, amount_minor=-fact.amount_minor)


def count_credit(account: Account, credit: CreditRow, *, amount_minor: int) -> None:
    """Fill the promises that money is dated for, the first due first; what is over counts for the last of them."""
    if account.arrangements is None:
        return
    promises = first_due(account.arrangements.promises.values())
    fitting = [row for row in promises if row.status not in _OVER and _is_for(row, credit)]
    for place, row in enumerate(fitting, start=1):
        lacks_minor = max(0, row.amount_minor - row.received_minor)
        taken_minor = amount_minor if place == len(fitting) else min(amount_minor, lacks_minor)
        if taken_minor:
            amount_minor -= taken_minor
            credit.promised[row.promise] = credit.promised.get(row.promise, 0) + taken_minor
            account.touch(credit)
            _recount(account, row.promise, by_minor=taken_minor)


def take_back(account: Account, credit: CreditRow, *, amount_minor: int) -> None:
    """Count what is gone of a credit no more: the last due of its promises loses it first, as it was the last to have it."""
    for promise in _last_due_first(account, credit):
        taken_minor = min(amount_minor, credit.promised[promise])
        amount_minor -= taken_minor
        _take_off(account, credit, promise, amount_minor=taken_minor)
        _recount(account, promise, by_minor=-taken_minor)


def count_anew(account: Account, promise: str) -> None:
    """Count the money of a promise that was taken back for the others that it is dated for."""
    for credit in sorted(account.credits.values(), key=lambda row: (row.order, row.credit)):
        amount_minor = credit.promised.pop(promise, 0)
        if amount_minor:
            account.touch(credit)
            count_credit(account, credit, amount_minor=amount_minor)


def let_go(account: Account, credit: CreditRow, *, amount_minor: int, is_merged: bool) -> dict[str, int]:
    """Let a part of a credit go to another customer, and say what of it counts there for which promise already.

    Another customer's money keeps no promise here. The money of a merged one has kept his: what counts for an open promise goes
    along with it, what counts for one that is judged stays counted here, and is no news there. What had been
    over for its promise is.
    """
    if not credit.promised:
        return {}
    uncounted_minor = max(0, credit.effective_minor - sum(credit.promised.values()))
    left_minor = max(0, amount_minor - uncounted_minor)
    along: dict[str, int] = {}
    for promise in _last_due_first(account, credit):
        minor = min(left_minor, credit.promised[promise])
        left_minor -= minor
        name, goes_minor = _send_count(account, credit, promise, amount_minor=minor, is_merged=is_merged)
        if goes_minor:
            along[name] = along.get(name, 0) + goes_minor
    return along


def uncount(account: Account, promise: str, *, amount_minor: int) -> None:
    """Hear that so much money counts no more for a promise: it had come before the promise did (SEMANTICS 2.6)."""
    _recount(account, promise, by_minor=-amount_minor)


def is_recounted(account: Account) -> bool:
    """Say whether the event at hand has changed what counts for a promise."""
    return account.arrangements is not None and bool(account.arrangements.recounted)


def counts_for(credit: CreditRow, promise: PromiseRow, *, rest_minor: int) -> int:
    """Give how much of what is left of a credit counts for a promise, in minor units."""
    return min(rest_minor, credit.promised.get(promise.promise, 0))


def first_due(promises: Iterable[PromiseRow]) -> list[PromiseRow]:
    """Put promises in the order in which money is counted for them: by their day, those of one day as they were made."""
    return sorted(promises, key=lambda row: (row.due_on, row.order, row.promise))


def _last_due_first(account: Account, credit: CreditRow) -> list[str]:
    """List the promises that a credit counts for; those that are not here, since they are another customer's, last."""
    known = {} if account.arrangements is None else account.arrangements.promises
    here = first_due(known[name] for name in credit.promised if name in known)
    return [row.promise for row in reversed(here)] + sorted(set(credit.promised) - set(known))


def _send_count(
    account: Account, credit: CreditRow, promise: str, *, amount_minor: int, is_merged: bool
) -> tuple[str, int]:
    """Let go of what a credit counts for one promise; give for which it counts where the money goes, and how much."""
    row = None if account.arrangements is None else account.arrangements.promises.get(promise)
    if row is None:  # it is another customer's, or comes after its money
        _take_off(account, credit, promise, amount_minor=amount_minor)
        return promise, amount_minor
    lost_minor = amount_minor
    if is_merged:
        over_minor = 0 if row.status == "moved" else max(0, row.received_minor - row.amount_minor)
        lost_minor = min(amount_minor, over_minor)
    _take_off(account, credit, promise, amount_minor=lost_minor)
    _recount(account, promise, by_minor=-lost_minor)
    if row.status not in {"open", "moved"}:
        return _ELSEWHERE, amount_minor - lost_minor
    _take_off(account, credit, promise, amount_minor=amount_minor - lost_minor)
    return promise, amount_minor - lost_minor


def _take_off(account: Account, credit: CreditRow, promise: str, *, amount_minor: int) -> None:
    if not amount_minor:
        return
    credit.promised[promise] -= amount_minor
    if not credit.promised[promise]:
        del credit.promised[promise]
    account.touch(credit)


def _recount(account: Account, promise: str, *, by_minor: int) -> None:
    """Let so much more, or less, count for a promise; of one that is not here nothing is known."""
    arranged = account.arrangements
    row = None if arranged is None else arranged.promises.get(promise)
    if arranged is None or row is None or not by_minor:
        return
    row.received_minor += by_minor
    account.touch(row)
    arranged.recounted[promise] = arranged.recounted.get(promise, 0) + by_minor


def _is_for(promise: PromiseRow, credit: CreditRow) -> bool:
    """Say whether money may count for a promise: it was heard after it, and is dated from its day to the end of its tolerance."""
    is_dated = promise.made_on <= credit.received_on <= promise.until
    is_money = credit.credit_kind == "payment" and credit.currency == promise.currency
    return is_dated and is_money and credit.order > promise.order

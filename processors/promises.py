"""Promises to pay (R35): made, kept, partly kept or broken by the money that is dated until then.

A promise covers the oldest items first, a part-covered one whole, and their
dunning sleeps (``withholding.holds``). What is judged is said again when a
late fact changes it. It overrides no dispute: what is disputed is neither
covered nor counted as owed.
"""

import datetime
from collections.abc import Iterator

from processors.account import Account
from processors.arrangements import Arrangements, disputed_minor, held_part_minor
from processors.context import FoldContext
from processors.money import MoneyError, to_minor
from processors.promised_money import count_anew, first_due
from processors.settle import counted_minor
from processors.trust import note_promise
from processors.whereabouts import is_back, now_with
from schemas.arrangement_facts import PromiseJudged, PromiseMade
from schemas.commands import MakePromise, WithdrawPromise
from schemas.facts import ExceptionRaised, ExceptionReason, LedgerFact
from schemas.rows import ItemRow, PromiseRow
from schemas.transfers import MovedPromise, UncountedMoney

__all__ = [
    "fall_due",
    "give_up",
    "left_behind",
    "make_promise",
    "refused",
    "review",
    "take_over",
    "uncounted_elsewhere",
    "withdraw_promise",
]

LISTED_MAX = 500  # items that a fact names (DESIGN 3.6)
_DAY = datetime.timedelta(days=1)
_JUDGED = frozenset({"kept", "partly_kept", "broken"})


def make_promise(account: Account, event: MakePromise, *, context: FoldContext) -> list[LedgerFact]:
    """Take a promise down; one that is open in the same currency is replaced by it."""
    profile = context.company.profile
    currency = event.currency or _only_currency(account) or profile.currency
    key = f"promise/{event.command}"
    if event.due_on < context.day:
        detail = f"{event.due_on} is before {context.day}, the day of the promise: say on which day it will be paid"
        return [refused(account, reason="promise_refused", key=key, detail=detail)]
    if account.row.promises >= profile.promises_per_episode:
        detail = f"{account.row.promises} promises have been made in this episode"
        return [refused(account, reason="promise_refused", key=key, detail=detail)]
    try:
        promised_minor = None if event.amount is None else to_minor(event.amount, currency=currency)
    except MoneyError as error:
        return [refused(account, reason="amount_refused", key=key, detail=error.detail)]
    items, covered_minor = _cover(account, event, currency=currency, promised_minor=promised_minor)
    if not items:
        detail = f"nothing is open in {currency} that it could cover"
        return [refused(account, reason="promise_refused", key=key, detail=detail)]
    facts = list(_replace_open(account, currency=currency, context=context))
    until = event.due_on + datetime.timedelta(days=profile.promise_tolerance_days)
    row = PromiseRow(
        account=account.id,
        promise=event.command,
        currency=currency,
        amount_minor=covered_minor if promised_minor is None else promised_minor,
        made_on=context.day,
        due_on=event.due_on,
        until=until,
        order=account.row.sequence + 1,
        by=event.by,
        how=event.how,
        author=event.author,
        alarm_on=until + _DAY,
    )
    _enter(account, row, items=items)
    return [*facts, _made(account, row, items=items)]


def withdraw_promise(account: Account, event: WithdrawPromise, *, context: FoldContext) -> list[LedgerFact]:
    """Take a promise back that was noted by mistake: it counts no more, not even against the limit."""
    arranged = account.arrangements
    row = None if arranged is None else arranged.promises.get(event.promise)
    if row is None or row.status != "open":
        key, detail = f"command/{event.command}", "there is no such promise, or it is over"
        return [refused(account, reason="unknown_subject", key=key, detail=detail)]
    account.row.promises = max(0, account.row.promises - 1)
    withdrawn = _end(account, row, status="withdrawn", context=context)
    count_anew(account, row.promise)
    return [withdrawn]


def fall_due(account: Account, promise: str, *, context: FoldContext) -> list[LedgerFact]:
    """Judge a promise whose time is over, or forget one that was judged a retention ago (an alarm)."""
    arranged = account.arranged()
    row = arranged.promises[promise]
    if row.status != "open":
        account.drop_promise(row)
        return []
    return [_end(account, row, status=_verdict(account, row, arranged=arranged), context=context)]


def review(account: Account, *, context: FoldContext) -> list[LedgerFact]:
    """Judge again what was judged by less, or by more, money than the event has left to count for it (R35)."""
    arranged = account.arranged()
    said: list[LedgerFact] = []
    for row in first_due(arranged.promises[name] for name in arranged.recounted):
        status = _verdict(account, row, arranged=arranged)
        if row.status in _JUDGED and status != row.status:
            said.append(_end(account, row, status=status, context=context))
    arranged.recounted.clear()
    return said


def uncounted_elsewhere(account: Account) -> list[tuple[str, UncountedMoney]]:
    """Give by how much less counts for promises that went along with a merged customer, and whom to tell."""
    arranged = account.arrangements
    if arranged is None:
        return []
    return [
        (row.moved_to, UncountedMoney(promise=row.promise, amount_minor=-arranged.recounted[row.promise]))
        for row in first_due(arranged.promises[name] for name in arranged.recounted)
        if row.status == "moved" and row.moved_to and arranged.recounted[row.promise] < 0
    ]


def left_behind(account: Account, item: ItemRow, *, context: FoldContext) -> list[LedgerFact]:
    """End the promise that covered an item, if all that it covered is with other customers by now: it is this one's, and of nothing."""
    arranged = account.arrangements
    row = None if arranged is None else arranged.promises.get(item.promise)
    if arranged is None or row is None or row.status != "open":
        return []
    items = [account.items[name] for name in arranged.covered.get(row.promise, ())]
    if row.received_minor or not all(map(now_with, items)):
        return []
    return [_end(account, row, status="moved", context=context)]


def give_up(
    account: Account, row: PromiseRow, *, to_customer: str, context: FoldContext
) -> tuple[MovedPromise, LedgerFact]:
    """Write an open promise for the customer that this one is merged into; here it is over."""
    row.moved_to = to_customer
    account.arranged().recounted.pop(row.promise, None)  # what it counts is told with it
    moved = MovedPromise(
        promise=row.promise,
        currency=row.currency,
        amount_minor=row.amount_minor,
        made_on=row.made_on,
        due_on=row.due_on,
        until=row.until,
        by=row.by,
        how=row.how,
        author=row.author,
        received_minor=row.received_minor,
        documents=tuple(account.arranged().covered.get(row.promise, ()))[:LISTED_MAX],
    )
    return moved, _end(account, row, status="moved", context=context)


def take_over(
    account: Account, moved: MovedPromise, *, from_customer: str, context: FoldContext
) -> list[LedgerFact]:
    """Take the promise of a merged customer for what has come from there; it goes on beside one's own.

    What had been received towards it stays counted: that money came before it. One's own that comes back with what it
    covers (the two were merged into each other) is open again.
    """
    items = [
        item
        for each in moved.documents
        if (item := _come_in(account, each, from_customer=from_customer)) is not None
    ]
    row = account.arranged().promises.get(moved.promise)
    if context.today() > moved.until or (row is not None and row.status != "moved"):
        return []
    if row is not None:
        account.row.promises = max(0, account.row.promises - 1)  # one's own comes home: it is no second one
        row.status, row.received_minor, row.moved_to = "open", moved.received_minor, ""
        row.order, row.alarm_on = account.row.sequence + 1, row.until + _DAY
        _enter(account, row, items=items)
        return [_made(account, row, items=items)]
    row = PromiseRow(
        account=account.id,
        promise=moved.promise,
        currency=moved.currency,
        amount_minor=moved.amount_minor,
        made_on=moved.made_on,
        due_on=moved.due_on,
        until=moved.until,
        order=account.row.sequence + 1,
        by=moved.by,
        how=moved.how,
        author=moved.author,
        received_minor=moved.received_minor,
        alarm_on=moved.until + _DAY,
    )
    _enter(account, row, items=items)
    return [_made(account, row, items=items)]


def refused(account: Account, *, reason: ExceptionReason, key: str, detail: str) -> ExceptionRaised:
    """Say that a request was not carried out."""
    account.touch(account.row)
    return ExceptionRaised(
        id=f"{account.id}/{account.next_sequence()}",
        account=account.id,
        reason=reason,
        key=key,
        detail=detail,
    )


def _come_in(account: Account, document: str, *, from_customer: str) -> ItemRow | None:
    """Give what another customer's item is here: what came from there, or one's own that is back."""
    own = document.removesuffix(f" @{account.customer_id}")
    for name in (f"{document} @{from_customer}", document, own):
        item = account.items.get(name)
        if item is not None and (item.moved_from == from_customer or is_back(item)):
            return item
    return None


def _only_currency(account: Account) -> str:
    """Give the currency in which the customer owes, if there is one only."""
    owed = [currency for currency, balance in account.row.balances.items() if balance.open_minor]
    return owed[0] if len(owed) == 1 else ""


def _cover(
    account: Account, event: MakePromise, *, currency: str, promised_minor: int | None
) -> tuple[list[ItemRow], int]:
    """Give what a promise covers, the oldest first, and how much of it is asked for."""
    items: list[ItemRow] = []
    covered_minor = 0
    for item in _candidates(account, event, currency=currency):
        if promised_minor is not None and covered_minor >= promised_minor:
            break
        items.append(item)
        covered_minor += _askable_minor(account, item)
    return items, covered_minor


def _candidates(account: Account, event: MakePromise, *, currency: str) -> Iterator[ItemRow]:
    """Walk what may be covered: open, of the currency, not held otherwise; a promise of all is of what is due by its date."""
    wanted = (
        (account.items[name] for name in event.documents if name in account.items)
        if event.documents
        else account.items.values()
    )
    fits = (
        item
        for item in wanted
        if item.currency == currency
        and item.status == "open"
        and _askable_minor(account, item) > 0
        and (event.documents or event.amount is not None or item.due_on <= event.due_on)
    )
    yield from sorted(fits, key=lambda item: (item.due_on, item.item))


def _askable_minor(account: Account, item: ItemRow) -> int:
    """Give how much of an item would be asked for without a promise: an open one is replaced by the new one."""
    if f"excluded/{item.item}" in account.holds:
        return 0
    return item.open_minor - held_part_minor(account, item)


def _enter(account: Account, row: PromiseRow, *, items: list[ItemRow]) -> None:
    arranged = account.arranged()
    arranged.promises[row.promise] = row
    for item in items:
        arranged.uncover(item)
        item.promise = row.promise
        arranged.cover(item, promise=row.promise)
        account.touch(item)
    account.row.promises += 1
    account.alarms.set(f"promise/{row.promise}", row.alarm_on)
    account.touch(row)
    account.advance()


def _as_made(arranged: Arrangements) -> list[PromiseRow]:
    """List promises in the order in which they were made: rows that were read back are in another one (R26)."""
    return sorted(arranged.promises.values(), key=lambda row: (row.order, row.promise))


def _replace_open(account: Account, *, currency: str, context: FoldContext) -> Iterator[LedgerFact]:
    if account.arrangements is None:
        return
    for row in _as_made(account.arrangements):
        if row.status == "open" and row.currency == currency:
            yield _end(account, row, status="replaced", context=context)


def _verdict(account: Account, row: PromiseRow, *, arranged: Arrangements) -> str:
    """Judge by the money dated until then; where less is owed by now (a note, a dispute), less was to be paid."""
    items = [account.items[name] for name in arranged.covered.get(row.promise, ())]
    is_away = any(map(now_with, items))
    owed = any(_owed_minor(account, item, on=row.until) > 0 for item in items)
    owed = owed or (is_away and row.status in _JUDGED)  # it was owed here when it was judged
    if not owed and not row.received_minor and is_away:
        return "moved"  # what it covered is owed by another customer, and nobody has paid
    if row.received_minor >= row.amount_minor or not owed:
        return "kept"
    return "partly_kept" if row.received_minor > 0 else "broken"


def _owed_minor(account: Account, item: ItemRow, *, on: datetime.date) -> int:
    """Give what of an item was open and not disputed at the end of a day, by the dates of its credits."""
    if item.status == "cancelled":
        return 0
    rows = account.applications.get(item.item, {}).values()
    paid_minor = sum(row.amount_minor for row in rows if account.credits[row.credit].received_on <= on)
    return counted_minor(item) - paid_minor - disputed_minor(account, item)


def _end(account: Account, row: PromiseRow, *, status: str, context: FoldContext) -> PromiseJudged:
    note_promise(account, before=row.status, after=status)
    _count(account, row, status=status)
    row.status = status  # type: ignore[assignment]  # one of PromiseStatus
    row.alarm_on = context.today() + context.company.retention
    account.alarms.set(f"promise/{row.promise}", row.alarm_on)
    account.touch(row)
    account.advance()
    return PromiseJudged(
        id=f"{account.id}/{account.next_sequence()}",
        account=account.id,
        promise=row.promise,
        status=row.status,
        currency=row.currency,
        amount_minor=row.amount_minor,
        received_minor=row.received_minor,
        due_on=row.due_on,
        until=row.until,
    )


def _count(account: Account, row: PromiseRow, *, status: str) -> None:
    """Let a promise that was kept before any episode not count against the limit of the next one, while it is kept."""
    closed_on = account.row.episode_closed_on
    before = account.row.episode_opened_on is None and (closed_on is None or row.made_on > closed_on)
    if row.is_counted and status == "kept" and before:
        row.is_counted = False
        account.row.promises = max(0, account.row.promises - 1)
    elif not row.is_counted and status != "kept":
        row.is_counted = True
        account.row.promises += 1


def _made(account: Account, row: PromiseRow, *, items: list[ItemRow]) -> PromiseMade:
    return PromiseMade(
        id=f"{account.id}/{account.next_sequence()}",
        account=account.id,
        promise=row.promise,
        currency=row.currency,
        amount_minor=row.amount_minor,
        due_on=row.due_on,
        until=row.until,
        items=tuple(item.item for item in items[:LISTED_MAX]),
        unlisted=max(0, len(items) - LISTED_MAX),
        by=row.by,
        how=row.how,
        author=row.author,
    )

"""Settlement: which credit settles how much of which item.

A credit's distribution is a function of its names, what it counts and what
is open, never of how it came about; so payments, notes and write-offs give
the same figures in whatever order they come (SEMANTICS 2.3). The rules, with
their reasons, are in ``docs/domain.md``, Settlement.
"""

import heapq

from processors.movements import Postings
from processors.tasks import open_task
from schemas.rows import ApplicationRow, CreditRow, ItemRow, Name

__all__ = [
    "arrive",
    "cascade",
    "counted_minor",
    "free_minor",
    "limit_minor",
    "receive",
    "refuse_other_currency",
    "settle",
]


def settle(postings: Postings, credit: CreditRow) -> None:
    """Distribute a credit anew: named items in order, then what it has settled unasked, the rest is left."""
    account = postings.account
    account.settling.note_sharing(credit)
    own = account.applied.get(credit.credit)
    targets, budget, reserved = _named_targets(postings, credit, own)
    if own:
        _release(postings, own, targets=targets, budget=budget)
    for item, amount in targets:
        row = own.get(item.item) if own else None
        now = row.amount_minor if row is not None else 0
        if amount > now:
            postings.apply(credit, item, amount_minor=amount - now)
        if row is not None and amount and row.automatic:
            row.automatic = False  # it is named now
            account.touch(row)
    if credit.reserved_minor != reserved:
        credit.reserved_minor = reserved
        account.touch(credit)
    account.settling.loosen(credit)


def _settle_first(postings: Postings, credit: CreditRow, *, name: Name) -> None:
    """Do what ``settle`` does for a credit with one name that has settled nothing yet: by far the most frequent."""
    account = postings.account
    item = account.items.get(name.document)
    take = limit_minor(name, item=item, most=_counts_minor(credit))
    if item is None:
        if take:
            credit.reserved_minor = take
            account.touch_credit(credit)
    elif item.status != "cancelled" and item.currency == credit.currency:
        take = min(take, item.open_minor)
        if take > 0:
            postings.apply(credit, item, amount_minor=take)


def cascade(postings: Postings, *, arriving: ItemRow | None = None) -> None:
    """Serve those who name an item that money was taken off, or that has just come, until nothing moves.

    The credit that came first is always served first. It ends: each step
    moves a credit's money to a name that it prefers, and takes none of
    another's.
    """
    turns: list[tuple[int, str, str]] = []  # (place in the log, credit, item)
    if arriving is not None:
        _queue(postings, turns, arriving)
    while turns or postings.grown or postings.freed:
        for item in postings.grown:
            if item.status == "open":
                _queue(postings, turns, item)
        postings.grown.clear()
        for credit in postings.freed.values():
            if credit.effective_minor > 0:
                heapq.heappush(turns, (credit.order, credit.credit, ""))
        postings.freed.clear()
        if turns:
            _serve(postings, turns)


def receive(postings: Postings, credit: CreditRow, *, auto_apply: bool, costs_first: bool) -> None:
    """Distribute a credit that has just come; ``auto_apply``: no one named anything, oldest due first (S1-19)."""
    names = credit.names
    if len(names) == 1:
        _settle_first(postings, credit, name=names[0])
    elif names:
        settle(postings, credit)
        cascade(postings)
    if auto_apply and credit.rest_minor:
        for item in postings.account.oldest(credit.currency, costs_first=costs_first):
            amount = min(free_minor(credit), item.open_minor)
            if not amount:
                break
            postings.apply(credit, item, amount_minor=amount, automatic=True)
    postings.account.settling.loosen(credit)


def arrive(postings: Postings, item: ItemRow, *, auto_apply: bool, is_new: bool = True) -> None:
    """Settle an item that has just come: who waits for it by name, then loose payments, in log order.

    ``is_new`` False: more has come of an item that was here; nothing is reserved for it any more.
    """
    settling = postings.account.settling
    claims = settling.claims(item.item)
    if claims:
        for credit, name in claims:
            if not is_new:
                continue
            refuse_other_currency(postings, credit=credit, item=item)
            if credit.credit in settling.unshared:  # else it is distributed as a whole
                credit.reserved_minor -= limit_minor(name, item=None, most=_counts_minor(credit))
                postings.account.touch(credit)
                settling.loosen(credit)
        cascade(postings, arriving=item)
    if auto_apply and item.open_minor and settling.may_be_loose(item.currency):
        _take_loose(postings, item, heard={credit.credit for credit, _ in claims})


def refuse_other_currency(postings: Postings, *, credit: CreditRow, item: ItemRow) -> None:
    """Ask a person about money that names an item in another currency; it stays credit.

    What counts no more (a reversed payment, a write-off taken back) is nobody's question.
    """
    if credit.currency == item.currency or not credit.effective_minor:
        return
    postings.object_to(
        reason="currency_mismatch",
        key=f"{credit.credit}/{item.item}",
        detail=f"{credit.credit} is in {credit.currency}, {item.item} in {item.currency}: it stays credit",
    )
    postings.facts += open_task(
        postings.account,
        task=f"other_currency/{credit.credit}",
        task_type="other_currency",
        on=postings.context.today(),
        items=[item.item],
        values={"credit": credit.credit, "currency": credit.currency, "item_currency": item.currency},
    )


def counted_minor(item: ItemRow) -> int:
    """Give what of an item's amount is ours to settle."""
    return max(0, item.amount_minor - item.settled_before_minor - item.moved_minor)


def free_minor(credit: CreditRow) -> int:
    """Give what is left of a credit and waits for no named item."""
    return credit.rest_minor - credit.reserved_minor


def limit_minor(name: Name, *, item: ItemRow | None, most: int) -> int:
    """Give how much a name asks for: its limit, less what reconciliation took off it; at most ``most``."""
    limit = name.limit_minor
    if limit is None:
        return most
    if item is not None:
        limit = min(limit, counted_minor(item))
    return min(max(0, limit - name.less_minor), most)


def _named_targets(
    postings: Postings, credit: CreditRow, own: dict[str, ApplicationRow] | None
) -> tuple[list[tuple[ItemRow, int]], int, int]:
    """Walk the names: what each known item is to have, what is left, what unknown items reserve."""
    items = postings.account.items
    budget = _counts_minor(credit)
    reserved = 0
    targets: list[tuple[ItemRow, int]] = []
    for name in credit.names:
        item = items.get(name.document)
        take = limit_minor(name, item=item, most=budget)
        if item is None:
            reserved += take
        elif item.status == "cancelled" or item.currency != credit.currency:
            continue
        else:
            row = own.get(item.item) if own else None
            take = min(take, item.open_minor + (row.amount_minor if row is not None else 0))
            targets.append((item, take))
        budget -= take
    return targets, budget, reserved


def _release(
    postings: Postings,
    own: dict[str, ApplicationRow],
    *,
    targets: list[tuple[ItemRow, int]],
    budget: int,
) -> None:
    """Take back what the credit may not keep; unasked applications keep what the names leave, first in first."""
    items = postings.account.items
    named = {item.item: amount for item, amount in targets}
    if len(own) == 1 and len(named) == 1:  # by far the most frequent: nothing to order
        ((name, row),) = own.items()
        if name in named:
            if row.amount_minor > named[name]:
                postings.unapply(row, amount_minor=row.amount_minor - named[name])
            return
    rows = sorted(own.values(), key=_place)
    kept: list[int] = []
    for row in rows:
        keep = named.get(row.item)
        if keep is None:
            stays = row.automatic and items[row.item].status != "cancelled"
            keep = min(budget, row.amount_minor) if stays else 0
            budget -= keep
        kept.append(keep)
    for row, keep in zip(reversed(rows), reversed(kept), strict=True):
        if row.amount_minor > keep:
            postings.unapply(row, amount_minor=row.amount_minor - keep)


def _queue(postings: Postings, turns: list[tuple[int, str, str]], item: ItemRow) -> None:
    for credit, _ in postings.account.settling.claims(item.item):
        if credit.effective_minor > 0:
            heapq.heappush(turns, (credit.order, credit.credit, item.item))


def _serve(postings: Postings, turns: list[tuple[int, str, str]]) -> None:
    """Serve the first in turn: one name where the credit's names do not compete, else all of them at once."""
    account = postings.account
    _, key, item = heapq.heappop(turns)
    credit = account.credits[key]
    if item and key in account.settling.unshared:
        if account.items[item].currency == credit.currency:
            _settle_name(postings, credit, item=account.items[item])
        return
    while turns and turns[0][1] == key:
        heapq.heappop(turns)
    settle(postings, credit)


def _settle_name(postings: Postings, credit: CreditRow, *, item: ItemRow) -> None:
    account = postings.account
    name = account.settling.name(credit, item=item.item)
    row = account.applied.get(credit.credit, {}).get(item.item)
    now = row.amount_minor if row is not None else 0
    take = min(limit_minor(name, item=item, most=_counts_minor(credit)), item.open_minor + now)
    if take < now or take - now > free_minor(credit):
        settle(postings, credit)
        return
    if take > now:
        postings.apply(credit, item, amount_minor=take - now)
    account.settling.loosen(credit)


def _take_loose(postings: Postings, item: ItemRow, *, heard: set[str]) -> None:
    """Set loose payments against an item, except those that name it: they have had their say."""
    account = postings.account
    passed: list[CreditRow] = []
    while item.open_minor:
        credit = account.settling.first_loose(item.currency, known=account.credits)
        if credit is None:
            break
        if credit.credit in heard:
            account.settling.tighten(item.currency)
            passed.append(credit)
        else:
            amount = min(free_minor(credit), item.open_minor)
            postings.apply(credit, item, amount_minor=amount, automatic=True)
    for credit in passed:
        account.settling.loosen(credit)


def _counts_minor(credit: CreditRow) -> int:
    """Give what a credit has to distribute: nothing where more of it is gone than is here (``transfers.follow`` calls that back)."""
    return max(0, credit.effective_minor)


def _place(row: ApplicationRow) -> int:
    return row.order

"""What settles an item that has moved between customers (SEMANTICS 2.6): a part of it here, a part where it was, or is.

Claims and reminders stay true of the whole item (R22, R30): money of a day before it moved that is heard
where it is now is told to the customer that it came from, who had been written to.
"""

import datetime
from collections.abc import Iterable, Iterator

import msgspec

from processors.account import Account
from processors.context import FoldContext
from processors.late_facts import review_reminders
from processors.whereabouts import came_from
from schemas.facts import AccountTold, LedgerFact
from schemas.moved_rows import Elsewhere, SettledOn
from schemas.rows import CreditRow, ItemRow
from schemas.transfers import ItemSettledElsewhere

__all__ = ["hear_settled", "known_before", "settled_here", "tell_back"]

_NOWHERE = Elsewhere()


def settled_here(account: Account, item: ItemRow) -> Iterator[SettledOn]:
    """Walk what settles an item in this account, each with the day from which it counts.

    Money and notes count from their own day. Of an item that came from another customer that is so for what came
    from there, too, and for what names it; what the new customer had already counts from when it was set against it.
    """
    for row in account.applications.get(item.item, {}).values():
        credit = account.credits[row.credit]
        on = credit.received_on if _is_for(credit, item) else max(row.applied_on, credit.received_on)
        yield SettledOn(on=on, amount_minor=row.amount_minor, is_note=credit.credit_kind == "credit_note")


def known_before(account: Account, item: ItemRow) -> tuple[SettledOn, ...]:
    """Give all that has settled an item that goes to another customer: here, and where it came from."""
    before = () if item.elsewhere is None else item.elsewhere.before
    return _by_day([*before, *settled_here(account, item)])


def tell_back(account: Account, items: Iterable[ItemRow], *, context: FoldContext) -> list[LedgerFact]:
    """Tell the customer that an item came from of money that is dated before it came; again only when that changes."""
    facts: list[LedgerFact] = []
    for item in items:
        if not item.moved_from or item.entered_on is None:
            continue
        known = item.elsewhere or _NOWHERE
        early = [each for each in settled_here(account, item) if each.on < item.entered_on]
        settled = _by_day([*early, *known.after])
        if settled == known.told:
            continue
        item.elsewhere = msgspec.structs.replace(known, told=settled)
        account.touch(item)
        told = ItemSettledElsewhere(
            company=account.company,
            customer=item.moved_from,
            occurred_at=context.day.isoformat(),
            of=account.customer_id,
            item=known.item or item.document.document,
            settled=settled,
        )
        facts.append(
            AccountTold(id=f"{account.id}/{account.next_sequence()}", account=account.id, event=told)
        )
    return facts


def hear_settled(account: Account, event: ItemSettledElsewhere, *, context: FoldContext) -> list[LedgerFact]:
    """Note what settles an item where it is now, and judge the reminders that named it here (R30); claims are next."""
    item = account.items.get(event.item)
    if item is None or item.moved_to != event.of:
        return []
    known = item.elsewhere or _NOWHERE
    if known.after == event.settled:
        return []
    item.elsewhere = msgspec.structs.replace(known, after=event.settled)
    account.touch(item)
    account.touch(account.row)
    return review_reminders(account, [item.item], context=context)


def _is_for(credit: CreditRow, item: ItemRow) -> bool:
    if not item.moved_from or came_from(credit.credit, item.moved_from):
        return True
    return any(name.document in (item.item, item.document.document) for name in credit.names)


def _by_day(settled: Iterable[SettledOn]) -> tuple[SettledOn, ...]:
    """Add up what counts from one day, so that what is told is as long as there are days."""
    sums: dict[tuple[datetime.date, bool], int] = {}
    for each in settled:
        key = (each.on, each.is_note)
        sums[key] = sums.get(key, 0) + each.amount_minor
    return tuple(
        SettledOn(on=on, amount_minor=minor, is_note=is_note) for (on, is_note), minor in sorted(sums.items())
    )

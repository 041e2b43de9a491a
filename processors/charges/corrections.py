"""What later facts take off claims (R22, R30): money that came earlier than was known, an invoice that was cancelled.

A claim is what it would have been, had all been known that is known now, and never more than the customer was
told: taken back, what lowered it raises it again. It judges only items of which something was claimed. Of an item that
has moved between customers (SEMANTICS 2.6) what settled it where it was, or is, counts as well.
"""

import datetime
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from processors.account import Account
from processors.charges.interest import interest_minor, segments
from processors.context import FoldContext
from processors.money import to_minor
from processors.moved_settled import settled_here
from processors.movements import Postings
from processors.settle import cascade
from processors.whereabouts import now_with
from schemas.charges import ClaimCorrected, ClaimDocument, CorrectedBecause
from schemas.facts import LedgerFact, MovementKind
from schemas.moved_rows import SettledOn
from schemas.rows import ItemRow

__all__ = ["correct_claims"]

_DAY = datetime.timedelta(days=1)


class _Whole(NamedTuple):
    """All of an item that a claim was made on, at whichever customer: what it came to, and what has settled that."""

    amount_minor: int
    settled: tuple[SettledOn, ...]

    @property
    def settled_on(self) -> datetime.date | None:
        """Give the day of the last money that settled all of it; None while something is open."""
        if sum(each.amount_minor for each in self.settled) < self.amount_minor:
            return None
        return max((each.on for each in self.settled), default=None)

    @property
    def is_credited(self) -> bool:
        """Say whether credit notes that name it cover all of it: in many countries that is how one is cancelled."""
        return 0 < self.amount_minor <= sum(each.amount_minor for each in self.settled if each.is_note)


def correct_claims(account: Account, items: Iterable[str], *, context: FoldContext) -> list[LedgerFact]:
    """Bring the claims on items that have changed to what is due of them; costs what changed."""
    facts: list[LedgerFact] = []
    for name in sorted({other for each in items for other in _changed(account, each)}):
        item = account.items.get(name)
        if item is not None:
            for claim in sorted(_claims_on(account, item), key=lambda each: each.item):
                facts += _correct(account, claim, item=item, context=context)
    return facts


def _changed(account: Account, name: str) -> Iterator[str]:
    """Give the item itself, and the one that it is an instalment of."""
    yield name
    if account.arrangements is not None:
        yield from (plan.item for plan in account.arrangements.split.get(name, ()))


def _claims_on(account: Account, item: ItemRow) -> Iterator[ItemRow]:
    """Walk the claims on an item that are this account's to correct: made here, or come with it from another customer."""
    yield from (
        each for each in account.claimed.get(item.item, ()) if not (each.moved_from or now_with(each))
    )
    if item.moved_from:
        was = {item.document.document} | ({item.elsewhere.item} if item.elsewhere is not None else set())
        for name in sorted(was):
            for claim in account.claimed.get(name, ()):
                if claim.moved_from == item.moved_from and not now_with(claim):
                    yield claim


def _correct(account: Account, claim: ItemRow, *, item: ItemRow, context: FoldContext) -> list[LedgerFact]:
    said = claim.document
    if not isinstance(said, ClaimDocument):
        raise TypeError(f"{claim.item} is no claim")
    first_minor = to_minor(said.amount, currency=claim.currency)
    paid_before_minor = (
        0 if claim.elsewhere is None else sum(each.amount_minor for each in claim.elsewhere.before)
    )
    waived_minor = first_minor - claim.amount_minor - claim.corrected_minor - paid_before_minor
    whole = _whole(account, item, claim=claim)
    due_minor, because = _due(
        said, item=item, whole=whole, first_minor=first_minor, claimed_on=claim.issued_on
    )
    # What was paid of it at another customer is not here to be given back: it stays paid.
    target_minor = max(0, min(due_minor, first_minor - waived_minor) - paid_before_minor)
    before_minor, change_minor = claim.amount_minor, target_minor - claim.amount_minor
    if not change_minor:
        return []
    claim.amount_minor = target_minor
    claim.corrected_minor -= change_minor
    if said.charge != "interest":
        item.costs_minor = max(0, item.costs_minor + change_minor)
        account.touch(item)
    postings = Postings(account, context)
    postings.release(claim, excess_minor=-change_minor - claim.open_minor)
    on = max(context.day, claim.issued_on, claim.grown_on or context.day)
    if change_minor > 0:
        claim.grown_on = on
        postings.grown.append(claim)
    kind: MovementKind = "claimed" if change_minor > 0 else "waived"
    postings.change_item(claim, kind=kind, amount_minor=change_minor, on=on)
    cascade(postings)
    account.advance()
    corrected = ClaimCorrected(
        id=f"{account.id}/{account.next_sequence()}",
        account=account.id,
        claim=claim.item,
        charge=said.charge,
        item=item.item,
        currency=claim.currency,
        before_minor=before_minor,
        amount_minor=target_minor,
        because="restored" if change_minor > 0 else because,
        on=on,
        cause=context.cause,
    )
    return [corrected, *postings.facts]


def _due(
    said: ClaimDocument, *, item: ItemRow, whole: _Whole, first_minor: int, claimed_on: datetime.date
) -> tuple[int, CorrectedBecause]:
    """Give what would have been claimed by what is known now, and why that is less."""
    if item.status == "cancelled":
        return 0, "cancelled"
    if whole.is_credited:
        return 0, "credited"
    if said.charge == "interest":
        interest = _interest_minor(said, item=item, whole=whole, first_minor=first_minor)
        return min(first_minor, interest), "recomputed"
    latest_on = whole.settled_on
    if said.charge == "fixed_sum":
        was_due = latest_on is None or latest_on > item.due_on
    else:
        was_due = latest_on is None or latest_on >= claimed_on
    return first_minor if was_due and item.due_on < claimed_on else 0, "recomputed"


def _interest_minor(said: ClaimDocument, *, item: ItemRow, whole: _Whole, first_minor: int) -> int:
    if said.from_on is None or said.until_on is None or not said.rates:
        return first_minor
    found = segments(
        whole.amount_minor - said.disputed_minor,
        settled=[(each.on, each.amount_minor) for each in whole.settled],
        rates=said.rates,
        from_on=max(said.from_on, item.due_on + _DAY),
        until_on=said.until_on,
    )
    return interest_minor(found, days_in_year=said.days_in_year)


def _whole(account: Account, item: ItemRow, *, claim: ItemRow) -> _Whole:
    """Gather what an item came to, and what has settled it: its instalments included, and what is known of it elsewhere.

    A claim that was made here on an item that had come before is about what had come only.
    """
    amount_minor = item.amount_minor - item.settled_before_minor
    settled = [*settled_here(account, item)]
    for part in _instalments(account, item):
        settled += settled_here(account, account.items[part])
    if item.elsewhere is not None:
        settled += item.elsewhere.after
        if claim.moved_from:
            settled += item.elsewhere.before
            amount_minor += sum(each.amount_minor for each in item.elsewhere.before)
    return _Whole(amount_minor, tuple(settled))


def _instalments(account: Account, item: ItemRow) -> list[str]:
    if account.arrangements is None:
        return []
    plans = account.arrangements.split.get(item.item, ())
    return [
        part for plan in plans if plan.item == item.item for part in plan.instalments if part in account.items
    ]

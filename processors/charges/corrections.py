"""What later facts take off claims (R22, R30): money that came earlier than was known, an invoice that was cancelled.

A claim is what it would have been, had all been known that is known now, and never more than the customer was
told: taken back, what lowered it raises it again. It judges only items of which something was claimed.
"""

import datetime
from collections.abc import Iterable, Iterator

from processors.account import Account
from processors.charges.interest import interest_minor, segments
from processors.context import FoldContext
from processors.money import to_minor
from processors.movements import Postings
from processors.settle import cascade
from schemas.charges import ClaimCorrected, ClaimDocument, CorrectedBecause
from schemas.facts import LedgerFact, MovementKind
from schemas.rows import ItemRow

__all__ = ["correct_claims"]

_DAY = datetime.timedelta(days=1)


def correct_claims(account: Account, items: Iterable[str], *, context: FoldContext) -> list[LedgerFact]:
    """Bring the claims on items that have changed to what is due of them; costs what changed.

    What was moved to another customer, or came from one, is left: here is only a part of what settled it.
    """
    facts: list[LedgerFact] = []
    for name in sorted({other for each in items for other in _claimed(account, each)}):
        item = account.items.get(name)
        if item is None or item.moved_to or item.moved_from:
            continue
        for claim in sorted(account.claimed[name], key=lambda each: each.item):
            facts += _correct(account, claim, item=item, context=context)
    return facts


def _claimed(account: Account, name: str) -> Iterator[str]:
    """Give the item itself, or the one that it is an instalment of, if something was claimed on it."""
    if name in account.claimed:
        yield name
    if account.arrangements is not None:
        for plan in account.arrangements.split.get(name, ()):
            if plan.item in account.claimed:
                yield plan.item


def _correct(account: Account, claim: ItemRow, *, item: ItemRow, context: FoldContext) -> list[LedgerFact]:
    said = claim.document
    if not isinstance(said, ClaimDocument):
        raise TypeError(f"{claim.item} is no claim")
    first_minor = to_minor(said.amount, currency=claim.currency)
    waived_minor = first_minor - claim.amount_minor - claim.corrected_minor
    due_minor, because = _due(account, said, item=item, first_minor=first_minor, claimed_on=claim.issued_on)
    target_minor = max(0, min(due_minor, first_minor - waived_minor))
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
    account: Account, said: ClaimDocument, *, item: ItemRow, first_minor: int, claimed_on: datetime.date
) -> tuple[int, CorrectedBecause]:
    """Give what would have been claimed by what is known now, and why that is less."""
    if item.status == "cancelled":
        return 0, "cancelled"
    if _is_credited(account, item):
        return 0, "credited"
    if said.charge == "interest":
        return min(
            first_minor, _interest_minor(account, said, item=item, first_minor=first_minor)
        ), "recomputed"
    latest_on = _settled_on(account, item)
    if said.charge == "fixed_sum":
        was_due = latest_on is None or latest_on > item.due_on
    else:
        was_due = latest_on is None or latest_on >= claimed_on
    return first_minor if was_due and item.due_on < claimed_on else 0, "recomputed"


def _interest_minor(account: Account, said: ClaimDocument, *, item: ItemRow, first_minor: int) -> int:
    if said.from_on is None or said.until_on is None or not said.rates:
        return first_minor
    found = segments(
        item.amount_minor - item.settled_before_minor - said.disputed_minor,
        settled=[(account.credits[credit].received_on, minor) for credit, minor in _settled(account, item)],
        rates=said.rates,
        from_on=max(said.from_on, item.due_on + _DAY),
        until_on=said.until_on,
    )
    return interest_minor(found, days_in_year=said.days_in_year)


def _is_credited(account: Account, item: ItemRow) -> bool:
    """Say whether credit notes that name it cover all of an item: in many countries that is how one is cancelled."""
    noted_minor = sum(
        minor
        for credit, minor in _settled(account, item)
        if account.credits[credit].credit_kind == "credit_note"
    )
    return 0 < item.amount_minor - item.settled_before_minor <= noted_minor


def _settled_on(account: Account, item: ItemRow) -> datetime.date | None:
    """Give the day of the last money that settled all of an item; None while something is open."""
    if item.status != "settled" or _is_split_and_open(account, item):
        return None
    return max((account.credits[credit].received_on for credit, _ in _settled(account, item)), default=None)


def _is_split_and_open(account: Account, item: ItemRow) -> bool:
    return any(account.items[part].open_minor for part in _instalments(account, item))


def _settled(account: Account, item: ItemRow) -> Iterator[tuple[str, int]]:
    """Walk (credit, amount) of what settles an item, its instalments included."""
    for name in (item.item, *_instalments(account, item)):
        for row in account.applications.get(name, {}).values():
            yield row.credit, row.amount_minor


def _instalments(account: Account, item: ItemRow) -> list[str]:
    if account.arrangements is None:
        return []
    plans = account.arrangements.split.get(item.item, ())
    return [
        part for plan in plans if plan.item == item.item for part in plan.instalments if part in account.items
    ]

"""An item on its way between accounts, and its coming in (SEMANTICS 2.6).

It keeps level, last reminder, disputes and exclusion; what was settled of it stays where it was. What becomes of the
document where it was issued (an amendment, a cancellation) comes after it.
"""

import datetime

import msgspec

from processors import identity, instruments, payment_plans, promises
from processors.account import Account, hold_id
from processors.context import FoldContext
from processors.dispute_notes import lower_ruled
from processors.kin import tell_silence
from processors.ladder import reanchored_shift_days
from processors.late_facts import retract_item
from processors.mergers import hear_mergers
from processors.moved_credits import take_credit
from processors.moved_disputes import Noted, drop_disputes, grow_disputes, send_disputes, take_disputes
from processors.moved_holds import take_holds
from processors.moved_level import note_contact, take_level
from processors.moved_settled import known_before
from processors.moved_wishes import take_wishes
from processors.movements import Postings
from processors.promised_money import uncount
from processors.settle import arrive, cascade
from processors.whereabouts import comes_back, now_with
from schemas.charges import ClaimDocument
from schemas.facts import LedgerFact
from schemas.moved_rows import Elsewhere
from schemas.rows import HoldRow, ItemRow
from schemas.transfers import MovedItem, TransferReceived

__all__ = ["moved_item", "take_in"]

# What an item brings along of the reminders that named it elsewhere.
_WRITTEN = (
    *("chosen_plan", "plan", "plan_version", "step", "sent_level_on", "sent_on", "part_paid_on", "final_on"),
    *(
        "pay_by_on",
        "shift_days",
        "plan_finished",
        "claimed_through",
        "charged",
        "costs_minor",
        "corrected_minor",
    ),
)


def moved_item(account: Account, item: ItemRow, *, amount_minor: int, is_more: bool = False) -> MovedItem:
    """Write what is sent of an item; negative: so much of it is owed no more; ``is_more``: of one that is away, and not back."""
    is_charged = item.item in account.claimed or item.item in account.claims
    hold = account.holds.get(f"excluded/{item.item}")
    return MovedItem(
        document=item.document,
        currency=item.currency,
        amount_minor=amount_minor,
        issued_on=item.issued_on,
        due_on=item.due_on,
        reference=item.reference,
        contact=item.contact,
        chosen_plan=item.chosen_plan,
        plan=item.plan,
        plan_version=item.plan_version,
        step=item.step,
        sent_level_on=item.sent_level_on,
        sent_on=item.sent_on,
        part_paid_on=item.part_paid_on,
        final_on=item.final_on,
        pay_by_on=item.pay_by_on,
        shift_days=item.shift_days,
        plan_finished=item.plan_finished,
        claimed_through=item.claimed_through,
        charged=item.charged,
        costs_minor=item.costs_minor,
        disputes=send_disputes(account, item),
        excluded=None if hold is None else hold.reason,
        excluded_by="" if hold is None else hold.author,
        excluded_at="" if hold is None else hold.placed_at,
        review_on=None if hold is None else hold.review_on,
        item=item.item,
        revision=item.revision,
        cancelled=item.status == "cancelled",
        settled=known_before(account, item) if is_charged or item.elsewhere is not None else (),
        corrected_minor=item.corrected_minor,
        is_more=is_more,
    )


def take_in(account: Account, event: TransferReceived, *, context: FoldContext) -> list[LedgerFact]:
    """Take in what another account has sent; each transfer once."""
    key = f"transfer/{event.transfer}"
    repeated = identity.remember_for_retention(account, event, key=key, context=context)
    if repeated is not None:
        return repeated
    postings = Postings(account, context, correcting=True)
    if event.items:
        account.row.has_moved = True  # ``transfers.follow`` tells what is heard of them here
    was_merged = bool(account.row.merged_into)
    told = hear_mergers(account, event, context=context)
    is_home = was_merged and not account.row.merged_into
    for moved in event.items:
        _take_item(postings, moved, event=event, context=context)
    told += take_holds(account, event, context=context)
    told += take_wishes(account, event, context=context)
    for credit in event.credits:
        take_credit(postings, credit, from_customer=event.from_customer, context=context)
    arranged: list[LedgerFact] = []
    for instrument in event.instruments:
        arranged += instruments.take_over(
            account, instrument, from_customer=event.from_customer, context=context
        )
    for promise in event.promises:
        arranged += promises.take_over(account, promise, from_customer=event.from_customer, context=context)
    for less in event.uncounted:
        uncount(account, less.promise, amount_minor=less.amount_minor)
    account.advance()
    if is_home or event.holds or event.opted_out or event.wishes or event.released:
        arranged += tell_silence(account, occurred_at=event.occurred_at, on=context.day)
    return postings.facts + arranged + told


def _take_item(
    postings: Postings, moved: MovedItem, *, event: TransferReceived, context: FoldContext
) -> None:
    account = postings.account
    item = _sent_before(account, moved, event=event)
    if item is not None:
        _take_back(postings, item, moved=moved, event=event, context=context)
        return
    item = _known_item(account, moved, event=event)
    is_new = item is None
    if not moved.amount_minor and not moved.cancelled and item is None:
        return  # it was written about where it was, and is forgotten here by now
    if item is None and (moved.amount_minor < 0 or moved.cancelled):
        detail = f"{moved.document.document} is forgotten here: what was taken off it is not booked"
        postings.object_to(reason="too_old", key=f"transfer/{event.transfer}", detail=detail)
        return
    if item is None:
        item = _new_item(account, moved, event=event, context=context)
    known = item.elsewhere or Elsewhere()
    name = moved.item or moved.document.document
    item.elsewhere = msgspec.structs.replace(known, item=name, before=moved.settled)
    account.touch(item)
    if not is_new:
        grow_disputes(account, item, moved=moved)
    if not is_new and moved.revision > item.revision and moved.amount_minor > 0:
        lower_ruled(account, item, less_minor=-moved.amount_minor)  # an amendment was taken back (R29)
    _amend(account, item, moved=moved)
    postings.facts += take_level(account, item, moved=moved, company=context.company)
    if moved.amount_minor < 0 or moved.cancelled:
        _give_up(postings, item, moved=moved, context=context)
        return
    item.amount_minor += moved.amount_minor
    _come_in(postings, item, amount_minor=moved.amount_minor, context=context, is_new=is_new)


def _take_back(
    postings: Postings, item: ItemRow, *, moved: MovedItem, event: TransferReceived, context: FoldContext
) -> None:
    """Take an item that had gone to others back as what it was, with what was written about it there."""
    account = postings.account
    comes_back(item)
    item.moved_minor -= moved.amount_minor
    _amend(account, item, moved=moved)
    if (moved.sent_level_on or datetime.date.min) >= (item.sent_level_on or datetime.date.min):
        for field in _WRITTEN:
            setattr(item, field, getattr(moved, field))
    note_contact(account, moved)
    noted = drop_disputes(account, item)
    _drop_exclusion(account, item)
    _take_holds(account, item, moved=moved, event=event, noted=noted)
    account.touch(item)
    _come_in(postings, item, amount_minor=moved.amount_minor, context=context)


def _come_in(
    postings: Postings, item: ItemRow, *, amount_minor: int, context: FoldContext, is_new: bool = False
) -> None:
    """Book what has come of an item, and let money find it; of what was only said of it (0) money hears nothing (2.3)."""
    on = max(context.day, item.entered_on or item.issued_on, item.grown_on or context.day)
    if amount_minor:
        item.grown_on = on
    postings.change_item(item, kind="transferred_in", amount_minor=amount_minor, on=on)
    if item.open_minor:
        postings.account.settling.open_item(item)
    if amount_minor:
        arrive(postings, item, auto_apply=context.company.profile.auto_apply, is_new=is_new)


def _sent_before(account: Account, moved: MovedItem, *, event: TransferReceived) -> ItemRow | None:
    """Give the item that went from here to where this comes from, straight or by others: it is the same document."""
    if moved.amount_minor <= 0 or moved.cancelled:
        return None
    for name in _names(moved, event=event):
        item = account.items.get(name)
        if (
            item is not None
            and item.moved_to
            and not (
                moved.is_more and item.moved_from == event.from_customer
            )  # more of what has gone on from here
            and item.document == moved.document
            and item.currency == moved.currency
            and item.moved_minor - payment_plans.in_instalments_minor(account, item) >= moved.amount_minor
        ):
            return item
    return None


def _amend(account: Account, item: ItemRow, *, moved: MovedItem) -> None:
    """Take over what was amended where the item was issued; an older revision than it has changes nothing."""
    if moved.revision <= item.revision:
        return
    item.revision, item.reference, item.contact = moved.revision, moved.reference, moved.contact
    item.chosen_plan = moved.chosen_plan
    if moved.due_on != item.due_on:
        item.shift_days = reanchored_shift_days(item, due_on=moved.due_on)
        item.due_on = moved.due_on
        if item.open_minor:
            account.settling.open_item(item)


def _give_up(postings: Postings, item: ItemRow, *, moved: MovedItem, context: FoldContext) -> None:
    """Owe so much less of an item, or nothing any more; what has gone on to another customer is called back there.

    That is ``transfers.follow``'s: until then more of the item has moved than it comes to.
    """
    account = postings.account
    postings.facts += payment_plans.end_of_item(account, item.item, context=context)
    settled = sum(row.amount_minor for row in account.applications.get(item.item, {}).values())
    payment_plans.take_back(postings, item, most_minor=-moved.amount_minor - item.open_minor - settled)
    amount_minor = min(-moved.amount_minor, item.open_minor + settled)
    if moved.cancelled:
        item.status = "cancelled"
    else:
        lower_ruled(account, item, less_minor=-moved.amount_minor)
    postings.release(item, excess_minor=amount_minor - item.open_minor)
    item.amount_minor += moved.amount_minor
    on = max(context.day, item.entered_on or item.issued_on, item.grown_on or context.day)
    postings.change_item(item, kind="transferred_in", amount_minor=-amount_minor, on=on)
    cascade(postings)
    if moved.cancelled:
        postings.facts += retract_item(account, item.item, context=context)


def _known_item(account: Account, moved: MovedItem, *, event: TransferReceived) -> ItemRow | None:
    """Give the item that a part of came before from the same account, or which is back from there."""
    for name in _names(moved, event=event):
        item = account.items.get(name)
        if item is None or item.currency != moved.currency:
            continue
        is_home = item.moved_to == event.from_customer and not now_with(item) and not moved.amount_minor
        if (item.moved_from == event.from_customer and _is_same(item, moved)) or (
            is_home and item.document == moved.document
        ):
            return item
    return None


def _is_same(item: ItemRow, moved: MovedItem) -> bool:
    """Say whether an item is what has that name where it comes from: another one there may be of another customer's document of that number."""
    there = "" if item.elsewhere is None else item.elsewhere.item
    return there in ("", moved.item or moved.document.document)


def _names(moved: MovedItem, *, event: TransferReceived) -> tuple[str, str, str]:
    """Give the item's own name, the one that it has where that is taken, and the one that it then had in older versions."""
    document = moved.document.document
    there = moved.item or document
    return document, f"{there} @{event.from_customer}", f"{document} @{event.from_customer}"


def _new_item(
    account: Account, moved: MovedItem, *, event: TransferReceived, context: FoldContext
) -> ItemRow:
    own, other, _ = _names(moved, event=event)
    name = own if own not in account.items else other
    account.items[name] = item = ItemRow(
        account=account.id,
        item=name,
        document=moved.document,
        currency=moved.currency,
        amount_minor=0,
        open_minor=0,
        issued_on=moved.issued_on,
        due_on=moved.due_on,
        reference=moved.reference,
        contact=moved.contact,
        chosen_plan=moved.chosen_plan,
        plan=moved.plan,
        plan_version=moved.plan_version,
        step=moved.step,
        sent_level_on=moved.sent_level_on,
        sent_on=moved.sent_on,
        part_paid_on=moved.part_paid_on,
        final_on=moved.final_on,
        pay_by_on=moved.pay_by_on,
        shift_days=moved.shift_days,
        plan_finished=moved.plan_finished,
        claimed_through=moved.claimed_through,
        charged=moved.charged,
        costs_minor=moved.costs_minor,
        corrected_minor=moved.corrected_minor,
        revision=moved.revision,
        entered_on=context.day,
        moved_from=event.from_customer,
        order=account.row.sequence + 1,
    )
    if type(moved.document) is ClaimDocument:
        account.enter_claim(item, document=moved.document)
    note_contact(account, moved)
    _take_holds(account, item, moved=moved, event=event, noted={})
    return item


def _drop_exclusion(account: Account, item: ItemRow) -> None:
    """Forget what was said of an item before it went: what holds by now comes with it."""
    hold = account.holds.pop(f"excluded/{item.item}", None)
    if hold is not None:
        account.remove(hold)


def _take_holds(
    account: Account, item: ItemRow, *, moved: MovedItem, event: TransferReceived, noted: Noted
) -> None:
    take_disputes(account, item, moved=moved, noted=noted)
    if moved.excluded is not None:
        hold = HoldRow(
            account=account.id,
            hold="excluded",
            item=item.item,
            reason=moved.excluded,
            author=moved.excluded_by,
            review_on=moved.review_on,
            placed_at=moved.excluded_at or event.occurred_at,
        )
        account.holds[hold_id(hold)] = hold
        account.touch(hold)

"""An item on its way between accounts, and its coming in (SEMANTICS 2.6).

It keeps level, last reminder, disputes and exclusion; what was settled of it stays where it was. What becomes of the
document where it was issued (an amendment, a cancellation) comes after it.
"""

import datetime
from collections.abc import Mapping

import msgspec

from processors import identity, instruments, payment_plans, promises
from processors.account import Account, hold_id
from processors.context import FoldContext
from processors.dispute_notes import lower_ruled, share_notes
from processors.holds import ACCOUNT_HOLDS
from processors.kin import tell_silence
from processors.ladder import reanchored_shift_days
from processors.late_facts import retract_item
from processors.moved_credits import take_credit
from processors.moved_level import note_contact, take_level
from processors.moved_settled import known_before
from processors.movements import Postings
from processors.settle import arrive, cascade
from processors.whereabouts import comes_back, now_with
from schemas.charges import ClaimDocument
from schemas.facts import LedgerFact
from schemas.fields import Channel
from schemas.moved_rows import Elsewhere
from schemas.rows import DisputeRow, HoldRow, ItemRow
from schemas.transfers import MovedDispute, MovedHold, MovedItem, TransferReceived

__all__ = ["moved_item", "send_holds", "send_opt_outs", "take_in"]

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


def moved_item(account: Account, item: ItemRow, *, amount_minor: int) -> MovedItem:
    """Write what is sent of an item; negative: so much of it is owed no more."""
    is_charged = item.item in account.claimed or item.item in account.claims
    hold = account.holds.get(f"excluded/{item.item}")
    disputes = {} if account.arrangements is None else account.arrangements.disputed.get(item.item, {})
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
        disputes=_moved_disputes(account, item, disputes=disputes),
        excluded=None if hold is None else hold.reason,
        excluded_by="" if hold is None else hold.author,
        excluded_at="" if hold is None else hold.placed_at,
        review_on=None if hold is None else hold.review_on,
        item=item.item,
        revision=item.revision,
        cancelled=item.status == "cancelled",
        settled=known_before(account, item) if is_charged or item.elsewhere is not None else (),
        corrected_minor=item.corrected_minor,
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
    _absorb(account, event)
    for moved in event.items:
        _take_item(postings, moved, event=event, context=context)
    _take_account_holds(account, event)
    for credit in event.credits:
        take_credit(postings, credit, from_customer=event.from_customer, context=context)
    arranged: list[LedgerFact] = []
    for instrument in event.instruments:
        arranged += instruments.take_over(
            account, instrument, from_customer=event.from_customer, context=context
        )
    for promise in event.promises:
        arranged += promises.take_over(account, promise, from_customer=event.from_customer, context=context)
    account.advance()
    if event.holds or event.opted_out:
        arranged += tell_silence(account, occurred_at=event.occurred_at, on=context.day)
    return postings.facts + arranged


def _absorb(account: Account, event: TransferReceived) -> None:
    """Note who is the same customer as this one; of two who are merged into each other the newer word counts.

    Where neither had heard of the other's merger yet, no word is the newer one: whose id comes first lives.
    """
    row, other = account.row, event.from_customer
    is_new = other in event.absorbed and other not in row.absorbed
    row.absorbed = (
        *row.absorbed,
        *(each for each in event.absorbed if each not in row.absorbed and each != account.customer_id),
    )
    at_once = is_new and row.merged_into == other and account.customer_id < other
    if account.customer_id in event.absorbed or at_once:
        row.merged_into = ""


def send_holds(account: Account) -> tuple[MovedHold, ...]:
    """Write the holds of a whole customer that is merged, each once: a person may have ended it there since (R15)."""
    known = (account.holds.get(kind) for kind in ACCOUNT_HOLDS)
    rows = [row for row in known if row is not None and not row.is_sent]
    for row in rows:
        row.is_sent = True
        account.touch(row)
    return tuple(
        MovedHold(
            hold=row.hold,  # type: ignore[arg-type]  # one of the three
            reason=row.reason,
            author=row.author,
            until=row.until,
            review_on=row.review_on,
            placed_at=row.placed_at,
        )
        for row in rows
    )


def send_opt_outs(account: Account) -> tuple[Channel, ...]:
    """Give the channels that a merged customer does not want, each once, as ``send_holds``."""
    row = account.row
    new = tuple(each for each in row.opted_out if each not in row.opted_out_sent)
    row.opted_out_sent += new
    return new


def _take_account_holds(account: Account, event: TransferReceived) -> None:
    """Take the holds over that the account has not; the stricter of two lasts."""
    for moved in event.holds:
        known = account.holds.get(moved.hold)
        if known is not None and (
            known.until is None or (moved.until is not None and moved.until <= known.until)
        ):
            continue
        row = HoldRow(
            account=account.id,
            hold=moved.hold,
            reason=moved.reason,
            author=moved.author,
            until=moved.until,
            review_on=moved.review_on,
            placed_at=moved.placed_at,
        )
        account.holds[moved.hold] = row
        account.touch(row)
        account.row.episode_in_doubt = True  # the next tick looks: all may be held now
    if event.opted_out:
        account.row.opted_out = tuple(sorted({*account.row.opted_out, *event.opted_out}))


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
    _drop_holds(account, item)
    _take_holds(account, item, moved=moved, event=event)
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
        if item.moved_from == event.from_customer or (is_home and item.document == moved.document):
            return item
    return None


def _names(moved: MovedItem, *, event: TransferReceived) -> tuple[str, str]:
    """Give the item's own name, and the one that it has where that is taken."""
    document = moved.document.document
    return document, f"{document} @{event.from_customer}"


def _new_item(
    account: Account, moved: MovedItem, *, event: TransferReceived, context: FoldContext
) -> ItemRow:
    own, other = _names(moved, event=event)
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
    _take_holds(account, item, moved=moved, event=event)
    return item


def _drop_holds(account: Account, item: ItemRow) -> None:
    """Forget what was said of an item before it went: what holds by now comes with it."""
    if account.arrangements is not None:
        for row in list(account.arrangements.disputed.get(item.item, {}).values()):
            account.arrangements.drop_dispute(row)
            account.remove(row)
    hold = account.holds.pop(f"excluded/{item.item}", None)
    if hold is not None:
        account.remove(hold)


def _take_holds(account: Account, item: ItemRow, *, moved: MovedItem, event: TransferReceived) -> None:
    remembered = {} if account.arrangements is None else account.arrangements.amended_away.get(item.item, {})
    for each in moved.disputes:
        remembered.pop(each.dispute, None)  # this word of it is the newer one
        row = DisputeRow(
            account=account.id,
            dispute=each.dispute,
            item=item.item,
            order=account.row.sequence + 1,
            opened_on=each.opened_on,
            amount_minor=each.amount_minor,
            reason=each.reason,
            author=each.author,
            review_on=each.review_on,
            ruled_on=each.ruled_on,
        )
        account.arranged().add_dispute(row)
        account.touch(row)
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


def _moved_disputes(
    account: Account, item: ItemRow, *, disputes: Mapping[str, DisputeRow]
) -> tuple[MovedDispute, ...]:
    """Write what is left of each dispute: notes and amendments that it has had stay where they are (R29)."""
    shares = share_notes(account, item) if disputes else {}
    return tuple(
        MovedDispute(
            dispute=row.dispute,
            opened_on=row.opened_on,
            amount_minor=None if row.amount_minor is None else shares[row.dispute].left_minor,
            reason=row.reason,
            author=row.author,
            review_on=row.review_on,
            ruled_on=row.ruled_on,
        )
        for _, row in sorted(disputes.items())
    )

"""Payment plans (R25): an item split into instalments, which are items with due dates of their own.

::

    running ──all paid──► kept ──money goes back──► running
       ├──one not paid in time──► broken
       └──cancelled, or the invoice is amended or cancelled──► cancelled

Broken or cancelled, what is left of the instalments returns to the item, which still has its
due date and level. Levels of instalments are withheld while the plan runs; courtesies go out.
"""

import calendar
import datetime
from collections.abc import Iterator, Sequence

from processors.account import Account
from processors.arrangements import asked_minor, held_part_minor
from processors.context import FoldContext
from processors.documents import amend, cancel, new_amount_minor
from processors.instruments import cover_again
from processors.movements import Postings, latest_first
from processors.promises import refused
from processors.settle import arrive, cascade, counted_minor
from processors.whereabouts import now_with
from schemas.arrangement_facts import Instalment, PaymentPlanEnded, PaymentPlanMade
from schemas.arrangement_rows import PaymentPlanStatus
from schemas.commands import CancelPaymentPlan, MakePaymentPlan
from schemas.events import InvoiceAmended, InvoiceCancelled, InvoiceIssued
from schemas.facts import LedgerFact
from schemas.rows import ItemRow, PaymentPlanRow

__all__ = [
    "amend_item",
    "cancel_item",
    "cancel_payment_plan",
    "end_of_item",
    "fall_due",
    "in_instalments_minor",
    "make_payment_plan",
    "return_parts",
    "review",
    "take_back",
]

_DAY = datetime.timedelta(days=1)


def make_payment_plan(account: Account, event: MakePaymentPlan, *, context: FoldContext) -> list[LedgerFact]:
    """Split what is open of a known item, and not disputed, into instalments."""
    item = account.items[event.document]
    amount_minor = item.open_minor - held_part_minor(account, item)
    problem = _problem(account, event, item=item, amount_minor=amount_minor)
    if event.first_on < context.day:
        problem = (
            f"the first instalment would be due on {event.first_on}, before {context.day}: say a later day"
        )
    if problem:
        key = f"payment_plan/{event.command}"
        return [refused(account, reason="request_refused", key=key, detail=problem)]
    row = PaymentPlanRow(
        account=account.id,
        payment_plan=event.command,
        item=item.item,
        instalments=_names(account, event),
        made_on=context.day,
        tolerance_days=context.company.profile.promise_tolerance_days,
        author=event.author,
        reason=event.reason,
    )
    postings = Postings(account, context, correcting=True)
    _move(postings, item, amount_minor=-amount_minor)
    parts = [
        _enter(postings, event, item=item, name=name, amount_minor=part_minor, due_on=due_on)
        for name, part_minor, due_on in zip(
            row.instalments, _parts(amount_minor, count=event.count), _days(event), strict=True
        )
    ]
    account.arranged().add_payment_plan(row)
    _wake(account, row)
    account.advance()
    for part in parts:
        arrive(postings, part, auto_apply=context.company.profile.auto_apply)
    return [_made(account, row, item=item, amount_minor=amount_minor, parts=parts), *postings.facts]


def cancel_payment_plan(
    account: Account, event: CancelPaymentPlan, *, context: FoldContext
) -> list[LedgerFact]:
    """End a running plan at a person's word."""
    arranged = account.arrangements
    row = None if arranged is None else arranged.payment_plans.get(event.payment_plan)
    if row is None or row.status != "running":
        key, detail = f"command/{event.command}", "there is no such payment plan, or it is over"
        return [refused(account, reason="unknown_subject", key=key, detail=detail)]
    return _end(account, row, status="cancelled", reason=event.reason, context=context)


def fall_due(account: Account, payment_plan: str, *, context: FoldContext) -> list[LedgerFact]:
    """Break a plan of which an instalment was not paid in time; else wait for the next one (an alarm)."""
    row = account.arranged().payment_plans[payment_plan]
    last_on = context.day - datetime.timedelta(days=row.tolerance_days)
    missed = [each for each in _open(account, row) if each.due_on < last_on and asked_minor(account, each)]
    if missed:
        reason = f"{missed[0].item} was due on {missed[0].due_on}"
        return _end(account, row, status="broken", reason=reason, context=context)
    _wake(account, row, after=context.day)
    return []


def review(account: Account, *, context: FoldContext) -> list[LedgerFact]:
    """See which plans are kept by now, or not any more; what is open again of one that ended returns, too (R14)."""
    facts: list[LedgerFact] = []
    for _, row in sorted(account.arranged().payment_plans.items()):
        is_open = any(True for _ in _open(account, row))
        if row.status == "running" and not is_open:
            facts.append(_turn(account, row, status="kept"))
        elif row.status == "kept" and is_open:
            facts.append(_turn(account, row, status="running"))
        elif row.status in ("broken", "cancelled") and is_open:
            facts += _end(account, row, status=row.status, reason="", context=context)
    return facts


def amend_item(account: Account, event: InvoiceAmended, *, context: FoldContext) -> list[LedgerFact]:
    """Amend a known item; a new amount ends its payment plan, which was of another one.

    What had been paid of instalments beyond the new amount is credit again.
    """
    item = account.items[event.document]
    postings = Postings(account, context)
    amount_minor = new_amount_minor(event, item=item)
    if amount_minor is None:
        return amend(postings, event)
    ended = end_of_item(account, item.item, context=context)
    kept_minor = item.settled_before_minor + in_instalments_minor(account, item)
    take_back(postings, item, most_minor=kept_minor - amount_minor)
    return ended + amend(postings, event)


def cancel_item(account: Account, event: InvoiceCancelled, *, context: FoldContext) -> list[LedgerFact]:
    """Cancel a known item as a whole, instalments included: what had been paid of them is credit again (R13)."""
    item = account.items[event.document]
    ended = end_of_item(account, item.item, context=context)
    postings = Postings(account, context)
    take_back(postings, item, most_minor=in_instalments_minor(account, item))
    return ended + cancel(postings, event)


def in_instalments_minor(account: Account, item: ItemRow) -> int:
    """Give what of an item is in its instalments; once no plan of it runs, that is what was paid of them."""
    return sum(counted_minor(part) for part in _parts_of(account, item))


def take_back(postings: Postings, item: ItemRow, *, most_minor: int) -> None:
    """Let money that settles instalments of an item go, what was paid last first: so much of them returns to the item.

    Whoever calls makes the item worth less, and serves the names of the money (``settle.cascade``).
    """
    account = postings.account
    parts = _parts_of(account, item) if most_minor > 0 else ()
    rows = [row for part in parts for row in latest_first(account, part)]
    returned_minor = 0
    for row in sorted(rows, key=lambda row: row.order, reverse=True):
        amount_minor = min(most_minor - returned_minor, row.amount_minor)
        if amount_minor:
            postings.unapply(row, amount_minor=amount_minor)
            returned_minor += _give_back(postings, account.items[row.item])
    if returned_minor:
        _move(postings, item, amount_minor=returned_minor)


def return_parts(account: Account, names: Sequence[str], *, context: FoldContext) -> list[LedgerFact]:
    """Let instalments among some open items return to an item that is with another customer, who owes them, too (R14)."""
    if account.arrangements is None:
        return []
    split = account.arrangements.split
    whole = sorted({row.item for name in names for row in split.get(name, ()) if row.item != name})
    if not any(account.row.merged_into or now_with(account.items[name]) for name in whole):
        return []
    facts = review(account, context=context)
    for name in whole:
        facts += end_of_item(account, name, context=context)
    return facts


# -- parts ---------------------------------------------------------------------


def _problem(account: Account, event: MakePaymentPlan, *, item: ItemRow, amount_minor: int) -> str:
    arranged = account.arrangements
    plans = () if arranged is None else arranged.split.get(item.item, ())
    if any(row.status == "running" for row in plans):
        return f"{item.item} is in a payment plan already"
    if item.status != "open" or amount_minor < event.count:
        return f"of {item.item} {amount_minor} minor units are open and not held: too little to split"
    return ""


def _names(account: Account, event: MakePaymentPlan) -> list[str]:
    """Name the instalments: ``INV-1 1/3``; of a later plan of the same item ``INV-1 1/3 (2)``."""
    turn = 1
    while True:
        suffix = f" ({turn})" if turn > 1 else ""
        names = [f"{event.document} {place + 1}/{event.count}{suffix}" for place in range(event.count)]
        if not any(name in account.items for name in names):
            return names
        turn += 1


def _parts_of(account: Account, item: ItemRow) -> list[ItemRow]:
    """List the instalments that an item was ever split into; those of later plans last."""
    arranged = account.arrangements
    plans = [] if arranged is None else arranged.split.get(item.item, ())
    names = [name for row in plans if row.item == item.item for name in row.instalments]
    return [account.items[name] for name in names if name in account.items]


def _parts(amount_minor: int, *, count: int) -> list[int]:
    part_minor, rest_minor = divmod(amount_minor, count)
    return [part_minor] * (count - 1) + [part_minor + rest_minor]


def _days(event: MakePaymentPlan) -> list[datetime.date]:
    if event.every == "month":
        return [_months_later(event.first_on, months=months) for months in range(event.count)]
    step = datetime.timedelta(days=7 if event.every == "week" else 14)
    return [event.first_on + place * step for place in range(event.count)]


def _months_later(day: datetime.date, *, months: int) -> datetime.date:
    """Give the same day of a later month, or its last one."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return datetime.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _enter(
    postings: Postings,
    event: MakePaymentPlan,
    *,
    item: ItemRow,
    name: str,
    amount_minor: int,
    due_on: datetime.date,
) -> ItemRow:
    account = postings.account
    part = ItemRow(
        account=account.id,
        item=name,
        document=InvoiceIssued(
            company=event.company,
            customer=event.customer,
            occurred_at=event.occurred_at,
            document=name,
            currency=item.currency,
            amount=item.document.amount,
            due_date=due_on,
            reference=item.reference,
            pdf_url=getattr(item.document, "pdf_url", ""),
            xml_url=getattr(item.document, "xml_url", ""),
        ),
        currency=item.currency,
        amount_minor=amount_minor,
        open_minor=0,
        issued_on=item.issued_on,
        due_on=due_on,
        reference=item.reference,
        contact=item.contact,
        chosen_plan=item.chosen_plan,
        entered_on=postings.day,
        order=account.row.sequence + 1,
    )
    account.items[name] = part
    postings.change_item(part, kind="instalment", amount_minor=amount_minor, on=postings.day)
    account.settling.open_item(part)
    return part


def _move(postings: Postings, item: ItemRow, *, amount_minor: int) -> None:
    """Take an amount out of the item that is split, or bring it back; it is not there earlier than that."""
    on = max(postings.day, item.entered_on or item.issued_on, item.grown_on or postings.day)
    item.moved_minor -= amount_minor
    if amount_minor > 0:
        item.grown_on = on
        postings.grown.append(item)
    postings.change_item(item, kind="split", amount_minor=amount_minor, on=on)
    if amount_minor > 0:
        postings.account.settling.open_item(item)


# -- how it goes on ------------------------------------------------------------


def _open(account: Account, row: PaymentPlanRow) -> Iterator[ItemRow]:
    for name in row.instalments:
        item = account.items.get(name)
        if item is not None and item.open_minor:
            yield item


def _wake(account: Account, row: PaymentPlanRow, *, after: datetime.date | None = None) -> None:
    """Look again when the next instalment must be paid; one that is late and held otherwise is looked at every day."""
    grace = datetime.timedelta(days=row.tolerance_days) + _DAY
    days = [each.due_on + grace for each in _open(account, row)] if row.status == "running" else []
    row.alarm_on = min(days, default=None)
    if row.alarm_on is not None and after is not None:
        row.alarm_on = max(row.alarm_on, after + _DAY)
    account.alarms.set(f"payment_plan/{row.payment_plan}", row.alarm_on)
    account.touch(row)


def _turn(account: Account, row: PaymentPlanRow, *, status: PaymentPlanStatus) -> PaymentPlanEnded:
    row.status = status
    _wake(account, row)
    account.advance()
    return _ended(account, row, returned_minor=0, reason="")


def end_of_item(account: Account, item: str, *, context: FoldContext) -> list[LedgerFact]:
    """End the running payment plan of an item that is not what it was."""
    if account.arrangements is None:
        return []
    plans = [row for row in account.arrangements.split.get(item, ()) if row.status == "running"]
    plans.sort(key=lambda row: row.payment_plan)
    reason = "the invoice was amended, cancelled or transferred"
    return [
        fact
        for row in plans
        for fact in _end(account, row, status="cancelled", reason=reason, context=context)
    ]


def _end(
    account: Account, row: PaymentPlanRow, *, status: PaymentPlanStatus, reason: str, context: FoldContext
) -> list[LedgerFact]:
    """Let what is left of the instalments return to the item, with its due date and level."""
    postings = Postings(account, context)
    returned_minor = 0
    for part in _open(account, row):
        returned_minor += _give_back(postings, part)
    item = account.items[row.item]
    if returned_minor:
        _move(postings, item, amount_minor=returned_minor)
    row.status = status
    _wake(account, row)
    account.touch(item)
    account.advance()
    cascade(postings)
    cover_again(account)
    return [_ended(account, row, returned_minor=returned_minor, reason=reason), *postings.facts]


def _give_back(postings: Postings, part: ItemRow) -> int:
    """Take what is open of an instalment out of it, for its item; gives how much that is."""
    left_minor = part.open_minor
    part.moved_minor += left_minor
    _settle_names(postings.account, part)
    on = max(postings.day, part.entered_on or part.issued_on, part.grown_on or postings.day)
    postings.change_item(part, kind="instalment", amount_minor=-left_minor, on=on)
    return left_minor


def _settle_names(account: Account, part: ItemRow) -> None:
    """Let what the bank took off an instalment be no part of what returns: its names ask for what they hold."""
    held = account.applications.get(part.item, {})
    for credit, name in account.settling.claims(part.item):
        if name.less_minor:
            row = held.get(credit.credit)
            name.limit_minor, name.less_minor = (0 if row is None else row.amount_minor), 0
            account.touch(credit)


def _made(
    account: Account, row: PaymentPlanRow, *, item: ItemRow, amount_minor: int, parts: list[ItemRow]
) -> PaymentPlanMade:
    return PaymentPlanMade(
        id=f"{account.id}/{account.next_sequence()}",
        account=account.id,
        payment_plan=row.payment_plan,
        item=item.item,
        currency=item.currency,
        amount_minor=amount_minor,
        instalments=tuple(
            Instalment(item=part.item, due_on=part.due_on, amount_minor=part.amount_minor) for part in parts
        ),
        author=row.author,
        reason=row.reason,
    )


def _ended(account: Account, row: PaymentPlanRow, *, returned_minor: int, reason: str) -> PaymentPlanEnded:
    account.touch(account.row)
    return PaymentPlanEnded(
        id=f"{account.id}/{account.next_sequence()}",
        account=account.id,
        payment_plan=row.payment_plan,
        item=row.item,
        status=row.status,
        currency=account.items[row.item].currency,
        returned_minor=returned_minor,
        reason=reason,
    )

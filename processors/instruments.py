"""Payments that are no money yet: cheques, promissory notes and direct debits (S1-20, S1-21).

::

    received ──► deposited ──► cleared     money from that day on
        └────────────┴───────► returned ──► deposited   presented again

Until it has cleared, a payment settles nothing and counts nowhere: exposure, aging and
statement stay, dunning of what it covers sleeps (``withholding.holds``). Returned, dunning
goes on at the old level (R14).
"""

import datetime
import heapq
from collections.abc import Iterable, Iterator

from processors import credits, identity  # noqa: A004 - the domain's word
from processors.account import Account
from processors.arrangements import asked_minor
from processors.charges.claims import claim_returned
from processors.context import FoldContext
from processors.instalment_names import with_instalments
from processors.money import to_minor
from processors.promises import refused
from processors.subjects import KEYS
from processors.tasks import close_task, open_task
from processors.whereabouts import name_here
from schemas.arrangement_facts import ConditionalPaymentChanged
from schemas.arrangement_rows import InstrumentState, PartCovered
from schemas.events import PaymentReceived, PaymentReversed, PaymentStateChanged
from schemas.facts import LedgerFact, Movement
from schemas.rows import InstrumentRow, Name
from schemas.transfers import MovedInstrument

__all__ = [
    "UNRESOLVED",
    "ask_about",
    "change_state",
    "cover_again",
    "give_up",
    "is_known",
    "receive",
    "reverse",
    "review",
    "send_home",
    "take_over",
]

UNRESOLVED = "instrument_unresolved"  # the task when it should have cleared, and nobody said so
COVERED_MAX = 5000  # items that one payment covers: as many as it may name
LISTED_MAX = 500


def is_known(account: Account, payment: str) -> bool:
    """Say whether a payment is here that has not cleared."""
    return account.arrangements is not None and payment in account.arrangements.instruments


def receive(account: Account, event: PaymentReceived, *, context: FoldContext) -> list[LedgerFact]:
    """Take a payment: money at once, or a promise on paper until it has cleared."""
    if event.state == "cleared":
        return credits.receive_payment(account, event, context=context)
    key = f"payment/{event.payment}"
    known = account.credits.get(key) or (
        account.arranged().instruments[event.payment] if is_known(account, event.payment) else None
    )
    if known is not None:
        return identity.compare(account, event, first=known.document, key=key)
    row = InstrumentRow(
        account=account.id,
        payment=event.payment,
        document=event,
        currency=event.currency,
        amount_minor=to_minor(event.amount, currency=event.currency),
        received_on=context.day,
        state=event.state,
    )
    _await(account, row, context=context)
    return [_changed(account, row, state=row.state, on=context.day)]


def change_state(account: Account, event: PaymentStateChanged, *, context: FoldContext) -> list[LedgerFact]:
    """Take the next state of a known payment; one that has cleared can only be returned."""
    if not is_known(account, event.payment):
        return _of_money(account, event, context=context)
    row = account.arranged().instruments[event.payment]
    match event.state:
        case "cleared":
            return _clear(account, row, event, context=context)
        case "returned":
            return _bounce(account, row, reason=event.reason, context=context)
        case "deposited":
            asked_on = _asked_about_on(account, row, context=context)
            if row.state == "deposited" and row.alarm_on == asked_on:
                return []  # two people saw to it, or two sources say so: nothing is new
            row.state = "deposited"
            account.arranged().uncover_by(row)
            _await(account, row, context=context)
            return [_changed(account, row, state="deposited", on=context.day, reason=event.reason)]


def reverse(account: Account, event: PaymentReversed, *, context: FoldContext) -> list[LedgerFact]:
    """End a known payment (R14): its money goes back; one that has not cleared is returned."""
    if is_known(account, event.payment):
        row = account.arranged().instruments[event.payment]
        return _bounce(account, row, reason=event.reason, context=context)
    return credits.reverse_payment(account, event, context=context)


def take_over(
    account: Account, moved: MovedInstrument, *, from_customer: str, context: FoldContext
) -> list[LedgerFact]:
    """Let what a payment of a merged customer covers sleep here; cleared, its money has come with the same event."""
    if moved.document is not None and moved.document.customer == account.customer_id:
        return _come_home(account, moved.document.payment, context=context)
    name = f"{moved.payment}@{from_customer}"
    row = account.arranged().instruments[name] if is_known(account, name) else None
    if moved.state == "returned":
        return [] if row is None else _return(account, row, reason="", context=context)
    if moved.state == "cleared":
        return [] if row is None else _drop(account, row, on=context.day)
    if row is None and moved.document is not None:
        document = moved.document
        row = InstrumentRow(
            account=account.id,
            payment=name,
            document=document,
            currency=document.currency,
            amount_minor=to_minor(document.amount, currency=document.currency),
            received_on=moved.received_on,
            state=moved.state,
        )
    elif row is not None:
        account.arranged().uncover_by(row)
        row.state = moved.state
    if row is None:
        return []
    _await(account, row, context=context)
    return [_changed(account, row, state=row.state, on=context.day)]


def _come_home(account: Account, payment: str, *, context: FoldContext) -> list[LedgerFact]:
    """Ask about one's own payment again that had gone to another customer; its state is heard here first, so it is the row's."""
    row = account.arranged().instruments.get(payment)
    if row is None or row.state == "returned":
        return []  # it has cleared meanwhile, or come back
    account.arranged().uncover_by(row)
    _await(account, row, context=context)
    return [_changed(account, row, state=row.state, on=context.day)]


def send_home(account: Account, row: InstrumentRow, *, to_customer: str) -> list[LedgerFact]:
    """Forget a payment that goes back to the customer whose own it is: it has its row there, and its states are told there."""
    if row.document.customer != to_customer:
        return []
    account.drop_instrument(row)
    return close_task(account, task=f"{UNRESOLVED}/{row.payment}", outcome="needless")


def give_up(account: Account, row: InstrumentRow) -> MovedInstrument:
    """Write a payment that has not cleared for the customer that this one is merged into: it asks about it from now on."""
    _wake(account, row, on=None)
    return MovedInstrument(
        payment=row.payment, state=row.state, received_on=row.received_on, document=row.document
    )


def cover_again(account: Account) -> None:
    """Work out anew what payments cover that have not cleared: what they were for is in other items now."""
    arranged = account.arranged()
    for _, row in sorted(arranged.instruments.items()):
        if row.state != "returned":
            arranged.uncover_by(row)
            row.covers = _covered(account, row)
            arranged.add_instrument(row)
            account.touch(row)


def review(account: Account, facts: Iterable[LedgerFact]) -> None:
    """Let what has come since sleep, too, as far as a payment without names that has not cleared covers no more yet (S1-20).

    What a reminder has claimed is not covered by it: a reminder's own outcome must not overtake the reminder (R32).
    """
    came = {
        fact.item
        for fact in facts
        if isinstance(fact, Movement) and fact.item and fact.amount_minor > 0 and fact.kind != "claimed"
    }
    if not came:
        return
    arranged = account.arranged()
    for _, row in sorted(arranged.instruments.items()):
        if row.state == "returned" or row.document.lines or row.document.order_reference:
            continue
        if sum(part.amount_minor for part in row.covers) >= row.amount_minor:
            continue
        covers = _covered_too(account, row, came=came)
        if covers != row.covers:
            arranged.uncover_by(row)
            row.covers = covers
            arranged.add_instrument(row)
            account.touch(row)
            account.advance()


def _covered_too(account: Account, row: InstrumentRow, *, came: Iterable[str]) -> list[PartCovered]:
    """Give what a payment covers of what is open by now, and of what has come, the oldest first: nothing else is looked at."""
    items = account.items
    parts = {
        part.item: min(part.amount_minor, items[part.item].open_minor)
        for part in row.covers
        if part.item in items
    }
    left_minor = row.amount_minor - sum(parts.values())
    new = [items[name] for name in came if name in items and items[name].currency == row.currency]
    for item in sorted(new, key=lambda each: (each.due_on, each.item)):
        take_minor = min(left_minor, asked_minor(account, item))
        if take_minor > 0 and (item.item in parts or len(parts) < COVERED_MAX):
            parts[item.item] = parts.get(item.item, 0) + take_minor
            left_minor -= take_minor
    return [PartCovered(item=name, amount_minor=minor) for name, minor in parts.items() if minor]


def ask_about(account: Account, payment: str, *, context: FoldContext) -> list[LedgerFact]:
    """Ask a person about a payment that should have cleared by now, or forget one that was returned (an alarm)."""
    row = account.arranged().instruments[payment]
    if row.state == "returned":
        account.drop_instrument(row)
        return []
    _wake(account, row, on=None)
    return open_task(
        account,
        task=f"{UNRESOLVED}/{payment}",
        task_type=UNRESOLVED,
        on=context.day,
        items=[part.item for part in row.covers[:LISTED_MAX]],
        values={"payment": payment, "means": row.document.means, "state": row.state},
    )


def _of_money(account: Account, event: PaymentStateChanged, *, context: FoldContext) -> list[LedgerFact]:
    credit = account.credits[f"payment/{event.payment}"]
    is_over = credit.ended_on is not None
    if event.state == "cleared" and not is_over:
        return []  # so it is
    if event.state == "deposited" or is_over:
        detail = f"it cannot be {event.state}: it {'is reversed' if is_over else 'has cleared'}"
        # Named by the change: the payment stands as it is, and another change of it may be taken.
        key = KEYS[PaymentStateChanged](event)
        return [refused(account, reason="unknown_subject", key=key, detail=detail)]
    reversal = PaymentReversed(
        company=event.company,
        customer=event.customer,
        occurred_at=event.occurred_at,
        payment=event.payment,
        reason=event.reason,
    )
    return credits.reverse_payment(account, reversal, context=context)


def _clear(
    account: Account, row: InstrumentRow, event: PaymentStateChanged, *, context: FoldContext
) -> list[LedgerFact]:
    facts = _drop(account, row, on=context.day, reason=event.reason)
    return facts + credits.receive_payment(account, row.document, context=context)


def _drop(account: Account, row: InstrumentRow, *, on: datetime.date, reason: str = "") -> list[LedgerFact]:
    facts: list[LedgerFact] = [_changed(account, row, state="cleared", on=on, reason=reason)]
    account.drop_instrument(row)
    return facts + close_task(account, task=f"{UNRESOLVED}/{row.payment}", outcome="needless")


def _bounce(account: Account, row: InstrumentRow, *, reason: str, context: FoldContext) -> list[LedgerFact]:
    """Let a payment of this account come back before it has cleared, and claim the company's fee for that (R14)."""
    covered = [part for part in row.covers if part.item in account.items]
    is_new = row.state != "returned"
    facts = _return(account, row, reason=reason, context=context)
    if not is_new or not context.company.profile.returned_payment_fees:
        return facts
    return facts + claim_returned(
        account,
        payment=row.payment,
        currency=row.currency,
        debt_minor=sum(part.amount_minor for part in covered),
        due_on=min((account.items[part.item].due_on for part in covered), default=None),
        context=context,
    )


def _return(account: Account, row: InstrumentRow, *, reason: str, context: FoldContext) -> list[LedgerFact]:
    if row.state == "returned":
        return []
    account.arranged().uncover_by(row)
    row.state, row.covers = "returned", []
    _wake(account, row, on=context.today() + context.company.retention)
    account.touch(row)
    account.advance()
    facts: list[LedgerFact] = [_changed(account, row, state="returned", on=context.day, reason=reason)]
    return facts + close_task(account, task=f"{UNRESOLVED}/{row.payment}", outcome="needless")


def _await(account: Account, row: InstrumentRow, *, context: FoldContext) -> None:
    """Let what a payment covers sleep, and ask about it when it should have cleared."""
    row.covers = _covered(account, row)
    account.arranged().add_instrument(row)
    _wake(account, row, on=_asked_about_on(account, row, context=context))
    account.touch(row)
    account.advance()


def _asked_about_on(account: Account, row: InstrumentRow, *, context: FoldContext) -> datetime.date | None:
    """Give the day on which it should have cleared; None: whoever the customer is now asks."""
    if account.row.merged_into:
        return None
    payable_on = max(row.document.payable_on or context.day, context.day)
    return payable_on + datetime.timedelta(days=context.company.profile.promise_tolerance_days + 1)


def _wake(account: Account, row: InstrumentRow, *, on: datetime.date | None) -> None:
    row.alarm_on = on
    account.alarms.set(f"instrument/{row.payment}", on)
    account.touch(row)


def _covered(account: Account, row: InstrumentRow) -> list[PartCovered]:
    """Share the amount out: to the items that it names, known or not, else to the oldest; a deposit covers none."""
    parts: list[PartCovered] = []
    left_minor = row.amount_minor
    for name, most_minor in _wanted(account, row):
        take_minor = min(left_minor, most_minor)
        if take_minor > 0:
            parts.append(PartCovered(item=name, amount_minor=take_minor))
            left_minor -= take_minor
        if not left_minor or len(parts) == COVERED_MAX:
            break
    return parts


def _wanted(account: Account, row: InstrumentRow) -> list[tuple[str, int]]:
    """Give what a payment is for, in order, and how much of it each item can take."""
    document = row.document
    if document.lines:
        return list(_named(account, row))
    if document.order_reference:
        return []
    items = (item for item in account.items.values() if item.currency == row.currency and item.open_minor)
    oldest = heapq.nsmallest(COVERED_MAX, items, key=lambda item: (item.due_on, item.item))
    return [(item.item, asked_minor(account, item)) for item in oldest]


def _named(account: Account, row: InstrumentRow) -> Iterator[tuple[str, int]]:
    """Walk the items that it names, known or not; an invoice that was split means its instalments (R25)."""
    names = [
        Name(
            document=name_here(account, line.document, of=row.document.customer),
            limit_minor=None if line.amount is None else to_minor(line.amount, currency=row.currency),
        )
        for line in row.document.lines
        if line.customer in (None, row.document.customer)  # another customer's sleeps there, once it is money
    ]
    for name in with_instalments(account, names):
        item = account.items.get(name.document)
        open_minor = row.amount_minor if item is None else item.open_minor
        if item is None or item.currency == row.currency:
            yield (
                name.document,
                open_minor if name.limit_minor is None else min(open_minor, name.limit_minor),
            )


def _changed(
    account: Account, row: InstrumentRow, *, state: InstrumentState, on: datetime.date, reason: str = ""
) -> ConditionalPaymentChanged:
    is_over = state in ("cleared", "returned")
    return ConditionalPaymentChanged(
        id=f"{account.id}/{account.next_sequence()}",
        account=account.id,
        payment=row.payment,
        means=row.document.means,
        state=state,
        currency=row.currency,
        amount_minor=row.amount_minor,
        on=on,
        items=() if is_over else tuple(part.item for part in row.covers[:LISTED_MAX]),
        reason=reason,
    )

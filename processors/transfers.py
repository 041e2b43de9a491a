"""Transfers between accounts of a company (SEMANTICS 2.6): what goes out of one comes into the other.

Sent as a fact (``TransferSent``), whose event the ledger writes to the journal in the same
transaction; so each is in the log once, and a replay finds it there. What was sent is followed:
money that goes back at the one goes back at the other, and what comes later goes after it: an amendment, too, and a cancellation.
"""

from collections.abc import Iterator, Sequence

from processors import payment_plans, promises
from processors.account import Account, hold_id
from processors.context import FoldContext
from processors.conversions import for_others
from processors.mergers import heard_before, overtaken, refuse_merger, remember_merger
from processors.money import MoneyError, to_minor
from processors.moved_level import is_written_about
from processors.moved_settled import tell_back
from processors.promises import refused
from processors.transfer_out import TransferOut, shares_minor, too_much_moved_minor
from processors.whereabouts import goes_to, now_with
from schemas.commands import TransferItem, TransferPayment
from schemas.events import CustomerMerged, PaymentReceived
from schemas.facts import LedgerFact
from schemas.journal import AccountEvent
from schemas.rows import CreditRow, HoldRow, ItemRow, Name, PaymentPlanRow
from schemas.transfers import (
    TransferReceived,
)

__all__ = ["follow", "merge", "transfer_item", "transfer_payment"]

_HOPS_MAX = 8  # of a path that goes back to where it has been


def transfer_item(account: Account, event: TransferItem, *, context: FoldContext) -> list[LedgerFact]:
    """Send what is open of a known item to another customer, now and when more of it is open."""
    item = account.items[event.document]
    problem = _is_itself(account, to_customer=event.to_customer) or _part_of(account, event.document)
    if problem or item.status == "cancelled":
        return [_refused(account, event.command, detail=problem or f"{item.item} is cancelled")]
    goes_to(item, event.to_customer)
    account.row.has_moved = True  # also where nothing of it is open now: what goes back later follows
    account.touch(account.row)
    account.touch(item)
    facts = payment_plans.end_of_item(account, item.item, context=context)
    sending = TransferOut(account, context, to_customer=event.to_customer, reason=event.reason)
    sending.item(item)
    return [*facts, *sending.facts(), *promises.left_behind(account, item, context=context)]


def transfer_payment(account: Account, event: TransferPayment, *, context: FoldContext) -> list[LedgerFact]:
    """Send what is left of a known payment, or so much of it, to pay another customer's items."""
    credit = account.credits[f"payment/{event.payment}"]
    problem = _is_itself(account, to_customer=event.to_customer)
    try:
        wanted = None if event.amount is None else to_minor(event.amount, currency=credit.currency)
    except MoneyError as error:
        problem = error.detail
        wanted = None
    amount_minor = credit.rest_minor if wanted is None else wanted
    if not problem and not 0 < amount_minor <= credit.rest_minor:
        problem = f"{credit.rest_minor} minor units are left of {credit.credit}, not {amount_minor}"
    if problem:
        return [_refused(account, event.command, detail=problem)]
    sending = TransferOut(account, context, to_customer=event.to_customer, reason=event.reason)
    names = [Name(document=each) for each in event.documents]
    sending.credit(credit, amount_minor=amount_minor, names=names, named_there=True)
    return sending.facts()


def merge(account: Account, event: CustomerMerged, *, context: FoldContext) -> list[LedgerFact]:
    """Send all that is open to the customer that this one is the same as.

    A word that comes again changes nothing, nor does one that is older than what has been carried out (2.2): either may be
    over by now, since the other customer was merged back.
    """
    repeated = heard_before(account, event, context=context)
    if repeated is not None:
        return repeated
    problem = overtaken(account, event, context=context) or _problem(account, to_customer=event.into)
    if not problem and account.row.merged_into not in ("", event.into):
        problem = f"it is merged into {account.row.merged_into} already"
    if problem:
        return refuse_merger(account, event, detail=problem, context=context)
    remember_merger(account, event, context=context)
    account.row.has_moved = True
    account.advance()
    facts: list[LedgerFact] = []
    for row in _plans(account):
        _spare(account, row, placed_at=event.occurred_at)
        facts += payment_plans.end_of_item(account, row.item, context=context)
    sending = TransferOut(account, context, to_customer=event.into, reason=event.reason, is_whole=True)
    # As they came: rows that were read back are in the order of their keys, and what is said must not depend on that (R26).
    items = sorted(account.items.values(), key=lambda row: (row.order, row.item))
    _send_all(
        sending,
        items=items,
        credits=sorted(account.credits.values(), key=lambda row: (row.order, row.credit)),
    )
    if account.arrangements is not None:
        sending.arranged(account.arrangements)
    return [*facts, *sending.facts()]


def follow(
    account: Account,
    event: AccountEvent,
    *,
    context: FoldContext,
    said: Sequence[LedgerFact] = (),
    merger_is_news: bool = False,
) -> list[LedgerFact]:
    """Send after what was sent: of items and credits that an event has touched (``account.stale``).

    What a transfer has brought does not go back along its path; what it has opened here does, for some steps.

    Args:
        event: of which all this comes.
        said: the facts of the event: what became of promises and of payments that have not cleared goes after a merged customer.
        merger_is_news: it said of someone that he is the same customer: whom a merged one is merged into hears that, too.
    """
    brought = event if isinstance(event, TransferReceived) else None
    path = () if brought is None else brought.path
    carried = () if brought is None else {each.document.document for each in brought.items}
    row = account.row
    # From whom this one is merged into, who had not heard of it, or by way of him: he lives, and has it back.
    gives_back = (
        brought is not None
        and row.merged_into in (brought.from_customer, *brought.absorbed)
        and len(path) < _HOPS_MAX
    )
    returned = payment_plans.return_parts(account, sorted(account.stale), context=context)
    items = [account.items[name] for name in sorted(account.stale) if name in account.items]
    credits = [account.credits[key] for key in sorted(account.stale_credits) if key in account.credits]  # noqa: A001 - the domain's word
    sendings: dict[str, TransferOut] = {}

    def to(customer: str) -> TransferOut:
        if customer not in sendings:
            is_whole = merger_is_news and customer == row.merged_into
            sendings[customer] = TransferOut(
                account, context, to_customer=customer, path=path, is_whole=is_whole
            )
        return sendings[customer]

    for credit, customer, amount_minor in _ended_elsewhere(credits):
        to(customer).recall(credit, amount_minor=amount_minor)
    for credit, customer, amount_minor in _overdrawn(credits):
        to(customer).call_back(credit, amount_minor=amount_minor)
    for item in items:
        target = now_with(item) or row.merged_into
        is_free = target not in path or (item.document.document not in carried and len(path) < _HOPS_MAX)
        if target and (is_free or (gives_back and target == row.merged_into)) and item.open_minor:
            to(target).item(item, is_more=bool(now_with(item) and item.moved_minor))
        elif item.moved_to in ("", *path):
            continue
        elif _is_amended(account, item) or is_written_about(item):
            to(item.moved_to).amendment(item)
    for credit in credits:
        target = _wanted_by(account, credit)
        is_free = target not in path or (gives_back and target == row.merged_into)
        if target and is_free and credit.rest_minor > 0:
            to(target).credit(
                credit,
                amount_minor=credit.rest_minor,
                names=_names(account, credit),
                named_there=bool(credit.for_customer),
            )
    if row.merged_into and (gives_back or row.merged_into not in path):
        if merger_is_news:
            to(row.merged_into)
        for fact in said:
            to(row.merged_into).arranged_since(fact)
    for customer, less in promises.uncounted_elsewhere(account) if len(path) < _HOPS_MAX else ():
        to(customer).uncounted(less)
    facts = [fact for sending in sendings.values() for fact in sending.facts()]
    return [*returned, *facts, *tell_back(account, items, context=context)]


def _ended_elsewhere(credits: Sequence[CreditRow]) -> list[tuple[CreditRow, str, int]]:  # noqa: A002 - the domain's word
    """Give what counts for other customers of credits that count nothing any more (R14)."""
    return [
        (credit, customer, amount_minor)
        for credit in credits
        if credit.ended_on is not None and credit.moved_minor
        for customer, amount_minor in shares_minor(credit).items()
    ]


def _overdrawn(credits: Sequence[CreditRow]) -> Iterator[tuple[CreditRow, str, int]]:  # noqa: A002 - the domain's word
    """Walk what other customers have of credits of which more has been taken back than is left here: the newest share goes first."""
    for credit in credits:
        lacks_minor = -credit.effective_minor
        for customer, share_minor in reversed(shares_minor(credit).items()):
            amount_minor = min(lacks_minor, share_minor)
            if amount_minor > 0:
                lacks_minor -= amount_minor
                yield credit, customer, amount_minor


def _wanted_by(account: Account, credit: CreditRow) -> str:
    """Say to whom what is left of a credit belongs: whom it was split off for, whom this one is merged into, who has what it names."""
    customer = credit.for_customer or account.row.merged_into
    if customer:
        return customer
    named = (account.items[name.document] for name in credit.names if name.document in account.items)
    customers = {now_with(item) for item in named if item.status != "cancelled"}
    customer = customers.pop() if len(customers) == 1 else ""
    return (
        "" if customer in account.row.absorbed else customer
    )  # who is merged into this one has nobody left to pay


def _is_amended(account: Account, item: ItemRow) -> bool:
    """Say whether an item that has moved is another one than was sent: worth less, cancelled, or of a newer revision."""
    if not item.moved_minor:
        return False
    sent = 0 if item.elsewhere is None else item.elsewhere.sent
    return item.revision > sent or too_much_moved_minor(account, item) > 0


def _send_all(sending: TransferOut, *, items: Sequence[ItemRow], credits: Sequence[CreditRow]) -> None:  # noqa: A002 - the domain's word
    for item in items:
        sending.item(item)
    for credit in credits:
        if credit.rest_minor:
            sending.credit(credit, amount_minor=credit.rest_minor, names=_names(sending.account, credit))


def _plans(account: Account) -> list[PaymentPlanRow]:
    arranged = account.arrangements
    return (
        []
        if arranged is None
        else [row for _, row in sorted(arranged.payment_plans.items()) if row.status == "running"]
    )


def _spare(account: Account, plan: PaymentPlanRow, *, placed_at: str) -> None:
    """Take what is left of a kept payment plan out of dunning: nobody is written to because of a merger (R15, R25).

    The plan ends with it; a person sees the item again when its next instalment would have had to be paid.
    """
    hold = HoldRow(
        account=account.id,
        hold="excluded",
        item=plan.item,
        reason="its payment plan was kept, and ended when the customers were merged",
        author=plan.author,
        review_on=plan.alarm_on,
        placed_at=placed_at,
    )
    if hold_id(hold) not in account.holds:
        account.holds[hold_id(hold)] = hold
        account.touch(hold)


def _names(account: Account, credit: CreditRow) -> list[Name]:
    """Give what the other account's credit is meant for: the same names, less what they have had here."""
    if credit.for_customer and isinstance(credit.document, PaymentReceived):
        return for_others(credit.document, customer=credit.for_customer, currency=credit.currency)
    held = account.applied.get(credit.credit, {})
    return [
        Name(
            document=name.document,
            limit_minor=None
            if name.limit_minor is None
            else max(
                0, name.limit_minor - (held[name.document].amount_minor if name.document in held else 0)
            ),
        )
        for name in credit.names
    ]


def _is_itself(account: Account, *, to_customer: str) -> str:
    """Say why nothing is to be sent to a customer: he is this one, or has become this one."""
    if to_customer in account.row.absorbed and not account.row.merged_into:
        return f"{to_customer} is merged into {account.customer_id}: it is the customer itself"
    return _problem(account, to_customer=to_customer)


def _problem(account: Account, *, to_customer: str) -> str:
    return "it is the customer itself" if to_customer == account.customer_id else ""


def _part_of(account: Account, item: str) -> str:
    """Say that an item is an instalment: it goes with the whole, or what is cancelled would be owed elsewhere."""
    plans = () if account.arrangements is None else account.arrangements.split.get(item, ())
    whole = next((row.item for row in plans if row.item != item), "")
    return f"it is an instalment: transfer {whole}" if whole else ""


def _refused(account: Account, key: str, *, detail: str) -> LedgerFact:
    return refused(account, reason="request_refused", key=f"transfer/{key}", detail=detail)

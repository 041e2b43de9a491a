"""Transfers between accounts of a company (SEMANTICS 2.6): what goes out of one comes into the other.

Sent as a fact (``TransferSent``), whose event the ledger writes to the journal in the same
transaction; so each is in the log once, and a replay finds it there. What was sent is followed:
money that goes back at the one goes back at the other, and what comes later goes after it: an amendment, too, and a cancellation.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

import msgspec

from processors import instruments, payment_plans, promises
from processors.account import Account, hold_id
from processors.arrangements import Arrangements
from processors.context import FoldContext
from processors.conversions import for_others
from processors.mergers import heard_before, overtaken, refuse_merger, remember_merger
from processors.money import MoneyError, to_minor
from processors.moved_credits import moved_credit
from processors.moved_holds import send_ended, send_holds
from processors.moved_level import is_written_about
from processors.moved_settled import tell_back
from processors.moved_wishes import send_wishes
from processors.movements import Postings
from processors.moving import moved_item
from processors.promises import refused
from processors.record_size import TEXT_BYTES_MAX
from processors.settle import cascade, settle
from processors.whereabouts import goes_to, now_with
from schemas.arrangement_facts import ConditionalPaymentChanged, PromiseMade
from schemas.codec import encode
from schemas.commands import TransferItem, TransferPayment
from schemas.events import CustomerMerged, PaymentReceived
from schemas.facts import LedgerFact, MovementKind, TransferSent
from schemas.journal import AccountEvent
from schemas.moved_rows import Elsewhere
from schemas.rows import CreditRow, HoldRow, ItemRow, Name, PaymentPlanRow
from schemas.transfers import MovedCredit, MovedInstrument, MovedItem, MovedPromise, TransferReceived

__all__ = ["follow", "merge", "transfer_item", "transfer_payment"]

_HOPS_MAX = 8  # of a path that goes back to where it has been
_Moved = TypeVar("_Moved", MovedItem, MovedCredit, MovedInstrument, MovedPromise)


class _Part(NamedTuple):
    """What one record tells the other account."""

    items: Sequence[MovedItem] = ()
    credits: Sequence[MovedCredit] = ()
    instruments: Sequence[MovedInstrument] = ()
    promises: Sequence[MovedPromise] = ()


def transfer_item(account: Account, event: TransferItem, *, context: FoldContext) -> list[LedgerFact]:
    """Send what is open of a known item to another customer, now and when more of it is open."""
    item = account.items[event.document]
    problem = _problem(account, to_customer=event.to_customer) or _part_of(account, event.document)
    if problem or item.status == "cancelled":
        return [_refused(account, event.command, detail=problem or f"{item.item} is cancelled")]
    goes_to(item, event.to_customer)
    account.row.has_moved = True  # also where nothing of it is open now: what goes back later follows
    account.touch(account.row)
    account.touch(item)
    facts = payment_plans.end_of_item(account, item.item, context=context)
    sending = _Sending(account, context, to_customer=event.to_customer, reason=event.reason)
    sending.item(item)
    return [*facts, *sending.facts(), *promises.left_behind(account, item, context=context)]


def transfer_payment(account: Account, event: TransferPayment, *, context: FoldContext) -> list[LedgerFact]:
    """Send what is left of a known payment, or so much of it, to pay another customer's items."""
    credit = account.credits[f"payment/{event.payment}"]
    problem = _problem(account, to_customer=event.to_customer)
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
    sending = _Sending(account, context, to_customer=event.to_customer, reason=event.reason)
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
    sending = _Sending(account, context, to_customer=event.into, reason=event.reason, is_whole=True)
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
    sendings: dict[str, _Sending] = {}

    def to(customer: str) -> _Sending:
        if customer not in sendings:
            is_whole = merger_is_news and customer == row.merged_into
            sendings[customer] = _Sending(
                account, context, to_customer=customer, path=path, is_whole=is_whole
            )
        return sendings[customer]

    for credit in credits:
        if credit.ended_on is not None and credit.moved_minor:
            for customer, amount_minor in _shares_minor(credit).items():
                to(customer).recall(credit, amount_minor=amount_minor)
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
        targets = {
            now_with(account.items[name.document])
            for name in credit.names
            if name.document in account.items and account.items[name.document].status != "cancelled"
        }
        target = credit.for_customer or row.merged_into or (targets.pop() if len(targets) == 1 else "")
        is_free = target not in path or (gives_back and target == row.merged_into)
        if target and is_free and credit.rest_minor:
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
    facts = [fact for sending in sendings.values() for fact in sending.facts()]
    return [*returned, *facts, *tell_back(account, items, context=context)]


def _is_amended(account: Account, item: ItemRow) -> bool:
    """Say whether an item that has moved is another one than was sent: worth less, cancelled, or of a newer revision."""
    if not item.moved_minor:
        return False
    sent = 0 if item.elsewhere is None else item.elsewhere.sent
    return item.revision > sent or _too_much_moved_minor(account, item) > 0


def _too_much_moved_minor(account: Account, item: ItemRow) -> int:
    """Give what has moved of an item to another customer, and is owed no more; what its instalments have is not there."""
    there_minor = item.moved_minor - payment_plans.in_instalments_minor(account, item)
    if item.status == "cancelled":
        return there_minor
    # What it is too much by had been taken off its payments first (``documents.amend``): nothing of it is settled then.
    return min(there_minor, item.settled_before_minor + item.moved_minor - item.amount_minor)


class _Sending:
    """What one event sends to one customer; ``is_whole``: it is merged into that one, who hears of it also when nothing is owed."""

    def __init__(
        self,
        account: Account,
        context: FoldContext,
        *,
        to_customer: str,
        reason: str = "",
        path: Sequence[str] = (),
        is_whole: bool = False,
    ) -> None:
        self.account = account
        self._postings = Postings(account, context)
        self._is_whole = is_whole
        self._to = to_customer
        self._reason = reason
        self._path = (*path, account.customer_id)
        self._items: list[MovedItem] = []
        self._credits: list[MovedCredit] = []
        self._instruments: list[MovedInstrument] = []
        self._promises: list[MovedPromise] = []
        self._ended: list[LedgerFact] = []

    def item(self, item: ItemRow, *, is_more: bool = False) -> None:
        """Send what is open of an item; ``is_more``: it is away, and this follows it."""
        amount_minor, postings = item.open_minor, self._postings
        if not amount_minor:
            return
        self._send(item, amount_minor=amount_minor, is_more=is_more)
        goes_to(item, self._to)
        item.moved_minor += amount_minor
        on = max(postings.day, item.entered_on or item.issued_on, item.grown_on or postings.day)
        postings.change_item(item, kind="transferred_out", amount_minor=-amount_minor, on=on)

    def amendment(self, item: ItemRow) -> None:
        """Send what has become of an item since it was sent; call back what is owed no more, and end that here, too."""
        amount_minor, postings = max(0, _too_much_moved_minor(self.account, item)), self._postings
        self._send(item, amount_minor=-amount_minor)
        item.moved_minor -= amount_minor
        if not amount_minor:
            self.account.touch(item)
            return
        on = max(postings.day, item.entered_on or item.issued_on, item.grown_on or postings.day)
        ended: MovementKind = "cancelled" if item.status == "cancelled" else "amended"
        postings.change_item(item, kind="transferred_out", amount_minor=amount_minor, on=on)
        kind: MovementKind = "transferred_in" if item.moved_from else ended
        postings.change_item(item, kind=kind, amount_minor=-amount_minor, on=on)

    def _send(self, item: ItemRow, *, amount_minor: int, is_more: bool = False) -> None:
        self._items.append(moved_item(self.account, item, amount_minor=amount_minor, is_more=is_more))
        if item.revision or item.sent_on is not None:
            known = item.elsewhere or Elsewhere()
            item.elsewhere = msgspec.structs.replace(known, sent=item.revision, sent_on=item.sent_on)

    def credit(
        self, credit: CreditRow, *, amount_minor: int, names: Sequence[Name], named_there: bool = False
    ) -> None:
        """Send what is left of a credit, or a part of it; ``named_there``: its names are of the other customer's documents."""
        postings = self._postings
        credit.effective_minor -= amount_minor
        shares = _shares_minor(credit)
        credit.moved_minor += amount_minor
        credit.moved_to = self._to
        credit.moved_also = {customer: minor for customer, minor in shares.items() if customer != self._to}
        settle(postings, credit)
        on = max(postings.day, credit.received_on, credit.freed_on or postings.day)
        postings.change_credit(credit, kind="transferred_out", amount_minor=-amount_minor, on=on)
        moved = moved_credit(credit, amount_minor=amount_minor, names=names, named_there=named_there)
        self._credits.append(moved)

    def recall(self, credit: CreditRow, *, amount_minor: int) -> None:
        """Take back what was sent here of a credit that counts nothing any more, and end that, too (R14)."""
        postings = self._postings
        credit.moved_minor -= amount_minor
        credit.moved_also = {each: minor for each, minor in credit.moved_also.items() if each != self._to}
        on = max(postings.day, credit.received_on, credit.freed_on or postings.day)
        postings.change_credit(credit, kind="transferred_out", amount_minor=amount_minor, on=on)
        postings.change_credit(credit, kind="reversed", amount_minor=-amount_minor, on=on)
        self._credits.append(moved_credit(credit, amount_minor=-amount_minor, names=()))

    def arranged(self, arrangements: Arrangements) -> None:
        """Send the open promises of a merged customer, and his payments that have not cleared (S1-21, R35)."""
        for _, row in sorted(arrangements.instruments.items()):
            if row.state != "returned":
                self._instruments.append(instruments.give_up(self.account, row))
                self._ended += instruments.send_home(self.account, row, to_customer=self._to)
        for promise in sorted(arrangements.promises):
            self._promise(promise)

    def _promise(self, promise: str) -> None:
        """Send a promise that is open; here it is over (R35)."""
        row = self.account.arranged().promises[promise]
        if row.status == "open":
            moved, fact = promises.give_up(self.account, row, context=self._postings.context)
            self._promises.append(moved)
            self._ended.append(fact)

    def arranged_since(self, fact: LedgerFact) -> None:
        """Send after a merged customer what a fact says of his promises, and of his payments that have not cleared."""
        if isinstance(fact, ConditionalPaymentChanged):
            self._instrument(fact)
        elif isinstance(fact, PromiseMade):
            self._promise(fact.promise)

    def _instrument(self, fact: ConditionalPaymentChanged) -> None:
        """Tell what became of a payment that has not cleared, or had not."""
        known = self.account.arranged().instruments.get(fact.payment)
        self._instruments.append(
            MovedInstrument(
                payment=fact.payment,
                state=fact.state,
                received_on=fact.on if known is None else known.received_on,
                document=None if known is None else known.document,
            )
        )
        if known is not None:
            self._ended += instruments.send_home(self.account, known, to_customer=self._to)

    def facts(self) -> list[LedgerFact]:
        """Give the movements, and what the other account is told, in parts that a record can hold."""
        account, postings = self.account, self._postings
        parts = list(self._parts())
        if not parts and self._is_whole:
            parts = [_Part()]  # a merged customer who owes nothing: who he is by now, and his holds
        if not parts:
            return []
        cascade(postings)
        account.row.has_moved = True
        account.advance()
        return [*self._ended, *postings.facts, *map(self._sent, parts)]

    def _sent(self, part: _Part) -> TransferSent:
        account = self.account
        is_merged = account.row.merged_into == self._to
        name = f"{account.id}/{account.next_sequence()}"
        return TransferSent(
            id=name,
            account=account.id,
            event=TransferReceived(
                company=account.company,
                customer=self._to,
                occurred_at=self._postings.day.isoformat(),
                transfer=name,
                from_customer=account.customer_id,
                reason=self._reason,
                path=self._path,
                items=tuple(part.items),
                credits=tuple(part.credits),
                instruments=tuple(part.instruments),
                promises=tuple(part.promises),
                holds=send_holds(account) if is_merged else (),
                released=send_ended(account) if is_merged else (),
                wishes=send_wishes(account, on=self._postings.day) if is_merged else (),
                absorbed=(account.customer_id, *account.row.absorbed) if is_merged else (),
                absorbed_into=_absorbed_into(account) if is_merged else (),
            ),
        )

    def _parts(self) -> Iterator[_Part]:
        """Cut what is sent into parts that a record can hold: items first, what is about them last."""
        for items in _cut(self._items):
            yield _Part(items=items)
        for credits in _cut(self._credits):  # noqa: A001 - the domain's word
            yield _Part(credits=credits)
        for conditional in _cut(self._instruments):
            yield _Part(instruments=conditional)
        for promised in _cut(self._promises):
            yield _Part(promises=promised)


def _absorbed_into(account: Account) -> tuple[str, ...]:
    row = account.row
    return (row.merged_into, *(row.absorbed_into.get(each, "") for each in row.absorbed))


def _cut(moved: Sequence[_Moved]) -> Iterator[list[_Moved]]:
    part: list[_Moved] = []
    room = TEXT_BYTES_MAX
    for each in moved:
        size = len(encode(each))
        if size > room and part:
            yield part
            part, room = [], TEXT_BYTES_MAX
        part.append(each)
        room -= size
    if part:
        yield part


def _send_all(sending: _Sending, *, items: Sequence[ItemRow], credits: Sequence[CreditRow]) -> None:  # noqa: A002 - the domain's word
    for item in items:
        sending.item(item)
    for credit in credits:
        if credit.rest_minor:
            sending.credit(credit, amount_minor=credit.rest_minor, names=_names(sending.account, credit))


def _shares_minor(credit: CreditRow) -> dict[str, int]:
    """Give what of a credit counts for which other customer, the newest last."""
    shares = dict(credit.moved_also)
    last_minor = credit.moved_minor - sum(shares.values())
    if last_minor:
        shares[credit.moved_to] = last_minor
    return shares


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


def _problem(account: Account, *, to_customer: str) -> str:
    return "it is the customer itself" if to_customer == account.customer_id else ""


def _part_of(account: Account, item: str) -> str:
    """Say that an item is an instalment: it goes with the whole, or what is cancelled would be owed elsewhere."""
    plans = () if account.arrangements is None else account.arrangements.split.get(item, ())
    whole = next((row.item for row in plans if row.item != item), "")
    return f"it is an instalment: transfer {whole}" if whole else ""


def _refused(account: Account, key: str, *, detail: str) -> LedgerFact:
    return refused(account, reason="request_refused", key=f"transfer/{key}", detail=detail)

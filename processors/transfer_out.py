"""What one account sends to another in one event (SEMANTICS 2.6): its movements here, and the records that the other is told by."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

import msgspec

from processors import instruments, payment_plans, promises
from processors.account import Account
from processors.arrangements import Arrangements
from processors.context import FoldContext
from processors.moved_credits import moved_credit
from processors.moved_holds import send_ended, send_holds
from processors.moved_wishes import send_wishes
from processors.movements import Postings
from processors.moving import moved_item
from processors.promised_money import let_go, take_back
from processors.record_size import TEXT_BYTES_MAX
from processors.settle import cascade, settle
from processors.whereabouts import goes_to
from schemas.arrangement_facts import ConditionalPaymentChanged, PromiseMade
from schemas.codec import encode
from schemas.facts import LedgerFact, MovementKind, TransferSent
from schemas.moved_rows import Elsewhere
from schemas.rows import CreditRow, ItemRow, Name
from schemas.transfers import (
    MovedCredit,
    MovedInstrument,
    MovedItem,
    MovedPromise,
    TransferReceived,
    UncountedMoney,
)

__all__ = ["TransferOut", "shares_minor", "too_much_moved_minor"]

_Moved = TypeVar("_Moved", MovedItem, MovedCredit, MovedInstrument, MovedPromise, UncountedMoney)


class _Part(NamedTuple):
    """What one record tells the other account."""

    items: Sequence[MovedItem] = ()
    credits: Sequence[MovedCredit] = ()
    instruments: Sequence[MovedInstrument] = ()
    promises: Sequence[MovedPromise] = ()
    uncounted: Sequence[UncountedMoney] = ()


class TransferOut:
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
        self._uncounted: list[UncountedMoney] = []
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
        amount_minor, postings = max(0, too_much_moved_minor(self.account, item)), self._postings
        self._send(item, amount_minor=-amount_minor)
        item.moved_minor -= amount_minor
        if not amount_minor:
            self.account.touch(item)
            return
        on = max(postings.day, item.entered_on or item.issued_on, item.grown_on or postings.day)
        ended: MovementKind = "cancelled" if item.status == "cancelled" else "amended"
        postings.change_item(item, kind="transferred_out", amount_minor=amount_minor, on=on)
        was_told = (
            item.moved_from and len(self._path) > 1
        )  # by whom it came from; else it was said of it here
        kind: MovementKind = "transferred_in" if was_told else ended
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
        account, postings = self.account, self._postings
        is_merged = self._to == account.row.merged_into
        promised = let_go(account, credit, amount_minor=amount_minor, is_merged=is_merged)
        credit.effective_minor -= amount_minor
        shares = shares_minor(credit)
        credit.moved_minor += amount_minor
        credit.moved_to = self._to
        credit.moved_also = {customer: minor for customer, minor in shares.items() if customer != self._to}
        settle(postings, credit)
        on = max(postings.day, credit.received_on, credit.freed_on or postings.day)
        postings.change_credit(credit, kind="transferred_out", amount_minor=-amount_minor, on=on)
        moved = moved_credit(
            credit, amount_minor=amount_minor, names=names, named_there=named_there, promised=promised
        )
        self._credits.append(moved)

    def recall(self, credit: CreditRow, *, amount_minor: int) -> None:
        """Take back what was sent here of a credit that counts nothing any more, and end that, too (R14)."""
        postings = self._postings
        credit.moved_minor -= amount_minor
        credit.moved_also = {each: minor for each, minor in credit.moved_also.items() if each != self._to}
        on = max(postings.day, credit.received_on, credit.freed_on or postings.day)
        postings.change_credit(credit, kind="transferred_out", amount_minor=amount_minor, on=on)
        postings.change_credit(credit, kind="reversed", amount_minor=-amount_minor, on=on)
        take_back(self.account, credit, amount_minor=amount_minor)
        self._credits.append(moved_credit(credit, amount_minor=-amount_minor, names=()))

    def call_back(self, credit: CreditRow, *, amount_minor: int) -> None:
        """Take back a part of what was sent of a credit that has come from another customer, where it counts so much less."""
        postings = self._postings
        shares = shares_minor(credit)
        shares[self._to] -= amount_minor
        credit.moved_minor -= amount_minor
        credit.moved_also = {
            each: minor for each, minor in shares.items() if minor and each != credit.moved_to
        }
        credit.effective_minor += amount_minor
        on = max(postings.day, credit.received_on, credit.freed_on or postings.day)
        postings.change_credit(credit, kind="transferred_out", amount_minor=amount_minor, on=on)
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
            moved, fact = promises.give_up(
                self.account, row, to_customer=self._to, context=self._postings.context
            )
            self._promises.append(moved)
            self._ended.append(fact)

    def arranged_since(self, fact: LedgerFact) -> None:
        """Send after a merged customer what a fact says of his promises, and of his payments that have not cleared."""
        if isinstance(fact, ConditionalPaymentChanged):
            self._instrument(fact)
        elif isinstance(fact, PromiseMade):
            self._promise(fact.promise)

    def uncounted(self, less: UncountedMoney) -> None:
        """Tell that money counts no more for a promise that went along: it was reversed, or is another customer's (R35)."""
        self._uncounted.append(less)

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
                uncounted=tuple(part.uncounted),
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
        for less in _cut(self._uncounted):
            yield _Part(uncounted=less)


def too_much_moved_minor(account: Account, item: ItemRow) -> int:
    """Give what has moved of an item to another customer, and is owed no more; what its instalments have is not there."""
    there_minor = item.moved_minor - payment_plans.in_instalments_minor(account, item)
    if item.status == "cancelled":
        return there_minor
    # What it is too much by had been taken off its payments first (``documents.amend``): nothing of it is settled then.
    return min(there_minor, item.settled_before_minor + item.moved_minor - item.amount_minor)


def shares_minor(credit: CreditRow) -> dict[str, int]:
    """Give what of a credit counts for which other customer, the newest last."""
    shares = dict(credit.moved_also)
    last_minor = credit.moved_minor - sum(shares.values())
    if last_minor:
        shares[credit.moved_to] = last_minor
    return shares


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

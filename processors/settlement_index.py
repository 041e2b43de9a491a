"""What settlement must find fast: who names an item, the oldest open item, loose money.

Derived from the rows of an account; never written. Heaps delete lazily, so
that an event costs O(log n) however many items and credits there are.
"""

import datetime
import heapq
from collections.abc import Iterator, Mapping

from schemas.charges import ClaimDocument
from schemas.events import PaymentReceived
from schemas.rows import CreditRow, ItemRow, Name

__all__ = ["Claim", "SettlementIndex", "is_auto_applied", "shares_money"]

Claim = tuple[CreditRow, Name]


class SettlementIndex:
    """Claims by item, open items by due date, loose payments by place in the log.

    Attributes:
        unshared: credits whose names do not compete for their money, each
            having its own amount: what one name takes leaves the others alone.
    """

    __slots__ = ("_claims", "_entered", "_loose", "_oldest", "unshared")

    def __init__(self) -> None:
        self._claims: dict[str, list[Claim]] = {}
        self._loose: dict[str, list[tuple[int, str]]] = {}
        self._entered: set[str] = set()
        # Filled when first asked for: accounts whose payments all name items never need it.
        self._oldest: dict[str, list[tuple[datetime.date, str]]] | None = None
        self.unshared: set[str] = set()

    def add_credit(self, credit: CreditRow) -> None:
        """Enter a credit's names and its loose money."""
        for name in credit.names:
            self.claim(credit, name)
        self.note_sharing(credit)
        self.loosen(credit)

    def claim(self, credit: CreditRow, name: Name) -> None:
        """Enter that a credit names an item."""
        claims = self._claims.get(name.document)
        if claims is None:
            self._claims[name.document] = [(credit, name)]
        else:
            claims.append((credit, name))

    def unclaim(self, name: Name) -> None:
        """Take a name away."""
        claims = [each for each in self._claims[name.document] if each[1] is not name]
        if claims:
            self._claims[name.document] = claims
        else:
            del self._claims[name.document]

    def forget_item(self, item: str) -> None:
        """Take an item out; all who name it are forgotten with it."""
        self._claims.pop(item, None)

    def forget_credit(self, credit: CreditRow) -> None:
        """Take a credit out that has nothing left, with its names."""
        for name in credit.names:
            if name.document in self._claims:
                self.unclaim(name)
        self.unshared.discard(credit.credit)
        if credit.credit in self._entered:
            self._entered.discard(credit.credit)
            heap = [entry for entry in self._loose[credit.currency] if entry[1] != credit.credit]
            heapq.heapify(heap)
            self._loose[credit.currency] = heap

    def claims(self, item: str) -> list[Claim]:
        """List who names an item, in log order of the credits."""
        claims = self._claims.get(item)
        if claims is None:
            return []
        return sorted(claims, key=_place) if len(claims) > 1 else claims[:]

    def name(self, credit: CreditRow, *, item: str) -> Name:
        """Give the name under which a credit claims an item."""
        return next(name for claimant, name in self._claims[item] if claimant is credit)

    def note_sharing(self, credit: CreditRow) -> None:
        """Find out whether the credit's names compete for its money, after names or amount have changed."""
        if len(credit.names) > 1:
            if shares_money(credit):
                self.unshared.discard(credit.credit)
            else:
                self.unshared.add(credit.credit)
        elif self.unshared:
            self.unshared.discard(credit.credit)

    def loosen(self, credit: CreditRow) -> None:
        """Enter a payment that has money for items to come."""
        if (
            credit.rest_minor > credit.reserved_minor
            and credit.credit not in self._entered
            and is_auto_applied(credit)
        ):
            self._entered.add(credit.credit)
            heapq.heappush(self._loose.setdefault(credit.currency, []), (credit.order, credit.credit))

    def may_be_loose(self, currency: str) -> bool:
        """Say whether there may be loose money; ``first_loose`` knows."""
        return bool(self._loose.get(currency))

    def first_loose(self, currency: str, *, known: Mapping[str, CreditRow]) -> CreditRow | None:
        """Give the payment with loose money that came first."""
        heap = self._loose.get(currency)
        while heap:
            credit = known[heap[0][1]]
            if credit.rest_minor > credit.reserved_minor and not credit.excluded:
                return credit
            self.tighten(currency)
        return None

    def tighten(self, currency: str) -> None:
        """Take the first loose payment out, until it is entered again."""
        _, credit = heapq.heappop(self._loose[currency])
        self._entered.discard(credit)

    def open_item(self, item: ItemRow) -> None:
        """Enter an item that is open now, or is due on another day."""
        if self._oldest is not None and type(item.document) is not ClaimDocument:
            heapq.heappush(self._oldest.setdefault(item.currency, []), (item.due_on, item.item))

    def oldest(self, currency: str, *, items: Mapping[str, ItemRow]) -> Iterator[ItemRow]:
        """Walk open items by (due date, document); each must be settled before the next is asked for."""
        if self._oldest is None:
            self._oldest = {}
            for item in items.values():
                if item.open_minor and type(item.document) is not ClaimDocument:
                    self._oldest.setdefault(item.currency, []).append((item.due_on, item.item))
            for entries in self._oldest.values():
                heapq.heapify(entries)
        heap = self._oldest.get(currency)
        while heap:
            known = items.get(heap[0][1])  # None: it is forgotten
            if known is not None and known.open_minor and known.due_on == heap[0][0]:
                yield known
            else:
                heapq.heappop(heap)


def shares_money(credit: CreditRow) -> bool:
    """Say whether a credit's names compete for its money: one of them could leave less for another."""
    if len(credit.names) < 2:
        return False
    limits = [name.limit_minor for name in credit.names]
    return None in limits or sum(limit or 0 for limit in limits) > credit.effective_minor


def is_auto_applied(credit: CreditRow) -> bool:
    """Say whether the credit's rest may go to items that no one named: deposits, what a person excluded (S0-10), notes and write-offs never do."""
    document = credit.document
    return (
        isinstance(document, PaymentReceived) and not document.order_reference and not _is_spoken_for(credit)
    )


def _place(claim: Claim) -> int:
    return claim[0].order


def _is_spoken_for(credit: CreditRow) -> bool:
    return credit.excluded or bool(credit.for_customer)

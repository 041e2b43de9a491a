"""What of an account's credits is left, summed by currency: money, and credit notes that name no invoice (R11, R12).

Filled when a decision first asks for it, then kept up by what changes, so
that a tick costs neither the credits that are used up nor those that are
left. Derived from rows; never written.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from schemas.rows import CreditRow

__all__ = ["CreditIndex", "Left"]


class Left(NamedTuple):
    """What is left in a currency: of payments and linked notes, and of notes that name no invoice."""

    cash_minor: int = 0
    notes_minor: int = 0


_NOTHING = Left()


class CreditIndex:
    """Credits of which something is left. A write-off is none: it speaks of its item only; nor is what a person excluded (S0-10)."""

    __slots__ = ("_left", "_rests", "is_filled")

    def __init__(self) -> None:
        self._left: dict[str, Left] = {}
        self._rests: dict[str, tuple[str, Left]] = {}
        self.is_filled = False

    def fill(self, credits: Iterable[CreditRow]) -> None:  # noqa: A002 - the domain's word
        """Enter all credits, once."""
        if not self.is_filled:
            self.is_filled = True
            for credit in credits:
                self.set(credit)

    def set(self, credit: CreditRow) -> None:
        """Enter a credit as it stands now."""
        if not self.is_filled or credit.credit_kind == "write_off":
            return
        known = self._rests.pop(credit.credit, None)
        if known is not None:
            self._add(known[0], known[1], sign=-1)
        if credit.rest_minor and not credit.excluded:
            is_loose_note = credit.credit_kind == "credit_note" and not credit.names
            rest = Left(notes_minor=credit.rest_minor) if is_loose_note else Left(credit.rest_minor)
            self._rests[credit.credit] = (credit.currency, rest)
            self._add(credit.currency, rest, sign=1)

    def left(self, currency: str) -> Left:
        """Give what is left in a currency."""
        return self._left.get(currency, _NOTHING)

    def names(self, currency: str) -> Iterator[str]:
        """Walk the credits of a currency of which something is left."""
        return (name for name, (each, _) in self._rests.items() if each == currency)

    def _add(self, currency: str, rest: Left, *, sign: int) -> None:
        cash_minor, notes_minor = self.left(currency)
        self._left[currency] = Left(
            cash_minor + sign * rest.cash_minor, notes_minor + sign * rest.notes_minor
        )

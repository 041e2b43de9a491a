"""Movements: every change of an open amount or of a credit, append-only; figures of a day are sums of them."""

import datetime
from typing import Literal

from schemas.fact import AccountFact

__all__ = ["Movement", "MovementKind"]

MovementKind = Literal[
    "opened",  # item +: receivable brought in at going live
    "issued",  # item +: invoice
    "debit_note_issued",  # item +
    "amended",  # item ±: amount changed, or 0 with a new due date
    "cancelled",  # item −: what the document was, dated the cancellation
    "received",  # credit +: payment
    "credit_note_issued",  # credit +
    "credit_note_cancelled",  # credit −
    "write_off_booked",  # credit +
    "write_off_reversed",  # credit −
    "reversed",  # credit −: payment that does not count any more
    "converted",  # credit −, and credit + of another currency: lines in the item's currency
    "claimed",  # item +: interest, a fixed sum or a fee (R22)
    "waived",  # item −: a claim given up
    "refunded",  # credit −: money paid back
    "transferred_out",  # item − or credit −: to another account (SEMANTICS 2.6); + when it comes back
    "transferred_in",  # item + or credit +: from another account; − when it goes back
    "split",  # item ∓: what was divided into instalments, or has come back from them (R25)
    "instalment",  # item ±: the other side
    "applied",  # item − and credit −, a pair
    "unapplied",  # item + and credit +, a pair
]


class Movement(AccountFact, frozen=True, kw_only=True, tag="ledger.movement.v1"):
    """One change of an item's open amount or of a credit's unapplied amount.

    ``item`` or ``credit`` is set, not both; ``counterpart`` names the other
    side of an ``applied``/``unapplied`` pair. ``amount_minor`` is signed: the
    change of the open amount (item) or of the unapplied amount (credit).
    ``due_on`` is the item's due date from this movement on, on kinds that set
    it. ``cause`` is the id of the event. ``business_date`` is a company day.
    """

    currency: str
    kind: MovementKind
    amount_minor: int
    business_date: datetime.date
    cause: str
    item: str = ""
    credit: str = ""
    counterpart: str = ""
    due_on: datetime.date | None = None

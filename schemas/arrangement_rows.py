"""Rows of what was arranged with a customer: promises, disputes, payments that have not cleared (R29, R35, S1-21).

They are part of the state like those of ``schemas.rows``, which has the union of all.
"""

import datetime
from typing import Literal

from msgspec import Struct

from schemas.events import PaymentReceived
from schemas.row import StateRow

__all__ = [
    "ChildRow",
    "DisputeRow",
    "InstrumentRow",
    "InstrumentState",
    "PartCovered",
    "PaymentPlanRow",
    "PaymentPlanStatus",
    "PromiseRow",
    "PromiseStatus",
]

PromiseStatus = Literal["open", "kept", "partly_kept", "broken", "replaced", "withdrawn", "moved"]
PaymentPlanStatus = Literal["running", "kept", "broken", "cancelled"]
InstrumentState = Literal["received", "deposited", "cleared", "returned"]


class PromiseRow(StateRow, kw_only=True, tag="promise"):
    """A promise to pay; ``promise`` is the id of the command that made it (R35).

    The items that it covers have its id. ``until`` is the last day whose money
    counts: ``due_on`` and the company's tolerance. ``received_minor`` is the money
    dated from ``made_on`` to ``until`` that came after it (its place in the
    account's log is ``order``). ``alarm_on`` is when it is judged, or, once it was,
    forgotten. One that was kept before any episode does not count against the next one's limit (``is_counted``).
    ``moved_to`` is the customer who has it since this one was merged into him (SEMANTICS 2.6).
    """

    account: str
    promise: str
    currency: str
    amount_minor: int
    made_on: datetime.date
    due_on: datetime.date
    until: datetime.date
    order: int
    by: str = ""
    how: str = ""
    author: str = ""
    status: PromiseStatus = "open"
    received_minor: int = 0
    alarm_on: datetime.date | None = None
    is_counted: bool = True
    moved_to: str = ""


class DisputeRow(StateRow, kw_only=True, tag="dispute"):
    """A dispute of an item or a part of it; ``dispute`` is the id of the command that opened it (R29).

    ``amount_minor`` None: all of it. With ``ruled_on`` the customer was right:
    what is left of the amount waits for its credit note. ``order`` is its place
    in the account's log: credit notes that came later are what it led to, but
    ``noted_minor`` of them (by credit), which was for disputes of the item that are over.
    ``amended_minor`` was taken off the item instead of a note, after the ruling; ``is_over``: with it nothing is left, and a
    later amendment may give it back. ``sent_minor`` is what was left of it when its item last went to another customer, amendments apart.
    """

    account: str
    dispute: str
    item: str
    order: int
    opened_on: datetime.date
    amount_minor: int | None = None
    reason: str = ""
    author: str = ""
    review_on: datetime.date | None = None
    ruled_on: datetime.date | None = None
    noted_minor: dict[str, int] = {}
    amended_minor: int = 0
    is_over: bool = False
    sent_minor: int | None = None


class PartCovered(Struct, kw_only=True, gc=False, array_like=True):
    """How much of an item a payment that has not cleared will settle."""

    item: str
    amount_minor: int


class InstrumentRow(StateRow, kw_only=True, tag="instrument"):
    """A cheque, promissory note or direct debit that has not cleared: no money yet (S1-20, S1-21).

    ``covers`` says whose dunning sleeps; it was worked out when the payment came, or was
    deposited again. ``alarm_on`` is when a person is asked what became of it, or, once it
    was returned, when it is forgotten. Cleared, it is a credit, and this row is gone.
    """

    account: str
    payment: str
    document: PaymentReceived
    currency: str
    amount_minor: int
    received_on: datetime.date
    state: Literal["received", "deposited", "returned"]
    covers: list[PartCovered] = []
    alarm_on: datetime.date | None = None


class PaymentPlanRow(StateRow, kw_only=True, tag="payment_plan"):
    """An item that was split into instalments (R25); ``payment_plan`` is the id of the command that did it.

    ``instalments`` are items, the first due first. ``alarm_on`` is when the next one must be paid:
    ``tolerance_days`` after its due date.
    """

    account: str
    payment_plan: str
    item: str
    instalments: list[str]
    made_on: datetime.date
    tolerance_days: int
    author: str = ""
    reason: str = ""
    status: PaymentPlanStatus = "running"
    alarm_on: datetime.date | None = None


class ChildRow(StateRow, kw_only=True, tag="child"):
    """A customer that belongs to this one (B-13): it is told who can be written to."""

    account: str
    child: str

"""Rows of what was arranged with a customer: promises and disputes (R29, R35).

They are part of the state like those of ``schemas.rows``, which has the union of all.
"""

import datetime
from typing import Literal

from schemas.row import StateRow

__all__ = ["DisputeRow", "PromiseRow", "PromiseStatus"]

PromiseStatus = Literal["open", "kept", "partly_kept", "broken", "replaced", "withdrawn"]


class PromiseRow(StateRow, kw_only=True, tag="promise"):
    """A promise to pay; ``promise`` is the id of the command that made it (R35).

    The items that it covers have its id. ``until`` is the last day whose money
    counts: ``due_on`` and the company's tolerance. ``received_minor`` is the money
    dated from ``made_on`` to ``until`` that came after it (its place in the
    account's log is ``order``). ``alarm_on`` is when it is judged, or, once it was,
    forgotten.
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


class DisputeRow(StateRow, kw_only=True, tag="dispute"):
    """A dispute of an item or a part of it; ``dispute`` is the id of the command that opened it (R29).

    ``amount_minor`` None: all of it. With ``ruled_on`` the customer was right:
    what is left of the amount waits for its credit note. ``order`` is its place
    in the account's log: credit notes that came later are what it led to.
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

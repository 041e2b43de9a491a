"""Messages other than reminders, as rows (R33): what is to be said on a day, and what became of it."""

import datetime
from typing import Literal

from schemas.outcomes import DeliveryStatus
from schemas.row import StateRow

__all__ = ["MessageEnd", "MessageKind", "MessageRow"]

MessageKind = Literal["invoice_issued", "payment_received", "statement", "correction", "answer"]
MessageEnd = Literal[
    "sent",
    "failed",
    "needless",  # what it was about is gone: a cancelled invoice, a payment that was reversed
    "held",  # nothing may be said to the customer at all, or it is not enrolled
    "no_address",
]


class MessageRow(StateRow, kw_only=True, tag="message"):
    """A message about ``subject``: an invoice, a payment, the day of a statement, the reminder to correct,
    or the answer of a customer, which goes to the company's own desk at ``desk``.

    ``due_on`` is the first day on which it may be decided; ``sent_as`` the id
    under which it was, '' before that. ``rested`` and ``told`` as for reminders. ``named``: of a correction, the
    items that it tells of; another one of the same reminder leaves them out. ``written_to``: the customer's address that it went to.
    """

    account: str
    message: str
    message_kind: MessageKind
    subject: str
    due_on: datetime.date
    sent_as: str = ""
    deliveries: dict[str, DeliveryStatus | Literal["dispatched"]] = {}
    status: Literal["planned", "open"] | MessageEnd = "planned"
    ended_on: datetime.date | None = None
    desk: str = ""
    rested: bool = False
    told: list[str] = []
    named: list[str] = []
    written_to: str = ""

"""What an event is, or speaks of, by name: ``item/<id>``, ``payment/<id>``; and its own natural key.

The natural key is what repeats when the same is said again (SEMANTICS 2.2).
"""

from collections.abc import Callable
from typing import Any

from schemas.commands import MakePaymentPlan, OpenDispute, TransferItem, TransferPayment
from schemas.events import (
    CreditNoteCancelled,
    CreditNoteIssued,
    DebitNoteIssued,
    InvoiceAmended,
    InvoiceCancelled,
    InvoiceIssued,
    ItemOpened,
    PaymentReceived,
    PaymentReversed,
    PaymentStateChanged,
    ReconciliationRecorded,
    RefundPaid,
    ReminderSentElsewhere,
    WriteOffBooked,
    WriteOffReversed,
)

__all__ = ["DOCUMENTS", "KEYS", "SUBJECTS", "subject_of"]

_Names = dict[type, Callable[[Any], str]]

# What comes, under its own name.
DOCUMENTS: _Names = {
    InvoiceIssued: lambda event: f"item/{event.document}",
    DebitNoteIssued: lambda event: f"item/{event.document}",
    ItemOpened: lambda event: f"item/{event.document}",
    PaymentReceived: lambda event: f"payment/{event.payment}",
    CreditNoteIssued: lambda event: f"credit_note/{event.document}",
    WriteOffBooked: lambda event: f"write_off/{event.write_off}",
}


def _state_key(event: PaymentStateChanged) -> str:
    """Name a change of state by its own id; without one by what it says, so that it can be said once a day at most."""
    if event.change is not None:
        return f"payment_change/{event.change}"
    return f"payment_state/{event.payment}/{event.state}/{event.occurred_at}"


# What speaks of it: the natural key, and of what.
KEYS: _Names = {
    InvoiceAmended: lambda event: f"amended/{event.document}/{event.revision}",
    InvoiceCancelled: lambda event: f"cancelled/{event.document}",
    CreditNoteCancelled: lambda event: f"credit_note_cancelled/{event.document}",
    PaymentReversed: lambda event: f"reversed/{event.payment}",
    PaymentStateChanged: _state_key,
    RefundPaid: lambda event: f"refund/{event.refund}",
    ReminderSentElsewhere: lambda event: f"elsewhere/{event.document}/{event.level}",
    WriteOffReversed: lambda event: f"write_off_reversed/{event.write_off}",
    ReconciliationRecorded: lambda event: f"reconciliation/{event.reconciliation}",
    OpenDispute: lambda event: f"command/{event.command}",
    MakePaymentPlan: lambda event: f"command/{event.command}",
    TransferItem: lambda event: f"command/{event.command}",
    TransferPayment: lambda event: f"command/{event.command}",
}
SUBJECTS: _Names = {
    InvoiceAmended: lambda event: f"item/{event.document}",
    InvoiceCancelled: lambda event: f"item/{event.document}",
    CreditNoteCancelled: lambda event: f"credit_note/{event.document}",
    PaymentReversed: lambda event: f"payment/{event.payment}",
    PaymentStateChanged: lambda event: f"payment/{event.payment}",
    RefundPaid: lambda event: f"{event.of}/{event.credit}",
    ReminderSentElsewhere: lambda event: f"item/{event.document}",
    WriteOffReversed: lambda event: f"write_off/{event.write_off}",
    ReconciliationRecorded: lambda event: f"payment/{event.payment}",
    OpenDispute: lambda event: f"item/{event.document}",
    MakePaymentPlan: lambda event: f"item/{event.document}",
    TransferItem: lambda event: f"item/{event.document}",
    TransferPayment: lambda event: f"payment/{event.payment}",
}


def subject_of(event: Any) -> str:
    """Name the document or credit that an event is or speaks of; "" for requests, outcomes and master data."""
    name = DOCUMENTS.get(type(event)) or SUBJECTS.get(type(event))
    return "" if name is None else name(event)

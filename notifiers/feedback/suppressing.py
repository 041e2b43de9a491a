"""Who is on the list of suppressed addresses is not written to: asked where a message is written, before it is claimed.

A delivery to such an address has failed (``address_suppressed``), so that the ledger takes another way (R19).
"""

from collections.abc import Callable

from sqlalchemy import Engine

from infra.database.engine import reading
from infra.database.suppressions import suppressed
from notifiers.channel import Message, PermanentError
from schemas.events import Contact
from schemas.facts import ReminderDecided
from schemas.fields import Channel

__all__ = ["unless_suppressed"]

Render = Callable[[ReminderDecided, Channel], Message]


def unless_suppressed(render: Render, *, engine: Engine) -> Render:
    """Write as ``render`` does, but nothing to an address that is suppressed for the company."""

    def message(reminder: ReminderDecided, channel: Channel) -> Message:
        for delivery in reminder.deliveries:
            if delivery.channel == channel and (address := _address(delivery.contact, channel=channel)):
                _refuse(engine, address, channel=channel, company=reminder.company)
        return render(reminder, channel)

    return message


def _refuse(engine: Engine, address: str, *, channel: Channel, company: str) -> None:
    with reading(engine) as connection:
        entry = suppressed(connection, channel=channel, address=address, company=company)
    if entry is not None:
        raise PermanentError(
            error_type="address_suppressed",
            detail=f"{address} is suppressed since {entry.since:%Y-%m-%d} ({entry.reason}, by {entry.source})",
        )


def _address(contact: Contact, *, channel: Channel) -> str:
    match channel:
        case "email":
            return contact.email
        case "sms":
            return contact.phone
        case "letter":
            return ", ".join(contact.address)
        case "task":
            return ""

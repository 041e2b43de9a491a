"""Who is on the list of suppressed addresses is not written to: asked of all messages of a round, just before they are claimed.

A delivery to such an address has failed (``address_suppressed``), so that the ledger takes another way (R19).
What became of an earlier message to it can still be asked.
"""

from collections.abc import Callable, Sequence

from msgspec.structs import replace
from sqlalchemy import Engine

from infra.database.engine import reading
from infra.database.suppressions import Suppression, suppressed_among
from notifiers.channel import Message, PermanentError
from notifiers.gates.gate import Screen
from schemas.events import Contact
from schemas.facts import ReminderDecided
from schemas.fields import Channel

__all__ = ["sparing", "suppressing"]

Render = Callable[[ReminderDecided, Channel], Message]


def suppressing(engine: Engine) -> Screen:
    """Give what says which of some reminders go to an address that is suppressed for their company: by reminder, why not."""

    def refused(reminders: Sequence[ReminderDecided], channel: Channel) -> dict[str, PermanentError]:
        addressed = [
            (each.id, each.company, address)
            for each in reminders
            for delivery in each.deliveries
            if delivery.channel == channel and (address := _address(delivery.contact, channel=channel))
        ]
        if not addressed:
            return {}
        with reading(engine) as connection:
            found = suppressed_among(
                connection, channel=channel, addresses=[(company, to) for _, company, to in addressed]
            )
        return {
            reminder: _refusal(found[company, address], address=address)
            for reminder, company, address in addressed
            if (company, address) in found
        }

    return refused


def _refusal(entry: Suppression, *, address: str) -> PermanentError:
    return PermanentError(
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


def sparing(render: Render, *, engine: Engine) -> Render:
    """Wrap what writes reminders, so that no copy goes to an address that is suppressed; the mail itself goes all the same."""

    def message(reminder: ReminderDecided, channel: Channel) -> Message:
        written = render(reminder, channel)
        if not written.cc:
            return written
        with reading(engine) as connection:
            found = suppressed_among(
                connection, channel=channel, addresses=[(reminder.company, each.email) for each in written.cc]
            )
        kept = tuple(each for each in written.cc if (reminder.company, each.email) not in found)
        return written if len(kept) == len(written.cc) else replace(written, cc=kept)

    return message

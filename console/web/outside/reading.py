"""From a token in an address to the one message that it speaks of; everything else stays out of reach."""

import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct, json

from console.web.parts import WebParts
from infra.database.links import LinkBook, LinkedMessage
from notifiers.links import Link, LinkError, Purpose
from schemas.events import Contact
from schemas.facts import ReminderDecided, ReminderItem

__all__ = ["ClosedLinkError", "Opened", "open_link"]

_decoder = json.Decoder(ReminderDecided)


class ClosedLinkError(Exception):
    """A link that leads nowhere: 404 when it was never ours, 410 when its day is over or it was revoked.

    ``language`` is its message's, "" where that is not known.
    """

    def __init__(self, status: int, *, language: str = "") -> None:
        super().__init__(f"link refused with {status}")
        self.status = status
        self.language = language


class Opened(Struct, frozen=True, kw_only=True):
    """A link that is good, and its message. ``now`` is the ledger's: the clock, or the newest tick where that is played."""

    link: Link
    message: LinkedMessage
    reminder: ReminderDecided
    now: datetime.datetime

    @property
    def language(self) -> str:
        """The message's language."""
        return self.reminder.language

    @property
    def items(self) -> list[ReminderItem]:
        """The documents that the message shows, the due ones first."""
        return [*self.reminder.items, *self.reminder.others]

    @property
    def today(self) -> datetime.date:
        """The company's day."""
        return self.now.astimezone(ZoneInfo(self.reminder.time_zone)).date()

    @property
    def contact(self) -> Contact:
        """Whom the message went to by this channel."""
        mine = (each.contact for each in self.reminder.deliveries if each.channel == self.link.channel)
        return next(mine, Contact())


def open_link(parts: WebParts, token: str, *, purpose: Purpose) -> Opened:
    """Read a token, and the message that it was in.

    Raises:
        ClosedLinkError: it leads nowhere.
    """
    # Whether its day is over depends on the message's clock: first only who made it.
    try:
        link = parts.links.read(token, purpose=purpose, today=datetime.date.min)
    except LinkError as error:
        raise ClosedLinkError(404) from error
    book = LinkBook(parts.engine)
    message = book.message(link.reminder, channel=link.channel)
    if message is None:
        raise ClosedLinkError(404)
    reminder = _decoder.decode(message.reminder_json)
    now = parts.clock() if message.mode == "live" else max(message.tick, message.clock_at or message.tick)
    if now.date() > link.last_on or book.is_revoked(message):
        raise ClosedLinkError(410, language=reminder.language)
    return Opened(link=link, message=message, reminder=reminder, now=now)

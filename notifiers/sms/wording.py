"""How the text of an SMS is written for its alphabet: as it is, or without what alone makes it dearer."""

from collections.abc import Callable, Collection

from msgspec.structs import replace

from notifiers.channel import Message
from notifiers.sms.segments import plain
from schemas.facts import ReminderDecided
from schemas.fields import Channel

__all__ = ["EVERYBODY", "plainly"]

EVERYBODY = "*"  # among companies: all of them
Render = Callable[[ReminderDecided, Channel], Message]


def plainly(render: Render, *, companies: Collection[str]) -> Render:
    """Write as ``render`` does, the SMS of these companies in GSM-7 where giving up accents is enough for it."""

    def message(reminder: ReminderDecided, channel: Channel) -> Message:
        written = render(reminder, channel)
        if channel != "sms" or not {EVERYBODY, reminder.company}.intersection(companies):
            return written
        return replace(written, text=plain(written.text))

    return message

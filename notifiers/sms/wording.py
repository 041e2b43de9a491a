"""How the text of an SMS is written for its alphabet: its letters composed, or without what alone makes it dearer."""

import unicodedata
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
    """Write as ``render`` does, the SMS of these companies in GSM-7 where giving up accents is enough for it.

    Any other SMS is composed (NFC), as its segments are counted: "é" as two characters is not in GSM-7, and is paid for twice.
    """

    def message(reminder: ReminderDecided, channel: Channel) -> Message:
        written = render(reminder, channel)
        if channel != "sms":
            return written
        is_plain = bool({EVERYBODY, reminder.company}.intersection(companies))
        return replace(written, text=plain(written.text) if is_plain else _composed(written.text))

    return message


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)

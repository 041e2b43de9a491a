"""Sandbox recipients: while things are tried out, no message reaches the person it is meant for.

The address is exchanged before a message is written (a letter has it in its window, and the job
notes where it really went), and once more at the provider's door, whoever wrote it. What then leaves is looked
at by somebody who knows nothing of this (``second_look``): here, and right before the provider is called. Who has no address gets none here either, so that fallbacks (R19) show as they would be.
"""

from collections.abc import Callable
from typing import Final, assert_never

from msgspec import Struct
from msgspec.structs import replace

from notifiers.channel import (
    Channel,
    MarkingChannel,
    Message,
    PermanentError,
    Receipt,
    TendedChannel,
    TracingChannel,
    Traits,
    traits_of,
)
from notifiers.second_look import FOR, Look, Outgoing, only
from schemas.events import Contact
from schemas.facts import ReminderDecided
from schemas.fields import Channel as ChannelName

__all__ = ["SandboxRecipients", "guarded", "redirected", "rehearsed"]

_ADDRESS_LINE_MAX: Final = 120
Render = Callable[[ReminderDecided, ChannelName], Message]


class SandboxRecipients(Struct, frozen=True, kw_only=True):
    """Where every message goes; an empty field leaves its channel alone."""

    email: str = ""
    phone: str = ""
    address: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.email or self.phone or self.address)

    def covers(self, channel: ChannelName) -> bool:
        """Say whether messages of this channel go elsewhere."""
        own: dict[ChannelName, bool] = {
            "email": bool(self.email),
            "sms": bool(self.phone),
            "letter": bool(self.address),
        }
        return own.get(channel, False)


def redirected(message: Message, *, to: SandboxRecipients) -> Message:
    """Give the message as it goes to the sandbox: marked with whom it was meant for; a second time changes nothing.

    A letter's text is not touched: its address was printed before (``rehearsed``).
    """
    meant_for = _recipient(message.contact, message.channel)
    if not to.covers(message.channel) or not meant_for or message.meant_for:
        return message
    mark = f"[for {meant_for}] "
    return replace(
        message,
        contact=_exchanged(message.contact, channel=message.channel, to=to),
        cc=(),  # whoever would get a copy is somebody outside, too
        meant_for=meant_for,
        subject=mark + message.subject if message.channel == "email" else message.subject,
        text=mark + message.text if message.channel == "sms" else message.text,
    )


def rehearsed(render: Render, *, to: SandboxRecipients) -> Render:
    """Wrap what writes reminders, so that they are written to the sandbox."""
    if not to:
        return render

    def message(reminder: ReminderDecided, channel: ChannelName) -> Message:
        if channel != "letter" or not to.covers(channel):
            return redirected(render(reminder, channel), to=to)
        meant_for = [
            _recipient(each.contact, channel) for each in reminder.deliveries if each.channel == channel
        ]
        deliveries = tuple(
            replace(each, contact=_exchanged(each.contact, channel=channel, to=to))
            if each.channel == channel
            else each
            for each in reminder.deliveries
        )
        written = render(replace(reminder, deliveries=deliveries), channel)
        return replace(written, meant_for=next(iter(meant_for), ""))

    return message


def guarded(channel: Channel, *, to: SandboxRecipients) -> Channel:
    """Wrap a carrier, so that nothing gets to it with another address; one that can trace still can."""
    if not to:
        return channel
    return _TracingGuard(channel, to=to) if isinstance(channel, TracingChannel) else _Guard(channel, to=to)


class _Guard:
    def __init__(self, channel: Channel, *, to: SandboxRecipients) -> None:
        self._channel = channel
        self._to = to
        self._look: Look = only(to)

    @property
    def traits(self) -> Traits:
        return traits_of(self._channel)

    def send(self, message: Message) -> Receipt:
        checked = self._checked(message)
        self._look(_outgoing(checked))
        return self._channel.send(checked)

    def tend(self) -> None:
        if isinstance(self._channel, TendedChannel):
            self._channel.tend()

    def _checked(self, message: Message) -> Message:
        checked = redirected(message, to=self._to)
        if checked is not message and message.channel == "letter":
            raise PermanentError(
                error_type="content_refused",
                detail="a letter with its customer's address in the window stays here while a sandbox is set",
            )
        return checked


class _TracingGuard(_Guard):
    _channel: TracingChannel

    def find(self, message: Message) -> Receipt | None:
        return self._channel.find(redirected(message, to=self._to))

    def mark(self, message: Message) -> str:
        if not isinstance(self._channel, MarkingChannel):
            return ""
        return self._channel.mark(redirected(message, to=self._to))


def _exchanged(contact: Contact, *, channel: ChannelName, to: SandboxRecipients) -> Contact:
    """Put the sandbox's address in the place of the one that this channel uses; none stays none."""
    was = _recipient(contact, channel)
    if not was or not to.covers(channel):
        return contact
    match channel:
        case "email":
            return replace(contact, email=to.email)
        case "sms":
            return replace(contact, phone=to.phone)
        case "letter":
            return replace(contact, address=(f"{FOR}{was}"[:_ADDRESS_LINE_MAX], *to.address))
        case "task":
            return contact
        case _:
            assert_never(channel)


def _outgoing(message: Message) -> Outgoing:
    """Give what a carrier is handed, as far as it can be known before the carrier has made something of it."""
    whom = _recipient(message.contact, message.channel)
    is_letter = message.channel == "letter"
    return Outgoing(
        channel=message.channel,
        reminder=message.reminder,
        recipients=(whom, *(each.email for each in message.cc)) if whom and not is_letter else (),
        lines=(message.address_lines or message.contact.address) if whom and is_letter else (),
        pdf=message.pdf if whom and is_letter else b"",
    )


def _recipient(contact: Contact, channel: ChannelName) -> str:
    match channel:
        case "email":
            return contact.email.strip()
        case "sms":
            return contact.phone.strip()
        case "letter":
            return ", ".join(line.strip() for line in contact.address if line.strip())
        case "task":
            return ""
        case _:
            assert_never(channel)

"""The seam between the sending loop and whatever carries a message.

A channel is given a finished ``Message`` and either has accepted it (a
``Receipt``) or raises one of two failures. It refuses to decide *whether* to
send, to retry, or to keep a record: the send ledger does.
"""

import datetime
from typing import Protocol, runtime_checkable

from msgspec import Struct

from schemas.events import Contact
from schemas.fields import Channel as ChannelName
from schemas.outcomes import ErrorType

__all__ = [
    "Attachment",
    "Channel",
    "Cost",
    "DescribedChannel",
    "MarkingChannel",
    "Message",
    "PermanentError",
    "Receipt",
    "Sender",
    "TaskNote",
    "TemporaryError",
    "TendedChannel",
    "TracingChannel",
    "Traits",
    "UncertainError",
    "traits_of",
]


class Sender(Struct, frozen=True, kw_only=True):
    """The company in whose name a message goes out; ``email`` may be empty."""

    company: str
    name: str
    email: str = ""


class TaskNote(Struct, frozen=True, kw_only=True):
    """Something for a person to do: what kind of thing, what exactly, and who."""

    task_type: str
    summary: str
    responsible: str = ""


class Attachment(Struct, frozen=True, kw_only=True):
    """A file that goes with a message; ``media_type`` as in RFC 6838 ('application/pdf').

    With a ``content_id`` it is a part of the HTML (``cid:<content_id>``), not a file to keep. With a letter it
    is a PDF that is printed and comes into the envelope behind it: so many ``pages``, on ``paper``.
    """

    name: str
    media_type: str
    content: bytes
    content_id: str = ""
    pages: int = 0
    paper: str = ""


class Cost(Struct, frozen=True, kw_only=True, order=True):
    """What a delivery costs: ``micros`` are millionths of the currency's major unit, since an SMS costs part of a cent.

    ``parts`` are what is paid for: segments of an SMS, pages of a letter, mails. Without a
    price ``currency`` is ''.
    """

    currency: str
    micros: int
    parts: int = 1


class Message(Struct, frozen=True, kw_only=True):
    """One reminder for one channel, rendered: nothing is left to look up.

    ``reminder`` is the idempotency key: a provider that is asked twice with
    one key may carry the message once only. ``at`` is the reminder's tick,
    ``on`` the company's day of it. Which of ``text``, ``html``, ``pdf`` and ``tasks`` is
    filled depends on the channel. ``meant_for`` is the customer's address where the
    message goes to a sandbox instead, "" where it goes to the customer. ``country``
    (ISO 3166, '' unknown) is where a phone number without a country is dialled in, and what
    prices go by; ``pages`` are those of ``pdf``, on ``paper`` ('a4', 'us_letter', 'other'); ``time_zone`` is the company's. ``cost`` is
    what sending it will cost, as far as that is known. ``address_lines`` stand in a letter's window.
    ``cc`` get a copy of a mail.
    """

    reminder: str
    channel: ChannelName
    account: str
    customer: str
    step: str
    language: str
    at: datetime.datetime
    on: datetime.date
    sender: Sender
    contact: Contact
    subject: str
    text: str = ""
    html: str = ""
    pdf: bytes = b""
    tasks: tuple[TaskNote, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    unsubscribe_url: str = ""
    meant_for: str = ""
    country: str = ""
    pages: int = 0
    paper: str = ""
    time_zone: str = "UTC"
    cost: Cost | None = None
    address_lines: tuple[str, ...] = ()
    cc: tuple[Contact, ...] = ()


class Receipt(Struct, frozen=True, kw_only=True):
    """The provider has taken the message; ``provider_id`` is what it calls it, ``cost`` what it will charge, where known."""

    provider_id: str
    cost: Cost | None = None


class TemporaryError(Exception):
    """The message may go later: it was certainly not taken.

    ``provider_down`` tells a provider that takes nothing at present (all of the channel waits) from one that
    takes nothing of this company at present (``sender_refused``: all of that waits), and from one that cannot take
    this message yet, which ends after ``attempts_max`` tries. Of the others no try counts: they end after ``wait_days_max``.
    ``retry_after_s`` is how long the provider asks to be left alone, as it said it; 0.0: it does not.
    """

    def __init__(
        self,
        detail: str,
        *,
        provider_down: bool = True,
        sender_refused: bool = False,
        retry_after_s: float = 0.0,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.provider_down = provider_down and not sender_refused
        self.sender_refused = sender_refused
        self.retry_after_s = retry_after_s


class PermanentError(Exception):
    """The message will never go this way; the ledger tries the next channel (R19)."""

    def __init__(self, *, error_type: ErrorType, detail: str) -> None:
        super().__init__(detail)
        self.error_type: ErrorType = error_type
        self.detail = detail


class UncertainError(Exception):
    """The connection broke after the message was handed over: it may have been taken."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Channel(Protocol):
    """A way to a customer, or to a colleague."""

    def send(self, message: Message) -> Receipt:
        """Hand ``message`` over; return only once the provider is answerable for it.

        Raises:
            TemporaryError: not taken, may be tried again.
            PermanentError: not taken, and never will be.
            UncertainError: nobody knows; the job is treated like one found after a crash. So is any other
                exception, which is a fault of the channel's: it is logged with its trace.
        """
        ...


class Traits(Struct, frozen=True, kw_only=True):
    """What the loop must know of a channel.

    Attributes:
        provider: its name, for the evidence ('smtp', 'ses').
        endpoint: where it hands over ('mail.example:587', a region, a folder).
        at_once: so many messages are handed over at the same time, each in a thread of its own;
            more than 1 needs a channel that several threads may use.
        is_repeatable: handing the same message over twice is handing it over once (a file of the
            same name, a provider that keeps idempotency keys): there is never a doubt.
        settles_s: how long after a message was handed over ``find`` may still miss it.
    """

    provider: str
    endpoint: str = ""
    at_once: int = 1
    is_repeatable: bool = False
    settles_s: float = 0.0


@runtime_checkable
class DescribedChannel(Channel, Protocol):
    """A channel that says of itself what the loop must know."""

    @property
    def traits(self) -> Traits:
        """Give them; they never change."""
        ...


def traits_of(channel: Channel) -> Traits:
    """Give a channel's traits; of one that says nothing, the most careful ones."""
    if isinstance(channel, DescribedChannel):
        return channel.traits
    return Traits(provider=type(channel).__name__.removesuffix("Channel").lower())


@runtime_checkable
class TracingChannel(Channel, Protocol):
    """A channel that can say afterwards what became of a message, so that a doubt can end without a person."""

    def find(self, message: Message) -> Receipt | None:
        """Give the receipt of ``message`` if it was taken; None says that it was not.

        Raises:
            TemporaryError: the provider cannot be asked; the job is then treated
                like that of a channel that cannot say.
        """
        ...


@runtime_checkable
class MarkingChannel(Channel, Protocol):
    """A channel whose provider keeps no key of ours: messages of the same mark cannot be told apart there."""

    def mark(self, message: Message) -> str:
        """Give what the provider could tell ``message`` by, in short; '': it would not get it."""
        ...


@runtime_checkable
class TendedChannel(Channel, Protocol):
    """A channel that has something to do beside its messages: print runs to close, connections to give up."""

    def tend(self) -> None:
        """Do what is to be done now, for seconds at most; called at each round of the loop, idle ones too.

        What fails is logged and done again later: no message waits for it.
        """
        ...

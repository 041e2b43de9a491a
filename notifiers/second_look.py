"""The second look of a sandbox: right before a provider is called, at what is about to leave, and at nothing else.

::

    mail     recipients of the envelope; each address of To, Cc, Bcc in the bytes that are sent
    SMS      the number that is asked for
    letter   the lines of the address; the first page as it is printed

It knows nothing of who wrote a message, what was exchanged in it and what it says of itself (``redirecting`` does
that): what would reach anybody but the sandbox is refused, whoever is at fault.
"""

import io
import unicodedata
from collections.abc import Callable, Iterator
from email.parser import BytesHeaderParser
from email.utils import getaddresses
from typing import Final, Protocol

import pypdf
import structlog
from msgspec import Struct

from notifiers.channel import PermanentError
from schemas.fields import Channel as ChannelName

__all__ = ["FOR", "OUTSIDE", "Addressed", "Confines", "Look", "Outgoing", "anybody", "only"]

OUTSIDE: Final = "outside_sandbox"
FOR: Final = "FOR: "  # begins the line that says for whom a letter was meant
_ADDRESSED: Final = ("to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc")
_PERSON_LINES_MAX: Final = 2  # customer and contact, above the line that says for whom it was
_log = structlog.get_logger(__name__)


class Outgoing(Struct, frozen=True, kw_only=True):
    """What is about to leave: as the provider would get it.

    Attributes:
        channel: by which way.
        reminder: whose message it is, for the log.
        recipients: addresses of the envelope; or the number.
        mail: all of a mail, as bytes; b"" where there is none yet.
        lines: of the address on a letter; ``pdf``: the letter.
    """

    channel: ChannelName
    reminder: str
    recipients: tuple[str, ...] = ()
    mail: bytes = b""
    lines: tuple[str, ...] = ()
    pdf: bytes = b""


class Addressed(Protocol):
    """Whom a sandbox allows: '' or () leaves a channel alone."""

    @property
    def email(self) -> str:
        """Give the mail address."""
        ...

    @property
    def phone(self) -> str:
        """Give the number, E.164."""
        ...

    @property
    def address(self) -> tuple[str, ...]:
        """Give the lines of the postal address."""
        ...


# Raises a `PermanentError` (``outside_sandbox``) for what must not leave.
Look = Callable[[Outgoing], None]


def anybody(_outgoing: Outgoing) -> None:
    """Be the look of who writes to customers."""


def only(to: Addressed) -> Look:
    """Give the look of a sandbox: nothing leaves but to its own addresses."""
    return Confines(to)


class Confines:
    """Refuses what would reach anybody but a sandbox. Thread-safe."""

    def __init__(self, to: Addressed) -> None:
        self._to = to

    def __call__(self, outgoing: Outgoing) -> None:
        """Look at a message.

        Raises:
            PermanentError: ``outside_sandbox``; the log says so, without the address.
        """
        strange = next(self._strange(outgoing), "")
        if strange:
            _log.error(
                "sandbox_breached", reminder=outgoing.reminder, channel=outgoing.channel, where=strange
            )
            raise PermanentError(
                error_type=OUTSIDE,
                detail=f"{strange} is not the sandbox's: nothing was handed over",
            )

    def _strange(self, outgoing: Outgoing) -> Iterator[str]:
        """Name what would reach somebody else."""
        if outgoing.channel == "email" and self._to.email:
            own = _mailbox(self._to.email)
            if any(_mailbox(each) != own for each in outgoing.recipients):
                yield "the recipient of the envelope"
            if outgoing.mail:
                yield from _strange_fields(outgoing.mail, own=own)
        elif outgoing.channel == "sms" and self._to.phone:
            if any(each.strip() != self._to.phone for each in outgoing.recipients):
                yield "the number"
        elif outgoing.channel == "letter" and self._to.address:
            yield from self._strange_lines(outgoing)

    def _strange_lines(self, outgoing: Outgoing) -> Iterator[str]:
        own = tuple(map(_plain, self._to.address))
        lines = [each.strip() for each in outgoing.lines if each.strip()]
        before, address = lines[: -len(own)], tuple(map(_plain, lines[-len(own) :]))
        before = before[:-1] if before and before[-1].startswith(FOR) else before
        if lines and (address != own or len(before) > _PERSON_LINES_MAX):
            yield "the address of the letter"
        if outgoing.pdf:
            printed = _first_page(outgoing.pdf)
            if not all(each in printed for each in own):
                yield "the address in the letter's window"


def _strange_fields(mail: bytes, *, own: str) -> Iterator[str]:
    fields = BytesHeaderParser().parsebytes(mail)
    if fields.get("To") is None:
        yield "a mail without To"
    for name in _ADDRESSED:
        for _, address in getaddresses([str(each) for each in fields.get_all(name, [])]):
            if _mailbox(address) != own:
                yield f"an address in {name.title()}"


def _mailbox(address: str) -> str:
    """Write an address so that two of them can be compared, also one of UTF-8 that was read as bytes."""
    return unicodedata.normalize(
        "NFC", address.strip().encode(errors="surrogateescape").decode(errors="replace")
    ).casefold()


def _plain(text: str) -> str:
    """Write a line so that it is found in a page: without spaces, ligatures undone."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _first_page(pdf: bytes) -> str:
    """Give the text of the sheet that is in the window; of what is no PDF, none."""
    try:
        return _plain(pypdf.PdfReader(io.BytesIO(pdf)).pages[0].extract_text())
    except Exception:  # noqa: BLE001 - a broken file leads pypdf anywhere; what cannot be read does not leave
        _log.exception("letter_unread")
        return ""

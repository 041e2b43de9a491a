"""A message as a mail (RFC 5322): what the recorder writes to a file, and SMTP and SES send, is the same.

::

    multipart/mixed                    only where something is attached
    ├── multipart/alternative          only where there is HTML
    │   ├── text/plain
    │   └── multipart/related          only where the HTML has pictures (a logo)
    │       ├── text/html
    │       └── pictures, by Content-ID
    └── attachments, in base64

The same message gives the same bytes: boundaries are made of the reminder's id. It refuses
addresses that no server could take; it does not ask any server.
"""

import base64
import binascii
import datetime
import hashlib
import re
from collections.abc import Sequence
from email.utils import format_datetime
from functools import lru_cache
from typing import Final

import structlog
from email_validator import EmailNotValidError, validate_email
from msgspec import Struct

from notifiers.channel import Attachment, Message, PermanentError
from notifiers.mail.headers import Mailbox, mailbox_field, mailboxes_field, one_line, parameter, text_field

__all__ = ["Mail", "MailSender", "mail_of", "usable_email"]

_PLAIN: Final = re.compile(rb"[\t\r\n -~]*")
_LINE_MAX: Final = 78
_ASCII: Final = bytes(range(0x80))
_FROM: Final = b"\nFrom "
_ID: Final = re.compile(r"[A-Za-z0-9_+=/-]+(?:\.[A-Za-z0-9_+=/-]+)*")
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*", re.ASCII)
_PATH: Final = re.compile(r"[/\\:]+")
_NAME_MAX: Final = 120
_CONTENT_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,100}@[A-Za-z0-9.-]{1,100}")
_URL: Final = re.compile(r"https?://[!-;=?-~]{1,900}")  # a line holds 998
_log = structlog.get_logger(__name__)


class MailSender(Struct, frozen=True, kw_only=True):
    """Whose address mails come from: ``address`` where a company has none of its own, or ``always``.

    What cannot be delivered is reported to ``bounces``, "": to the same address.
    """

    address: str = ""
    always: bool = False
    bounces: str = ""


class Mail(Struct, frozen=True, kw_only=True):
    """A mail for one recipient, and ``copies`` of it. ``content`` is all of it, lines ending in CRLF; ``sender`` hears if it bounces.

    Its addresses are ASCII, or ``content`` holds them as UTF-8 and a server needs SMTPUTF8.
    """

    sender: str
    recipient: str
    content: bytes
    copies: tuple[str, ...] = ()

    @property
    def is_international(self) -> bool:
        """Say whether an address is beyond ASCII (RFC 6531)."""
        return not (self.sender + self.recipient).isascii()


def usable_email(message: Message) -> str:
    """Give the address that a message goes to, as it is to be written.

    Raises:
        PermanentError: ``address_missing`` or ``address_refused``.
    """
    email = message.contact.email.strip()
    if not email:
        raise PermanentError(
            error_type="address_missing", detail=f"customer {message.customer} has no mail address"
        )
    try:
        return _written(email)
    except EmailNotValidError as error:
        raise PermanentError(error_type="address_refused", detail=f"{email!r}: {error}") from error


def mail_of(message: Message, *, sender: MailSender, dated: datetime.datetime) -> Mail:
    """Make the mail.

    Args:
        message: one for the channel ``email``.
        sender: for companies without an address, or for all.
        dated: its Date header.

    Raises:
        PermanentError: as `usable_email`; ``provider_refused`` where there is no sender;
            ``content_refused`` where a text cannot be encoded.
    """
    own = message.sender.email.strip()
    from_email = sender.address if sender.always or not own else own
    if not from_email:
        raise PermanentError(
            error_type="provider_refused", detail=f"company {message.sender.company} has no mail address"
        )
    recipient = usable_email(message)
    try:
        from_email = _written(from_email)
        reply_to = _written(own) if own and sender.always else ""
        bounces = _written(sender.bounces) if sender.bounces else from_email
        copies = _usable_copies(message)
        fields = _fields(
            message, from_email=from_email, reply_to=reply_to, to=(recipient, copies), dated=dated
        )
        content = fields.encode() + _body(message)
    except EmailNotValidError as error:
        raise PermanentError(
            error_type="provider_refused", detail=f"the sender's address: {error}"
        ) from error
    except UnicodeEncodeError as error:
        raise PermanentError(error_type="content_refused", detail=f"no encoding holds it: {error}") from error
    return Mail(
        sender=bounces, recipient=recipient, content=content, copies=tuple(address for _, address in copies)
    )


def _usable_copies(message: Message) -> list[Mailbox]:
    """Give who gets a copy, by name and address.

    An address that is none, or beyond ASCII, which not every server takes, keeps back neither the mail nor the others.
    """
    found: list[Mailbox] = []
    for each in message.cc:
        try:
            address = _written(each.email.strip())
        except EmailNotValidError as error:
            _log.warning("copy_left_out", reminder=message.reminder, role=each.role, detail=str(error))
            continue
        if address.isascii():
            found.append((each.name, address))
        else:
            _log.warning("copy_left_out", reminder=message.reminder, role=each.role, detail="beyond ASCII")
    return found


@lru_cache(maxsize=4_096)
def _written(email: str) -> str:
    # Whether the domain takes mail is for the server to say; names under .test are for trying things out.
    valid = validate_email(
        email, check_deliverability=False, globally_deliverable=False, test_environment=True
    )
    return valid.ascii_email or valid.normalized


def _fields(
    message: Message,
    *,
    from_email: str,
    reply_to: str,
    to: tuple[str, Sequence[Mailbox]],
    dated: datetime.datetime,
) -> str:
    company = message.sender.name
    domain = from_email.rpartition("@")[2]
    fields = [
        mailbox_field("From", display=company, address=from_email),
        mailbox_field("Reply-To", display=company, address=reply_to) if reply_to else "",
        mailbox_field("To", display=message.contact.name, address=to[0]),
        mailboxes_field("Cc", to[1]),
        text_field("Subject", message.subject),
        f"Date: {format_datetime(dated)}\r\n",
        # The same each time: a server or a reader that sees it twice can tell.
        f"Message-ID: <{_id(message.reminder)}.{message.channel}@{domain}>\r\n",
        "Auto-Submitted: auto-generated\r\n",
        text_field("X-Cobranza-Reminder", message.reminder),
        text_field("X-Cobranza-Meant-For", message.meant_for) if message.meant_for else "",
        f"Content-Language: {message.language}\r\n" if message.language.isascii() else "",
    ]
    if _URL.fullmatch(message.unsubscribe_url):
        # One press, no page between (RFC 8058); both fields are among those that are signed.
        fields += [
            f"List-Unsubscribe: <{message.unsubscribe_url}>\r\n",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
        ]
    return "".join([*fields, "MIME-Version: 1.0\r\n"])


def _body(message: Message) -> bytes:
    digest = hashlib.blake2b(message.reminder.encode(), digest_size=12).hexdigest()
    body = _text_part(message.text, subtype="plain")
    inside = [each for each in message.attachments if message.html and _CONTENT_ID.fullmatch(each.content_id)]
    beside = [each for each in message.attachments if each not in inside]
    if message.html:
        html = _text_part(message.html, subtype="html")
        if inside:
            html = _multipart("related", [html, *map(_part_of_html, inside)], boundary=f"=_r_{digest}")
        body = _multipart("alternative", [body, html], boundary=f"=_a_{digest}")
    if beside:
        body = _multipart("mixed", [body, *map(_attachment, beside)], boundary=f"=_m_{digest}")
    return body


def _multipart(subtype: str, parts: list[bytes], *, boundary: str) -> bytes:
    """Put parts together. No part can hold the boundary: neither encoding writes ``=_``, and plain parts are looked at."""
    line = b"--" + boundary.encode()
    head = f"Content-Type: multipart/{subtype}" + parameter("boundary", boundary) + "\r\n\r\n"
    return head.encode() + b"".join(b"%b\r\n%b\r\n" % (line, part) for part in parts) + line + b"--\r\n"


def _text_part(text: str, *, subtype: str) -> bytes:
    octets = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n").encode()
    if not octets.endswith(b"\r\n"):
        octets += b"\r\n"
    encoding, encoded = _transfer(octets)
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + encoded


def _transfer(octets: bytes) -> tuple[str, bytes]:
    """Choose an encoding of seven bits: as it is, readable where most of it is Latin, else base64."""
    if (
        _PLAIN.fullmatch(octets)
        and max(map(len, octets.split(b"\r\n"))) <= _LINE_MAX
        and b"=_" not in octets
        and _FROM not in b"\n" + octets
    ):
        return "7bit", octets
    if len(octets.translate(None, _ASCII)) * 6 > len(octets):
        return "base64", _base64(octets)
    # A line that begins with "From " is changed on its way by some servers, and a signature is broken.
    quoted = binascii.b2a_qp(octets, istext=True, quotetabs=False)
    return "quoted-printable", (b"\n" + quoted).replace(_FROM, b"\n=46rom ")[1:]


def _attachment(attachment: Attachment) -> bytes:
    return _file(attachment, disposition="attachment")


def _part_of_html(attachment: Attachment) -> bytes:
    return f"Content-ID: <{attachment.content_id}>\r\n".encode() + _file(attachment, disposition="inline")


def _file(attachment: Attachment, *, disposition: str) -> bytes:
    name = _file_name(attachment.name)
    media_type = attachment.media_type.lower()
    if not _MEDIA_TYPE.fullmatch(media_type) or media_type.startswith(("multipart/", "message/")):
        media_type = "application/octet-stream"
    head = (
        f"Content-Type: {media_type}{parameter('name', name)}\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: {disposition}{parameter('filename', name)}\r\n\r\n"
    )
    return head.encode() + _base64(attachment.content)


def _file_name(name: str) -> str:
    """Give a name that is no path, and not longer than a file system takes; its ending stays."""
    name = _PATH.sub("_", one_line(name)).lstrip(".") or "attachment"
    stem, dot, ending = name.rpartition(".")
    if len(name) <= _NAME_MAX or not dot or len(ending) > 10:
        return name[:_NAME_MAX]
    return stem[: _NAME_MAX - len(ending) - 1] + dot + ending


def _base64(octets: bytes) -> bytes:
    return base64.encodebytes(octets).replace(b"\n", b"\r\n")


def _id(reminder: str) -> str:
    """Give a reminder's id as the left side of a Message-ID."""
    if _ID.fullmatch(reminder):
        return reminder
    return hashlib.blake2b(reminder.encode(), digest_size=16).hexdigest()

"""One connection to an SMTP server, one step at a time, so that each answer is known for what it refuses.

::

    connect · log in     no answer, any refusal: later, for everybody
    MAIL FROM            421, 452, 454, 4.3.x, 53x: later, for everybody          4xx: later, for this sender
                         552: this content never                5xx: this sender never
    RCPT TO              4xx: this mail later                   5xx: this address never (5.7.x: this sender)
                                                                (5.2.2, 5.3.x, 5.4.x: this mail, and no address is bad)
    RCPT TO of a copy    whatever it is: without that copy (421: later, for everybody)
    DATA                 4xx: this mail later (454: everybody)  5xx: this content never (5.1.1: this address)
    the content is out   no answer: nobody knows (``UncertainError``)

A server that offers it gets MAIL, RCPT and DATA at once (RFC 2920): half the round trips.
"""

import datetime
import re
import smtplib
import socket
import ssl
from functools import lru_cache
from typing import Final, Literal

import structlog
from msgspec import Struct

from notifiers.channel import PermanentError, Receipt, TemporaryError, UncertainError
from notifiers.mail.mime import Mail
from notifiers.mail.status_codes import About, about
from schemas.outcomes import ErrorType

__all__ = ["LostConnection", "SmtpConnection", "SmtpServer", "trust"]

_CLOSING: Final = 421  # the server hangs up, whatever it was asked
_NO_ROOM: Final = 452
_THROTTLED: Final = 454
_TOO_LARGE: Final = 552
_LOGIN_WANTED: Final = (530, 534, 535, 538)
_GO_AHEAD: Final = 354
_DETAIL_MAX: Final = 500
_STATUS: Final = re.compile(rb"5\.(\d{1,3})\.(\d{1,3})(?!\d)")
_OF_RCPT: Final[dict[About, ErrorType]] = {
    "address": "address_refused",
    "content": "content_refused",
    "passing": "bounce_gave_up",
    "policy": "provider_refused",
}
_log = structlog.get_logger(__name__)
Step = Literal["MAIL", "RCPT", "COPY", "DATA", "content"]


class SmtpServer(Struct, frozen=True, kw_only=True):
    """Where mail is handed over; ``timeout_s`` is for each answer."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    user: str = ""
    password: str = ""
    timeout_s: float = 30.0

    def __repr__(self) -> str:
        return f"SmtpServer({self.host}:{self.port}, {self.security})"


class LostConnection(Exception):  # noqa: N818 - what happened, and no mail is at fault
    """The connection ended, or was ended by 421, before the mail was handed over."""


class SmtpConnection:
    """A connection that was made and logged in. Not thread-safe.

    ``trusted`` are the certificates of `trust`, which many connections share.

    Attributes:
        carried: how many mails went over it.
        is_open: it may be used again.
        used_at: when it was last used, or made.

    Raises:
        TemporaryError: the server is not there, or does not let us in.
    """

    def __init__(self, server: SmtpServer, *, at: datetime.datetime, trusted: ssl.SSLContext | None) -> None:
        self.carried = 0
        self.used_at = at
        self.is_open = True
        try:
            self._smtp = _connected(server, trusted)
        except (OSError, smtplib.SMTPException, UnicodeError) as error:
            # Also a refused password, or a host that can be none: no mail is at fault, and lag shows that nothing goes.
            raise TemporaryError(f"{server.host}:{server.port}: {error}") from error

    def carry(self, mail: Mail) -> Receipt:
        """Hand a mail over; the receipt has the server's words, its queue id among them.

        Raises:
            LostConnection: see there; the mail may go over another connection.
            TemporaryError, PermanentError, UncertainError: see the drawing above.
        """
        try:
            self._envelope(mail)
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise LostConnection(str(error)) from error
        try:
            self._smtp.send(mail.content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        except (OSError, smtplib.SMTPException) as error:
            # The line that ends it did not get out: nobody can have taken it.
            self.close()
            # It may be this mail that cannot get through, and must not hold up all others for ever.
            detail = f"the connection broke within the mail: {error}"
            raise TemporaryError(detail, provider_down=False) from error
        try:
            code, text = self._smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise UncertainError(f"no answer after the mail was handed over: {error}") from error
        self.carried += 1
        if not 200 <= code < 300:
            self._refused("content", code=code, text=text)
        return Receipt(provider_id=_said(code, text))

    def close(self) -> None:
        """Hang up."""
        self.is_open = False
        self._smtp.close()

    def _envelope(self, mail: Mail) -> None:
        """Say from whom and to whom; returns when the server waits for the content."""
        steps = self._steps(mail)
        if self._smtp.has_extn("pipelining"):
            self._smtp.send(b"".join(command for _, command in steps))
            answers = [(step, *self._smtp.getreply()) for step, _ in steps]
        else:
            answers = []
            for step, command in steps:
                self._smtp.send(command)
                answers.append((step, *self._smtp.getreply()))
                if not _may_go_on(step, answers[-1][1]):
                    break
        for step, code, text in answers:
            if step == "COPY" and not _is_good(code):
                _log.warning("copy_refused", code=code)
            if not _may_go_on(step, code):
                if answers[-1][:2] == ("DATA", _GO_AHEAD):
                    self.close()  # it waits for a content that must not come
                self._refused(step, code=code, text=text)

    def _steps(self, mail: Mail) -> list[tuple[Step, bytes]]:
        options = ""
        if self._smtp.has_extn("size"):
            options += f" SIZE={len(mail.content)}"
        if mail.is_international:
            # Addresses beyond ASCII need an extension of the server.
            if not self._smtp.has_extn("smtputf8"):
                raise PermanentError(
                    error_type="address_refused", detail=f"the server cannot take {mail.recipient!r}"
                )
            options += " SMTPUTF8 BODY=8BITMIME"
        copies: list[tuple[Step, bytes]] = [
            ("COPY", f"RCPT TO:<{address}>\r\n".encode()) for address in mail.copies
        ]
        return [
            ("MAIL", f"MAIL FROM:<{mail.sender}>{options}\r\n".encode()),
            ("RCPT", f"RCPT TO:<{mail.recipient}>\r\n".encode()),
            *copies,
            ("DATA", b"DATA\r\n"),
        ]

    def _refused(self, step: Step, *, code: int, text: bytes) -> None:
        """Raise what an answer means; one refused mail leaves no half envelope for the next one."""
        if code == _CLOSING or not 400 <= code < 600:
            self.close()
            if step != "content":
                raise LostConnection(_said(code, text))
            if code != _CLOSING:
                raise UncertainError(f"what the server says of the mail is no answer: {_said(code, text)}")
        elif self.is_open:
            self._reset()
        if code in _LOGIN_WANTED:
            raise TemporaryError(_said(code, text))
        if code >= 500:
            raise PermanentError(error_type=_error_type(step, code, text), detail=_said(code, text))
        full = step == "MAIL" and (code == _NO_ROOM or text.startswith(b"4.3."))  # their system, no sender
        raise TemporaryError(
            _said(code, text),
            provider_down=full or code in (_CLOSING, _THROTTLED),
            sender_refused=step == "MAIL" and not full and code not in (_CLOSING, _THROTTLED),
        )

    def _reset(self) -> None:
        try:
            if self._smtp.docmd("RSET")[0] != 250:
                self.close()
        except (OSError, smtplib.SMTPException):
            self.close()


def trust(server: SmtpServer) -> ssl.SSLContext | None:
    """Read the certificates that are trusted: not for each connection, it takes longer than a mail. None: they have none."""
    return None if server.security == "none" else ssl.create_default_context()


def _connected(server: SmtpServer, trusted: ssl.SSLContext | None) -> smtplib.SMTP:
    if trusted is None and server.security != "none":  # smtplib would take any certificate
        raise ValueError(f"{server!r} is connected to with the certificates that are trusted")
    name = _own_name()
    if server.security == "tls":
        made: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host,
            server.port,
            local_hostname=name,
            timeout=server.timeout_s,
            context=trusted,
        )
    else:
        made = smtplib.SMTP(server.host, server.port, local_hostname=name, timeout=server.timeout_s)
    try:
        if server.security == "starttls":
            made.starttls(context=trusted)
        if server.user:
            made.login(server.user, server.password)
        made.ehlo_or_helo_if_needed()
    except (OSError, smtplib.SMTPException):
        made.close()
        raise
    return made


@lru_cache(maxsize=1)
def _own_name() -> str:
    """Give the name that we greet with; asked of the resolver once, who may take seconds."""
    name = socket.getfqdn()
    return name if "." in name else "[127.0.0.1]"


def _error_type(step: Step, code: int, text: bytes) -> ErrorType:
    """Say what is at fault, by the step and by the enhanced code (RFC 3463), where there is one."""
    if text.startswith((b"5.1.1 ", b"5.1.10 ")):
        return "address_refused"
    if step == "MAIL":
        return "content_refused" if code == _TOO_LARGE else "provider_refused"
    said = _STATUS.match(text)
    meant = about(said[1].decode(), said[2].decode()) if said else None
    if meant == "passing" or (step == "RCPT" and said is None and code == _TOO_LARGE):
        return "bounce_gave_up"  # a full mailbox, a server of theirs that is away: no address is bad by that
    return "content_refused" if step != "RCPT" else _OF_RCPT[meant or "address"]


def _is_good(code: int) -> bool:
    return 200 <= code < 300 or code == _GO_AHEAD


def _may_go_on(step: Step, code: int) -> bool:
    """Say whether a mail goes on: a copy that is refused keeps nothing back, unless the server hangs up."""
    return _is_good(code) or (step == "COPY" and code != _CLOSING and 400 <= code < 600)


def _said(code: int, text: bytes) -> str:
    return f"{code} {text.decode(errors='replace')}"[:_DETAIL_MAX]

"""Mail by SMTP, one command at a time, so that each answer is known for what it refuses.

::

    connect · MAIL FROM     4xx, no answer: later, for everybody     5xx: this sender never
    RCPT TO                 4xx: this mail later                     5xx: this address never
    DATA                    4xx: this mail later                     5xx: this content never
    the content is out      no answer: nobody knows (``UncertainError``)
"""

import datetime
import re
import smtplib
import ssl
from collections.abc import Callable
from typing import Final, Literal, NoReturn

from msgspec import Struct

from notifiers.channel import (
    Message,
    PermanentError,
    Receipt,
    TemporaryError,
    Traits,
    UncertainError,
)
from notifiers.mail.mime import MAIL_POLICY, mail_of
from schemas.outcomes import ErrorType

__all__ = ["SmtpChannel", "SmtpServer"]

_MAILS_PER_CONNECTION: Final = 100
_CLOSING: Final = 421  # the server hangs up, whatever it was asked
_POLICIES: Final = {False: MAIL_POLICY, True: MAIL_POLICY.clone(utf8=True)}
_LINE_DOT: Final = re.compile(rb"(?m)^\.")


class SmtpServer(Struct, frozen=True, kw_only=True):
    """Where mail is handed over. ``sender`` is used for companies that have no address of their own."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    user: str = ""
    password: str = ""
    sender: str = ""
    timeout_s: float = 30.0


class SmtpChannel:
    """Sends mail to one server; keeps the connection. Not thread-safe."""

    def __init__(self, server: SmtpServer, *, clock: Callable[[], datetime.datetime]) -> None:
        self._server = server
        self._clock = clock
        self._connection: smtplib.SMTP | None = None
        self._sent = 0

    @property
    def traits(self) -> Traits:
        """One connection; a server that is asked twice sends twice, and cannot be asked what it did."""
        return Traits(provider="smtp", endpoint=f"{self._server.host}:{self._server.port}")

    def send(self, message: Message) -> Receipt:
        """Hand a mail over; the receipt has the server's words, its queue id among them.

        Raises:
            TemporaryError, PermanentError, UncertainError: see the drawing above.
        """
        sender = message.sender.email or self._server.sender
        if not sender:
            raise PermanentError(
                error_type="provider_refused", detail=f"company {message.sender.company} has no mail address"
            )
        mail = mail_of(message, sender=sender, dated=self._clock())
        recipient = mail["To"].addresses[0].addr_spec
        # Addresses beyond ASCII need an extension of the server, and then stand in the headers as they are.
        international = not (sender + recipient).isascii()
        self._envelope(sender=sender, recipient=recipient, international=international)
        return self._content(mail.as_bytes(policy=_POLICIES[international]))

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self._sent = None, 0

    def _envelope(self, *, sender: str, recipient: str, international: bool) -> None:
        connection = self._ready()
        try:
            if international and not connection.has_extn("smtputf8"):
                raise PermanentError(
                    error_type="address_refused", detail=f"the server cannot take {recipient!r}"
                )
            options = ["SMTPUTF8", "BODY=8BITMIME"] if international else []
            if international:
                connection.command_encoding = "utf-8"
            code, text = connection.mail(sender, options)
            self._check(code, text, error_type="provider_refused", everybody=True)
            code, text = connection.rcpt(recipient)
            self._check(code, text, error_type="address_refused", everybody=False)
            code, text = connection.docmd("DATA")
            if code != 354:
                self._check(code, text, error_type="content_refused", everybody=False)
                raise TemporaryError(_said(code, text))
        except (OSError, smtplib.SMTPException) as error:
            self._gone(error)

    def _content(self, content: bytes) -> Receipt:
        connection = self._connection
        if connection is None:
            raise TemporaryError("the connection is closed")
        try:
            connection.send(_LINE_DOT.sub(b"..", content) + b".\r\n")
            code, text = connection.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise UncertainError(f"no answer after the mail was handed over: {error}") from error
        self._check(code, text, error_type="content_refused", everybody=False)
        self._sent += 1
        return Receipt(provider_id=_said(code, text))

    def _check(self, code: int, text: bytes, *, error_type: ErrorType, everybody: bool) -> None:
        if 200 <= code < 300:
            return
        # One refused mail must not leave half an envelope for the next one.
        self.close()
        if code >= 500:
            raise PermanentError(error_type=error_type, detail=_said(code, text))
        raise TemporaryError(_said(code, text), provider_down=everybody or code in (_CLOSING, -1))

    def _ready(self) -> smtplib.SMTP:
        """Give a connection that answers."""
        if self._connection is not None and (self._sent >= _MAILS_PER_CONNECTION or not self._answers()):
            self.close()
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _answers(self) -> bool:
        try:
            return self._connection is not None and self._connection.noop()[0] == 250
        except (OSError, smtplib.SMTPException):
            return False

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        try:
            if server.security == "tls":
                made: smtplib.SMTP = smtplib.SMTP_SSL(
                    server.host, server.port, timeout=server.timeout_s, context=ssl.create_default_context()
                )
            else:
                made = smtplib.SMTP(server.host, server.port, timeout=server.timeout_s)
            if server.security == "starttls":
                made.starttls(context=ssl.create_default_context())
            if server.user:
                made.login(server.user, server.password)
            made.ehlo_or_helo_if_needed()
        except (OSError, smtplib.SMTPException) as error:
            # Also a refused password: no mail is at fault, and lag shows that nothing goes.
            raise TemporaryError(f"{server.host}:{server.port}: {error}") from error
        return made

    def _gone(self, error: Exception) -> NoReturn:
        self.close()
        raise TemporaryError(f"{self._server.host}:{self._server.port}: {error}") from error


def _said(code: int, text: bytes) -> str:
    return f"{code} {text.decode(errors='replace')}"[:500]

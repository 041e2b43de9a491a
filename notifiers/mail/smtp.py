"""Mail by SMTP: connections are kept, and several mails may be under way at a time.

What each answer of a server means is in ``connection``. A kept connection that has died meanwhile
costs nothing: it is found out before the mail is handed over, which then goes over a new one.
"""

import datetime
import ssl
import threading
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from notifiers.channel import Message, Receipt, TemporaryError, Traits
from notifiers.mail.connection import LostConnection, SmtpConnection, SmtpServer, trust
from notifiers.mail.mime import MailSender, mail_of
from notifiers.mail.settings import DkimSettings, SmtpSettings
from notifiers.mail.signature import DkimSigner
from notifiers.second_look import Look, Outgoing, anybody

__all__ = ["SmtpChannel", "SmtpServer", "smtp_channel"]

_MAILS_PER_CONNECTION: Final = 100
_UNUSED_MAX: Final = datetime.timedelta(seconds=30)


class SmtpChannel:
    """Sends mail to one server. Thread-safe: each caller has a connection of its own.

    Args:
        server: where mail is handed over.
        sender: whose address mails come from.
        clock: dates mails; UTC.
        signer: signs them, where there is one.
        connections: so many callers may come at a time.
        look: refuses what must not leave.
    """

    def __init__(
        self,
        server: SmtpServer,
        *,
        sender: MailSender,
        clock: Callable[[], datetime.datetime],
        signer: DkimSigner | None = None,
        connections: int = 1,
        look: Look = anybody,
    ) -> None:
        self._server = server
        self._trusted = trust(server)
        self._look = look
        self._sender = sender
        self._clock = clock
        self._signer = signer
        self._connections = connections
        self._idle: list[SmtpConnection] = []
        self._lock = threading.Lock()

    @property
    def traits(self) -> Traits:
        """A server that is asked twice sends twice, and cannot be asked what it did."""
        return Traits(
            provider="smtp",
            endpoint=f"{self._server.host}:{self._server.port}",
            at_once=self._connections,
        )

    def send(self, message: Message) -> Receipt:
        """Hand a mail over; the receipt has the server's words, its queue id among them.

        Raises:
            TemporaryError, PermanentError, UncertainError: see ``connection``.
        """
        now = self._clock()
        mail = mail_of(message, sender=self._sender, dated=now)
        if self._signer is not None:
            mail = replace(mail, content=self._signer.signed(mail.content, at_s=int(now.timestamp())))
        self._look(
            Outgoing(
                channel="email",
                reminder=message.reminder,
                recipients=(mail.recipient, *mail.copies),
                mail=mail.content,
            )
        )
        while True:
            connection, was_kept = self._taken()
            try:
                return connection.carry(mail)
            except LostConnection as error:
                # Each turn takes a kept connection away, so that this ends with a new one.
                if not was_kept:
                    raise TemporaryError(f"{self._server.host}:{self._server.port}: {error}") from error
            finally:
                self._give_back(connection)

    def tend(self) -> None:
        """Hang up what was long unused, before the server does."""
        unused_since = self._clock() - _UNUSED_MAX
        with self._lock:
            left = [each for each in self._idle if each.used_at < unused_since]
            self._idle = [each for each in self._idle if each.used_at >= unused_since]
        for connection in left:
            connection.close()

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            left, self._idle = self._idle, []
        for connection in left:
            connection.close()

    def _taken(self) -> tuple[SmtpConnection, bool]:
        """Give a connection, and whether it was kept since another mail."""
        with self._lock:
            if self._idle:
                return self._idle.pop(), True
            trusted = self._trusted
        try:
            return SmtpConnection(self._server, at=self._clock(), trusted=trusted), False
        except TemporaryError as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):
                self._trust_anew(trusted)
            raise

    def _trust_anew(self, refused: ssl.SSLContext | None) -> None:
        """Read the trusted certificates again for the next try: their file may be another one by now; once, of callers side by side."""
        with self._lock:
            if self._trusted is refused:
                self._trusted = trust(self._server)

    def _give_back(self, connection: SmtpConnection) -> None:
        if connection.carried >= _MAILS_PER_CONNECTION:
            connection.close()
        connection.used_at = self._clock()
        if connection.is_open:
            with self._lock:
                self._idle.append(connection)


def smtp_channel(
    settings: SmtpSettings,
    *,
    dkim: DkimSettings,
    clock: Callable[[], datetime.datetime],
    look: Look = anybody,
) -> SmtpChannel:
    """Make the channel that the settings describe; nothing is connected yet.

    Raises:
        DkimError: the key cannot be used.
    """
    signer = None
    if dkim.key_file is not None:
        signer = DkimSigner.from_file(dkim.key_file, domain=dkim.domain, selector=dkim.selector)
    return SmtpChannel(
        SmtpServer(
            host=settings.host,
            port=settings.port,
            security=settings.security,
            user=settings.user,
            password=settings.password.get_secret_value(),
            timeout_s=settings.timeout_s,
        ),
        sender=MailSender(address=settings.sender, always=settings.sender_always, bounces=settings.bounces),
        clock=clock,
        signer=signer,
        connections=settings.connections,
        look=look,
    )

"""A real SMTP server (aiosmtpd) on 127.0.0.1 that can be told to refuse, to stall and to hang up."""

from asyncio import Transport
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from infra.ports import free_port

__all__ = ["MailServer"]


class MailServer:
    """Runs in a thread of its own, as a context.

    Attributes:
        mails: what was taken: (recipients, content).
        answers: command -> the answer to give instead of taking it; 'hang up' cuts the connection.
    """

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], bytes]] = []
        self.answers: dict[str, str] = {}
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, enable_SMTPUTF8=True)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    @property
    def settings(self) -> dict[str, object]:
        """What ``COBRANZA_SEND_*`` must say for mail to go there."""
        return {
            "email": "smtp",
            "smtp_host": "127.0.0.1",
            "smtp_port": self.port,
            "smtp_security": "none",
            "smtp_sender": "cobranza@company.example",
            "smtp_timeout_s": 60,
        }

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's names
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer MAIL FROM."""
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self._answer("MAIL", server)

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer RCPT TO."""
        answer = self._answer("RCPT", server)
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take the mail, or not."""
        answer = self._answer("DATA", server)
        content: Any = envelope.content
        if answer.startswith("2"):
            self.mails.append((list(envelope.rcpt_tos), content))
        return f"{answer} queued as {len(self.mails)}" if answer == "250 OK" else answer

    def _answer(self, command: str, server: SMTP) -> str:
        told = self.answers.get(command, "250 OK")
        if told == "hang up":
            assert isinstance(server.transport, Transport)
            server.transport.abort()
            return "421 gone"
        return told

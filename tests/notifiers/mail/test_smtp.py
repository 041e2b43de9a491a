"""SMTP against a real server: what each answer means, and what no answer means."""

import datetime
import email
import email.policy
from collections.abc import Iterator

import msgspec
import pytest

from infra.ports import free_port
from notifiers.channel import Message, PermanentError, TemporaryError, UncertainError
from notifiers.mail.connection import SmtpConnection
from notifiers.mail.mime import MailSender
from notifiers.mail.smtp import SmtpChannel, SmtpServer
from schemas.events import Contact
from tests.notifiers.mail_server import MailServer
from tests.notifiers.sending import CONTACT, RENDERER, TICK, SettableClock, reminder


@pytest.fixture
def server() -> Iterator[MailServer]:
    """Give a server that takes everything."""
    with MailServer() as running:
        yield running


@pytest.fixture
def channel(server: MailServer) -> Iterator[SmtpChannel]:
    """Give a channel to that server."""
    made = channel_to(server.port)
    yield made
    made.close()


def channel_to(port: int) -> SmtpChannel:
    """Make a channel to a port of this machine."""
    there = SmtpServer(host="127.0.0.1", port=port, security="none", timeout_s=60.0)
    clock = SettableClock(TICK + datetime.timedelta(hours=1))
    return SmtpChannel(there, sender=MailSender(), clock=clock)


def message(contact: Contact = CONTACT, *, name: str = "r1") -> Message:
    """Make a mail."""
    return RENDERER.message(reminder(name, contact=contact), "email")


def test_a_mail_arrives_as_it_was_written(server: MailServer, channel: SmtpChannel) -> None:
    """Recipient, subject, text, HTML and a Message-ID that is the reminder's; the receipt has the queue id."""
    receipt = channel.send(message())
    assert "250 OK queued as 1" == receipt.provider_id
    ((recipients, content),) = server.mails
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert ["zoe@customer.example"] == recipients
    assert "Payment reminder: 3 documents – Samples & Signals Ltd" == mail["Subject"]
    assert "Zoë Ñandú <zoe@customer.example>" == mail["To"]
    assert "Samples & Signals Ltd <billing@company.example>" == mail["From"]
    assert "<r1.email@company.example>" == mail["Message-ID"]
    assert TICK + datetime.timedelta(hours=1) == mail["Date"].datetime
    text, html = mail.iter_parts()
    assert message().text.splitlines() == text.get_content().splitlines()
    assert message().html.splitlines() == html.get_content().splitlines()


def test_the_connection_is_kept_and_found_again(server: MailServer, channel: SmtpChannel) -> None:
    """Several mails over one connection; when the server has closed it, the next mail opens another."""
    channel.send(message(name="r1"))
    channel.send(message(name="r2"))
    server.answers["RCPT"] = "hang up"
    with pytest.raises(TemporaryError):
        channel.send(message(name="r3"))
    server.answers.clear()
    channel.send(message(name="r4"))
    assert 3 == len(server.mails)


def test_a_line_that_is_a_dot_does_not_end_the_mail(server: MailServer, channel: SmtpChannel) -> None:
    """The dot is doubled on the way (RFC 5321, 4.5.2)."""
    channel.send(msgspec.structs.replace(message(), text="one\n.\ntwo", html=""))
    assert b"one\r\n.\r\ntwo" in server.mails[0][1]


@pytest.mark.parametrize(
    ("command", "answer", "error_type"),
    [
        ("MAIL", "550 we do not relay", "provider_refused"),
        ("RCPT", "550 no such user", "address_refused"),
        ("DATA", "554 looks like spam", "content_refused"),
    ],
)
def test_5xx_is_for_good(
    server: MailServer, channel: SmtpChannel, command: str, answer: str, error_type: str
) -> None:
    """Each command's refusal has its own label, and the server's words as detail."""
    server.answers[command] = answer
    with pytest.raises(PermanentError) as caught:
        channel.send(message())
    assert (error_type, answer) == (caught.value.error_type, caught.value.detail)


@pytest.mark.parametrize(
    ("command", "answer", "holds"),
    [
        ("MAIL", "451 4.7.1 too much from this sender", "sender"),
        ("MAIL", "452 out of space", "provider"),
        ("MAIL", "451 4.3.0 queue file write error", "provider"),
        ("RCPT", "450 greylisted", "message"),
        ("RCPT", "421 closing", "provider"),
        ("DATA", "452 out of space", "message"),
    ],
)
def test_4xx_is_for_later(
    server: MailServer, channel: SmtpChannel, command: str, answer: str, holds: str
) -> None:
    """By hanging up, or of its own system, it concerns all mails; of the sender this company's; else this one."""
    server.answers[command] = answer
    with pytest.raises(TemporaryError) as caught:
        channel.send(message())
    error = caught.value
    held = "provider" if error.provider_down else "sender" if error.sender_refused else "message"
    assert (True, holds) == (error.detail.endswith(answer), held)
    server.answers.clear()
    channel.send(message())
    assert 1 == len(server.mails)


@pytest.mark.parametrize("command", ["MAIL", "RCPT"])
def test_a_connection_lost_before_the_content_is_for_later(
    server: MailServer, channel: SmtpChannel, command: str
) -> None:
    """Nothing was handed over."""
    server.answers[command] = "hang up"
    with pytest.raises(TemporaryError):
        channel.send(message())


def test_a_connection_lost_after_the_content_is_in_doubt(server: MailServer, channel: SmtpChannel) -> None:
    """The content is out and no answer came: it may have been taken."""
    server.answers["DATA"] = "hang up"
    with pytest.raises(UncertainError):
        channel.send(message())


def test_a_server_that_is_not_there_is_for_later() -> None:
    """Connection refused: temporary, for all mails."""
    with pytest.raises(TemporaryError) as caught:
        channel_to(free_port()).send(message())
    assert caught.value.provider_down


@pytest.mark.parametrize("host", ["smtp..example.com", "x" * 70 + ".example.com"])
def test_a_host_that_can_be_none_is_for_later(host: str) -> None:
    """A misspelt setting: Python's resolver raises another error for it, and no mail was in doubt by that."""
    with pytest.raises(TemporaryError) as caught:
        SmtpConnection(SmtpServer(host=host, port=25, security="none"), at=TICK, trusted=None)
    assert caught.value.provider_down


@pytest.mark.parametrize(
    ("address", "error_type"),
    [("", "address_missing"), ("nobody", "address_refused"), ("a b@customer.example", "address_refused")],
)
def test_an_address_that_cannot_be_is_not_tried(
    server: MailServer, channel: SmtpChannel, address: str, error_type: str
) -> None:
    """R27: no usable address is a failure that the ledger falls back from; the server is not asked."""
    with pytest.raises(PermanentError) as caught:
        channel.send(message(Contact(email=address)))
    assert (error_type, []) == (caught.value.error_type, server.mails)


def test_a_name_cannot_add_a_header(server: MailServer, channel: SmtpChannel) -> None:
    """A line break in a name stays a space."""
    channel.send(message(Contact(name="Eve\r\nBcc: all@customer.example", email="eve@customer.example")))
    mail = email.message_from_bytes(server.mails[0][1], policy=email.policy.default)
    assert (None, ["eve@customer.example"]) == (mail["Bcc"], server.mails[0][0])

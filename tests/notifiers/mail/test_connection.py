"""Many mails to one SMTP server: connections that are kept, used side by side, lost, and protected."""

import re
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from sqlalchemy import Engine

from notifiers.channel import Message, PermanentError, TemporaryError, UncertainError
from notifiers.mail.connection import SmtpConnection
from notifiers.mail.mime import MailSender
from notifiers.mail.smtp import SmtpChannel, SmtpServer
from schemas.events import Contact
from tests.notifiers.certificates import certificate_of
from tests.notifiers.mail.scripted_server import HANG_UP, ScriptedServer
from tests.notifiers.sending import (
    CONTACT,
    RENDERER,
    TICK,
    SettableClock,
    dispatcher,
    know,
    read,
    reminder,
    states,
)

ENVELOPE = ["MAIL", "RCPT", "DATA"]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """Give a server that takes everything."""
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def channel(server: ScriptedServer) -> Iterator[SmtpChannel]:
    """Give a channel to it."""
    made = channel_to(server)
    yield made
    made.close()


def channel_to(server: ScriptedServer, **changes: object) -> SmtpChannel:
    """Make a channel."""
    plain = SmtpServer(host="127.0.0.1", port=server.port, security="none", timeout_s=60.0)
    return SmtpChannel(
        msgspec.structs.replace(plain, **changes),
        sender=MailSender(),
        clock=SettableClock(),
        connections=8,
    )


def message(name: str = "r1", contact: Contact = CONTACT, *, text: str = "pay") -> Message:
    """Make a small mail."""
    written = RENDERER.message(reminder(name, contact=contact), "email")
    return msgspec.structs.replace(written, text=text, html="")


def test_an_envelope_takes_one_round_trip(server: ScriptedServer, channel: SmtpChannel) -> None:
    """RFC 2920: the server answers only when it has heard all three; the mail's size is said."""
    server.withholds = True
    channel.send(message())
    assert 1 == len(server.contents)
    assert f"MAIL FROM:<billing@company.example> SIZE={len(server.contents[0]) - 3}" == server.heard[0][1]


def test_without_the_extension_each_answer_is_waited_for(
    server: ScriptedServer, channel: SmtpChannel
) -> None:
    """After a refusal the rest is not said."""
    server.extensions = []
    server.answers["RCPT"] = ["550 5.1.1 nobody here"]
    with pytest.raises(PermanentError):
        channel.send(message())
    assert ["MAIL", "RCPT", "RSET"] == server.commands


def test_a_refused_mail_leaves_the_connection_to_the_next(
    server: ScriptedServer, channel: SmtpChannel
) -> None:
    """Many bad addresses do not cost as many connections; nothing of the one is in the other."""
    server.answers["RCPT"] = ["550 5.1.1 nobody here"]
    server.answers["DATA"] = ["503 no recipient"]
    with pytest.raises(PermanentError) as caught:
        channel.send(message("r1"))
    assert "address_refused" == caught.value.error_type
    channel.send(message("r2"))
    assert (1, [*ENVELOPE, "RSET", *ENVELOPE]) == (len(server.heard), server.commands)


def test_a_server_that_waits_for_a_content_gets_none_for_a_refused_recipient(
    server: ScriptedServer, channel: SmtpChannel
) -> None:
    """RFC 2920, 3.1: it says 354 all the same; the connection ends, and the next mail goes over another."""
    server.answers["RCPT"] = ["550 nobody here"]
    with pytest.raises(PermanentError):
        channel.send(message("r1"))
    channel.send(message("r2"))
    assert (2, 1) == (len(server.heard), len(server.contents))


@pytest.mark.parametrize("answer", [HANG_UP, "421 4.7.0 too many mails on this connection"])
def test_a_kept_connection_that_has_died_costs_nothing(
    server: ScriptedServer, channel: SmtpChannel, answer: str
) -> None:
    """Found out by the envelope: the mail goes over a new one, at once and once."""
    channel.send(message("r1"))
    server.answers["MAIL"] = [answer]
    channel.send(message("r2"))
    assert (2, 2) == (len(server.heard), len(server.contents))


def test_a_new_connection_that_dies_is_for_later(server: ScriptedServer, channel: SmtpChannel) -> None:
    """It is not tried for ever."""
    server.answers["MAIL"] = [HANG_UP, HANG_UP]
    with pytest.raises(TemporaryError) as caught:
        channel.send(message())
    assert (True, 1) == (caught.value.provider_down, len(server.heard))


@pytest.mark.parametrize(
    ("step", "answer", "provider_down"),
    [
        ("MAIL", "454 Throttling failure: Maximum sending rate exceeded.", True),
        ("RCPT", "454 Throttling failure: Daily message quota exceeded.", True),
        ("content", "454 Throttling failure", True),
        ("content", "421 closing", True),
        ("content", "451 4.7.1 greylisted", False),
        ("MAIL", "530 5.7.0 Authentication required", True),
        ("RCPT", "451 4.7.1 greylisted", False),
    ],
)
def test_what_is_for_later(
    server: ScriptedServer, channel: SmtpChannel, step: str, answer: str, provider_down: bool
) -> None:
    """Throttling and a login that is asked for concern all mails, greylisting this one."""
    server.answers[step] = [answer]
    with pytest.raises(TemporaryError) as caught:
        channel.send(message())
    assert provider_down == caught.value.provider_down
    channel.send(message())
    assert ENVELOPE == server.commands[-3:]


@pytest.mark.parametrize(
    ("step", "answer", "error_type"),
    [
        ("MAIL", "550 5.7.1 not your domain", "provider_refused"),
        ("MAIL", "552 5.3.4 message too big", "content_refused"),
        ("RCPT", "550 5.7.1 relaying denied", "provider_refused"),
        ("RCPT", "550 no such user", "address_refused"),
        ("RCPT", "550 5.1.1 user unknown", "address_refused"),
        ("RCPT", "550 5.2.1 mailbox disabled", "address_refused"),
        ("RCPT", "552 5.2.2 mailbox full", "bounce_gave_up"),
        ("RCPT", "552 mailbox full", "bounce_gave_up"),
        ("RCPT", "550 5.3.0 their system is away", "bounce_gave_up"),
        ("RCPT", "550 5.4.1 no answer from their host", "bounce_gave_up"),
        ("RCPT", "552 5.3.4 message too big", "content_refused"),
        ("content", "552 5.2.2 mailbox full", "bounce_gave_up"),
        ("content", "550 5.1.1 user unknown", "address_refused"),
        ("content", "554 5.7.1 spam", "content_refused"),
    ],
)
def test_what_is_for_good(
    server: ScriptedServer, channel: SmtpChannel, step: str, answer: str, error_type: str
) -> None:
    """R19: of a refusal only an unknown mailbox is held against an address; not what a relay has against us, nor a full one."""
    server.answers[step] = [answer]
    with pytest.raises(PermanentError) as caught:
        channel.send(message())
    assert (error_type, answer) == (caught.value.error_type, caught.value.detail)


@pytest.mark.parametrize("answer", [HANG_UP, "not an answer", "354 more please"])
def test_after_the_content_only_a_word_counts(
    server: ScriptedServer, channel: SmtpChannel, answer: str
) -> None:
    """No answer, or none that means anything: nobody knows."""
    server.answers["content"] = [answer]
    with pytest.raises(UncertainError):
        channel.send(message())


def test_a_connection_that_breaks_within_the_content_is_for_later(
    server: ScriptedServer, channel: SmtpChannel
) -> None:
    """The line that ends the mail did not get out: surely not taken, nobody need look."""
    server.answers["content"] = [f"{HANG_UP} within"]
    with pytest.raises(TemporaryError) as caught:
        channel.send(message(text="long\n" * 4_000_000))
    assert (False, []) == (caught.value.provider_down, server.contents)


def test_mails_go_side_by_side(server: ScriptedServer, channel: SmtpChannel) -> None:
    """Eight callers, eight connections: no mail is answered before all are there."""
    all_there = threading.Barrier(8)
    server.before_content_answer = lambda: all_there.wait(60)
    with ThreadPoolExecutor(8) as callers:
        receipts = list(callers.map(lambda number: channel.send(message(f"r{number}")), range(8)))
    assert (8, 8) == (len(receipts), len(server.heard))
    server.before_content_answer = lambda: None
    channel.send(message())
    assert 8 == len(server.heard)


def test_a_connection_that_is_long_unused_is_given_up(server: ScriptedServer) -> None:
    """The next mail opens a new one; one that was just used stays."""
    clock = SettableClock()
    there = SmtpServer(host="127.0.0.1", port=server.port, security="none", timeout_s=60.0)
    channel = SmtpChannel(there, sender=MailSender(), clock=clock)
    channel.send(message())
    channel.tend()
    channel.send(message())
    assert 1 == len(server.heard)
    clock.pass_s(31)
    channel.tend()
    channel.send(message())
    assert 2 == len(server.heard)
    channel.close()


def test_an_international_address_needs_a_server_that_can(
    server: ScriptedServer, channel: SmtpChannel
) -> None:
    """RFC 6531: refused here, without a word to the server; with the extension it goes."""
    abroad = Contact(email="ñandú@customer.example")
    with pytest.raises(PermanentError) as caught:
        channel.send(message(contact=abroad))
    assert ("address_refused", []) == (caught.value.error_type, server.commands)
    server.extensions.append("SMTPUTF8")
    channel.close()
    channel.send(message(contact=abroad))
    assert "RCPT TO:<ñandú@customer.example>" == server.heard[-1][2]
    assert server.heard[-1][1].endswith("SMTPUTF8 BODY=8BITMIME")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Give a certificate of this machine, with its key."""
    return certificate_of(tmp_path)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_protected_connection_checks_the_certificate(
    monkeypatch: pytest.MonkeyPatch, certificate: Path, security: str
) -> None:
    """A server that cannot prove its name gets no password; one that we trust gets the mail."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with ScriptedServer(tls=context, is_tls_at_once=security == "tls") as server:
        server.extensions.append("AUTH PLAIN")
        server.answers["AUTH"] = ["235 welcome"] * 9
        told = {"host": "localhost", "security": security, "user": "acme", "password": "s3cr3t-7"}
        with pytest.raises(TemporaryError) as caught:
            channel_to(server, **told).send(message())
        assert (True, []) == (caught.value.provider_down, server.contents)
        assert not any(each.startswith("AUTH") for said in server.heard for each in said)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        channel_to(server, **told).send(message())
        assert 1 == len(server.contents)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_certificates_are_read_once(
    monkeypatch: pytest.MonkeyPatch, certificate: Path, security: Literal["tls", "starttls"]
) -> None:
    """Not for each connection: to read those that are trusted takes longer than a mail, and eight are made side by side."""
    made: list[ssl.SSLContext] = []
    trusting = ssl.create_default_context

    def counted() -> ssl.SSLContext:
        made.append(trusting())
        return made[-1]

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr(ssl, "create_default_context", counted)
    with ScriptedServer(tls=context, is_tls_at_once=security == "tls") as server:
        channel = channel_to(server, host="localhost", security=security)
        for number in range(3):
            channel.send(message(f"r{number}"))
            channel.close()
        assert (3, 3) == (len(server.heard), len(server.contents))
    assert [(True, ssl.CERT_REQUIRED)] == [(each.check_hostname, each.verify_mode) for each in made]


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_changed_file_of_certificates_needs_no_restart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, security: Literal["tls", "starttls"]
) -> None:
    """The server shows a new certificate, and the file of those we trust gets it: the second next mail goes."""
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    old, new = certificate_of(tmp_path / "old"), certificate_of(tmp_path / "new")
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(old.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(new)
    with ScriptedServer(tls=context, is_tls_at_once=security == "tls") as server:
        channel = channel_to(server, host="localhost", security=security)
        for _ in range(2):
            with pytest.raises(TemporaryError, match="CERTIFICATE_VERIFY_FAILED"):
                channel.send(message())
        trusted.write_bytes(new.read_bytes())
        with pytest.raises(TemporaryError, match="CERTIFICATE_VERIFY_FAILED"):
            channel.send(message())
        channel.send(message())
        assert 1 == len(server.contents)
        channel.close()


def test_without_tls_no_certificate_is_read(monkeypatch: pytest.MonkeyPatch, server: ScriptedServer) -> None:
    """Nor could a connection with TLS be made that trusts anybody."""
    monkeypatch.setattr(ssl, "create_default_context", lambda: pytest.fail("certificates were read"))
    channel_to(server).send(message())
    protected = SmtpServer(host="127.0.0.1", port=server.port, security="starttls")
    with pytest.raises(ValueError, match="trusted"):
        SmtpConnection(protected, at=TICK, trusted=None)


def test_a_refused_password_is_for_later_and_nowhere_told(
    monkeypatch: pytest.MonkeyPatch, certificate: Path
) -> None:
    """No mail is at fault; the password is in no error and no representation."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with ScriptedServer(tls=context, is_tls_at_once=True) as server:
        server.extensions.append("AUTH PLAIN")
        server.answers["AUTH"] = ["535 5.7.8 no"]
        told = SmtpServer(
            host="localhost", port=server.port, security="tls", user="acme", password="s3cr3t-7"
        )
        channel = SmtpChannel(told, sender=MailSender(), clock=SettableClock(TICK))
        with pytest.raises(TemporaryError) as caught:
            channel.send(message())
    assert caught.value.provider_down
    assert "s3cr3t-7" not in f"{caught.value.detail} {told!r} {told}"


def test_in_the_loop_each_mail_is_handed_over_once(engine: Engine, server: ScriptedServer) -> None:
    """R19: of thirty mails over eight connections one gets no answer and one is refused; that is what is held, and failed."""
    names = [f"r{number:02d}" for number in range(30)]
    running = dispatcher(engine, channel=channel_to(server))
    server.answers["content"] = [*["250 ok"] * 10, HANG_UP]
    server.answers["RCPT"] = [*["250 ok"] * 20, "550 5.1.1 nobody here"]
    know(engine)
    running.record([read(reminder(name)) for name in names])
    while running.run(partitions=[0]):
        pass
    assert {"accepted": 28, "unknown": 1, "failed": 1} == dict(Counter(states(engine).values()))
    carried = Counter(re.findall(rb"X-Cobranza-Reminder: (\S+)", b"".join(server.contents)))
    assert (29, {1}) == (len(carried), set(carried.values()))
    assert len(server.heard) <= 10


@pytest.mark.parametrize("pipelining", [True, False])
def test_a_copy_that_is_refused_keeps_nothing_back(
    server: ScriptedServer, channel: SmtpChannel, pipelining: bool
) -> None:
    """B-13: whom the mail is for gets it, and so does who gets the other copy."""
    if not pipelining:
        server.extensions = ["8BITMIME"]
    server.answers["RCPT"] = ["250 ok", "550 5.1.1 nobody here", "250 ok"]
    copies = (Contact(email="gone@customer.example"), Contact(email="boss@customer.example"))
    channel.send(msgspec.structs.replace(message(), cc=copies))
    assert 1 == len(server.contents)
    assert b"Cc: gone@customer.example" in server.contents[0]
    assert ["MAIL", "RCPT", "RCPT", "RCPT", "DATA"] == server.commands


def test_a_mail_whose_own_address_is_refused_is_not_sent_to_the_copies(
    server: ScriptedServer, channel: SmtpChannel
) -> None:
    """B-13, R19: it has failed, and goes another way; nobody gets a copy of what was not sent."""
    server.answers["RCPT"] = ["550 5.1.1 nobody here"]
    with pytest.raises(PermanentError) as raised:
        channel.send(msgspec.structs.replace(message(), cc=(Contact(email="boss@customer.example"),)))
    assert "address_refused" == raised.value.error_type
    assert [] == server.contents

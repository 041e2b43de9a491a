"""SMS over TLS: what broke before a word was said may go again, what broke afterwards nobody knows."""

import socket
from pathlib import Path

import pytest

from notifiers.channel import TemporaryError, UncertainError
from notifiers.sms.account import TwilioAccount
from notifiers.sms.twilio import TwilioChannel
from tests.notifiers.certificates import certificate_of
from tests.notifiers.sms.test_twilio import message
from tests.notifiers.sms.twilio_server import ACCOUNT, SERVICE
from tests.notifiers.tls_servers import (
    BREAKS_IN_A_HANDSHAKE,
    Serve,
    breaking_after,
    listening,
    presenting,
    tunnelled,
)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Give a certificate of this machine, with its key."""
    return certificate_of(tmp_path)


def channel_to(url: str, *, timeout_s: float = 60.0) -> TwilioChannel:
    """Make a channel."""
    account = TwilioAccount(
        account_sid=ACCOUNT, secret="s3cret", messaging_service_sid=SERVICE, url=url, timeout_s=timeout_s
    )
    return TwilioChannel(account, of_others=lambda *_: (), flights=lambda *_: ())


def test_a_certificate_that_is_not_trusted_is_no_message(certificate: Path) -> None:
    """Nothing was said: all of the channel waits, and the detail says to whoever looks what is to be mended."""
    context, heard = presenting(certificate), []

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as inside:
            heard.append(inside.recv(1))

    with listening(serve) as url, pytest.raises(TemporaryError, match="CERTIFICATE_VERIFY_FAILED") as caught:
        channel_to(url).send(message())
    assert (True, True) == (caught.value.provider_down, "nothing was said" in caught.value.detail)
    assert [] == [each for each in heard if each]


def test_a_missing_file_of_certificates_is_no_message(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is trusted is read before there is a connection: all wait, and the file is named."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "gone.pem"))
    with pytest.raises(TemporaryError, match="gone") as caught:
        channel_to("https://127.0.0.1:9").send(message())
    assert caught.value.provider_down


@pytest.mark.parametrize("serve", BREAKS_IN_A_HANDSHAKE.values(), ids=BREAKS_IN_A_HANDSHAKE)
def test_a_handshake_that_fails_is_no_message(serve: Serve) -> None:
    """No request is written before it has ended: the message may go again, and is not held for a person."""
    with listening(serve) as url, pytest.raises(TemporaryError, match="nothing was said") as caught:
        channel_to(url).send(message())
    assert caught.value.provider_down


def test_a_handshake_that_never_ends_is_no_message() -> None:
    """A server that is there and says nothing: not a word of ours was on its way either."""

    def serve(connection: socket.socket) -> None:
        while connection.recv(65_536):
            pass

    with listening(serve) as url, pytest.raises(TemporaryError) as caught:
        channel_to(url, timeout_s=0.3).send(message())
    assert caught.value.provider_down


def test_a_proxys_tunnel_to_a_handshake_that_fails_is_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """It let us through, and behind it nobody spoke TLS."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with listening(tunnelled) as url:
        monkeypatch.setenv("https_proxy", url.replace("https", "http"))
        with pytest.raises(TemporaryError, match="nothing was said"):
            channel_to("https://api.twilio.example").send(message())


def test_a_connection_that_breaks_within_the_exchange_is_nobody_knows(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider had the message; then came what is no TLS. A second SMS would be sent for nothing."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    heard: list[bytes] = []
    serve = breaking_after(b"Body=", certificate=certificate, heard=heard)
    with listening(serve) as url, pytest.raises(UncertainError):
        channel_to(url).send(message())
    assert 1 == len(heard)
